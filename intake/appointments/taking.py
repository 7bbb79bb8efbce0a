"""Shared by holding, booking and moving: find a free slot, claim its time, take one of its seats.

A slot is named by its key (FreeTime.key).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.appointments import book, free_times
from intake.appointments.book import FreeTime
from intake.appointments.claims import Span, claiming
from intake.appointments.slot_gone import SlotGone
from intake.appointments.steps import insert
from intake.domain import slots as domain
from intake.models.appointments import Appointment
from intake.models.clinic_time import VisitType


def find_time(
    slot: str, visit_type: VisitType, urgency: int | None = None, *, has_one: bool = False
) -> FreeTime:
    """Find the free time that a slot key names, within the days that the urgency allows.

    Raises SlotGone; see free_times.find_slot.
    """
    free = free_times.find_slot(key=slot, visit_type=visit_type, has_one=has_one)
    if urgency is None:
        return free
    window = free_times.window_of(urgency)
    if window and not window[0] <= free.start < window[1]:
        near = free_times.slots_for(
            urgency=urgency, visit_type=visit_type, limit=free_times.NEAREST
        )
        raise SlotGone(_("That is not a time you can choose. Please choose one of these."), near)
    return free


@contextmanager
def claiming_time(free: FreeTime, *others: Span) -> Iterator[datetime]:
    """Claim a free time (claims.claiming). A SlotGone error then holds the nearest free times."""
    try:
        with claiming(spans=[(free.clinician.pk, free.start, free.end), *others]) as now:
            yield now
    except SlotGone as gone:
        if gone.nearest:
            raise
        raise SlotGone("", free_times.nearest_left(free)) from gone.__cause__


def take(free: FreeTime, seat: int, *, at: datetime, **given: Any) -> Appointment:
    """Insert an appointment for a free time that the caller has claimed."""
    return insert(
        clinician=free.clinician,
        location=free.location,
        visit_type=free.visit_type,
        start=free.start,
        end=free.end,
        seat=seat,
        capacity=free.slot.capacity,
        at=at,
        **given,
    )


def free_seat(free: FreeTime, besides: Appointment | None = None) -> int:
    """Return the lowest free seat of a claimed free time. Raises SlotGone when no seat is left."""
    who = free.slot.clinician
    near = book.busy_of([who], free.start, free.end, besides=besides.pk if besides else None)
    left = domain.free_seats(
        near, clinician=who, start=free.start, end=free.end, capacity=free.slot.capacity
    )
    if not left:
        raise SlotGone
    return left[0]


def same_slot(rows: QuerySet[Appointment], slot: str, visit_type: VisitType) -> Appointment | None:
    """Find the appointment that already has this slot. Leaves out rows whose hold has ended."""
    for row in rows.filter(visit_type=visit_type):
        until = row.held_until if row.status == "held" else None
        is_over = until is not None and until <= timezone.now()
        key = domain.slot_key(row.during.lower, str(row.clinician_id), str(row.location_id))
        if key == slot and not is_over:
            return row
    return None


def key_of(row: Appointment) -> str:
    """Return the key of the slot that an appointment takes."""
    slot = domain.Slot(
        start=row.during.lower,
        end=row.during.upper,
        clinician=str(row.clinician_id),
        location=str(row.location_id),
    )
    return slot.key
