"""Order the letter to staff about alarm words in a message, at most one letter in five minutes.

Each patient's message with alarm words gets its own order. The first letter is sent at once and
covers every waiting order. Orders that a letter has covered are dropped when they are due. So after
an outage, staff get one letter with a count, not one letter for each message.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Max, QuerySet

from clinic.models import Message
from clinic.outgoing import outbox

KIND = "alarm"
APART = timedelta(minutes=5)
MARGIN = timedelta(seconds=30)
"""The longest time from the creation of an order to its commit. A letter may miss orders that were
created less than this time before it."""


def order(*, communication: UUID, at: datetime) -> None:
    """Order the letter about one message of a patient, in the caller's transaction.

    `communication` is the id of the message, or of a text to the clinic's number.
    """
    due = _next_letter(at)
    outbox.put(kind=KIND, occasion=str(communication), not_before=due if due > at else None)


def _next_letter(at: datetime) -> datetime:
    """Return when the next letter about alarm words may be sent."""
    rows = Message.objects.filter(kind=KIND)
    due = _latest(rows.filter(state="waiting", due_at__gt=at), "due_at")
    if due is not None:
        return due  # this letter is not sent yet, and will cover the new message, too
    sent = _latest(rows.filter(state="sent", finished_at__gt=at - APART), "finished_at")
    return sent + APART if sent is not None else at


def is_told(message: Message) -> bool:
    """Whether a letter has covered this order."""
    told = _told_until()
    return told is not None and message.created_at <= told


def waiting() -> list[UUID]:
    """Return the ids of the patients' messages that no letter has covered yet, oldest first."""
    rows, told = Message.objects.filter(kind=KIND, state="waiting"), _told_until()
    if told is not None:
        rows = rows.filter(created_at__gt=told)
    return [
        UUID(row) for row in rows.order_by("created_at", "id").values_list("occasion", flat=True)
    ]


def _told_until() -> datetime | None:
    """Return the time up to which sent letters cover all orders; None before the first letter."""
    sent = _latest(Message.objects.filter(kind=KIND, state="sent"), "next_at")
    return sent - MARGIN if sent is not None else None


def _latest(rows: QuerySet[Message], name: str) -> datetime | None:
    found: datetime | None = rows.aggregate(latest=Max(name))["latest"]
    return found
