"""Remember a page for one second and show it again when many visitors send the same request.

When many patients choose the same slot, all but the first are told that the slot is taken, with the
times that are free instead. If these times were looked up for each of fifty patients, the patients
would wait for each other. Showing a remembered page books nothing. If the slot becomes free again,
patients see that after one second, and in this process at once, because every change of the
appointments calls `forget`.
"""

from collections.abc import Hashable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import get_language

MOMENT = timedelta(seconds=1)
MOST = 200  # pages remembered at once

_pages: dict[tuple[str | None, Hashable], tuple[datetime, str]] = {}


def page_for(request: Hashable, *, before: datetime) -> str | None:
    """Return the page remembered for this request within the second before `before`, else None.

    `request` holds everything that the page depends on except the language. `before` is the moment
    at which the caller looked up the visitor's own slot. A page made later is not returned, because
    it may say that the slot is taken when this visitor is the one who has just got it.
    """
    at, page = _pages.get((get_language(), request), (None, ""))
    return page if at and at < before < at + MOMENT else None


def remember(request: Hashable, page: str) -> None:
    """Remember the page of a request. The page must not show anything personal.

    A page that is less than a second old is not replaced: `page_for` could not show a newer page to
    visitors whose own slot was looked up before.
    """
    key, now = (get_language(), request), timezone.now()
    at, _page = _pages.get(key, (now - MOMENT, ""))
    if not at <= now < at + MOMENT:
        if len(_pages) >= MOST:
            forget()
        _pages[key] = now, page


def forget() -> None:
    """Forget all pages, because a slot became free or was taken, or the hours changed."""
    _pages.clear()
