"""Serve the steps of the questionnaire below the address of a phone call.

The views, forms and rules are those that patients use. As a web server mounts an application below
a prefix, so the addresses of the steps stand below the address of the call: every link and redirect
of a step leads to a step of the same call, and two calls in two tabs never mix. The patient's
cookies of this browser are neither read nor set.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, get_script_prefix, resolve, set_script_prefix
from django.utils import translation
from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from clinic.context import in_language, phone_link
from clinic.middleware import language_of
from clinic.requests import StaffRequest
from intake.models.phone_calls import PhoneCall
from intake.phone import stopping
from intake.questionnaire import drafts
from intake.wording.reading import phone_words

STEPS = {"page", "page_of_draft", "sure", "check", "refused"}
"""The patient's addresses that are served as they are. The others end or leave the call."""
PATIENT_COOKIES = ("DRAFT_COOKIE_NAME", "RETURN_COOKIE_NAME")


@contextmanager
def mounted_at(prefix: str) -> Iterator[None]:
    """Let every address that is made inside begin with this prefix."""
    before = get_script_prefix()
    set_script_prefix(prefix)
    try:
        yield
    finally:
        set_script_prefix(before)


def serve(
    request: StaffRequest, call: PhoneCall, rest: str, addresses: dict[str, str]
) -> HttpResponse:
    """Serve the patient's address `rest` below the address of a call that has a draft.

    `addresses` are those of the call's own pages: where the walk begins, and where it ends.
    """
    path = f"/{rest}"
    language = language_of(path)
    _use_for_call(request, call, path, addresses)
    with translation.override(language), mounted_at(addresses["walk"]):
        try:
            match = resolve(path)
        except Resolver404:
            raise Http404 from None
        if match.namespace != "intake":
            return redirect(path)
        name = str(match.url_name)
        if name == "emergency":
            response = stopping.emergency(request, call, addresses)
        elif name in STEPS:
            response = match.func(request, *match.args, **match.kwargs)
        elif name == "save":
            messages.success(request, _("Saved. You find the call in your list."))
            response = redirect(addresses["saved"])
        else:
            response = redirect(addresses["open"])
    for setting in PATIENT_COOKIES:
        response.cookies.pop(getattr(settings, setting), None)
    response.headers.pop("Clear-Site-Data", None)
    response["Content-Language"] = language
    return response


def _use_for_call(request: Any, call: PhoneCall, path: str, addresses: dict[str, str]) -> None:
    """Hide the patient's cookies of this browser, and say what the frame of the steps shows."""
    hidden = {getattr(settings, setting) for setting in PATIENT_COOKIES}
    request.COOKIES = {k: value for k, value in request.COOKIES.items() if k not in hidden}
    request.phone_call = call
    draft = drafts.find_draft_of_call(call)
    request.phone_frame = {
        **addresses,
        "phone": phone_words(call.phone),
        "phone_link": phone_link(call.phone.partition(";")[0]),
        "about_patient": draft is not None and drafts.walk_of(draft).proxied,
        "languages": [
            (get_language_info(code)["name"], addresses["walk"] + quote(there.lstrip("/")))
            for code, _name in settings.LANGUAGES
            if (there := in_language(path, code)) != path
        ],
    }
