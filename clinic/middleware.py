"""The outermost middleware, and the middleware that chooses the language.

The outermost middleware refuses malformed requests, adds headers to every answer, and writes one
log line per request.
"""

import contextlib
import logging
import re
import secrets
import time
from collections.abc import Callable
from typing import cast
from urllib.parse import unquote_to_bytes

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from django.utils.translation import gettext as _

from clinic import logs, views
from clinic.headers import HEADERS
from clinic.languages import CODE
from clinic.requests import Request

GetResponse = Callable[[HttpRequest], HttpResponse]

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
PRIVATE = re.compile(rf"/(?:{CODE}/)?(?:admin|account|intake|appointments|my|i|webhooks)/")
# A provider signs the bytes of the body, so the webhook itself reads the body, after the signature.
WEBHOOKS = "/webhooks/"
# the pages that take a file, and the size limit of the form in bytes; Django keeps a file of this
# size in memory and never writes it to the disk
UPLOADS = {
    "/admin/education/picture/add/": 400_000,
    "/admin/intake/invitation/list/": 2_000_000,
}
BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def is_sound(body: bytes) -> bool:
    """Return whether a urlencoded form is well-formed: complete %-escapes, UTF-8, no NUL.

    Django's parser replaces bytes that it cannot read by U+FFFD. Without this check the program
    would store that character as if the patient had written it.
    """
    if BROKEN_ESCAPE.search(body):
        return False
    try:
        return "\0" not in unquote_to_bytes(body).decode()
    except UnicodeDecodeError:
        return False


def is_sound_in_parts(request: HttpRequest) -> bool:
    """Return whether the fields of a multipart form are UTF-8 without NUL.

    Checks the parsed fields, because base64 and RFC 2231 can hide bytes. If the page takes no file,
    also checks the bytes of the whole body. The contents of an uploaded file are left to the view.
    Raises the exceptions of Django's parser if the form cannot be parsed.
    """
    if request.path_info not in UPLOADS:
        try:
            request.body.decode()
        except UnicodeDecodeError:
            return False
    if (request.encoding or "utf-8").lower() != "utf-8":
        return False
    read = "".join(name + "".join(values) for name, values in request.POST.lists())
    return "\0" not in read and "\ufffd" not in read


def language_of(path: str) -> str:
    """Return the language named by the prefix of a path; English for a path without a prefix."""
    return translation.get_language_from_path(path) or settings.LANGUAGE_CODE


class LanguageMiddleware:
    """Answer in the language that the address names.

    The browser's languages and cookies play no part, so that an address always shows the same page.
    The addresses of staff pages have no prefix, so staff pages are English.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.LANGUAGE_CODE = language_of(request.path_info)
        with translation.override(request.LANGUAGE_CODE):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response


class EdgeMiddleware:
    """Refuse malformed requests. Give a request its id and log line, and a response its headers."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # a refused request does not reach the layers below, but its answer gets their headers
        page = cast(GetResponse, self._refusal_page)
        layers = SecurityMiddleware(CSPMiddleware(XFrameOptionsMiddleware(page)))
        self.refuse = cast(GetResponse, layers)

    def __call__(self, request: Request) -> HttpResponse:
        started = time.perf_counter()
        request.request_id = secrets.token_hex(16)
        request.refusal = self._refusal(request)
        token = logs.request_id.set(request.request_id)
        try:
            response = self.refuse(request) if request.refusal else self.get_response(request)
            self._add_headers(request, response)
            self._log(request, response, started)
        finally:
            logs.request_id.reset(token)
        return response

    def process_exception(self, request: Request, exception: Exception) -> HttpResponse | None:
        """Answer a request whose view lost the database.

        Shows the posted form again with what was typed, if the view can do that; else the page that
        says that the database is down. The status is 503.
        """
        if not views.is_database_down(exception):
            return None
        code = getattr(exception.__cause__, "pgcode", None) or "-"
        logs.log("database trouble", level=logging.WARNING, status=code, exc_info=exception)
        notice = _(
            "We could not save this just now. Your answers are still here: please send again."
        )
        response = None
        with contextlib.suppress(*views.DATABASE_DOWN):
            response = views.try_again(request, status=503, notice=notice)
        if response is None:
            return views.unavailable(request)
        response.headers.setdefault("Retry-After", views.RETRY_AFTER)
        return response

    def _refusal(self, request: Request) -> int | None:
        """Return the status with which to refuse a malformed request; None if it is well-formed."""
        if request.method not in METHODS:
            return 405
        query = request.META.get("QUERY_STRING", "")
        if "\0" in request.path_info or "\0" in query or "%00" in query:
            return 400
        if request.method != "POST" or request.path_info.startswith(WEBHOOKS):
            return None
        try:
            return self._refusal_of_form(request)
        except RequestDataTooBig:
            return 413
        except (UnreadablePostError, MultiPartParserError, SuspiciousOperation, ValueError):
            return 400

    @staticmethod
    def _refusal_of_form(request: Request) -> int | None:
        limit = UPLOADS.get(request.path_info, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        if int(request.META.get("CONTENT_LENGTH") or 0) > limit:
            return 413
        if request.content_type == "application/x-www-form-urlencoded":
            return None if is_sound(request.body) else 400
        if request.content_type == "multipart/form-data":
            return None if is_sound_in_parts(request) else 400
        return None

    @staticmethod
    def _refusal_page(request: Request) -> HttpResponse:
        with translation.override(language_of(request.path_info)):
            if request.refusal == 413:
                return views.too_large(request)
            response = views.bad_request(request)
        if request.refusal == 405:
            response.status_code = 405
            response["Allow"] = ", ".join(METHODS)
        return response

    @staticmethod
    def _add_headers(request: Request, response: HttpResponse) -> None:
        response["X-Request-ID"] = request.request_id
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if PRIVATE.match(request.path):
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("X-Robots-Tag", "noindex")

    @staticmethod
    def _log(request: Request, response: HttpResponse, started: float) -> None:
        match = request.resolver_match
        # Django does not resolve the address of a stored page, so the store sets `route`
        route = getattr(request, "route", "") or (match and match.view_name)
        logs.log(
            "request",
            request_id=request.request_id,
            method=request.method if request.method in METHODS else "other",
            route=route or "-",
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000),
        )
