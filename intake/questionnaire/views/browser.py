"""The draft of this browser: how it is found, held, let go, and what happens without one."""

import math
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from clinic import hours, limits
from intake import documents
from intake.domain import answers as domain
from intake.domain.definition import Page
from intake.domain.translation import Wording
from intake.draft_content import APPOINTMENT, CONTACT
from intake.models.submissions import Draft
from intake.questionnaire import drafts
from intake.questionnaire.forms.contact import ContactForm
from intake.questionnaire.walk import Walk
from intake.wording import moments, reading

View = Callable[..., HttpResponse]
HOUR = timedelta(hours=1)


def draft_of(request: HttpRequest, step: str = "") -> Draft | None:
    """The draft whose key this browser holds; for the wish, with what can be wished for."""
    key = request.COOKIES.get(settings.DRAFT_COOKIE_NAME, "")
    return drafts.find_draft(key, to_wish=step == APPOINTMENT)


def hold(response: HttpResponse, key: str, draft: Draft) -> HttpResponse:
    """Give the browser the draft's key. Where others use it, the key goes when it is closed."""
    shared = draft.device and not draft.on_own_device
    response.set_cookie(
        settings.DRAFT_COOKIE_NAME,
        key,
        max_age=None if shared else draft.idle_limit,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def renew_cookie(request: HttpRequest, response: HttpResponse, draft: Draft) -> HttpResponse:
    """After a POST the time that this browser may lie idle begins anew."""
    name = settings.DRAFT_COOKIE_NAME
    if request.method == "POST" and name not in response.cookies:
        hold(response, request.COOKIES[name], draft)
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
            return draft_missing(request, **kwargs)
        if draft.submission_id:
            return redirect("intake:sent")
        follow(draft)
        response = view(request, draft=draft, walk=drafts.walk_of(draft), **kwargs)
        return renew_cookie(request, response, draft)

    return wrapper


def follow(draft: Draft) -> None:
    """The draft goes on in the language of the page that was asked for."""
    language = get_language() or "en"
    if draft.language != language and not draft.submission_id:
        drafts.change_language(draft=draft, language=language)


def now() -> Wording:
    """Today's protocol in the words of this page's language."""
    return documents.current_wording(get_language())


def draft_notice(words: Wording, approved: bool) -> str:
    """What a demonstration says of words that nobody has signed. `approved` is the English."""
    if words.shown is not None and not words.approved:
        return _("Draft translation: not yet approved")
    return "" if approved else _("Draft: not yet approved by a clinician")


def reach_words(walk: Walk) -> str:
    """How long this browser finds the answers, in words."""
    return hours.lasting_words(walk.reach) if walk.reach else ""


def kept_blank(request: HttpRequest, veiled: Iterable[str]) -> set[str]:
    """Of what is veiled, that which a blank leaves as it was: all but what this very page showed,
    when it was opened before the device was left alone."""
    return set(veiled) - set(request.POST.get("shown", "").split())


def draft_missing(request: HttpRequest, step: str = "") -> HttpResponse:
    """No draft: say so, say why and which way leads back where this browser's cookie tells it, and
    show what was typed, so that it need not be thought up anew."""
    draft = drafts.find_out_of_reach(request.COOKIES.get(settings.DRAFT_COOKIE_NAME, ""))
    if request.method != "POST" and draft is None:
        return redirect("intake:start")
    context = {"typed": typed(step, request.POST), "reach": "", "saved_until": ""}
    if draft is not None:
        context["reach"] = hours.lasting_words(draft.idle_limit)
        if draft.reference:
            until = timezone.localdate(draft.updated_at + timedelta(days=settings.DRAFT_DAYS))
            context["saved_until"] = moments.day_words(until)
    return render(request, "intake/lost.html", context, status=410)


def typed(step: str, posted: QueryDict) -> list[tuple[str, str]]:
    """What was typed on a step, as label and value; read without a draft."""
    if step == CONTACT:
        labels = {name: field.label for name, field in ContactForm.base_fields.items()}
        labels["callback_phone"] = now().protocol.question("callback_phone").text
        names = ("name", "proxy_name", "callback_phone", "email")
        return [(labels[name], posted[name]) for name in names if posted.get(name)]
    page = page_of_protocol(step)
    return [
        (question.text, ", ".join(reading.answer_words(question, value)))
        for question in (page.questions if page else ())
        if (value := domain.recognised_answer(question, posted.getlist(question.id)))
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
