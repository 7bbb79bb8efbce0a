"""Show staff the messages that are not sent, and let staff settle a failed message."""

from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models.functions import Now

from clinic import audit, limits
from clinic.models import Message
from clinic.outgoing import outbox, sql

LATE = timedelta(minutes=15)  # staff are told of a message that has been due for longer
# Staff are told of an alert that has been due for longer, or that was tried a second time.
ALERT_LATE = timedelta(minutes=5)


class Settled(Exception):
    """The message has not failed, or a colleague has already settled it. Staff read the text."""


class Trouble(NamedTuple):
    """The problems with messages that staff must know about.

    `failed`: a message has failed. `late`: a message has been due for longer than LATE. `alert`: an
    alert to staff is not sent (ALERT_LATE). `limited`: the limit of codes for the whole site was
    reached within the last day (`limits.sound_alarm`).
    """

    failed: bool = False
    late: bool = False
    alert: bool = False
    limited: bool = False


def trouble() -> Trouble:
    """Look up what is wrong with messages, in one query."""
    values: list[Any] = [LATE, ALERT_LATE, limits.alarm_key(), limits.LONGEST]
    with connection.cursor() as cursor:
        cursor.execute(sql.TROUBLE, values)
        return Trouble(*cursor.fetchone())


def try_again(*, message: Message, actor: str, request_id: str = "") -> None:
    """Make a failed message due now, like a new message. Raises Settled.

    The payload is already deleted. If the composer needs it, the message is dropped. `actor` is a
    name for the audit trail.
    """
    fresh: dict[str, Any] = {"attempts": 0, "finished_at": None, "due_at": Now(), "next_at": Now()}
    fresh |= {"provider_id": "", "delivery": "", "delivery_trouble": ""}
    with transaction.atomic():
        _settle(message, actor, request_id, Message.State.WAITING, **fresh)
        outbox.look.enqueue()


def set_aside(*, message: Message, actor: str, request_id: str = "") -> None:
    """Mark a failed message as settled without sending it. Raises Settled."""
    with transaction.atomic():
        _settle(message, actor, request_id, Message.State.DROPPED, finished_at=Now())


def _settle(
    message: Message, actor: str, request_id: str, state: Message.State, **changes: Any
) -> None:
    failed = Message.objects.filter(pk=message.pk, state=Message.State.FAILED)
    if not failed.update(state=state, **changes):
        raise Settled("Somebody has dealt with this message already.")
    audit.record(
        actor=actor,
        action="state",
        subject=str(message.pk),
        request_id=request_id,
        detail={"kind": message.kind, "from": Message.State.FAILED.value, "to": state.value},
    )
