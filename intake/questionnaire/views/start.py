"""The start page, which begins a draft, and the page on which a patient deletes the draft."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_safe

from clinic import hours
from clinic.pagecache import blank
from clinic.requests import Request
from intake.access import grants
from intake.appointments import open_requests
from intake.domain.definition import Protocol
from intake.domain.minutes import minutes
from intake.models.submissions import Draft, Kind
from intake.protocols import named, served, served_names
from intake.questionnaire import drafts
from intake.questionnaire.views import replacing
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
from intake.wording.languages import if_foreign


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: Request, kind: str = Kind.INTAKE, protocol: str = "") -> HttpResponse:
    """Explain the questionnaire. A POST begins a draft, or goes on with this browser's draft.

    If the address names no `protocol`, the page offers the served protocols. If only one protocol
    is served, the page is the start page of this protocol, and a POST begins a draft with it.

    A request for an appointment names a protocol in the posted `topic`. Without a `topic`, the
    draft gets the protocol that is served first, whose safety questions the patient then answers.
    A POST without a `device` begins a draft on a shared device.
    """
    draft = draft_of(request)
    open_draft = draft if draft is not None and not draft.submission_id else None
    if draft is not None and request.method == "POST":
        follow_page_language(draft)
    if request.POST.get("go") == "continue":
        return _go_on(request, draft)
    if protocol and protocol not in served_names():
        return _not_served(request, kind, protocol)
    if kind == Kind.APPOINTMENT and "topic" in request.POST:
        topic = request.POST["topic"]
        protocol = topic if topic in served_names() else ""
    begun = protocol_of(protocol)
    template = _template(kind, protocol)
    notice = draft_notice(words_of(begun), begun.approved)
    if request.method != "POST":
        way_back = draft is None and _has_way_back(request)
        html = blank_start(
            template,
            protocol,
            open_draft is not None,
            notice,
            request.path,
            way_back,
            kind == Kind.APPOINTMENT and _is_full(request, draft),
        )
        return blank.serve(request, html)
    if open_draft is not None and request.POST.get("go") != "new":
        walk = drafts.walk_of(open_draft)
        if open_draft.kind == kind and walk.protocol.name == begun.name:
            return redirect_to(walk.protocol, walk.first_open)
        context = _context(protocol, has_draft=True, notice=notice)
        return render(request, template, context)
    if (question := replacing.ask_first(request, open_draft)) is not None:
        return question
    return _begin(request, kind, begun, instead_of=open_draft)


def _go_on(request: Request, draft: Draft | None) -> HttpResponse:
    """Redirect to the first open step of the browser's draft, whatever its protocol."""
    if draft is None:
        return draft_missing(request)
    if draft.submission_id:
        return redirect("intake:sent")
    walk = drafts.walk_of(draft)
    return redirect_to(walk.protocol, walk.first_open)


def _not_served(request: Request, kind: str, protocol: str) -> HttpResponse:
    """Redirect to the served protocols if this one is not served; 404 for an unknown name."""
    if named(protocol) is None:
        return render(request, "errors/404.html", status=404)
    return redirect("intake:appointments" if kind == Kind.APPOINTMENT else "intake:start")


def _begin(
    request: Request, kind: str, protocol: Protocol, *, instead_of: Draft | None
) -> HttpResponse:
    """Begin a draft that replaces the draft `instead_of` in this browser."""
    if seconds := count_start(request):
        return with_retry_after(render(request, "errors/429.html", status=429), seconds)
    replacing.make_room(instead_of)
    draft, key = drafts.begin(
        kind=kind,
        language=get_language() or "en",
        device=request.POST.get("device", ""),
        protocol=protocol,
    )
    return set_draft_cookie(redirect_to(protocol, protocol.pages[0].id), key, draft)


def _template(kind: str, protocol: str) -> str:
    """Return the template of a start page, or of the page on which patients choose a protocol."""
    if kind == Kind.APPOINTMENT:
        return "intake/appointments_start.html"
    chooses = not protocol and len(served_names()) > 1
    return "intake/choose.html" if chooses else "intake/start.html"


def _context(protocol: str, *, has_draft: bool, notice: str) -> dict[str, Any]:
    """Return the context of a start page, or of the page on which patients choose a protocol.

    `protocol` is the name of the protocol in the address or the form, or ''.
    """
    offered = [
        {
            "name": each.name,
            "words": words_of(each).protocol.questionnaire,
            "language": if_foreign(words_of(each).language_of_head),
            "minutes": minutes(each),
        }
        for each in served()
    ]
    asking = [protocol_of(protocol)] if protocol else served()
    words = words_of(protocol_of(protocol))
    return {
        "has_draft": has_draft,
        "way_back": False,
        "is_full": False,
        "draft_notice": notice,
        "offered": offered,
        "topic": protocol,
        "asked": words.protocol.questionnaire,
        "asked_language": if_foreign(words.language_of_head),
        "minutes": max(minutes(each) for each in asking),
        "request_minutes": max(minutes(each, Kind.APPOINTMENT) for each in asking),
    }


@blank.remembered(most=64)
def blank_start(
    template: str,
    protocol: str,
    has_draft: bool,
    draft_notice: str,
    path: str,
    way_back: bool,
    is_full: bool,
) -> str:
    """Return the HTML of a start page. `protocol` is '' if the patient has not chosen one."""
    context = _context(protocol, has_draft=has_draft, notice=draft_notice)
    context |= {"way_back": way_back, "is_full": is_full}
    return blank.make(template, context, path=path)


def _is_full(request: Request, draft: Draft | None) -> bool:
    """Whether the patient whom this browser knows has as many open requests as allowed.

    The browser knows a patient by a receipt, or by a code that opened the patient's own page.
    """
    known = draft.submission if draft is not None else None
    if known is None and (
        grant := grants.find(request.COOKIES.get(settings.RETURN_COOKIE_NAME, ""))
    ):
        known = grant.chosen
    return known is not None and open_requests.has_as_many_as_allowed(person=known.person)


def _has_way_back(request: Request) -> bool:
    """Whether a code opens answers that this browser began and was too long idle to open."""
    draft = drafts.find_out_of_reach(request.COOKIES.get(settings.DRAFT_COOKIE_NAME, ""))
    return draft is not None and bool(drafts.way_back(draft))


@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: Request) -> HttpResponse:
    """Delete the draft on the server, and the key and pages that this browser has stored."""
    if request.method != "POST":
        return render(request, "intake/leave.html")
    draft = draft_of(request)
    if draft is not None:
        drafts.delete(draft=draft)
    return clear_device(redirect("home"))


@require_safe
def refused(request: Request) -> HttpResponse:
    """Show the clinic's phone number to a patient who does not consent."""
    return render(request, "intake/refused.html", {"closures": hours.coming_closures()})
