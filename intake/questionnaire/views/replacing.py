"""Ask before a new form takes the place of answers that this browser has not sent."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clinic.requests import Request
from intake.draft_content import CONTACT
from intake.models.submissions import Draft, Submission
from intake.questionnaire import drafts
from intake.questionnaire.views.browser import redirect_to
from intake.wording import moments
from intake.wording.languages import if_foreign

POSTED = ("go", "device", "topic")
"""What a page posts to begin a new form. The page that asks first posts these fields again."""


def ask_first(
    request: Request, draft: Draft | None, *, carried: Iterable[tuple[str, str]] = ()
) -> HttpResponse | None:
    """Return the page that names the unsent answers which a new form would replace.

    `carried` are further controls that the page posts again.

    Returns None if the draft has no answers, or if the patient has read this page and agreed. The
    agreement counts only for what the page named: after a change of the draft the page asks again.
    """
    if draft is None or draft.submission_id or not draft.revision:
        return None
    seen = state_of(draft)
    if request.POST.get("sure") == seen:
        return None
    context = {
        "draft": what_is_there(draft),
        "seen": seen,
        "posted": [
            *((name, request.POST[name]) for name in POSTED if name in request.POST),
            *carried,
        ],
    }
    return render(request, "intake/replace.html", context)


def state_of(draft: Draft) -> str:
    """Return a text that names the draft in its present state, for a hidden field of a page."""
    return f"{draft.created_at:%y%m%d%H%M%S}-{draft.revision}"


def make_room(draft: Draft | None) -> None:
    """Delete the unsent draft that a new form replaces. A draft that was saved for later stays."""
    if draft is not None and not draft.submission_id and not draft.reference:
        drafts.delete(draft=draft)


def go_on_here(draft: Draft | None, *, kind: str, follows: Submission) -> HttpResponse | None:
    """Redirect to the first open step if this browser has begun this kind of draft already.

    Pressing the button again must not begin a second draft. Returns None for any other draft.
    """
    if draft is None or draft.submission_id or (draft.kind, draft.follows_id) != (kind, follows.pk):
        return None
    walk = drafts.walk_of(draft)
    return redirect_to(walk.protocol, walk.first_open)


def what_is_there(draft: Draft) -> dict[str, Any]:
    """Return in words what the draft holds, and until when a code opens it if it was saved."""
    walk = drafts.walk_of(draft)
    answered = [q.id for page in walk.pages for q in page.questions if q.id in walk.content.answers]
    until = timezone.localdate(draft.updated_at + timedelta(days=settings.DRAFT_DAYS))
    return {
        "title": walk.words.protocol.questionnaire.title,
        "title_language": if_foreign(walk.words.language_of_head),
        "answers": len(answered),
        "has_contact": walk.done(CONTACT),
        "has_wish": bool(walk.content.wish),
        "changed": moments.until_words(timezone.localtime(draft.updated_at)),
        "saved_until": moments.day_words(until) if draft.reference else "",
    }
