"""Many want one time at once: who comes just after somebody who lost it is shown the same others.

To look up for each of fifty what is free instead would keep all of them waiting for each other.
Nothing is booked by what is remembered here, and it is remembered for a moment: a time that came
back can be had after it; in this process, which `forget`s, at once.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils import timezone

if TYPE_CHECKING:
    from intake.services.appointments.times import FreeTime

MOMENT = timedelta(seconds=1)
Wanted = tuple[str, UUID, int]  # the key of a slot, the type of visit, the urgency

_lost: dict[Wanted, tuple[datetime, list["FreeTime"]]] = {}


def shown(wanted: Wanted, *, before: datetime) -> list["FreeTime"] | None:
    """What somebody was shown just before that moment who could not have this time, else None."""
    at, nearest = _lost.get(wanted, (None, None))
    return nearest if at and at < before < at + MOMENT else None


def lost(wanted: Wanted, nearest: list["FreeTime"]) -> None:
    """Remember what somebody was shown who could not have this time."""
    now = timezone.now()
    for other, (at, _nearest) in list(_lost.items()):
        if not at <= now < at + MOMENT:
            _lost.pop(other, None)
    _lost[wanted] = now, nearest


def forget() -> None:
    """Some time came back or changed hands, or the hours changed."""
    _lost.clear()
