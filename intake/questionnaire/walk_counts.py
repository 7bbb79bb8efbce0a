"""Count how many forms are begun, ended unsent and sent on a day. The counts name no patient."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from intake.documents import protocol_of
from intake.models.submissions import (
    Draft,
    ProtocolDocument,
    RuleCount,
    Submission,
    WalkCount,
)
from intake.questionnaire import sql

Key = tuple[date, str, str, str, str]
"""Day, name of the protocol, kind of the form, event, last page."""
FEWEST = 5
"""The smallest number that is shown."""


class Period(NamedTuple):
    """How often something happened from a day to a day. `number` is None below FEWEST."""

    first: date
    last: date
    protocol: str
    kind: str
    event: str
    step: str
    number: int | None


def key_of(form: Draft | Submission, at: datetime, event: str, step: str = "") -> Key:
    """Return the key of the count of an event of this form, for use with `add`."""
    day = timezone.localdate(at)
    return day, protocol_of(form.protocol_id).name, str(form.kind), str(event), step


def add(counts: Mapping[Key, int]) -> None:
    """Add to the stored counts, in the transaction of the act that is counted.

    The keys are sorted, so that two transactions lock the rows in the same order and cannot block
    each other.
    """
    if not counts:
        return
    keys = sorted(counts)
    columns = [list(column) for column in zip(*keys, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(sql.ADD_TO_WALK_COUNTS, [*columns, [counts[key] for key in keys]])


def since(day: date) -> Counter[Key]:
    """Return the stored counts from a day on, with the emergency stops that nobody told us of."""
    counts: Counter[Key] = Counter()
    for row in WalkCount.objects.filter(day__gte=day):
        counts[row.day, row.protocol, row.kind, row.event, row.step] += row.number
    names = dict(ProtocolDocument.objects.values_list("content_hash", "name"))
    for stop in RuleCount.objects.filter(day__gte=day, untold__gt=0):
        counts[stop.day, names.get(stop.protocol_hash, ""), "", "untold", stop.rule] += stop.untold
    return counts


def in_periods(counts: Mapping[Key, int]) -> list[Period]:
    """Return the counts by day, so that no number tells of a person.

    A number below FEWEST is added to the other small numbers of its week. If the sum, too, is
    small, the row says only that something happened.
    """
    weeks: Counter[Key] = Counter()
    periods = []
    for (day, protocol, kind, event, step), number in counts.items():
        if number >= FEWEST:
            periods.append(Period(day, day, protocol, kind, event, step, number))
        elif number:
            monday = day - timedelta(days=day.weekday())
            weeks[monday, protocol, kind, event, step] += number
    for (monday, protocol, kind, event, step), number in weeks.items():
        sunday, shown = monday + timedelta(days=6), number if number >= FEWEST else None
        periods.append(Period(monday, sunday, protocol, kind, event, step, shown))
    return sorted(periods, key=lambda period: period[:6])


def median_minutes(day: date) -> list[tuple[str, str, int, int]]:
    """Return protocol, kind, number of forms and median minutes of the forms sent from a day on.

    Leaves out a median of fewer than FEWEST forms.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.MINUTES_OF_PERIOD, [day, FEWEST])
        found: list[tuple[str, str, int, int]] = cursor.fetchall()
    return found
