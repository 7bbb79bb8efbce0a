"""Write to the clinic, add to a submission, withdraw it, or leave the own page.

No URL names a submission: the browser sends a key, whose hash is stored with the grant.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

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
from intake.my_page.status_page import reply_form, show, with_refusals
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
    context = {"form": ReplyForm(data=request.POST), "notice": notice, "is_closed": is_closed}
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
    """Send a reply to the clinic. A text that fires an alarm rule gets advice at once."""
    grant = grants.find(key_of(request))
    if grant is None or grant.chosen is None or request.method != "POST":
        return show_unsent_reply(request)
    form = reply_form(grant, data=request.POST)
    if not form.is_valid():
        return show(request, grant, form, status=422)
    key = f"reply:{limits.peer(request)}"
    if seconds := limits.take_all(limits.Limit(key, settings.LIMIT_INTAKE_SENDS, HOUR)):
        form.add_error(None, too_often_words(seconds))
        return with_retry_after(show(request, grant, form, status=429), seconds)
    uses = documents.newest(grant.chosen.protocol_id).uses
    yes = uses.cannot_wait.answer if uses.cannot_wait else None
    rule = replies.reply(
        submission=grant.chosen,
        text=form.cleaned_data["text"],
        cannot_wait=bool(yes) and form.cleaned_data.get("second") == yes,
        request_id=request.request_id,
    )
    if rule is None:
        return redirect(f"{reverse('intake:my')}#messages")
    judged_by = documents.newest(grant.chosen.protocol_id).content_hash
    words = documents.wording(judged_by, get_language())
    place = grant.chosen.location_id
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
        return show(request, grant, reply_form(grant), status=409, notice=_("Please try again."))
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
