"""The outbox: what is to be sent, written in the transaction of what it tells of.

A message is a row. The worker claims it, asks the composer of its kind what to say and to whom as
things are then, sends it, and notes that. It is sent once; twice only if a worker died, or lost
the database, between the server's answer and the note, and then under the same Message-ID.
"""

import logging
import smtplib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from clinic import audit, limits
from clinic.logs import log
from clinic.models import Message
from clinic.outgoing import sms

BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 4 * 60))
LATE = timedelta(minutes=15)  # a message due for longer is shown to staff
LONGEST_LOOK = timedelta(minutes=5)  # the sweep goes on with the rest
LONGEST_JOB = timedelta(minutes=10)  # a task that has run longer has lost its worker
KEPT = timedelta(days=30)  # after it is over
NO_WAY = "no way"  # the trouble of a message whose composer raised NoWay

_CLAIM = """
update clinic_message set attempts = attempts + 1,
  claimed_until = clock_timestamp() + %s * interval '1 second'
where id = (
  select id from clinic_message
  where state = 'waiting' and next_at <= clock_timestamp()
    and (claimed_until is null or claimed_until < clock_timestamp())
  order by next_at, id for update skip locked limit 1)
returning *, coalesce(expires_at <= clock_timestamp(), false) as expired
"""
_TROUBLE = """
select exists (select 1 from clinic_message where state = 'failed'),
  exists (select 1 from clinic_message where state = 'waiting' and due_at < clock_timestamp() - %s),
  exists (select 1 from clinic_bucket where key = %s and at > clock_timestamp() - %s)
"""
_DATABASE_DOWN = (OperationalError, InterfaceError)
_NOTE_PAUSES = (0.2, 1, 2, 4, 8)  # seconds; a restart of the database takes as long


class Settled(Exception):
    """Somebody else was first, or it is not failed. The message is for a person."""


class NoWay(Exception):
    """There is something to say, but the person has no address that a letter reaches."""


class NoComposer(Exception):
    """Nothing here knows how to write this kind: a newer version put it, or an older one."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A message to be put.

    `occasion` is what it tells of, an id or two with a colon; of one occasion and kind there is
    one message ever. `payload` is what cannot be worked out at sending (a one-time code). A time
    span counts from now by the database's clock.
    """

    kind: str
    occasion: str
    payload: Any = None
    not_before: datetime | timedelta | None = None
    expires: datetime | timedelta | None = None


@dataclass(frozen=True)
class Letter:
    """What a composer says. `attachments` are (name, content, media type)."""

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
    """Register what writes the messages of a kind, called at the moment of sending.

    It returns None when there is nothing to say any more, and raises NoWay when there is, but no
    address: the message is dropped. It may be called again for the same message, and must not
    write. `about` turns occasions into what staff know them by, such as references, for the list
    of messages.
    """

    def register(compose: Compose) -> Compose:
        _composers[kind] = compose
        if about:
            _abouts[kind] = about
        return compose

    return register


def when_unsent(*kinds: str) -> Callable[[Unsent], Unsent]:
    """Register what follows when a message of these kinds was not sent though there was something
    to say: it has failed, or its composer raised NoWay. Called in the transaction that notes so,
    with the message as it was claimed, its payload included; it may write."""

    def register(unsent: Unsent) -> Unsent:
        _unsents.update(dict.fromkeys(kinds, unsent))
        return unsent

    return register


# --- putting --------------------------------------------------------------------------------------


def put(
    *,
    kind: str,
    occasion: str,
    payload: Any = None,
    not_before: datetime | timedelta | None = None,
    expires: datetime | timedelta | None = None,
) -> None:
    """Put one message; see `Order` and `put_all`."""
    order = Order(
        kind=kind, occasion=occasion, payload=payload, not_before=not_before, expires=expires
    )
    put_all([order])


def put_all(orders: Iterable[Order]) -> None:
    """Put messages in the transaction under way: two statements, however many they are.

    What was put before, of the same occasion and kind, stays as it is. Raises RuntimeError outside
    a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("outbox.put() belongs inside the transaction of what it tells of")
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
    """The task: there is something in the outbox. Nothing else is said, and nothing raised.

    What a task raises is kept in its row with its text, which may quote somebody.
    """
    try:
        deliver_due()
    except Exception:  # the sweep tries again
        log("look failed", level=logging.ERROR, exc_info=True)


def stop() -> None:
    """Begin no further message: the worker is asked to end."""
    _stopping.set()


def deliver_due(limit: int | None = None) -> int:
    """Send what is due, oldest first. Returns how many messages were looked at.

    Any number of workers may do this at once. Call it outside of a transaction: a claim that is
    not committed is no claim.
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
    """The next message that is due, ours for a while; None when there is none."""
    return next(iter(Message.objects.raw(_CLAIM, [settings.OUTBOX_LEASE_SECONDS])), None)


def _deliver(message: Any) -> None:
    state, error = _outcome(message)
    if state == Message.State.WAITING:
        _put_off(message, error)
    else:
        _finish(message, state, error)


def _outcome(message: Any) -> tuple[Message.State, str]:
    """Try to send. Returns what the message is then, and the code of what went wrong."""
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
        _send(message, letter)
    except NoWay:
        return Message.State.DROPPED, NO_WAY
    except Exception as error:
        if isinstance(error, _DATABASE_DOWN) and _is_lost():
            raise  # nothing can be noted now; the claim runs out by itself
        code, final = trouble_of(error)
        # no text of it: servers quote the address
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
    """The same for each try, so that a double is known as one."""
    return f"<{message.pk}@{urlsplit(settings.SITE_ORIGIN).hostname}>"


def trouble_of(error: Exception) -> tuple[str, bool]:
    """A short code for what went wrong, and whether another try would be of no use."""
    from anymail.exceptions import AnymailRecipientsRefused  # slow, and web servers need none

    match error:
        case smtplib.SMTPRecipientsRefused():
            code = min(code for code, _text in error.recipients.values())
            return f"smtp {code}", code >= 500
        case smtplib.SMTPResponseException():
            # a wrong password of ours, or a server that greets with a refusal, is not the message's
            ours = smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError
            return f"smtp {error.smtp_code}", error.smtp_code >= 500 and not isinstance(error, ours)
        case AnymailRecipientsRefused():
            return "recipient refused", True
        case sms.Refused():
            return "sms refused", True
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return f"http {status}", status in (400, 422)
    return type(error).__name__, False


def _finish(message: Message, state: Message.State, error: str = "") -> None:
    rows = Message.objects.filter(pk=message.pk, state=Message.State.WAITING)
    if state != Message.State.SENT:
        # not if it is somebody else's by now; but what is sent is sent
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
    except Exception:  # what should follow does not: then it has failed, where staff see it
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
    """Write what became of a message, patiently: what is not noted is sent again."""
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


# --- what staff see and do ------------------------------------------------------------------------


class Trouble(NamedTuple):
    """What staff must know: a message has failed, one has been due for LATE or longer, the limit of
    all codes was reached within the last day (`limits.sound_alarm`)."""

    failed: bool
    late: bool
    limited: bool


def trouble() -> Trouble:
    """Look up what is wrong with messages, in one query."""
    with connection.cursor() as cursor:
        cursor.execute(_TROUBLE, [LATE, limits.alarm_key(), limits.LONGEST])
        return Trouble(*cursor.fetchone())


def abouts(messages: Iterable[Message]) -> dict[Any, str]:
    """Id of a message → what staff know its occasion by, one query for each kind at most."""
    by_kind: dict[str, dict[Any, str]] = {}
    for message in messages:
        by_kind.setdefault(message.kind, {})[message.pk] = message.occasion
    known = {}
    for kind, occasions in by_kind.items():
        names = _abouts[kind](list(occasions.values())) if kind in _abouts else {}
        known |= {pk: names.get(occasion, "") for pk, occasion in occasions.items()}
    return known


def try_again(*, message: Message, by: Any, request_id: str) -> None:
    """A failed message is due now, as if new. What it cannot be without is gone: its composer
    drops it. Raises Settled."""
    fresh = {"attempts": 0, "finished_at": None, "due_at": Now(), "next_at": Now()}
    with transaction.atomic():
        _settle(message, by, request_id, Message.State.WAITING, **fresh)
        look.enqueue()


def set_aside(*, message: Message, by: Any, request_id: str) -> None:
    """Somebody has dealt with a failed message in another way. Raises Settled."""
    with transaction.atomic():
        _settle(message, by, request_id, Message.State.DROPPED, finished_at=Now())


def _settle(
    message: Message, by: Any, request_id: str, state: Message.State, **changes: Any
) -> None:
    failed = Message.objects.filter(pk=message.pk, state=Message.State.FAILED)
    if not failed.update(state=state, **changes):
        raise Settled("Somebody has dealt with this message already.")
    audit.record(
        actor=audit.staff(by),
        action="state",
        subject=str(message.pk),
        request_id=request_id,
        detail={"kind": message.kind, "from": Message.State.FAILED.value, "to": state.value},
    )


# --- the sweep ------------------------------------------------------------------------------------


def sweep() -> int:
    """Each minute: what lost its worker is taken up again. Returns how many messages were due."""
    lost = DBTaskResult.objects.running().filter(started_at__lt=Now() - LONGEST_JOB)
    lost.update(status="READY", started_at=None)
    return deliver_due()


def prune() -> int:
    """Delete what has been over for KEPT, but not what failed. Returns how many messages."""
    DBTaskResult.objects.finished().filter(finished_at__lt=Now() - KEPT).delete()
    over = Message.objects.filter(state__in=(Message.State.SENT, Message.State.DROPPED))
    deleted, _by_model = over.filter(finished_at__lt=Now() - KEPT).delete()
    return deleted
