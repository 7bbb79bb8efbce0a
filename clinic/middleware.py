"""The outermost layer: what may come in, what every answer carries, one log line per request."""

import logging
import re
import secrets
import time
from urllib.parse import unquote_to_bytes

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils import translation
from django.utils.translation import gettext as _

from clinic import logs, views
from clinic.headers import HEADERS

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
PRIVATE = re.compile(r"/(?:[a-z]{2}/)?(?:admin|account|intake|appointments|my)/")
# The one page that takes a file, and the most that may come with it. All else is text.
UPLOADS = {"/admin/education/picture/add/": 400_000}
BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def is_sound(body: bytes) -> bool:
    """Is this urlencoded form what a browser writes: whole escapes, UTF-8, no NUL?

    Django's own parser would put U+FFFD for what it cannot read, and that would be stored as if
    the patient had written it.
    """
    if BROKEN_ESCAPE.search(body):
        return False
    try:
        return "\0" not in unquote_to_bytes(body).decode()
    except UnicodeDecodeError:
        return False


def is_sound_in_parts(request) -> bool:
    """The same of a form in parts. Where a file is taken, its bytes are the view's business.

    The fields are looked at as well: base64, or a name in the way of RFC 2231, hides its bytes.
    Raises what Django's parser raises for a form it cannot take apart.
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
    """The language that an address names by its prefix; English where it names none."""
    return translation.get_language_from_path(path) or settings.LANGUAGE_CODE


class LanguageMiddleware:
    """A page speaks the language of its address, whatever a browser asks for and a cookie says: so
    one address is one page, and staff's pages, which have no prefix, stay English."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.LANGUAGE_CODE = language_of(request.path_info)
        with translation.override(request.LANGUAGE_CODE):
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response


class EdgeMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response
        # A refusal skips the layers below, but not their headers.
        self.refuse = SecurityMiddleware(CSPMiddleware(XFrameOptionsMiddleware(self._refusal_page)))

    def __call__(self, request):
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

    def process_exception(self, request, exception):
        """The database went away under a view: the form comes back with what was typed, or 503."""
        if not views.is_database_down(exception):
            return None
        code = getattr(exception.__cause__, "pgcode", None) or "-"
        logs.log("database trouble", level=logging.WARNING, status=code, exc_info=exception)
        notice = _(
            "We could not save this just now. Your answers are still here: please send again."
        )
        try:
            response = views.try_again(request, status=503, notice=notice)
        except views.DATABASE_DOWN:
            response = None
        if response is None:
            return views.unavailable(request)
        response.headers.setdefault("Retry-After", views.RETRY_AFTER)
        return response

    def _refusal(self, request) -> int | None:
        """The status for what no view should have to think about."""
        if request.method not in METHODS:
            return 405
        query = request.META.get("QUERY_STRING", "")
        if "\0" in request.path_info or "\0" in query or "%00" in query:
            return 400
        if request.method != "POST":
            return None
        try:
            most = UPLOADS.get(request.path_info, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            if int(request.META.get("CONTENT_LENGTH") or 0) > most:
                return 413
            if request.content_type == "application/x-www-form-urlencoded":
                return None if is_sound(request.body) else 400
            if request.content_type == "multipart/form-data":
                return None if is_sound_in_parts(request) else 400
        except RequestDataTooBig:
            return 413
        except (UnreadablePostError, MultiPartParserError, SuspiciousOperation, ValueError):
            return 400
        return None

    @staticmethod
    def _refusal_page(request):
        with translation.override(language_of(request.path_info)):
            if request.refusal == 413:
                return views.too_large(request)
            response = views.bad_request(request)
        if request.refusal == 405:
            response.status_code = 405
            response["Allow"] = ", ".join(METHODS)
        return response

    @staticmethod
    def _add_headers(request, response):
        response["X-Request-ID"] = request.request_id
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if PRIVATE.match(request.path):
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("X-Robots-Tag", "noindex")

    @staticmethod
    def _log(request, response, started):
        match = getattr(request, "resolver_match", None)
        # a page from the store was not resolved, but says which it is
        route = getattr(request, "route", "") or (match and match.view_name)
        logs.log(
            "request",
            request_id=request.request_id,
            method=request.method if request.method in METHODS else "other",
            route=route or "-",
            status=response.status_code,
            ms=round((time.perf_counter() - started) * 1000),
        )
