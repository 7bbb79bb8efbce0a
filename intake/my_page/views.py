"""Write to the clinic, add to a submission, withdraw it, or leave the own page.

No URL names a submission: the browser sends a key, whose hash is stored with the grant.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from clinic import limits
from clinic.requests import Request
from intake import documents
from intake.access import grants
from intake.access.forms import ReplyForm
from intake.domain import workflow
from intake.errors import Conflict
from intake.models.access import Grant
from intake.models.submissions import Draft, Kind, Submission
from intake.my_page import replies
from intake.my_page.browser_key import key_of, with_grant
from intake.my_page.returned import REFUSAL, REPLY, give_back, returned_page
from intake.my_page.status_page import (
    heard_context,
    heard_in,
    reply_form,
    says_cannot_wait,
    show,
    with_refusals,
)
from intake.protocols import current
from intake.questionnaire import all_questions, part_2
from intake.questionnaire.views import replacing
from intake.questionnaire.views.browser import draft_of
from intake.questionnaire.views.emergencies import as_fired
from intake.questionnaire.views.not_served import when_not_served
from intake.questionnaire.views.part_2 import to_first_open
from intake.questionnaire.views.request_limits import (
    HOUR,
    count_start,
    too_often_words,
    with_retry_after,
)
from intake.questionnaire.views.returned import KEPT, LANGUAGE, see_other_page
from intake.wording import advice


@require_POST
def choose(request: Request) -> HttpResponse:
    """Choose one of several submissions, or go back to the list of submissions."""
    if grant := grants.find(key_of(request)):
        grants.choose(grant=grant, reference=request.POST.get("reference", "")[:20])
    return redirect("intake:my")


def show_typed_reply(
    request: Request, *, status: int, notice: str, is_closed: bool = False
) -> HttpResponse:
    form = ReplyForm(data=request.POST)
    context = {"form": form, "notice": notice, "is_closed": is_closed}
    context |= heard_context(form, current(), ask=False)
    return render(request, "my/reply.html", context, status=status)


def show_unsent_reply(request: Request) -> HttpResponse:
    """Show a typed reply again and say that it was not sent, because the browser has no grant."""
    if request.method != "POST" or not request.POST.get("text", "").strip():
        return redirect("intake:my")
    notice = _(
        "Your message was not sent: this page was closed. Copy what you wrote, then ask for a new "
        "code and send it again."
    )
    return show_typed_reply(request, status=403, notice=notice, is_closed=True)


@when_not_served(show_typed_reply)
@require_http_methods(["GET", "HEAD", "POST"])
def reply(request: Request) -> HttpResponse:
    """Send a reply to the clinic. A text that fires an alarm rule gets advice at once.

    A reply that cannot be sent comes back. The buttons of the languages post the text, too. Then
    the page shows it and sends nothing.
    """
    grant = grants.find(key_of(request))
    if grant is None or grant.chosen is None:
        return show_unsent_reply(request)
    if request.method != "POST":
        return _show_returned_reply(request, grant)
    grants.drop(grant=grant, pages=[REFUSAL])
    if LANGUAGE in request.POST:
        return _switch_language(request, grant)
    form = reply_form(grant, request.POST)
    judge = documents.newest(grant.chosen.protocol_id)
    # words of danger are sent, even if the question below them was not answered as we asked
    if not form.is_valid() and not ("text" in form.cleaned_data and heard_in(form, judge)):
        return give_back(request, grant, REPLY, "intake:reply")
    key = f"reply:{limits.peer(request)}"
    if seconds := limits.take_all(limits.Limit(key, settings.LIMIT_INTAKE_SENDS, HOUR)):
        form.add_error(None, too_often_words(seconds))
        return with_retry_after(show(request, grant, form, status=429), seconds)
    rule = replies.reply(
        submission=grant.chosen,
        text=form.cleaned_data["text"],
        cannot_wait=says_cannot_wait(form, judge),
        request_id=request.request_id,
    )
    grants.drop(grant=grant, pages=[REPLY])
    if rule is None:
        return redirect(f"{reverse('intake:my')}#messages")
    return see_other_page("intake:my_alarm")


def _show_returned_reply(request: Request, grant: Grant) -> HttpResponse:
    """Show the own page with the errors of a message that could not be sent."""
    returned = returned_page(grant, REPLY)
    if returned is None or returned.why == KEPT:
        return redirect("intake:my")
    form = reply_form(grant, returned.posted)
    return show(request, grant, form, status=200 if form.is_valid() else 422)


def _switch_language(request: Request, grant: Grant) -> HttpResponse:
    """Show the own page in another language, with what is typed. A page with errors keeps them."""
    before = returned_page(grant, REPLY)
    if before is not None and before.why != KEPT:
        return give_back(request, grant, REPLY, "intake:reply")
    return give_back(request, grant, REPLY, "intake:my", why=KEPT)


@require_safe
@with_grant
def alarm(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Show the advice for the patient's last message that fired an alarm rule."""
    sent = submission.communications.filter(by=None).order_by("-at")
    fired = next((row.words["alarm"] for row in sent if row.words["alarm"]), "")
    judge = documents.newest(submission.protocol_id)
    rule = next((rule for rule in judge.rules.rules if rule.id == fired), None)
    if rule is None:  # there is no such message, or a newer protocol has no such rule
        return redirect("intake:my")
    words = documents.wording(judge.content_hash, get_language())
    place = submission.location_id
    card = advice.card(words, as_fired(rule), phone=True, at=timezone.now(), place=place)
    context = {
        "advice": card.whole,
        "spoken": card.language,
        "told_in": card.language or get_language(),
        "draft": card.draft,
    }
    return render(request, "my/alarm.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
def withdraw(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Ask the patient to confirm, then withdraw the submission."""
    if request.method != "POST":
        return render(request, "my/withdraw.html", {"reference": submission.reference})
    try:
        replies.withdraw(submission=submission, request_id=request.request_id)
    except workflow.NotAllowed:  # staff have closed the submission, and the page says so
        pass
    except Conflict:  # another booking with this clinician is under way
        notice = _("Please try again.")
        return give_back(request, grant, REFUSAL, "intake:my", posted=QueryDict(), notice=notice)
    return redirect("intake:my")


@require_POST
@with_grant
def add(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Begin an addition to the submission, or continue where the patient stopped."""
    return _begin(request, grant, submission, Kind.ADDITION, replies.begin_addition)


def _begin(
    request: Request,
    grant: Grant,
    submission: Submission,
    kind: str,
    begin: Callable[..., tuple[Draft, str]],
) -> HttpResponse:
    """Begin or continue a form that follows the submission, and open its first open step.

    Other answers that this browser has not sent are replaced only if the patient agrees.
    """
    here = draft_of(request)
    response = replacing.go_on_here(here, kind=kind, follows=submission)
    if response is None:
        response = replacing.ask_first(request, here)
    if response is not None:
        return response
    if seconds := count_start(request):
        notice = too_often_words(seconds)
        return with_retry_after(
            show(request, grant, reply_form(grant), status=429, notice=notice), seconds
        )
    draft, key = begin(submission=submission, language=get_language() or "en")
    replacing.make_room(here)
    return to_first_open(draft, key)


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
@with_refusals
def answer_part_2(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Begin part 2 of the submission, or continue where the patient stopped."""
    if request.method != "POST":
        return redirect("intake:my")
    return _begin(request, grant, submission, Kind.PART_2, part_2.begin)


@require_http_methods(["GET", "HEAD", "POST"])
@with_grant
@with_refusals
def answer_all_questions(request: Request, *, grant: Grant, submission: Submission) -> HttpResponse:
    """Begin the whole questionnaire about a request, or continue where the patient stopped."""
    if request.method != "POST":
        return redirect("intake:my")
    return _begin(request, grant, submission, Kind.INTAKE, all_questions.begin)


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: Request) -> HttpResponse:
    """Delete this browser's grant and cookie."""
    if request.method == "POST":
        if grant := grants.find(key_of(request)):
            grants.end(grant=grant)
        response = redirect("home")
        response.delete_cookie(settings.RETURN_COOKIE_NAME, samesite="Lax")
        if not settings.DEMO:  # browsers accept the header only over TLS
            response["Clear-Site-Data"] = '"cache", "storage"'
        return response
    return redirect("intake:my")
