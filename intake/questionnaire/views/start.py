"""Beginning and leaving."""

from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from clinic.pagecache import blank
from intake.models.submissions import Kind
from intake.protocols import current
from intake.questionnaire import drafts
from intake.questionnaire.views.browser import (
    count_start,
    draft_missing,
    draft_notice,
    draft_of,
    follow,
    hold,
    later,
    let_go,
    now,
    redirect_to,
)


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, kind: str = Kind.INTAKE) -> HttpResponse:
    """What the questionnaire is; POST begins it, or goes on with one that is there. A POST that
    does not say whose device this is begins as on one that others use."""
    draft = draft_of(request)
    under_way = draft is not None and not draft.submission_id
    if draft is not None and request.method == "POST":
        follow(draft)
    template = "intake/start.html" if kind == Kind.INTAKE else "intake/appointments_start.html"
    if request.method != "POST":
        notice = draft_notice(now(), current().approved)
        html = blank_start(template, under_way, notice, request.path, get_language())
        return blank.serve(request, html)
    if request.POST.get("go") == "continue":
        if draft is None:
            return draft_missing(request)
        if draft.submission_id:
            return redirect("intake:sent")
        return redirect_to(drafts.walk_of(draft).first_open)
    if draft is not None and under_way and request.POST.get("go") != "new":
        if draft.kind == kind:
            return redirect_to(drafts.walk_of(draft).first_open)
        context = {"has_draft": True, "draft_notice": draft_notice(now(), current().approved)}
        return render(request, template, context)
    if seconds := count_start(request):
        return later(render(request, "errors/429.html", status=429), seconds)
    if draft is not None and under_way:
        drafts.delete(draft=draft)
    draft, key = drafts.begin(
        kind=kind, language=get_language() or "en", device=request.POST.get("device", "")
    )
    return hold(redirect_to("safety"), key, draft)


@lru_cache(maxsize=16)
def blank_start(
    template: str, has_draft: bool, draft_notice: str, path: str, _language: str | None
) -> str:
    """The HTML of a start page."""
    context = {"has_draft": has_draft, "draft_notice": draft_notice}
    return blank.make(template, context, path=path)


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest) -> HttpResponse:
    """Delete the draft and clear this device."""
    if request.method != "POST":
        return render(request, "intake/leave.html")
    draft = draft_of(request)
    if draft is not None:
        drafts.delete(draft=draft)
    return let_go(redirect("home"))


@require_safe
def refused(request: HttpRequest) -> HttpResponse:
    """For who does not consent: the phone."""
    return render(request, "intake/refused.html")
