"""Claim spans of clinicians' time, so that no slot is booked twice."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from intake.appointments import sql
from intake.appointments.expiry import lapse_holds
from intake.appointments.slot_gone import SlotGone
from intake.models.appointments import Appointment

Span = tuple[UUID, datetime, datetime]  # a clinician's id, a start and an end
Result = TypeVar("Result")
# PostgreSQL's error codes when another transaction has the slot: exclusion violation, unique
# violation, deadlock, lock not available
_DEADLOCK = "40P01"
_GONE = ("23P01", "23505", _DEADLOCK, "55P03")
TRIES = 3


@contextmanager
def claiming(*, spans: Iterable[Span]) -> Iterator[datetime]:
    """Open a transaction that may take or free these spans. Yields the present moment.

    First locks each clinician and UTC day, always in the same order; UTC, so that all servers mean
    the same day. Then expires the holds that have ended. Then the caller books. If PostgreSQL
    reports an exclusion violation, a unique violation or a deadlock, or that it waited too long for
    a lock, raises SlotGone, and nothing is booked.
    """
    spans = list(spans)
    try:
        with transaction.atomic():
            lock(spans)
            now = timezone.now()
            if ended := _ended_holds(spans, now):
                lapse_holds(Appointment.objects.filter(pk__in=ended), at=now)
            yield now
    except DatabaseError as error:
        if getattr(error.__cause__, "pgcode", None) in _GONE:
            raise SlotGone from error
        raise


def retry_deadlocks(service: Callable[..., Result]) -> Callable[..., Result]:
    """Make a service try again after a deadlock, because the slot may still be free."""

    @wraps(service)
    def run(**given: Any) -> Result:
        for _try in range(TRIES):
            try:
                return service(**given)
            except SlotGone as gone:
                code = getattr(getattr(gone.__cause__, "__cause__", None), "pgcode", None)
                if code != _DEADLOCK or connection.in_atomic_block:
                    raise
        return service(**given)

    return run


def lock(spans: Iterable[Span]) -> None:
    """Take the advisory locks of these clinicians and days, always in the same order."""
    pairs = sorted({(str(who), day) for who, start, end in spans for day in _days(start, end)})
    if pairs:
        with connection.cursor() as cursor:
            cursor.execute(sql.LOCK_DAYS, [[who for who, _ in pairs], [day for _, day in pairs]])


def _ended_holds(spans: list[Span], now: datetime) -> list[UUID]:
    """Return the ids of the holds in these spans whose time is over but whose status is `held`."""
    if not spans:
        return []
    with connection.cursor() as cursor:
        who, starts, ends = zip(*spans, strict=True)
        cursor.execute(sql.ENDED_HOLDS, [list(map(str, who)), list(starts), list(ends), now])
        return [pk for (pk,) in cursor.fetchall()]


def _days(start: datetime, end: datetime) -> Iterator[str]:
    day = start.astimezone(UTC).date()
    while day <= (end.astimezone(UTC) - timedelta.resolution).date():
        yield day.isoformat()
        day += timedelta(days=1)


def span_of(appointment: Appointment) -> Span:
    """Return the span that an appointment takes."""
    return appointment.clinician_id, appointment.during.lower, appointment.during.upper


def locked(appointment: Appointment) -> Appointment:
    """Read an appointment again and lock its row. Raises SlotGone when the row was deleted."""
    row = Appointment.objects.select_for_update(of=("self",)).filter(pk=appointment.pk).first()
    if row is None:
        raise SlotGone
    return row
