"""Begin from the receipt what follows it: part 2, or the whole questionnaire of a request."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic.requests import Request
from intake.errors import Refused
from intake.models.submissions import Draft, Kind
from intake.questionnaire import all_questions, drafts, part_2
from intake.questionnaire.views.browser import draft_of, redirect_to, set_draft_cookie
from intake.questionnaire.views.not_served import when_not_served
from intake.questionnaire.views.request_limits import (
    count_start,
    too_often_words,
    with_retry_after,
)


def refuse(request: Request, *, status: int, notice: str) -> HttpResponse:
    """Say why part 2 cannot begin here, with a link to "Your page"."""
    return render(request, "intake/part_2.html", {"notice": notice}, status=status)


@when_not_served(refuse)
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: Request) -> HttpResponse:
    """Begin or continue part 2 of the submission that this browser has sent."""
    return _begin(request, Kind.PART_2, part_2.begin)


@when_not_served(refuse)
@require_http_methods(["GET", "HEAD", "POST"])
def all_questions_of_request(request: Request) -> HttpResponse:
    """Begin or continue the whole questionnaire after this browser has sent a request only."""
    return _begin(request, Kind.INTAKE, all_questions.begin)


def _begin(
    request: Request, kind: str, begin_kind: Callable[..., tuple[Draft, str]]
) -> HttpResponse:
    """Begin or continue the form of this kind that follows the submission of this browser."""
    if request.method != "POST":
        return redirect("intake:sent")
    draft = draft_of(request)
    if draft is None:
        notice = _(
            "Too much time has passed, so this device does not know your request any more. We have "
            "what you sent."
        )
        return refuse(request, status=410, notice=notice)
    if draft.submission is None:
        return _go_on(request, draft, kind)
    if seconds := count_start(request):
        return with_retry_after(
            refuse(request, status=429, notice=too_often_words(seconds)), seconds
        )
    sent = draft.submission
    first = sent.follows if sent.kind == Kind.PART_2 else sent
    try:
        begun, key = begin_kind(
            submission=first, language=get_language() or "en", device=draft.device
        )
    except Refused as refused:
        return refuse(request, status=409, notice=str(refused))
    return to_first_open(begun, key)


def to_first_open(draft: Draft, key: str) -> HttpResponse:
    """Redirect to the first open step of a draft, and give the browser the draft's key."""
    walk = drafts.walk_of(draft)
    return set_draft_cookie(redirect_to(walk.protocol, walk.first_open), key, draft)


def _go_on(request: Request, draft: Draft, kind: str) -> HttpResponse:
    """Redirect to the first open step of the form. Refuse if this browser has another form open."""
    if draft.kind != kind or draft.follows_id is None:
        notice = _("This device now has another form open.")
        return refuse(request, status=409, notice=notice)
    walk = drafts.walk_of(draft)
    return redirect_to(walk.protocol, walk.first_open)
