"""The outermost layer: serves stored pages before Django handles the request.

Serving a stored page needs nothing of Django. Any request that is not a plain GET (one with a query
or a condition, with another method, for an unknown host, or without TLS) goes on to Django, where
RenderedMiddleware can serve the same page. So this layer is only faster; it never gives another
answer.
"""

import secrets
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from clinic import logs
from clinic.headers import HEADERS
from clinic.pagecache import rendered

Environ = dict[str, Any]


class Front:
    """A WSGI application that serves stored pages, and passes other requests to `application`."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        started = time.perf_counter()
        ready = rendered.ready(environ["PATH_INFO"]) if _asks_for_a_page(environ) else None
        if ready is None:
            return self.application(environ, start_response)
        packed = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        request_id = secrets.token_hex(16)
        start_response("200 OK", [*_lines(ready, packed), ("X-Request-ID", request_id)])
        logs.log(
            "request",
            request_id=request_id,
            method="GET",
            route=ready.page.route or "-",
            status=200,
            ms=round((time.perf_counter() - started) * 1000),
        )
        return [ready.page.packed if packed else ready.page.body]


def _asks_for_a_page(environ: Environ) -> bool:
    """Return whether a request is a plain GET to one of our host names, with TLS if required."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and not environ.get("QUERY_STRING")
        and not environ.get("SCRIPT_NAME")
        and environ["PATH_INFO"].isascii()
        and not environ["PATH_INFO"].startswith(settings.STATIC_URL)
        and environ.keys().isdisjoint(rendered.CONDITIONS)
        and (not settings.SECURE_SSL_REDIRECT or _is_secure(environ))
        and _is_ours(environ.get("HTTP_HOST", ""))
    )


def _is_secure(environ: Environ) -> bool:
    name, https = settings.SECURE_PROXY_SSL_HEADER or ("", "https")
    scheme = str(environ.get(name, environ["wsgi.url_scheme"]))
    return scheme.partition(",")[0].strip() == https


def _is_ours(host: str) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _lines(ready: rendered.Ready, packed: bool) -> list[tuple[str, str]]:
    """Return the headers of a stored page, and the headers that every answer carries."""
    lines = ready.lines.get(packed)
    if lines is None:
        own = ready.packed if packed else ready.plain
        more = [(name, value) for name, value in HEADERS.items() if name not in own]
        lines = ready.lines[packed] = [*own.items(), *more]
    return lines
