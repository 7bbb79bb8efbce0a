"""Remember a page for one second and show it again when many visitors send the same request.

When many patients choose the same slot, the first gets the slot. All others get a page that says
that the slot is taken and lists the free times. If the free times were looked up for each of fifty
patients, the patients would wait for each other. Showing a remembered page books nothing.

If the slot becomes free again, patients see that after one second. In the process that freed the
slot they see it at once, because every change of the appointments calls `forget`.
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
    such a page may say that the slot is taken although this very visitor has just got the slot.
    """
    at, page = _pages.get((get_language(), request), (None, ""))
    return page if at and at < before < at + MOMENT else None


def remember(request: Hashable, page: str) -> None:
    """Remember the page of a request. The page must not show anything personal.

    A page that is less than a second old is not replaced. A visitor whose own slot was looked up a
    moment ago can still be shown the old page, but not a page made after the look-up.
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
