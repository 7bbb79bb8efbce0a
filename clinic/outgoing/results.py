"""Store what became of a try to send a message, and do what follows from that."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from clinic.logs import log
from clinic.models import Message
from clinic.outgoing import addresses, trouble
from clinic.outgoing.addresses import Closed

Lane = Message.Lane
# Minutes between the tries of a message. Alerts are tried for ever, with the last pause.
PAUSES = {
    Lane.ALERT: (1, 1, 2, 5),
    Lane.SCREEN: (1, 5, 15, 60, 4 * 60),
    Lane.ORDINARY: (1, 5, 15, 60, 4 * 60),
}
KNOWN = {"known": True}  # the payload of a message that confirms what the person knows already
DATABASE_DOWN = (OperationalError, InterfaceError)
_NOTE_PAUSES = (0.2, 1, 2, 4, 8)  # seconds; together as long as a restart of the database

Unsent = Callable[[Message], None]
unsents: dict[str, Unsent] = {}
"""What follows an unsent message of each kind; `outbox.when_unsent` registers the functions."""


@dataclass(frozen=True)
class Result:
    """What became of a try to send a message.

    `not_before` is set when the message has to wait and was not tried. `closed` are the addresses
    that the provider refused for good.
    """

    state: Message.State
    error: str = ""
    provider_id: str = ""
    closed: tuple[Closed, ...] = ()
    not_before: datetime | None = None


def finish(message: Message, result: Result) -> None:
    """Store that a message is sent, dropped or failed, and what follows from that."""
    rows = Message.objects.filter(pk=message.pk, state=Message.State.WAITING)
    is_sent = result.state == Message.State.SENT
    if not is_sent:
        # SENT is always stored. Any other result is stored only if no other worker has claimed the
        # message meanwhile.
        rows = rows.filter(attempts=message.attempts)
    over: dict[str, Any] = {"payload": None, "claimed_until": None, "finished_at": Now()}
    over["known"] = message.known or message.payload == KNOWN
    over["channel"] = message.channel
    if result.provider_id:
        over["provider_id"] = result.provider_id

    def write() -> None:
        with transaction.atomic():
            if not rows.update(state=result.state, error=result.error, **over):
                return
            for closed in result.closed:
                addresses.close(closed)
            if is_sent:
                _follow_success(message)
            elif result.state == Message.State.FAILED or result.error in trouble.UNSENT:
                _follow_up(message)

    try:
        _note(write)
    except DATABASE_DOWN:
        raise
    except Exception:  # the follow-up failed: an unsent message is marked, so that staff see it
        log("unsent message not followed up", level=logging.ERROR, exc_info=True)
        error = result.error or trouble.NOT_FOLLOWED_UP
        state = result.state if is_sent else Message.State.FAILED
        _note(lambda: rows.update(state=state, error=error, **over))
    log(f"message {result.state.value}")


def _follow_success(message: Message) -> None:
    """After one alert is sent, make the others due, because the trouble is probably over.

    If the provider has already said that this message came back, treat it as unsent.
    """
    if message.lane == Lane.ALERT:
        others = Message.objects.filter(lane=Lane.ALERT, state=Message.State.WAITING)
        others = others.filter(attempts__gt=0, claimed_until=None, due_at__lte=Now())
        others.filter(next_at__gt=Now()).update(next_at=Now())
    lost = Message.objects.filter(pk=message.pk, delivery=Message.Delivery.UNDELIVERED)
    if (code := lost.values_list("delivery_trouble", flat=True).first()) is not None:
        fail_sent(message=message, error=code or message.Delivery.UNDELIVERED.value)


def fail_sent(*, message: Message, error: str) -> None:
    """Mark a sent message as failed, because the provider says that it reached nobody.

    Called in a transaction. What follows an unsent message follows once, now. A message to a
    patient at a screen stays as it is, because nobody can follow it up.
    """
    rows = Message.objects.filter(pk=message.pk, state=Message.State.SENT)
    if message.lane == Lane.SCREEN or not rows.update(state=Message.State.FAILED, error=error):
        return
    try:
        with transaction.atomic():
            _follow_up(message)
    except DATABASE_DOWN:
        raise
    except Exception:
        log("unsent message not followed up", level=logging.ERROR, exc_info=True)
        Message.objects.filter(pk=message.pk).update(error=trouble.NOT_FOLLOWED_UP)


def _follow_up(message: Message) -> None:
    if message.known and message.payload is None:
        message.payload = KNOWN
    if message.kind in unsents:
        unsents[message.kind](message)


def put_off(message: Message, result: Result) -> None:
    """Store when a message is tried again."""
    rows = Message.objects.filter(
        pk=message.pk, state=Message.State.WAITING, attempts=message.attempts
    )
    if result.not_before:
        # the message is not late, and this was no try
        later = {"due_at": result.not_before, "next_at": result.not_before}
        _note(lambda: rows.update(attempts=F("attempts") - 1, claimed_until=None, **later))
        return
    pauses = PAUSES[Lane(message.lane)]
    pause = timedelta(minutes=pauses[min(message.attempts, len(pauses)) - 1])
    _note(lambda: rows.update(next_at=Now() + pause, claimed_until=None, error=result.error))


def _note(write: Callable[[], Any]) -> None:
    """Store the result of sending a message, and try again while the database is down.

    A message without a stored result would be sent twice.
    """
    for pause in _NOTE_PAUSES:
        try:
            write()
        except DATABASE_DOWN:
            if connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(pause)
        else:
            return
    write()
