"""Ask which answers to keep if a code opens others than the unsent answers of this browser."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from clinic.requests import Request
from intake.access import codes
from intake.models.submissions import Draft
from intake.my_page.browser_key import hold_key, key_of
from intake.questionnaire import drafts
from intake.questionnaire.views import replacing
from intake.questionnaire.views.browser import draft_of, redirect_to, set_draft_cookie
from intake.questionnaire.views.returned import see_other_page


def ask_first(request: Request, opened: codes.Opened) -> HttpResponse | None:
    """Redirect to the question which answers to keep, if this browser has others that are not sent.

    Until the patient answers, the browser holds the key of the opened draft beside the key of its
    own. Returns None if there is nothing to ask.
    """
    if _unsent_here(request, opened.draft) is None:
        return None
    return hold_key(see_other_page("intake:which"), opened.key)


@require_http_methods(["GET", "HEAD", "POST"])
def which(request: Request) -> HttpResponse:
    """Ask which answers to keep, then open those. Answers that were saved for later stay anyway."""
    key = key_of(request)
    found = drafts.find_draft(key)
    if found is None or found.submission_id:
        return redirect("intake:my")
    here = _unsent_here(request, found)
    if here is None:
        return open_draft(key, found)
    keeps = request.POST.get("keep", "")
    if keeps == "here":
        walk = drafts.walk_of(here)
        return _without_code(redirect_to(walk.protocol, walk.first_open))
    # what the patient agreed to replace must be what the page named
    if keeps == "found" and request.POST.get("seen") == replacing.state_of(here):
        replacing.make_room(here)
        return open_draft(key, found)
    context = {
        "seen": replacing.state_of(here),
        "here": replacing.what_is_there(here),
        "found": replacing.what_is_there(found),
    }
    return render(request, "my/which.html", context)


def open_draft(key: str, draft: Draft) -> HttpResponse:
    """Redirect to the first open step of a draft, and give the browser its key."""
    walk = drafts.walk_of(draft)
    onward = redirect_to(walk.protocol, walk.first_open)
    return _without_code(set_draft_cookie(onward, key, draft))


def _unsent_here(request: Request, found: Draft | None) -> Draft | None:
    """Return this browser's own draft if it has answers, is not sent, and is not `found`."""
    here = draft_of(request)
    if here is None or here.submission_id or not here.revision or here == found:
        return None
    return here


def _without_code(response: HttpResponse) -> HttpResponse:
    """Delete the cookie with the key of the code, which the browser needs no more."""
    response.delete_cookie(settings.RETURN_COOKIE_NAME, samesite="Lax")
    return response
