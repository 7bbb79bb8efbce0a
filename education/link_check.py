"""Check whether the addresses of other sites in the pages still answer (`manage.py check_links`).

An editor chooses these addresses and sees which are gone. So the check connects to public addresses
only, also after a redirect: an editor must not learn which hosts the clinic's own network has.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from typing import Any, Final
from urllib import request
from urllib.error import HTTPError, URLError

from education import content, markup

TIMEOUT_SECONDS: Final = 15  # seconds
GONE_STATUSES: Final = (404, 410)
USER_AGENT: Final = "Mozilla/5.0 (compatible; link check of a clinic's pages)"
_FINAL_ERRORS: Final = (ConnectionRefusedError, ssl.SSLCertVerificationError)


def is_public_address(address: str) -> bool:
    """Whether this IP address can be reached from everywhere on the internet."""
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_global and not ip.is_multicast


def _connect(address: tuple[str, int], timeout: float, *_more: Any) -> socket.socket:
    """Connect like socket.create_connection, but to public addresses only.

    The function connects to the IP address that it has judged. If the socket looked the name up
    again, the name server could give a different address.
    """
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    last_error = OSError("not a public address")
    for ip in (str(row[4][0]) for row in found):
        if is_public_address(ip):
            try:
                return socket.create_connection((ip, address[1]), timeout)
            except OSError as error:
                last_error = error
    raise last_error


class _PublicHTTPConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        # in a tunnel this connects to the clinic's own proxy, which then decides what is reachable
        if not self._tunnel_host:  # type: ignore[attr-defined]  # private to http.client
            self._create_connection = _connect
        super().connect()


class _PublicHTTPSConnection(_PublicHTTPConnection, http.client.HTTPSConnection):
    """The same with TLS."""


class _Http(request.HTTPHandler):
    def http_open(self, req: request.Request) -> Any:
        return self.do_open(_PublicHTTPConnection, req)


class _Https(request.HTTPSHandler):
    def https_open(self, req: request.Request) -> Any:
        return self.do_open(_PublicHTTPSConnection, req)


def _opener() -> request.OpenerDirector:
    """Return an opener for http and https only: urllib's own also opens files and FTP."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.UnknownHandler,
        _Http,
        _Https,
        request.HTTPRedirectHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener


def addresses(text: content.Page) -> frozenset[str]:
    """Return the addresses of other sites in a page: its links and its sources."""
    links = {url for section in text.sections for url in markup.facts(section.body).links}
    found = links | {source.url for source in text.sources}
    return frozenset(url.partition("#")[0] for url in found if markup.is_https(url))


def is_gone(url: str) -> bool | None:
    """Return whether an address is gone; None when the answer does not show it.

    Many publishers refuse programs, and a server may be down for an hour.
    """
    opener = _opener()
    for method in ("HEAD", "GET"):
        try:
            asked = request.Request(url, method=method, headers={"User-Agent": USER_AGENT})  # noqa: S310
            with opener.open(asked, timeout=TIMEOUT_SECONDS):
                return False
        except HTTPError as error:
            if error.code in GONE_STATUSES and method == "GET":
                return True
            if error.code not in (*GONE_STATUSES, 403, 405, 501):
                return None
        except URLError as error:
            return True if _is_final(error.reason) else None
        except (OSError, http.client.HTTPException, ValueError):
            return None
    return None


def _is_final(reason: object) -> bool:
    """Whether an error means that the address is gone, not that the network fails just now."""
    if isinstance(reason, socket.gaierror):
        return reason.errno == socket.EAI_NONAME
    return isinstance(reason, _FINAL_ERRORS)


def all_addresses(texts: Iterable[content.Page]) -> tuple[str, ...]:
    """Return the addresses of other sites in many pages, each once, sorted."""
    return tuple(sorted({url for text in texts for url in addresses(text)}))
