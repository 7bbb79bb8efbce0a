"""The patient's own page: the way back by a one-time code, and what may be done with what was sent.

No address names a record. Before the code the browser holds the key of what it asked for, after it
the key of what was opened; both are looked up by their hash.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from clinic import hours, limits
from intake import documents
from intake.access import code_limits, codes
from intake.access.forms import CodeForm, FindForm, ReplyForm, ReturnForm
from intake.appointments.views.visit_words import visit_context
from intake.domain import workflow
from intake.errors import Conflict
from intake.models.access import Grant
from intake.models.submissions import Kind, Submission
from intake.my_page import replies, standing
from intake.questionnaire import drafts
from intake.questionnaire.views.browser import (
    HOUR,
    count_start,
    hold,
    later,
    now,
    redirect_to,
    too_often,
)
from intake.questionnaire.views.emergencies import as_fired
from intake.questionnaire.views.sending import next_words
from intake.wording import advice

READER_WORDS = {
    "clinician": gettext_lazy("A clinician"),
    "duty": gettext_lazy("The clinician on duty"),
    "front desk": gettext_lazy("The front desk"),
}


# --- the way in -----------------------------------------------------------------------------------


def key_of(request: HttpRequest) -> str:
    """What this browser holds as its way in, '' for nothing."""
    return request.COOKIES.get(settings.RETURN_COOKIE_NAME, "")


def _hold(response: HttpResponse, key: str) -> HttpResponse:
    response.set_cookie(
        settings.RETURN_COOKIE_NAME,
        key,
        max_age=2 * 60 * 60,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def my(request: HttpRequest) -> HttpResponse:
    """The patient's page, or the question for number and address that leads to it."""
    if request.method != "POST" and (grant := codes.grant_of(key_of(request))):
        return show(request, grant, ReplyForm())
    return _ask(request, ReturnForm, "my")


@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Who forgot the number: the address alone."""
    return _ask(request, FindForm, "find")


@require_http_methods(["GET", "HEAD", "POST"])
def resume(request: HttpRequest) -> HttpResponse:
    """Go on with answers that were saved for later."""
    return _ask(request, ReturnForm, "resume")


def _ask(request: HttpRequest, form_class: Any, way: str, status: int = 0) -> HttpResponse:
    form = form_class(data=request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _show_ask(request, form, way, status=422 if form.is_bound else 200)
    address, reference = form.cleaned_data["address"], form.cleaned_data.get("reference")
    mailbox, peer = codes.address_key(address), limits.peer(request)
    if seconds := code_limits.count_request(peer=peer, mailbox=mailbox, reference=reference):
        notice = too_often(seconds)
        if reference is None:
            notice += " " + _(
                "Your number is in our first message to you. Ask with the number instead."
            )
        return later(_show_ask(request, form, way, status=429, notice=notice), seconds)
    key = codes.send(address=address, reference=reference, unsent_first=way == "resume")
    return _hold(redirect("intake:code"), key)


def _show_ask(
    request: HttpRequest, form: Any, way: str, *, status: int, notice: str = ""
) -> HttpResponse:
    context = {"form": form, "way": way, "notice": notice}
    return render(request, "my/ask.html", context, status=status)


def ask_again(form_class: Any, way: str) -> Callable[..., HttpResponse]:
    """The question once more, with what was typed, when the request could not be served."""

    def again(request: HttpRequest, *, status: int, notice: str) -> HttpResponse:
        return _show_ask(request, form_class(data=request.POST), way, status=status, notice=notice)

    return again


my.again = ask_again(ReturnForm, "my")  # type: ignore[attr-defined]
find.again = ask_again(FindForm, "find")  # type: ignore[attr-defined]
resume.again = ask_again(ReturnForm, "resume")  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Enter the code, or ask for ten minutes more."""
    key = key_of(request)
    if not key:
        return redirect("intake:my")
    if request.method != "POST":
        return _show_code(request, CodeForm(), status=200)
    peer = limits.peer(request)
    if request.POST.get("go") == "again":
        asked = codes.asked_for(key=key)
        if asked is None:
            return redirect("intake:my")
        mailbox, reference = asked
        if seconds := code_limits.count_request(peer=peer, mailbox=mailbox, reference=reference):
            notice = too_often(seconds)
            return later(_show_code(request, CodeForm(), status=429, notice=notice), seconds)
        renewed = codes.renew(key=key)
        return _hold(redirect("intake:code"), renewed) if renewed else redirect("intake:my")
    form = CodeForm(data=request.POST)
    if not form.is_valid():
        return _show_code(request, form, status=422)
    tries = limits.Limit(f"code-peer:{peer}", settings.LIMIT_TRIES_PEER, HOUR)
    # a neighbour on the network uses up no tries of a code that was asked for here
    if (seconds := limits.take_all(tries)) and not codes.may_still_try(key=key):
        notice = too_often(seconds)
        return later(_show_code(request, form, status=429, notice=notice), seconds)
    opened = codes.redeem(key=key, code=form.cleaned_data["code"], request_id=request.request_id)
    if opened is None:
        form.add_error(
            "code",
            _(
                "This code does not open anything. Check it. A code works for 10 minutes, in the "
                "window where you asked for it, and may be tried 5 times."
            ),
        )
        return _show_code(request, form, status=422)
    if opened.draft:
        step = drafts.walk_of(opened.draft).first_open
        response = hold(redirect_to(step), opened.key, opened.draft)
        response.delete_cookie(settings.RETURN_COOKIE_NAME, samesite="Lax")
        return response
    return _hold(redirect("intake:my"), opened.key)


def _show_code(
    request: HttpRequest, form: CodeForm, *, status: int, notice: str = ""
) -> HttpResponse:
    return render(request, "my/code.html", {"form": form, "notice": notice}, status=status)


def code_again(request: HttpRequest, *, status: int, notice: str) -> HttpResponse:
    return _show_code(request, CodeForm(data=request.POST), status=status, notice=notice)


code.again = code_again  # type: ignore[attr-defined]


# --- what was opened ------------------------------------------------------------------------------


def with_grant(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Hands the opened submission to the view; whoever has none is asked for a code."""

    @wraps(view)
    def wrapper(request: HttpRequest) -> HttpResponse:
        grant = codes.grant_of(key_of(request))
        if grant is None or grant.chosen is None:
            return redirect("intake:my")
        return view(request, grant=grant, submission=grant.chosen)

    return wrapper


def show(
    request: HttpRequest, grant: Grant, form: ReplyForm, *, status: int = 200, notice: str = ""
) -> HttpResponse:
    """The page of one submission, or the list of those that one mailbox has. `notice`: why
    something was not done."""
    if grant.chosen is None:
        rows = Submission.objects.filter(pk__in=grant.submissions).order_by("-submitted_at")
        listed = [
            (row.reference, row.submitted_at, standing.short_words(row, row.outcome))
            for row in standing.with_outcome(rows)
        ]
        return render(request, "my/list.html", {"rows": listed}, status=status)
    visit = visit_context(grant.chosen)
    context = visit | status_context(grant.chosen, visit)
    context |= {"form": form, "several": len(grant.submissions) > 1, "notice": notice}
    return render(request, "my/status.html", context, status=status)


def status_context(submission: Submission, visit: dict[str, Any]) -> dict[str, Any]:
    """All that the page says beside the visit's own words; never an answer."""
    wish = getattr(submission, "appointment_request", None)
    outcome = standing.outcome_of(submission)
    asked = standing.is_asked(submission)
    emergency = standing.needs_emergency_care(submission, outcome)
    # nothing is promised while the patient has the next step
    promises = submission.status in workflow.IN_TRIAGE and not (asked or emergency)
    spoken = documents.wording(submission.protocol_id, get_language())
    letters = list(submission.communications.all())
    readers = replies.readers(submission)
    is_visit_open = wish is not None and wish.progress in workflow.REQUEST_OPEN
    language = get_language() or "en"
    # like all that tells somebody in danger what to do: in words that somebody signed
    told_in = spoken.language_of("emergency") if emergency else language
    with override(told_in):
        words = standing.status_words(
            submission,
            outcome,
            letters=letters,
            readers=readers,
            visit_stands=is_visit_open or bool(visit["offers"]),
        )
    return {
        "reference": submission.reference,
        "sent_at": submission.submitted_at,
        "words": words,
        "emergency": emergency,
        "spoken": told_in if told_in != language else "",
        "next_text": "",
        **(next_words(submission, spoken) if promises and submission.kind != Kind.STOPPED else {}),
        "stopped": submission.kind == Kind.STOPPED,
        "visit": standing.visit_words(wish.progress, outcome, offers=bool(visit["offers"]))
        if wish
        else "",
        "letters": [
            {"text": row.words["text"], "ours": row.by_id is not None, "at": row.at}
            for row in letters
        ],
        "answer_by": hours.day_words(submission.reply_due_at) if submission.reply_due_at else "",
        "readers": [
            {"who": READER_WORDS.get(reader.role, _("Our staff")), "at": reader.at}
            for reader in readers
        ],
        "may_withdraw": "withdraw" in workflow.allowed(submission.status),
        "withdrawn": submission.status == "withdrawn",
    }


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Of several submissions, look at this one; or go back to the list."""
    if grant := codes.grant_of(key_of(request)):
        codes.choose(grant=grant, reference=request.POST.get("reference", "")[:20])
    return redirect("intake:my")


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
def reply(request: HttpRequest, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Write to the clinic. What sounds like danger is answered at once."""
    if request.method != "POST":
        return redirect("intake:my")
    form = ReplyForm(data=request.POST)
    if not form.is_valid():
        return show(request, grant, form, status=422)
    key = f"reply:{limits.peer(request)}"
    if seconds := limits.take_all(limits.Limit(key, settings.LIMIT_INTAKE_SENDS, HOUR)):
        form.add_error(None, too_often(seconds))
        return later(show(request, grant, form, status=429), seconds)
    rule = replies.reply(
        submission=submission, text=form.cleaned_data["text"], request_id=request.request_id
    )
    if rule is None:
        return redirect(f"{reverse('intake:my')}#messages")
    card = advice.card(now(), as_fired(rule), phone=True, at=timezone.now())
    return render(request, "my/alarm.html", {"advice": card.whole, "spoken": card.language})


def reply_again(request: HttpRequest, *, status: int, notice: str) -> HttpResponse:
    context = {"form": ReplyForm(data=request.POST), "notice": notice}
    return render(request, "my/reply.html", context, status=status)


reply.again = reply_again  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
def withdraw(request: HttpRequest, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Take the submission back, asked once."""
    if request.method != "POST":
        return render(request, "my/withdraw.html", {"reference": submission.reference})
    try:
        replies.withdraw(submission=submission, request_id=request.request_id)
    except workflow.NotAllowed:  # closed meanwhile: the page says so
        pass
    except Conflict:  # somebody books on that day just now
        return show(request, grant, ReplyForm(), status=409, notice=_("Please try again."))
    return redirect("intake:my")


@require_POST
@with_grant
def add(request: HttpRequest, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Begin an addition to what was sent."""
    if seconds := count_start(request):
        notice = too_often(seconds)
        return later(show(request, grant, ReplyForm(), status=429, notice=notice), seconds)
    draft, key = replies.begin_addition(submission=submission, language=get_language() or "en")
    return hold(redirect_to("safety"), key, draft)


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """End this browser's way in."""
    if request.method == "POST":
        if grant := codes.grant_of(key_of(request)):
            codes.end(grant=grant)
        response = redirect("home")
        response.delete_cookie(settings.RETURN_COOKIE_NAME, samesite="Lax")
        if not settings.DEMO:  # needs TLS
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response
    return redirect("intake:my")
