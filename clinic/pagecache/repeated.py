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
    """Return the page that answered the same request in the second before `before`, else None.

    `before` is when the caller looked up the patient's own slots. A later page
    could say that a slot has gone although this very patient has just taken the slot.
    """
    at, page = _pages.get(request, (None, ""))
    return page if at and at < before < at + MOMENT else None


def remember(request: Hashable, page: str) -> None:
    """Remember the page of a refused request. The page contains no data about the patient.

    A page less than a second old is not replaced: `page_for` would not return the newer page to
    patients whose slots were looked up before now.
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
