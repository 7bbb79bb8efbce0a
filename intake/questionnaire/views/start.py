"""Begin a draft, and leave it."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from clinic.pagecache import blank
from clinic.requests import Request
from intake.models.submissions import Draft, Kind
from intake.protocols import current
from intake.questionnaire import drafts
from intake.questionnaire.views.browser import (
    clear_device,
    current_wording,
    draft_missing,
    draft_notice,
    draft_of,
    follow_page_language,
    redirect_to,
    set_draft_cookie,
)
from intake.questionnaire.views.request_limits import count_start, with_retry_after


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: Request, kind: str = Kind.INTAKE) -> HttpResponse:
    """Explain the questionnaire; POST begins a draft, or goes on with the one of this browser.

    A POST without a `device` begins a draft on a shared device.
    """
    draft = draft_of(request)
    open_draft = draft if draft is not None and not draft.submission_id else None
    template = "intake/start.html" if kind == Kind.INTAKE else "intake/appointments_start.html"
    notice = draft_notice(current_wording(), current().approved)
    if request.method != "POST":
        html = blank_start(template, open_draft is not None, notice, request.path)
        return blank.serve(request, html)
    if draft is not None:
        follow_page_language(draft)
    if request.POST.get("go") == "continue":
        return _go_on(request, draft)
    if open_draft is not None and request.POST.get("go") != "new":
        if open_draft.kind == kind:
            return redirect_to(drafts.walk_of(open_draft).first_open)
        return render(request, template, {"has_draft": True, "draft_notice": notice})
    return _begin(request, kind, instead_of=open_draft)


def _go_on(request: Request, draft: Draft | None) -> HttpResponse:
    """Lead to the first open step of the browser's draft."""
    if draft is None:
        return draft_missing(request)
    if draft.submission_id:
        return redirect("intake:sent")
    return redirect_to(drafts.walk_of(draft).first_open)


def _begin(request: Request, kind: str, *, instead_of: Draft | None) -> HttpResponse:
    """Begin a draft, and delete the one that it replaces."""
    if seconds := count_start(request):
        return with_retry_after(render(request, "errors/429.html", status=429), seconds)
    if instead_of is not None:
        drafts.delete(draft=instead_of)
    draft, key = drafts.begin(
        kind=kind, language=get_language() or "en", device=request.POST.get("device", "")
    )
    return set_draft_cookie(redirect_to(current().pages[0].id), key, draft)


@blank.remembered(most=16)
def blank_start(template: str, has_draft: bool, draft_notice: str, path: str) -> str:
    """Return the HTML of a start page."""
    context = {"has_draft": has_draft, "draft_notice": draft_notice}
    return blank.make(template, context, path=path)


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: Request) -> HttpResponse:
    """Delete the draft and what this browser stored."""
    if request.method != "POST":
        return render(request, "intake/leave.html")
    draft = draft_of(request)
    if draft is not None:
        drafts.delete(draft=draft)
    return clear_device(redirect("home"))


@require_safe
def refused(request: Request) -> HttpResponse:
    """Show the phone number to a patient who does not consent."""
    return render(request, "intake/refused.html")
