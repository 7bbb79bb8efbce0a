"""The draft of this browser: how it is found, held, let go, and what happens without one."""

import math
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from clinic import limits
from intake import reading, services
from intake.domain import answers as domain
from intake.domain.definition import Page
from intake.domain.translation import Wording
from intake.forms import ContactForm
from intake.models import Draft
from intake.walk import APPOINTMENT, CONTACT

View = Callable[..., HttpResponse]
HOUR = timedelta(hours=1)


def draft_of(request: HttpRequest, step: str = "") -> Draft | None:
    """The draft whose key this browser holds; for the wish, with what can be wished for."""
    key = request.COOKIES.get(settings.DRAFT_COOKIE_NAME, "")
    return services.find_draft(key, to_wish=step == APPOINTMENT)


def hold(response: HttpResponse, key: str) -> HttpResponse:
    """Give the browser the draft's key."""
    response.set_cookie(
        settings.DRAFT_COOKIE_NAME,
        key,
        max_age=settings.DRAFT_IDLE_MINUTES * 60,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def hold_on(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """After a POST the time that this browser may lie idle begins anew."""
    name = settings.DRAFT_COOKIE_NAME
    if request.method == "POST" and name not in response.cookies:
        hold(response, request.COOKIES[name])
    return response


def let_go(response: HttpResponse) -> HttpResponse:
    """Take the draft's key from the browser, and whatever else it kept of us."""
    response.delete_cookie(settings.DRAFT_COOKIE_NAME, samesite="Lax")
    if not settings.DEMO:  # needs TLS
        response["Clear-Site-Data"] = '"cache", "storage"'
    return response


def with_draft(view: View) -> View:
    """Hands the draft and its walk to the view; sends away whoever has none, or has sent it."""

    @wraps(view)
    def wrapper(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        draft = draft_of(request, **kwargs)
        if draft is None:
            return lost(request, **kwargs)
        if draft.submission_id:
            return redirect("intake:sent")
        follow(draft)
        response = view(request, draft=draft, walk=services.walk_of(draft), **kwargs)
        return hold_on(request, response)

    return wrapper


def follow(draft: Draft) -> None:
    """The draft goes on in the language of the page that was asked for."""
    language = get_language() or "en"
    if draft.language != language and not draft.submission_id:
        services.change_language(draft=draft, language=language)


def now() -> Wording:
    """Today's protocol in the words of this page's language."""
    return services.wording_now(get_language())


def draft_notice(words: Wording, approved: bool) -> str:
    """What a demonstration says of words that nobody has signed. `approved` is the English."""
    if words.shown is not None and not words.approved:
        return _("Draft translation: not yet approved")
    return "" if approved else _("Draft: not yet approved by a clinician")


def lost(request: HttpRequest, step: str = "") -> HttpResponse:
    """No draft: say so, and show what was typed, so that it need not be thought up anew."""
    if request.method != "POST":
        return redirect("intake:start")
    return render(request, "intake/lost.html", {"typed": typed(step, request.POST)}, status=410)


def typed(step: str, posted: QueryDict) -> list[tuple[str, str]]:
    """What was typed on a step, as label and value; read without a draft."""
    if step == CONTACT:
        labels = {name: field.label for name, field in ContactForm.base_fields.items()}
        labels["callback_phone"] = now().protocol.question("callback_phone").text
        names = ("name", "proxy_name", "callback_phone", "email")
        return [(labels[name], posted[name]) for name in names if posted.get(name)]
    page = page_of_protocol(step)
    return [
        (question.text, ", ".join(reading.words(question, value)))
        for question in (page.questions if page else ())
        if (value := domain.recognised(question, posted.getlist(question.id)))
    ]


def page_of_protocol(step: str) -> Page | None:
    """A page of today's protocol, in this page's language."""
    return next((p for p in now().protocol.pages if p.id == step and step != CONTACT), None)


def redirect_to(step: str | None, *, change: bool = False) -> HttpResponseRedirect:
    """To a step of the walk, with `change` to come back to the check page; None is that page."""
    if step is None or step == "check":
        return redirect("intake:check")
    if step in ("emergency", "minor"):
        return redirect("intake:emergency")
    url = reverse("intake:page", kwargs={"step": step})
    return redirect(f"{url}?change=1" if change else url)


# --- too often -----------------------------------------------------------------------------------


def count_start(request: HttpRequest) -> int:
    """Count that a network begins a draft. Returns 0, or the seconds until it may begin another."""
    key = f"start:{limits.peer(request)}"
    return limits.take_all(limits.Limit(key, settings.LIMIT_INTAKE_STARTS, HOUR))


def later(response: HttpResponse, seconds: int) -> HttpResponse:
    """The 429 response with the time after which the same request is served."""
    response["Retry-After"] = str(seconds)
    return response


def too_often(seconds: int) -> str:
    """Tell a patient who asked too often when to try again, and whom to call."""
    minutes = math.ceil(seconds / 60)
    words = ngettext(
        "That was asked too often just now. Please try again in %(minutes)s minute,"
        " or call us at %(phone)s.",
        "That was asked too often just now. Please try again in %(minutes)s minutes,"
        " or call us at %(phone)s.",
        minutes,
    )
    return words % {"minutes": minutes, "phone": settings.CLINIC_PHONE}
