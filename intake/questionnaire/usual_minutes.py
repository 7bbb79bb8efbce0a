"""How many minutes patients of this clinic take for a protocol: the median, once it is known."""

from datetime import date, datetime, timedelta

from django.db import connection
from django.utils import timezone

from clinic.last_known import LastKnown
from intake.domain.definition import Protocol
from intake.domain.minutes import minutes
from intake.models.submissions import Kind, UsualMinutes
from intake.questionnaire import sql

FEWEST = 50
"""How many submissions a median needs."""
LOOKED_AT = timedelta(days=180)
LONGEST = timedelta(hours=3)
"""A patient who takes longer has left the form and come back, so this time is not stored."""

usual: LastKnown[dict[tuple[str, str], int]] = LastKnown()
"""(name of the protocol, kind of walk) → minutes."""
_computed_on: date | None = None  # the day of the last computation in this process


def seconds_between(begun: datetime, sent: datetime) -> int | None:
    """Return how many seconds a patient took, or None if the patient left and came back."""
    took = sent - begun
    return int(took.total_seconds()) if timedelta(0) <= took <= LONGEST else None


def compute() -> None:
    """Store the median minutes of each protocol and kind of walk.

    Runs each minute, works once a day, and may run on several workers at once.
    """
    global _computed_on
    today = timezone.localdate()
    if _computed_on == today:
        return
    with connection.cursor() as cursor:
        cursor.execute(sql.MEDIAN_MINUTES, [timezone.now() - LOOKED_AT, FEWEST])
        found = cursor.fetchall()
    for name, kind, number in found:
        UsualMinutes.objects.update_or_create(
            protocol=name, kind=kind, defaults={"minutes": number, "day": today}
        )
    # a median of few submissions, or of a protocol that is not sent any more, is out of date
    UsualMinutes.objects.exclude(day=today).delete()
    _computed_on = today


def read() -> dict[tuple[str, str], int]:
    """Read the stored medians, for `usual`."""
    rows = UsualMinutes.objects.values_list("protocol", "kind", "minutes")
    return {(name, kind): number for name, kind, number in rows}


def medians() -> frozenset[object]:
    """Return the known medians as a key of pages that show minutes."""
    return frozenset((usual.get() or {}).items())


def minutes_for(protocol: Protocol, kind: str = Kind.INTAKE) -> int:
    """Return the clinic's median, or the estimate from the questions until a median is known."""
    known = usual.get() or {}
    return known.get((protocol.name, str(kind)), 0) or minutes(protocol, kind)
