"""Count how many forms are begun, ended unsent and sent on a day. The counts name no patient."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import connection
from django.utils import timezone

from intake.documents import protocol_of
from intake.models.submissions import Draft, Submission
from intake.questionnaire import sql

Key = tuple[date, str, str, str, str]
"""Day, name of the protocol, kind of the form, event, last page."""


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
