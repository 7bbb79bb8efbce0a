"""The state of the chain of audit events: how long it is, and what its last check found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext_lazy as _

from clinic import audit
from clinic.audit import sql
from clinic.models import Event

SUBJECT = "chain"  # the subject of the event that a check writes
WHOLE = "whole"
SECONDS = 8  # how long a check may take that a page waits for

FAULTS = {
    "gap": _("rows are missing"),
    "link": _("the row before was replaced"),
    "content": _("the row was changed"),
    "tail": _("rows at the end are missing or were added"),
    "inbox": _("an event was left unchained"),
}
"""For each reason of `audit.verify`: words."""


class TooLong(Exception):
    """The chain has too many events for a check that a page waits for."""


@dataclass(frozen=True)
class State:
    """The number of events, and the last check: when, of which events, with which outcome."""

    events: int
    checked_at: datetime | None = None
    first: int = 0
    last: int = 0
    outcome: str = ""
    bad: int = 0

    @property
    def is_whole(self) -> bool:
        return self.outcome == WHOLE

    @property
    def fault(self) -> str:
        """What the last check found, in words; '' if every event was whole."""
        return "" if self.is_whole else str(FAULTS.get(self.outcome, self.outcome))

    @property
    def since(self) -> int:
        """How many events were added after the last check, apart from its own event."""
        return max(0, self.events - self.last - 1)


def state() -> State:
    """Return the state of the chain. Takes two queries."""
    events = Event.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    last = Event.objects.filter(subject=SUBJECT, action="config").order_by("-seq").first()
    if last is None:
        return State(events)
    found: dict[str, Any] = last.detail
    first, until = found["from"], found["to"]
    return State(events, last.at, first, until, found["outcome"], found["step"] or 0)


def note(
    *, actor: str, first: int, last: int, faults: list[tuple[int, str]], request_id: str = ""
) -> None:
    """Record what a check of the events `first` to `last` found, so that pages can show it."""
    bad, outcome = faults[0] if faults else (None, WHOLE)
    with transaction.atomic():
        audit.record(
            actor=actor,
            action="config",
            subject=SUBJECT,
            request_id=request_id,
            detail={"from": first, "to": last, "outcome": outcome, "step": bad},
        )


def check(*, actor: str, request_id: str) -> None:
    """Check the whole chain while a page waits, and record the result. Raises TooLong."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(sql.SET_TIME_LIMIT, [SECONDS * 1000])
            last, _digest = audit.head()
            faults = audit.verify()
    except OperationalError as error:
        raise TooLong from error
    note(actor=actor, first=1, last=last, faults=faults, request_id=request_id)
