"""Bring a page with errors back by a redirect, so that Back and reload show it without a warning.

What was posted stays, sealed, in the draft (`Content.returned`). The page judges it again each time
it is shown. So no message is stored, and the messages are in the language of the page.
"""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse

from clinic.requests import Request
from intake.models.submissions import Draft
from intake.questionnaire import answering
from intake.questionnaire.views.browser import redirect_to
from intake.questionnaire.walk import Walk

KEPT: Final = "kept"
"""The page was left without Continue: show what was typed, and do not judge it."""
CHANGED: Final = "changed"
"""What the page asks about has changed: ask again."""
GONE: Final = "gone"
"""The chosen slot is not free any more: show the nearest free slots."""
LOST: Final = "lost"
"""The slot that was held for the patient went to another patient before the patient sent."""
LANGUAGE: Final = "language"  # the posted field of the buttons that change the language
NOT_TYPED: Final = {"csrfmiddlewaretoken", "go", LANGUAGE}


@dataclass(frozen=True)
class Returned:
    """A page that came back to the patient: what was posted, and why it came back."""

    posted: QueryDict
    why: str
    notice: str


def returned_page(walk: Walk, step: str) -> Returned | None:
    """Return the page of a step that came back to the patient; None if the step has none."""
    page = walk.content.returned.get(step)
    if page is None:
        return None
    posted = QueryDict(mutable=True)
    for name, values in page["posted"].items():
        posted.setlist(name, values)
    return Returned(posted, page.get("why", ""), page.get("notice", ""))


def give_back(
    request: Request,
    draft: Draft,
    walk: Walk,
    step: str,
    *,
    posted: QueryDict | None = None,
    **about: Any,
) -> HttpResponse:
    """Keep what was posted on a step, and redirect to the step, which then shows it.

    `posted` is None for everything that this request has posted. `about` says why the page comes
    back (see `Content.give_back`). Raises Conflict and Gone.
    """
    data = request.POST if posted is None else posted
    answering.give_back(draft=draft, step=step, posted=typed_of(data), **about)
    return see_other(request, walk, step)


def typed_of(posted: QueryDict) -> dict[str, list[str]]:
    """Return what was posted without the button and the form token."""
    return {name: values for name, values in posted.lists() if name not in NOT_TYPED}


def see_other_page(name: str) -> HttpResponse:
    """Redirect from a POST to the page of this name, which is then requested with GET."""
    response = redirect(name)
    response.status_code = 303
    return response


def see_other(request: Request, walk: Walk, step: str) -> HttpResponse:
    """Redirect from a POST to the page of a step, which is then requested with GET."""
    from_check = request.path == reverse("intake:check")
    change = bool(request.POST.get("change") or request.GET.get("change") or from_check)
    response = redirect_to(walk.protocol, step, change=change)
    response.status_code = 303
    return response


def switch_language(
    request: Request, draft: Draft, walk: Walk, step: str, **about: Any
) -> HttpResponse:
    """Show a step in another language, with what is typed on it. A page with errors keeps them."""
    before = returned_page(walk, step)
    return give_back(request, draft, walk, step, why=before.why if before else KEPT, **about)


def revision_of(posted: QueryDict) -> int | None:
    """Return the revision of the draft that a posted page showed; None if the page names none."""
    text = posted.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
