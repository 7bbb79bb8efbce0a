"""Begin a draft, and leave it."""

from functools import lru_cache
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from clinic.pagecache import blank
from clinic.requests import Request
from intake.models.submissions import Draft, Kind
from intake.protocols import named, served, served_names
from intake.questionnaire import drafts
from intake.questionnaire.views.browser import (
    clear_device,
    draft_missing,
    draft_notice,
    draft_of,
    follow_page_language,
    protocol_of,
    redirect_to,
    set_draft_cookie,
    words_of,
)
from intake.questionnaire.views.request_limits import count_start, with_retry_after


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: Request, kind: str = Kind.INTAKE, protocol: str = "") -> HttpResponse:
    """Explain the questionnaire; POST begins a draft, or goes on with the one of this browser.

    An address without a protocol offers those that are served. With one served protocol it is that
    one's start page, and its POST begins that one. A POST without a `device` begins a draft on a
    shared device.
    """
    draft = draft_of(request)
    under_way = draft is not None and not draft.submission_id
    if draft is not None and request.method == "POST":
        follow_page_language(draft)
    if request.POST.get("go") == "continue":
        return go_on(request, draft)
    if protocol and protocol not in served_names():
        # a link to questions that are not asked any more leads to those that are
        return redirect("intake:start") if named(protocol) else not_found(request)
    begun = protocol_of(protocol)
    template = template_of(kind, protocol)
    if request.method != "POST":
        notice = draft_notice(words_of(begun), begun.approved)
        html = blank_start(template, begun.name, under_way, notice, request.path, get_language())
        return blank.serve(request, html)
    if draft is not None and under_way and request.POST.get("go") != "new":
        walk = drafts.walk_of(draft)
        if draft.kind == kind and walk.protocol.name == begun.name:
            return redirect_to(walk.protocol, walk.first_open)
        notice = draft_notice(words_of(begun), begun.approved)
        return render(request, template, start_context(begun.name, True, notice))
    if seconds := count_start(request):
        return with_retry_after(render(request, "errors/429.html", status=429), seconds)
    if draft is not None and under_way:
        drafts.delete(draft=draft)
    draft, key = drafts.begin(
        kind=kind,
        language=get_language() or "en",
        device=request.POST.get("device", ""),
        protocol=begun,
    )
    return set_draft_cookie(redirect_to(begun, begun.pages[0].id), key, draft)


def go_on(request: Request, draft: Draft | None) -> HttpResponse:
    """Go on with the draft of this browser, whichever protocol it is of."""
    if draft is None:
        return draft_missing(request)
    if draft.submission_id:
        return redirect("intake:sent")
    walk = drafts.walk_of(draft)
    return redirect_to(walk.protocol, walk.first_open)


def not_found(request: Request) -> HttpResponse:
    return render(request, "errors/404.html", status=404)


def template_of(kind: str, protocol: str) -> str:
    """Return the template of a start page, or of the choice of protocols."""
    if kind == Kind.APPOINTMENT:
        return "intake/appointments_start.html"
    chooses = not protocol and len(served_names()) > 1
    return "intake/choose.html" if chooses else "intake/start.html"


def start_context(protocol: str, has_draft: bool, notice: str) -> dict[str, Any]:
    """Return the context of a start page, or of the choice of protocols."""
    return {
        "has_draft": has_draft,
        "draft_notice": notice,
        "offered": [
            {"name": each.name, "words": words_of(each).protocol.questionnaire} for each in served()
        ],
    }


@lru_cache(maxsize=64)
def blank_start(
    template: str,
    protocol: str,
    has_draft: bool,
    draft_notice: str,
    path: str,
    _language: str | None,
) -> str:
    """Return the HTML of a start page."""
    return blank.make(template, start_context(protocol, has_draft, draft_notice), path=path)


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
