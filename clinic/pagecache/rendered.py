"""Public pages: rendered once, stored, and served without session or database.

A view marked with `kept` gives every reader the same answer. The answer is stored with its headers
and served to every request for its path. Answers to a query, answers that set a cookie and answers
other than 200 are never stored. When a text that readers see changes, a new generation begins
(store.py) and all pages are rendered into it. If a reader requests a page that is not rendered yet,
the page is rendered for this request. If the database is down at that moment, the reader gets the
page of the previous generation.
"""

import gzip
import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from functools import cache, update_wrapper
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.utils.http import parse_http_date_safe
from django.views.decorators.cache import cache_control

from clinic import logs
from clinic.context import site
from clinic.hours import calendar
from clinic.pagecache.store import BEFORE, NONE, Store, StoreError, begin, opened
from clinic.requests import Request
from clinic.secrets.sealing import sign, signed

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def kept(view: View) -> View:
    """Mark a view whose answer is the same for every visitor. Browsers revalidate each time.

    The view reads the clinic's calendar anew, so that no kept page lacks a coming closure.
    """
    marked = cache_control(public=True, no_cache=True)(view)

    def drawn(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        calendar.forget()
        return marked(request, *args, **kwargs)

    # a syndication feed is a view without a name, so its names are copied as far as it has them
    return cast(View, update_wrapper(drawn, view))


SITEMAP = "/sitemap.xml"
_FEEDS = ["/feed/" if code == "en" else f"/{code}/feed/" for code, _name in settings.LANGUAGES]
BESIDES = (SITEMAP, "/robots.txt", *_FEEDS)
"""The paths of stored pages that are not in the sitemap."""

CONDITIONS = (
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_MATCH",
    "HTTP_IF_UNMODIFIED_SINCE",
)
# headers that are not stored, because each answer gets its own
NOT_KEPT = ("content-length", "content-encoding", "vary", "etag", "x-request-id")


class KeptPage(msgspec.Struct, frozen=True):
    """An answer in the form in which it is stored."""

    route: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    packed: bytes
    etag: str
    modified: int | None


# --- asking ---------------------------------------------------------------------------------------


class RenderedMiddleware:
    """Serve pages from the store, and fill the store. Stands before the sessions' middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD") or not _is_proper(request):
            return self.get_response(request)
        store = None if request.META.get("QUERY_STRING") else opened(settings.PAGE_STORE)
        generation = _current(store) if store else NONE
        path = request.path_info
        ready = _find(store, generation, path) if store and generation else None
        if ready is None:
            # The page is written into the generation that was current before rendering. So if a
            # text that readers see has changed meanwhile, nobody reads the written page.
            response = self.get_response(request)
            page = _as_page(request, response)
            if page is None:
                if response.status_code != 503 or store is None:
                    return response
                page = _of_before(store, generation, path)
                if page is None:
                    return response
            elif store and generation:
                _keep(store, generation, path, page)
            ready = Ready(page)
        return ready.answer(request)


_memory: tuple[str, dict[str, "Ready"]] = (NONE, {})


def _find(store: Store, generation: str, path: str) -> "Ready | None":
    """Return a page of a generation. A page that was read once stays in this process's memory."""
    global _memory
    of, pages = _memory
    if of != generation:
        _memory = _, pages = generation, {}
    ready = pages.get(path)
    if ready is None:
        page = _read(store, generation, path)
        if page is not None:
            ready = pages[path] = Ready(page)
    return ready


def ready(path: str) -> "Ready | None":
    """Return the stored page of a path, or None. Used by clinic/pagecache/front.py."""
    store = opened(settings.PAGE_STORE)
    generation = _current(store) if store else NONE
    return _find(store, generation, path) if store and generation else None


class Ready:
    """A page in this process's memory with its finished headers, plain and compressed."""

    def __init__(self, page: KeptPage) -> None:
        self.page = page
        self.plain = self._headers(page.body)
        self.packed = self._headers(page.packed)
        self.packed["Content-Encoding"] = "gzip"
        # the headers that clinic/pagecache/front.py sends; it fills this dict at the first request
        self.lines: dict[bool, list[tuple[str, str]]] = {}

    def _headers(self, body: bytes) -> ResponseHeaders:
        headers = ResponseHeaders(dict(self.page.headers))
        headers["ETag"] = self.page.etag
        headers["Vary"] = "Accept-Encoding"
        headers["Content-Length"] = str(len(body))
        return headers

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer with the page, or with 304 if the browser already has the page."""
        page, asked = self.page, request.META
        packed = "gzip" in asked.get("HTTP_ACCEPT_ENCODING", "")
        response = HttpResponse(page.packed if packed else page.body)
        response.headers = Copied(self.packed if packed else self.plain)
        cast(Request, request).route = page.route
        if asked.keys().isdisjoint(CONDITIONS):
            return response
        checked = get_conditional_response(request, page.etag, page.modified, response) or response
        for name, value in page.headers:
            if name != "Content-Type":
                checked.headers.setdefault(name, value)
        return checked


class Copied(ResponseHeaders):
    """A copy of headers that `Ready` has already checked, so that they are not checked again."""

    def __init__(self, checked: ResponseHeaders) -> None:
        self._store = checked._store.copy()


def _is_proper(request: HttpRequest) -> bool:
    """Return whether a request is for a page, to one of our host names, with TLS if required."""
    if request.path_info.startswith(settings.STATIC_URL):
        return False
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return False
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True


def _as_page(request: HttpRequest, response: HttpResponse) -> KeptPage | None:
    """Return an answer as a page to store; None if it is not the same for every reader."""
    caching = [part.strip() for part in response.get("Cache-Control", "").split(",")]
    personal = response.cookies or "Cookie" in response.get("Vary", "")
    if response.status_code != 200 or "public" not in caching or response.streaming or personal:
        return None
    body = response.content
    if response.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    match = request.resolver_match
    return KeptPage(
        route=match.view_name if match else "",
        headers=tuple((n, v) for n, v in response.items() if n.lower() not in NOT_KEPT),
        body=body,
        packed=gzip.compress(body, 9, mtime=0),
        # a weak ETag (W/), because it stands for the plain and the compressed body
        etag=f'W/"{hashlib.sha256(body).hexdigest()[:32]}"',
        modified=parse_http_date_safe(response.get("Last-Modified", "")),
    )


# --- keeping --------------------------------------------------------------------------------------


@cache
def edition() -> str:
    """Return a hash of the code, templates, protocols and settings that pages are made of."""
    with translation.override(settings.LANGUAGE_CODE):
        shown = repr((site(None), [getattr(settings, name) for name in SHOWN]))
    whole = hashlib.sha256(shown.encode())
    for path in _files():
        whole.update(path.read_bytes())
    return whole.hexdigest()


SHOWN = (
    "SITE_ORIGIN LANGUAGES TIME_ZONE CONTENT_SECURITY_POLICY X_FRAME_OPTIONS SECURE_REFERRER_POLICY"
    " SECURE_HSTS_SECONDS SECURE_HSTS_INCLUDE_SUBDOMAINS SECURE_HSTS_PRELOAD"
).split()


def _files() -> Iterator[Path]:
    base = settings.BASE_DIR
    for folder in ("templates", "clinic", "education", "intake"):
        for path in sorted((base / folder).rglob("*")):
            if path.suffix in (".html", ".xml", ".py", ".mo", ".yaml"):
                yield path
    # files that name the addresses of the style sheets and the versions of packages
    for path in (settings.STATIC_ROOT / "staticfiles.json", base / "requirements.txt"):
        if path.is_file():
            yield path


def _key(name: str) -> str:
    """Return the store's key for a path. In another `edition` the same path has another key."""
    return hashlib.sha256(f"{edition()} {name}".encode()).hexdigest()


def _complete() -> str:
    return _key("complete")


def _current(store: Store) -> str:
    """Return the current generation, or begin one if the store has none yet.

    Returns NONE if the store fails.
    """
    try:
        return store.current() or begin(store, _complete())
    except StoreError:
        return NONE


def _place(generation: str, path: str) -> str:
    """Return the name of the place to which the signature of a stored page is bound."""
    return f"page\0{generation}\0{_key(path)}"


def _read(store: Store, generation: str, path: str) -> KeptPage | None:
    """Return a page that this program stored.

    Returns None for a missing page, for a file that a power cut left incomplete, and for a file
    that another program wrote.
    """
    entry = signed(_place(generation, path), store.read(generation, _key(path)) or b"")
    return None if entry is None else msgspec.msgpack.decode(entry, type=KeptPage)


def _of_before(store: Store, generation: str, path: str) -> KeptPage | None:
    """Return a page of the previous generation.

    Returns None if `generation` is complete, because a page that is missing in a complete
    generation was removed on purpose.
    """
    if store.read(generation, _complete()) is not None:
        return None
    before = store.read(generation, BEFORE)
    return _read(store, before.decode(), path) if before else None


def _keep(store: Store, generation: str, path: str, page: KeptPage) -> None:
    try:
        entry = msgspec.msgpack.encode(page)
        store.write(generation, _key(path), sign(_place(generation, path), entry))
    except StoreError:
        logs.log("page not kept", level=logging.ERROR, route=page.route)


# --- changing -------------------------------------------------------------------------------------


def renew_on_commit(*, made_of: str = "") -> None:
    """Call `renew` after the commit of this transaction, which changes texts that readers see."""
    transaction.on_commit(lambda: renew(made_of=made_of), robust=True)


def renew(*, made_of: str = "") -> int:
    """Begin a new generation and render every public page into it. Returns how many were rendered.

    `made_of` identifies the content of the pages in the database. If the current generation is
    complete and was rendered by this edition from the same content, nothing is rendered.

    Raises StoreError. If the process dies before the end, readers' requests fill the new
    generation. While the database is down, a page that the new generation lacks comes from the
    previous generation.
    """
    store = opened(settings.PAGE_STORE)
    if store is None:
        return 0
    if made_of and store.read(store.current(), _complete()) == made_of.encode():
        return 0
    generation = begin(store, _complete())
    with translation.override(translation.get_language()):
        sitemap = _ask(SITEMAP)
        if sitemap.status_code != 200:
            logs.log("pages not rendered", level=logging.ERROR, status=sitemap.status_code)
            return 0
        paths = [*_addresses(sitemap.content), *BESIDES]
        answers = [_ask(path).status_code for path in paths]
    if wrong := [status for status in answers if status != 200]:
        logs.log("pages not rendered", level=logging.ERROR, status=wrong[0], rows=len(wrong))
    else:
        store.write(generation, _complete(), made_of.encode())
    return answers.count(200)


def _addresses(sitemap: bytes) -> list[str]:
    """Return the paths that a sitemap names."""
    found = re.findall(r"<loc>(.*?)</loc>", sitemap.decode())
    return [unescape(address).removeprefix(settings.SITE_ORIGIN) for address in found]


@cache
def _handler() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler


def _ask(path: str) -> HttpResponse:
    """Return the answer that a visitor without cookies gets, after all middleware."""
    name = settings.ALLOWED_HOSTS[0].lstrip(".")
    secure = settings.SECURE_SSL_REDIRECT
    request = WSGIRequest(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": name,
            "SERVER_PORT": "443" if secure else "80",
            "HTTP_HOST": name,
            "wsgi.url_scheme": "https" if secure else "http",
            "wsgi.input": BytesIO(),
        }
    )
    return cast(HttpResponse, _handler().get_response(request))
