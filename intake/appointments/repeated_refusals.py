"""Repeat the "slot taken" page for one second when many patients request the same slot.

To look up the free times for each of fifty patients would keep all of them waiting for each other.
A remembered page books nothing. A slot that becomes free again can be had after a second; in this
process at once, since every change of the book calls `forget`.
"""

from collections.abc import Hashable
from datetime import datetime, timedelta

from django.utils import timezone

MOMENT = timedelta(seconds=1)
MOST = 200  # pages remembered at once

_pages: dict[Hashable, tuple[datetime, str]] = {}


def page_for(request: Hashable, *, before: datetime) -> str | None:
    """Return the page that the same request was answered with just before this moment, else None.

    At `before` the caller looked up what the patient has, so that no patient reads that their own
    slot has gone.
    """
    at, page = _pages.get(request, (None, ""))
    return page if at and at < before < at + MOMENT else None


def remember(request: Hashable, page: str) -> None:
    """Remember the page of a refused request. The page shows nothing of the patient.

    A page that is still fresh stays: a newer one would not count for patients who have looked up
    their own slots by now.
    """
    now = timezone.now()
    at, _page = _pages.get(request, (now - MOMENT, ""))
    if not at <= now < at + MOMENT:
        if len(_pages) >= MOST:
            forget()
        _pages[request] = now, page


def forget() -> None:
    """Forget all pages: a slot became free or was taken, or the hours changed."""
    _pages.clear()
