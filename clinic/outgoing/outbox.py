"""The outbox: messages to send, stored in the transaction of the event that they report.

A message is a row. The worker claims the row, asks the composer of its kind for the current text
and recipient, sends the letter, and stores the result. A message is sent once. It is sent twice
only if a worker died, or lost the database, after the mail server's answer and before the result
was stored. Then both copies have the same Message-ID.
"""

import logging
import smtplib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from clinic.logs import log
from clinic.models import Message
from clinic.outgoing import sms, sql

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 4 * 60))
LONGEST_LOOK = timedelta(minutes=5)  # `deliver_due` ends after this time; a sweep sends the rest
LONGEST_JOB = timedelta(minutes=10)  # a task that has run longer has lost its worker
KEPT = timedelta(days=30)  # how long a finished message is kept
NO_WAY = "no way"  # the error of a message whose composer raised NoWay

_DATABASE_DOWN = (OperationalError, InterfaceError)
_NOTE_PAUSES = (0.2, 1, 2, 4, 8)  # seconds; together as long as a restart of the database


class NoWay(Exception):
    """Raised by a composer: the person has neither a mail address nor a phone for text messages."""


class NoComposer(Exception):
    """No composer is registered for the message's kind, because another release stored it."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A message to put into the outbox.

    `occasion` names the event that the message reports: one id, or two ids joined by a colon. There
    is only one message of a kind for each occasion, ever. `payload` holds data that the composer
    cannot look up later, such as a one-time code. A timedelta counts from now by the database's
    clock.
    """

    kind: str
    occasion: str
    payload: Mapping[str, object] | None = None
    not_before: datetime | timedelta | None = None
    expires: datetime | timedelta | None = None


@dataclass(frozen=True)
class Letter:
    """A composed message. `attachments` are (name, content, media type)."""

    to: tuple[str, ...]
    subject: str
    text: str
    channel: Literal["email", "sms"] = "email"
    attachments: tuple[tuple[str, str | bytes, str], ...] = ()


Compose = Callable[[Message], Letter | None]
About = Callable[[list[str]], Mapping[str, str]]
Unsent = Callable[[Message], None]
_composers: dict[str, Compose] = {}
_abouts: dict[str, About] = {}
_unsents: dict[str, Unsent] = {}
_stopping = threading.Event()


def composer(kind: str, *, about: About | None = None) -> Callable[[Compose], Compose]:
    """Register the function that composes the messages of a kind when they are sent.

    The function returns None when there is nothing to send any more, and raises NoWay when the
    person has no address; in both cases the message is dropped. The function may be called again
    for the same message and must not write to the database. `about` is a function that maps
    occasions to names that staff know, such as references, for the list of messages.
    """

    def register(compose: Compose) -> Compose:
        _composers[kind] = compose
        if about:
            _abouts[kind] = about
        return compose

    return register


def when_unsent(*kinds: str) -> Callable[[Unsent], Unsent]:
    """Register the function that follows up a message of these kinds that could not be sent.

    The function is called when the message failed or its composer raised NoWay, in the transaction
    that stores this result. The function gets the message as it was claimed, with its payload and
    with the channel of the last letter (`went_by`), and may write to the database, for example
    `send_again` by another way.
    """

    def register(unsent: Unsent) -> Unsent:
        _unsents.update(dict.fromkeys(kinds, unsent))
        return unsent

    return register


def send_again(message: Message, *, payload: Mapping[str, object]) -> None:
    """Make a message that was not sent due now, with all of its tries, and with this payload.

    Called by a function that `when_unsent` registered, in its transaction.
    """
    sealed = Message._meta.get_field("payload").seal_for(message.pk, payload)
    Message.objects.filter(pk=message.pk).update(
        state=Message.State.WAITING,
        payload=sealed,
        attempts=0,
        next_at=Now(),
        finished_at=None,
    )
    look.enqueue()


def abouts(messages: Iterable[Message]) -> dict[Any, str]:
    """Map each message's id to a name that staff know, such as the reference of a submission.

    Takes at most one query for each kind of message.
    """
    by_kind: dict[str, dict[Any, str]] = {}
    for message in messages:
        by_kind.setdefault(message.kind, {})[message.pk] = message.occasion
    known: dict[Any, str] = {}
    for kind, occasions in by_kind.items():
        names = _abouts[kind](list(occasions.values())) if kind in _abouts else {}
        known |= {pk: names.get(occasion, "") for pk, occasion in occasions.items()}
    return known


# --- putting --------------------------------------------------------------------------------------


def put(
    *,
    kind: str,
    occasion: str,
    payload: Mapping[str, object] | None = None,
    not_before: datetime | timedelta | None = None,
    expires: datetime | timedelta | None = None,
) -> None:
    """Put one message into the outbox; see `Order` and `put_all`."""
    order = Order(
        kind=kind, occasion=occasion, payload=payload, not_before=not_before, expires=expires
    )
    put_all([order])


def put_all(orders: Iterable[Order]) -> None:
    """Put messages into the outbox in the current transaction, with two SQL statements in all.

    An earlier message of the same occasion and kind stays unchanged. Raises RuntimeError outside a
    transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("outbox.put() belongs inside the transaction of the event it reports")
    rows = [_row(order) for order in orders]
    if rows:
        Message.objects.bulk_create(rows, ignore_conflicts=True)
        look.enqueue()


def _row(order: Order) -> Message:
    times = {}
    if order.not_before is not None:
        times = {"due_at": _moment(order.not_before), "next_at": _moment(order.not_before)}
    return Message(
        kind=order.kind,
        occasion=order.occasion,
        payload=order.payload,
        expires_at=_moment(order.expires),
        **times,
    )


def _moment(at: datetime | timedelta | None) -> Any:
    return Now() + at if isinstance(at, timedelta) else at


# --- sending --------------------------------------------------------------------------------------


@task()
def look() -> None:
    """Send the messages that are due.

    `put_all` queues this task. The task has no arguments and raises no exception, because the row
    of the task would store the exception's text, which may quote a patient.
    """
    try:
        deliver_due()
    except Exception:  # the sweep tries again
        log("look failed", level=logging.ERROR, exc_info=True)


def stop() -> None:
    """Make `deliver_due` stop after the current message, so that the worker can end."""
    _stopping.set()


def deliver_due(limit: int | None = None) -> int:
    """Send the messages that are due, oldest first. Returns how many messages were handled.

    Several workers may call this function at the same time. Call it outside a transaction, because
    other workers see only a committed claim.
    """
    until = time.monotonic() + LONGEST_LOOK.total_seconds()
    done = 0
    while (limit is None or done < limit) and time.monotonic() < until and not _stopping.is_set():
        message = _claim()
        if message is None:
            break
        _deliver(message)
        done += 1
    return done


def _claim() -> Any:
    """Claim the next due message for the time of the lease. Returns None if no message is due."""
    return next(iter(Message.objects.raw(sql.CLAIM, [settings.OUTBOX_LEASE_SECONDS])), None)


def _deliver(message: Any) -> None:
    state, error = _outcome(message)
    if state == Message.State.WAITING:
        _put_off(message, error)
    else:
        _finish(message, state, error)


def _outcome(message: Any) -> tuple[Message.State, str]:
    """Try to send a message. Returns its new state and an error code ('' without an error)."""
    if message.expired:
        return Message.State.DROPPED, "expired"
    try:
        if message.kind not in _composers:
            raise NoComposer
        letter = _composers[message.kind](message)
        if letter is None:
            return Message.State.DROPPED, ""
        if not letter.to:
            return Message.State.FAILED, "no recipient"
        message.went_by = letter.channel
        _send(message, letter)
    except NoWay:
        return Message.State.DROPPED, NO_WAY
    except Exception as error:
        if isinstance(error, _DATABASE_DOWN) and _is_lost():
            raise  # the result cannot be stored now; the claim expires by itself
        code, final = trouble_of(error)
        # the text of the error is not logged, because mail servers quote the recipient's address
        log("message not sent", level=logging.WARNING, status=code.replace(" ", "-"), exc_info=True)
        final = final or message.attempts > len(BACKOFF)
        return Message.State.FAILED if final else Message.State.WAITING, code
    return Message.State.SENT, ""


def _is_lost() -> bool:
    return connection.connection is None or not connection.is_usable()


def _send(message: Message, letter: Letter) -> None:
    if letter.channel == "sms":
        for place, number in enumerate(letter.to):
            sms.send(to=number, text=letter.text, key=f"{message.pk}:{place}")
        return
    EmailMessage(
        subject=letter.subject,
        body=letter.text,
        from_email=settings.EMAIL_FROM,
        to=list(letter.to),
        attachments=list(letter.attachments),
        headers={"Message-ID": message_id(message), "Auto-Submitted": "auto-generated"},
    ).send()


def message_id(message: Message) -> str:
    """Return the Message-ID. It is the same for each try, so that a second copy is detected."""
    return f"<{message.pk}@{urlsplit(settings.SITE_ORIGIN).hostname}>"


def trouble_of(error: Exception) -> tuple[str, bool]:
    """Return a short code for an error, and whether another try would be useless."""
    # imported here, because the import is slow and web servers do not need it
    from anymail.exceptions import AnymailRecipientsRefused

    match error:
        case smtplib.SMTPRecipientsRefused():
            code = min(code for code, _text in error.recipients.values())
            return f"smtp {code}", code >= 500
        case smtplib.SMTPResponseException():
            # a wrong password or a refused connection is no fault of the message, so try again
            ours = smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError
            return f"smtp {error.smtp_code}", error.smtp_code >= 500 and not isinstance(error, ours)
        case AnymailRecipientsRefused():
            return "recipient refused", True
        case sms.NumberRefused():
            return "sms refused", True
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return f"http {status}", status in (400, 422)
    return type(error).__name__, False


def _finish(message: Message, state: Message.State, error: str = "") -> None:
    rows = Message.objects.filter(pk=message.pk, state=Message.State.WAITING)
    if state != Message.State.SENT:
        # SENT is always stored. Any other result is stored only if no other worker has claimed the
        # message meanwhile.
        rows = rows.filter(attempts=message.attempts)
    over = {"payload": None, "claimed_until": None, "finished_at": Now()}

    def write() -> None:
        with transaction.atomic():
            noted = rows.update(state=state, error=error, **over)
            if (
                noted
                and message.kind in _unsents
                and (state == Message.State.FAILED or error == NO_WAY)
            ):
                _unsents[message.kind](message)

    try:
        _note(write)
    except _DATABASE_DOWN:
        raise
    except Exception:  # the follow-up failed: mark the message as failed, so that staff see it
        log("unsent message not followed up", level=logging.ERROR, exc_info=True)
        _note(
            lambda: rows.update(
                state=Message.State.FAILED, error=error or "not followed up", **over
            )
        )
    log(f"message {state.value}")


def _put_off(message: Message, error: str) -> None:
    rows = Message.objects.filter(
        pk=message.pk, state=Message.State.WAITING, attempts=message.attempts
    )
    pause = BACKOFF[message.attempts - 1]
    _note(lambda: rows.update(next_at=Now() + pause, claimed_until=None, error=error))


def _note(write: Callable[[], Any]) -> None:
    """Store the result of sending a message, and try again while the database is down.

    A message without a stored result would be sent twice.
    """
    for pause in _NOTE_PAUSES:
        try:
            write()
        except _DATABASE_DOWN:
            if connection.in_atomic_block:
                raise
            connection.close()
            time.sleep(pause)
        else:
            return
    write()


# --- the sweep ------------------------------------------------------------------------------------


def sweep() -> int:
    """Free the tasks of dead workers and send the due messages. Returns how many were due."""
    lost = DBTaskResult.objects.running().filter(started_at__lt=Now() - LONGEST_JOB)
    lost.update(status="READY", started_at=None)
    return deliver_due()


def prune() -> int:
    """Delete the messages that were sent or dropped more than KEPT ago. Returns how many."""
    DBTaskResult.objects.finished().filter(finished_at__lt=Now() - KEPT).delete()
    over = Message.objects.filter(state__in=(Message.State.SENT, Message.State.DROPPED))
    deleted, _by_model = over.filter(finished_at__lt=Now() - KEPT).delete()
    return deleted
