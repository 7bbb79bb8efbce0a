"""Pages that the same request gets again for one second, when many visitors ask at once.

When many patients request one slot, each but the first is told that the slot is taken. To look up
the free times for each of fifty patients would keep all of them waiting for each other. A
remembered page books nothing. A slot that becomes free again can be had after a second; in this
process at once, since every change of the book calls `forget`.
"""

from collections.abc import Hashable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import get_language

MOMENT = timedelta(seconds=1)
MOST = 200  # pages remembered at once

_pages: dict[tuple[str | None, Hashable], tuple[datetime, str]] = {}


def page_for(request: Hashable, *, before: datetime) -> str | None:
    """Return the page that the same request was answered with just before this moment, else None.

    `request` holds all that the page depends on except for the language. At `before` the caller
    looked up what the visitor has, so that no patient reads that their own slot has gone.
    """
    at, page = _pages.get((get_language(), request), (None, ""))
    return page if at and at < before < at + MOMENT else None


def remember(request: Hashable, page: str) -> None:
    """Remember the page of a request. The page shows nothing of the visitor.

    A page that is still fresh stays: a newer one would not count for visitors whose own things were
    looked up by now.
    """
    key, now = (get_language(), request), timezone.now()
    at, _page = _pages.get(key, (now - MOMENT, ""))
    if not at <= now < at + MOMENT:
        if len(_pages) >= MOST:
            forget()
        _pages[key] = now, page


def forget() -> None:
    """Forget all pages: a slot became free or was taken, or the hours changed."""
    _pages.clear()
