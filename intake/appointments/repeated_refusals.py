"""Many want one time at once: who asks just after somebody who lost it is told the same.

To look up for each of fifty what is free instead would keep all of them waiting for each other.
Nothing is booked by what is remembered here, and it is remembered for a moment: a time that came
back can be had after it; in this process, which `forget`s, at once.
"""

from collections.abc import Hashable
from datetime import datetime, timedelta

from django.utils import timezone

MOMENT = timedelta(seconds=1)
MOST = 200  # answers at once

_answers: dict[Hashable, tuple[datetime, str]] = {}


def told(asked: Hashable, *, before: datetime) -> str | None:
    """The page that somebody was shown who asked the same just before that moment, else None. The
    caller has looked up what the patient has at that moment: nobody is told that their own time
    has gone."""
    at, page = _answers.get(asked, (None, ""))
    return page if at and at < before < at + MOMENT else None


def tell(asked: Hashable, page: str) -> None:
    """Remember the page of somebody who could not have a time. It shows nothing of them. What is
    remembered already stays: a newer one would not count for those who have looked by now."""
    now = timezone.now()
    at, _page = _answers.get(asked, (now - MOMENT, ""))
    if not at <= now < at + MOMENT:
        if len(_answers) >= MOST:
            forget()
        _answers[asked] = now, page


def forget() -> None:
    """Some time came back or changed hands, or the hours changed."""
    _answers.clear()
