"""Do the addresses that pages lead to still answer? `manage.py check_links` asks, never a page.

An editor chooses these addresses and sees which are gone. So only what everybody can reach is
asked: nobody feels their way through the clinic's own network with it, by a redirect neither.
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

PATIENCE: Final = 15  # seconds
GONE: Final = (404, 410)
AGENT: Final = "Mozilla/5.0 (compatible; link check of a clinic's pages)"
_REFUSED: Final = (ConnectionRefusedError, ssl.SSLCertVerificationError)


def is_outside(address: str) -> bool:
    """Is this IP address one that everybody on the internet can reach?"""
    known = ipaddress.ip_address(address)
    known = getattr(known, "ipv4_mapped", None) or known
    return known.is_global and not known.is_multicast


def _connect(address: tuple[str, int], timeout: float, *_more: Any) -> socket.socket:
    """As socket.create_connection, to where the check has looked and nowhere else."""
    found = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    trouble = OSError("an address of the own network")
    for told in (str(row[4][0]) for row in found):
        if is_outside(told):
            try:
                return socket.create_connection((told, address[1]), timeout)
            except OSError as error:
                trouble = error
    raise trouble


class _Outside(http.client.HTTPConnection):
    def connect(self) -> None:
        # through a tunnel the clinic's own proxy is asked, which says where the way leads
        if not self._tunnel_host:  # type: ignore[attr-defined]  # private to http.client
            self._create_connection = _connect
        super().connect()


class _OutsideTls(_Outside, http.client.HTTPSConnection):
    """The same, by TLS."""


class _Http(request.HTTPHandler):
    def http_open(self, req: request.Request) -> Any:
        return self.do_open(_Outside, req)


class _Https(request.HTTPSHandler):
    def https_open(self, req: request.Request) -> Any:
        return self.do_open(_OutsideTls, req)


def _opener() -> request.OpenerDirector:
    """Knows http and https; neither files nor FTP."""
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
    """The addresses of other sites in a page: its links and its sources."""
    links = {url for section in text.sections for url in markup.facts(section.body).links}
    found = links | {source.url for source in text.sources}
    return frozenset(url.partition("#")[0] for url in found if markup.is_https(url))


def is_gone(url: str) -> bool | None:
    """Whether nothing is at an address any more. None when that cannot be told: many publishers
    turn programs away, and a server may be down for an hour."""
    opener = _opener()
    for method in ("HEAD", "GET"):
        try:
            asked = request.Request(url, method=method, headers={"User-Agent": AGENT})  # noqa: S310
            with opener.open(asked, timeout=PATIENCE):
                return False
        except HTTPError as error:
            if error.code in GONE and method == "GET":
                return True
            if error.code not in (*GONE, 403, 405, 501):
                return None
        except URLError as error:
            return True if _is_final(error.reason) else None
        except (OSError, http.client.HTTPException, ValueError):
            return None
    return None


def _is_final(reason: object) -> bool:
    """No such host, as against a name server that does not answer just now; or turned away."""
    if isinstance(reason, socket.gaierror):
        return reason.errno == socket.EAI_NONAME
    return isinstance(reason, _REFUSED)


def all_addresses(texts: Iterable[content.Page]) -> tuple[str, ...]:
    """Those of many pages, each once, in order."""
    return tuple(sorted({url for text in texts for url in addresses(text)}))
