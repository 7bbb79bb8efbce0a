"""Find the draft of a browser by its cookie, renew the cookie, and answer if there is no draft.

The same views serve a member of staff who enters a caller's answers. Then the address names the
draft, and no cookie is read or set.
"""

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
from intake.draft_content import APPOINTMENT, CONTACT, SHOWN
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Draft, Kind
from intake.questionnaire import drafts
from intake.questionnaire.forms.contact import ContactForm
from intake.questionnaire.walk import Walk
from intake.wording import moments, reading

View = Callable[..., HttpResponse]


def phone_call_of(request: Request) -> PhoneCall | None:
    """Return the call in which a member of staff fills in the form; None for a patient."""
    return getattr(request, "phone_call", None)


def draft_of(request: Request, step: str = "", protocol: str = "") -> Draft | None:
    """Return the draft that this browser's key opens, or None.

    For the wish step, the draft also gets the locations and clinicians that this step offers.
    `protocol` is the protocol that the address names. The draft may belong to another protocol.
    """
    if (call := phone_call_of(request)) is not None:
        return drafts.find_draft_of_call(call, to_wish=step == APPOINTMENT)
    key = request.COOKIES.get(settings.DRAFT_COOKIE_NAME, "")
    return drafts.find_draft(key, to_wish=step == APPOINTMENT)


def set_draft_cookie(response: HttpResponse, key: str, draft: Draft) -> HttpResponse:
    """Set the cookie with the draft's key.

    On a shared device the cookie lasts until the browser closes.
    """
    shared = draft.device and not draft.on_own_device
    response.set_cookie(
        settings.DRAFT_COOKIE_NAME,
        key,
        # longer than the browser can open the draft, so that it can still ask for a code
        max_age=None if shared else timedelta(days=settings.DRAFT_DAYS),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def renew_cookie(request: Request, response: HttpResponse, draft: Draft) -> HttpResponse:
    """Restart the cookie's lifetime after a POST, unless the response already sets the cookie."""
    name = settings.DRAFT_COOKIE_NAME
    if request.method == "POST" and not draft.by_staff and name not in response.cookies:
        set_draft_cookie(response, request.COOKIES[name], draft)
    return response


def clear_device(response: HttpResponse) -> HttpResponse:
    """Delete the draft's key from the browser, and the pages of this site that it has stored."""
    response.delete_cookie(settings.DRAFT_COOKIE_NAME, samesite="Lax")
    if not settings.DEMO:  # browsers accept this header only over TLS
        response["Clear-Site-Data"] = '"cache", "storage"'
    return response


def with_draft(view: View) -> View:
    """Decorate a view so that it gets the browser's draft and its walk.

    If there is no draft, or if the draft was sent, the request is answered without the view.
    """

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
    """Change the language of the draft to the language of the requested page."""
    language = get_language() or "en"
    if draft.language != language and not draft.submission_id:
        drafts.change_language(draft=draft, language=language)


def protocol_of(name: str) -> Protocol:
    """Return the protocol that an address names, even if it is not served any more.

    Returns the protocol that is served first if `name` is unknown, or if `name` is '', as in old
    addresses. Needs no database.
    """
    return (protocols.named(name) if name else None) or protocols.current()


def words_of(protocol: Protocol) -> Wording:
    """Return the wording of a protocol in the language of this page."""
    return documents.wording(protocol.content_hash, get_language())


def draft_notice(words: Wording, approved: bool) -> str:
    """Return the notice that the texts are not approved, or '' if they are approved.

    `approved` says whether the English protocol is approved, `words.approved` whether its
    translation is.
    """
    if words.shown is not None and not words.approved:
        return _("Draft translation: not yet approved")
    return "" if approved else _("Draft: not yet approved by a clinician")


def reach_words(walk: Walk) -> str:
    """Return in words how long this browser may be idle and still open the draft."""
    return hours.lasting_words(walk.reach) if walk.reach else ""


def fields_to_keep(posted: QueryDict, veiled: Iterable[str]) -> set[str]:
    """Return the veiled fields that keep their stored value if they are posted blank.

    The posted field `shown` names fields whose values the page showed, because the page was opened
    before the device was left alone. A field in `shown` that is posted blank loses its value.
    """
    return set(veiled) - set(posted.get(SHOWN, "").split())


def draft_missing(request: Request, step: str = "", protocol: str = "") -> HttpResponse:
    """Tell the patient that there is no draft, and show the posted words, so that no word is lost.

    If the draft was idle too long, the page says so and explains how to open the draft again.
    """
    draft = drafts.find_out_of_reach(request.COOKIES.get(settings.DRAFT_COOKIE_NAME, ""))
    if request.method != "POST" and draft is None:
        return redirect("intake:start")
    typed = typed_words(protocol_of(protocol), step, request.POST)
    context = {"typed": typed, "reach": "", "kept_until": "", "follows": False}
    if draft is not None:
        context["reach"] = hours.lasting_words(draft.idle_limit)
        context["follows"] = draft.kind in (Kind.ADDITION, Kind.PART_2)
        if drafts.way_back(draft):
            until = timezone.localdate(draft.updated_at + timedelta(days=settings.DRAFT_DAYS))
            context["kept_until"] = moments.day_words(until)
    return render(request, "intake/lost.html", context, status=410)


def typed_words(protocol: Protocol, step: str, posted: QueryDict) -> list[tuple[str, str]]:
    """Return the posted answers of a step as pairs of label and words. Needs no draft."""
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
    """Return a page of a protocol in the language of the request; None for an unknown `step`."""
    pages = pages_without(words_of(protocol).protocol.pages, protocol.uses.contact.stored_names)
    return next((page for page in pages if page.id == step), None)


def page_url(protocol: Protocol, step: str) -> str:
    """Return the address of a step of the walk."""
    return reverse("intake:page", kwargs={"protocol": protocol.name, "step": step})


def redirect_to(
    protocol: Protocol, step: str | None, *, change: bool = False
) -> HttpResponseRedirect:
    """Redirect to a step of the walk through a protocol. None stands for the check page.

    With `change`, Continue on that step goes back to the check page.
    """
    if step is None or step == "check":
        return redirect("intake:check")
    if step in ("emergency", "minor"):
        return redirect("intake:emergency")
    url = page_url(protocol, step)
    return redirect(f"{url}?change=1" if change else url)
