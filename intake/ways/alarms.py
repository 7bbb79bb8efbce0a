"""Order the letter to staff about alarm words in a message, at most one letter in five minutes.

Each message of a patient with alarm words has an order of its own. The first letter goes at once
and tells of every order that waits. The orders that it told of are dropped when they are due, so
that after an outage staff get one letter with a count, and not one for each message.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, QuerySet

from clinic.models import Message
from clinic.outgoing import outbox

KIND = "alarm"
APART = timedelta(minutes=5)
MARGIN = timedelta(seconds=30)
"""An order younger than this, when a letter was due, may not have been committed in time for it."""


def order(*, communication: UUID, at: datetime) -> None:
    """Order the letter about one message of a patient, in the caller's transaction."""
    due = _next_letter(at)
    outbox.put(kind=KIND, occasion=str(communication), not_before=due if due > at else None)


def _next_letter(at: datetime) -> datetime:
    """Return when the next letter about alarm words may go."""
    rows = Message.objects.filter(kind=KIND)
    due = _latest(rows.filter(state="waiting", due_at__gt=at), "due_at")
    if due is not None:
        return due  # this letter has not gone yet, and will tell of the new message, too
    sent = _latest(rows.filter(state="sent", finished_at__gt=at - APART), "finished_at")
    return sent + APART if sent is not None else at


def is_told(message: Message) -> bool:
    """Whether a letter that was sent after this order has told of it."""
    told = _told_until()
    return told is not None and message.created_at <= told


def waiting() -> list[UUID]:
    """Return the ids of the messages of patients of which no letter has told yet, oldest first."""
    rows, told = Message.objects.filter(kind=KIND, state="waiting"), _told_until()
    if told is not None:
        rows = rows.filter(created_at__gt=told)
    return [
        UUID(row) for row in rows.order_by("created_at", "id").values_list("occasion", flat=True)
    ]


def _told_until() -> datetime | None:
    """Return the time until which letters that were sent have told of every order."""
    sent = _latest(Message.objects.filter(kind=KIND, state="sent"), "next_at")
    return sent - MARGIN if sent is not None else None


def _latest(rows: QuerySet[Message], name: str) -> datetime | None:
    found: datetime | None = rows.aggregate(latest=Max(name))["latest"]
    return found
