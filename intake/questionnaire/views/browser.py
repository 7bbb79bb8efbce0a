"""Find the draft of a browser by its cookie, keep the cookie, and answer when there is no draft."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from clinic import hours
from clinic.requests import Request
from intake import documents, protocols
from intake.domain import answers as domain
from intake.domain.definition import Protocol, QuestionPage
from intake.domain.route import pages_without
from intake.domain.wording import Wording
from intake.draft_content import APPOINTMENT, CONTACT
from intake.models.submissions import Draft
from intake.questionnaire import drafts
from intake.questionnaire.forms.contact import ContactForm
from intake.questionnaire.walk import Walk
from intake.wording import moments, reading

View = Callable[..., HttpResponse]


def draft_of(request: Request, step: str = "", protocol: str = "") -> Draft | None:
    """Return the draft of this browser's key; the wish step also gets locations and clinicians.

    `protocol` is the protocol in the address. The draft may belong to another protocol.
    """
    key = request.COOKIES.get(settings.DRAFT_COOKIE_NAME, "")
    return drafts.find_draft(key, to_wish=step == APPOINTMENT)


def set_draft_cookie(response: HttpResponse, key: str, draft: Draft) -> HttpResponse:
    """Set the cookie with the draft's key. On a shared device it ends with the browser session."""
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


def renew_cookie(request: Request, response: HttpResponse, draft: Draft) -> HttpResponse:
    """Restart the cookie's lifetime after a POST, unless the response sets the cookie itself."""
    name = settings.DRAFT_COOKIE_NAME
    if request.method == "POST" and name not in response.cookies:
        set_draft_cookie(response, request.COOKIES[name], draft)
    return response


def clear_device(response: HttpResponse) -> HttpResponse:
    """Delete the draft's key from the browser, and the pages it stored of this site."""
    response.delete_cookie(settings.DRAFT_COOKIE_NAME, samesite="Lax")
    if not settings.DEMO:  # browsers accept the header only over TLS
        response["Clear-Site-Data"] = '"cache", "storage"'
    return response


def with_draft(view: View) -> View:
    """Pass the draft and its walk to `view`; answer at once without a draft or with a sent one."""

    @wraps(view)
    def wrapper(request: Request, **kwargs: Any) -> HttpResponse:
        draft = draft_of(request, **kwargs)
        if draft is None:
            return draft_missing(request, **kwargs)
        if draft.submission_id:
            return redirect("intake:sent")
        follow_page_language(draft)
        response = view(request, draft=draft, walk=drafts.walk_of(draft), **kwargs)
        return renew_cookie(request, response, draft)

    return wrapper


def follow_page_language(draft: Draft) -> None:
    """Change the draft to the language of the requested page."""
    language = get_language() or "en"
    if draft.language != language and not draft.submission_id:
        drafts.change_language(draft=draft, language=language)


def protocol_of(name: str) -> Protocol:
    """Return the protocol that an address names, also one that is not served any more.

    An old address names none, and an unknown name means none: the protocol that is served first.
    Needs no database.
    """
    return (protocols.named(name) if name else None) or protocols.current()


def words_of(protocol: Protocol) -> Wording:
    """Return one of today's protocols in the words of this page's language."""
    return documents.wording(protocol.content_hash, get_language())


def draft_notice(words: Wording, approved: bool) -> str:
    """Return the notice that the texts are not approved; '' if they are.

    `approved` is the approval of the English protocol. A translation has an approval of its own.
    """
    if words.shown is not None and not words.approved:
        return _("Draft translation: not yet approved")
    return "" if approved else _("Draft: not yet approved by a clinician")


def reach_words(walk: Walk) -> str:
    """Return in words for how long this browser can open the draft."""
    return hours.lasting_words(walk.reach) if walk.reach else ""


def fields_to_keep(request: Request, veiled: Iterable[str]) -> set[str]:
    """Return the veiled fields that keep their stored value when they are sent blank.

    A page opened before the device was left alone shows some of these fields; `shown` has their
    names, and a blank in such a field deletes the value.
    """
    return set(veiled) - set(request.POST.get("shown", "").split())


def draft_missing(request: Request, step: str = "", protocol: str = "") -> HttpResponse:
    """Tell the patient that there is no draft, and show the typed words, so that they are not lost.

    When the cookie's draft was idle too long, the page says so and how to come back to it.
    """
    draft = drafts.find_out_of_reach(request.COOKIES.get(settings.DRAFT_COOKIE_NAME, ""))
    if request.method != "POST" and draft is None:
        return redirect("intake:start")
    typed = typed_words(protocol_of(protocol), step, request.POST)
    context = {"typed": typed, "reach": "", "saved_until": ""}
    if draft is not None:
        context["reach"] = hours.lasting_words(draft.idle_limit)
        if draft.reference:
            until = timezone.localdate(draft.updated_at + timedelta(days=settings.DRAFT_DAYS))
            context["saved_until"] = moments.day_words(until)
    return render(request, "intake/lost.html", context, status=410)


def typed_words(protocol: Protocol, step: str, posted: QueryDict) -> list[tuple[str, str]]:
    """Return the typed words on a step of a protocol as (label, value), without a draft."""
    if step == CONTACT:
        labels = {name: str(field.label) for name, field in ContactForm.base_fields.items()}
        protocol = words_of(protocol).protocol
        phone = protocol.uses.contact.phone
        labels[phone] = protocol.question(phone).text
        names = ("name", "proxy_name", phone, "email")
        return [(labels[name], text) for name in names if (text := posted.get(name, ""))]
    page = page_of_protocol(protocol, step)
    return [
        (question.text, ", ".join(reading.answer_words(question, value)))
        for question in (page.questions if page else ())
        if (value := domain.recognised_answer(question, posted.getlist(question.id)))
    ]


def page_of_protocol(protocol: Protocol, step: str) -> QuestionPage | None:
    """Return a page of one of today's protocols in the language of the request, None if unknown."""
    pages = pages_without(words_of(protocol).protocol.pages, protocol.uses.contact.stored_names)
    return next((page for page in pages if page.id == step), None)


def page_url(protocol: Protocol, step: str) -> str:
    """Return the address of a step of the walk."""
    return reverse("intake:page", kwargs={"protocol": protocol.name, "step": step})


def redirect_to(
    protocol: Protocol, step: str | None, *, change: bool = False
) -> HttpResponseRedirect:
    """Redirect to a step of the walk through a protocol; None is the check page.

    With `change` the step leads back to the check page.
    """
    if step is None or step == "check":
        return redirect("intake:check")
    if step in ("emergency", "minor"):
        return redirect("intake:emergency")
    url = page_url(protocol, step)
    return redirect(f"{url}?change=1" if change else url)
