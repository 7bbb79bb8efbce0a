"""Do the addresses that pages lead to still answer? `manage.py check_links` asks, never a page."""

import http.client
import socket
import ssl
from collections.abc import Iterable
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from education import content, markup

PATIENCE: Final = 15  # seconds
GONE: Final = (404, 410)
AGENT: Final = "Mozilla/5.0 (compatible; link check of a clinic's pages)"
_REFUSED: Final = (ConnectionRefusedError, ssl.SSLCertVerificationError)


def addresses(text: content.Page) -> frozenset[str]:
    """The addresses of other sites in a page: its links and its sources."""
    links = {url for section in text.sections for url in markup.facts(section.body).links}
    found = links | {source.url for source in text.sources}
    return frozenset(url.partition("#")[0] for url in found if markup.is_https(url))


def is_gone(url: str) -> bool | None:
    """Whether nothing is at an address any more. None when that cannot be told: many publishers
    turn programs away, and a server may be down for an hour."""
    for method in ("HEAD", "GET"):
        try:
            asked = Request(url, method=method, headers={"User-Agent": AGENT})  # noqa: S310
            with urlopen(asked, timeout=PATIENCE):  # noqa: S310  (https alone comes here)
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
