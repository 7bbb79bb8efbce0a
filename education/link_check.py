"""Check whether the addresses of other sites in the pages still answer (`manage.py check_links`).

An editor chooses these addresses and sees which do not answer. So the check connects only to public
IP addresses, also after a redirect, because an editor must not find out which hosts there are in
the clinic's own network.
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

TIMEOUT_SECONDS: Final = 15
GONE_STATUSES: Final = (404, 410)
USER_AGENT: Final = "Mozilla/5.0 (compatible; link check of a clinic's pages)"
_FINAL_ERRORS: Final = (ConnectionRefusedError, ssl.SSLCertVerificationError)


def is_public_address(address: str) -> bool:
    """Whether this IP address belongs to the public internet."""
    ip = ipaddress.ip_address(address)
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return ip.is_global and not ip.is_multicast


def _connect(address: tuple[str, int], timeout: float, *_more: Any) -> socket.socket:
    """Connect like socket.create_connection, but to public addresses only.

    The function looks the name up once and connects to the IP address that it has checked. If the
    name were looked up again for the connection, the name server could give a different address.
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
        # With a tunnel, this is a connection to the clinic's own proxy, whose address is not
        # public. The proxy then decides what can be reached.
        if not self._tunnel_host:  # type: ignore[attr-defined]  # private to http.client
            self._create_connection = _connect
        super().connect()


class _PublicHTTPSConnection(_PublicHTTPConnection, http.client.HTTPSConnection):
    """An HTTPS connection to public addresses only."""


class _Http(request.HTTPHandler):
    def http_open(self, req: request.Request) -> Any:
        return self.do_open(_PublicHTTPConnection, req)


class _Https(request.HTTPSHandler):
    def https_open(self, req: request.Request) -> Any:
        return self.do_open(_PublicHTTPSConnection, req)


def _opener() -> request.OpenerDirector:
    """Return an opener for http and https only. The default opener also opens files and FTP."""
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
    """Return whether an address is gone; None if the answer leaves this open.

    An answer may leave this open because many publishers refuse programs, and because a server may
    be down for an hour.
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
    """Whether an error means that the address is gone, rather than a failure for the moment."""
    if isinstance(reason, socket.gaierror):
        return reason.errno == socket.EAI_NONAME
    return isinstance(reason, _FINAL_ERRORS)


def all_addresses(texts: Iterable[content.Page]) -> tuple[str, ...]:
    """Return the addresses of other sites in these pages, sorted, each address once."""
    return tuple(sorted({url for text in texts for url in addresses(text)}))
