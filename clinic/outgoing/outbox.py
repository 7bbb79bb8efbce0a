"""The outbox: messages to send, stored in the transaction of the event that they report.

A message is a row. The worker claims the row, asks the composer of its kind for the current text
and recipient, sends the letter, and stores the result. A message is sent once. It is sent twice
only if a worker died, or lost the database, after the mail server's answer and before the result
was stored. Then both copies have the same Message-ID.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.db.models.functions import Now
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from clinic.logs import log
from clinic.models import Message
from clinic.outgoing import addresses, dead, pacing, results, sms, sql, trouble
from clinic.outgoing.results import Result

Lane = Message.Lane
METADATA = "message"  # the name under which a mail provider keeps the id of a message
LONGEST_JOB = timedelta(minutes=10)  # a task that has run longer has lost its worker
KEPT = timedelta(days=30)  # how long a finished message is kept
CHANNELS = ("email", "sms")
NEXT_WAY = "next_way"
"""The kind of a message that sends an earlier message again by another way.

Its occasion is the id of the earlier message and the channel: each way is taken once."""
ENOUGH = timedelta(hours=1)  # the time that a patient needs to act on a text message


class NoWay(Exception):
    """Raised by a composer: the person has neither a mail address nor a phone for text messages."""


class NoComposer(Exception):
    """No composer is registered for the message's kind, because another release stored it."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A message to put into the outbox.

    `occasion` names the event that the message reports: one id, or two ids joined by a colon. There
    is only one message of a kind for each occasion, ever. `payload` holds data that the composer
    cannot look up later, such as a one-time code, or results.KNOWN. A timedelta counts from now by
    the database's clock.
    """

    kind: str
    occasion: str
    payload: Mapping[str, object] | None = None
    not_before: datetime | timedelta | None = None
    expires: datetime | timedelta | None = None


@dataclass(frozen=True)
class Letter:
    """A composed message. `attachments` are (name, content, media type).

    A text message has one recipient. With `asked`, it is sent at any hour: the person asked for it
    at a screen just now, or is on call.
    """

    to: tuple[str, ...]
    subject: str
    text: str
    channel: Literal["email", "sms"] = "email"
    attachments: tuple[tuple[str, str | bytes, str], ...] = ()
    asked: bool = False


Compose = Callable[[Message], Letter | None]
About = Callable[[list[str]], Mapping[str, str]]
_composers: dict[str, Compose] = {}
_lanes: dict[str, Lane] = {}
_abouts: dict[str, About] = {}
_stopping = threading.Event()
_work_until = float("inf")  # by time.monotonic()


def composer(
    kind: str, *, about: About | None = None, lane: Lane = Lane.ORDINARY
) -> Callable[[Compose], Compose]:
    """Register the function that composes the messages of a kind when they are sent.

    The function returns None when there is nothing to send any more, and raises NoWay when the
    person has no address; in both cases the message is dropped. The function may be called again
    for the same message and must not write to the database. `about` is a function that maps
    occasions to names that staff know, such as references, for the list of messages. `lane` says
    before which other messages these are sent.
    """

    def register(compose: Compose) -> Compose:
        _composers[kind] = compose
        _lanes[kind] = lane
        if about:
            _abouts[kind] = about
        return compose

    return register


def when_unsent(*kinds: str) -> Callable[[results.Unsent], results.Unsent]:
    """Register the function that follows up a message of these kinds that could not be sent.

    The function is called when the message failed, when its composer raised NoWay, or when it came
    back later (`fail_sent`), in the transaction that stores this result. The function may write to
    the database. The message has its payload no more if it came back.
    """

    def register(unsent: results.Unsent) -> results.Unsent:
        results.unsents.update(dict.fromkeys(kinds, unsent))
        return unsent

    return register


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
        lane=_lanes.get(order.kind, Lane.ORDINARY),
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


def work_until(moment: float) -> None:
    """Make `deliver_due` stop after `moment` by `time.monotonic`, even if more messages are due.

    So a long queue does not delay the worker's other work, such as ordering alerts to staff.
    """
    global _work_until
    _work_until = moment


def deliver_due(limit: int | None = None) -> int:
    """Send the messages that are due, lane by lane, oldest first. Returns how many were handled.

    Several workers may call this function at the same time. Call it outside a transaction, because
    other workers see only a committed claim.
    """
    done = 0
    while (limit is None or done < limit) and not _stopping.is_set():
        if time.monotonic() > _work_until:
            break
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
    result = _try(message)
    if result.state == Message.State.FAILED:
        if message.lane == Lane.ALERT:
            # an alert stays due until it is sent, or until its composer says that it is not needed
            result = replace(result, state=Message.State.WAITING)
        elif message.lane == Lane.SCREEN and result.closed:
            # a patient mistyped an address: no staff can help, and the patient asks again
            result = replace(result, state=Message.State.DROPPED)
    if result.state == Message.State.WAITING:
        results.put_off(message, result)
    else:
        results.finish(message, result)


def _try(message: Any) -> Result:
    if message.expired:
        return Result(Message.State.DROPPED, trouble.EXPIRED)
    if message.provider_id or message.delivery:
        # the provider's report came before the worker stored the provider's answer
        return Result(Message.State.SENT, provider_id=message.provider_id)
    letter = None
    try:
        if message.kind not in _composers:
            raise NoComposer
        letter = _composers[message.kind](message)
        if letter is None:
            return Result(Message.State.DROPPED)
        if not letter.to:
            return Result(Message.State.FAILED, trouble.NO_RECIPIENT)
        message.channel = letter.channel
        send = _send_text if letter.channel == "sms" else _send_mail
        return send(message, letter)
    except NoWay:
        return Result(Message.State.DROPPED, trouble.NO_WAY)
    except Exception as error:
        if isinstance(error, results.DATABASE_DOWN) and _is_lost():
            raise  # the result cannot be stored now; the claim expires by itself
        code, final = trouble.code_of(error)
        # the text of the error is not logged, because mail servers quote the recipient's address
        log("message not sent", level=logging.WARNING, status=code.replace(" ", "-"), exc_info=True)
        final = final or message.attempts > len(results.PAUSES[message.lane])
        return Result(
            Message.State.FAILED if final else Message.State.WAITING,
            code,
            closed=dead.told_by_error(error, letter.to) if letter else (),
        )


def _is_lost() -> bool:
    return connection.connection is None or not connection.is_usable()


def _send_text(message: Message, letter: Letter) -> Result:
    (number,) = letter.to
    if not addresses.is_open("sms", number):
        raise NoWay
    go = pacing.begin(message, number, asked=letter.asked)
    if go.wait_until:
        if message.expires_at and go.wait_until + ENOUGH > message.expires_at:
            return Result(Message.State.DROPPED, trouble.TOO_LATE)
        return Result(Message.State.WAITING, not_before=go.wait_until)
    key = str(message.pk)
    provider_id = sms.send(to=number, text=letter.text, key=key, tried_at=go.tried_at)
    return Result(Message.State.SENT, provider_id=provider_id)


def _send_mail(message: Message, letter: Letter) -> Result:
    mail = EmailMessage(
        subject=letter.subject,
        body=letter.text,
        from_email=settings.EMAIL_FROM,
        to=list(letter.to),
        attachments=list(letter.attachments),
        headers={"Message-ID": message_id(message), "Auto-Submitted": "auto-generated"},
    )
    if settings.EMAIL_KEEPS_METADATA:
        mail.metadata = {METADATA: str(message.pk)}  # type: ignore[attr-defined]  # of anymail
    mail.send()
    # of anymail's backends, and of our SMTP backend
    status, refused = getattr(mail, "anymail_status", None), getattr(mail.connection, "refused", {})
    known_as = str(getattr(status, "message_id", None) or "")
    some = f"{len(refused)} of {len(letter.to)} refused" if refused else ""
    return Result(Message.State.SENT, some, known_as[:80], dead.told_by(refused))


def message_id(message: Message) -> str:
    """Return the Message-ID. It is the same for each try, so that a second copy is detected."""
    return f"<{message.pk}@{urlsplit(settings.SITE_ORIGIN).hostname}>"


# --- the next way ---------------------------------------------------------------------------------


def send_by(message: Message, channel: str) -> None:
    """Order a message that could not be sent once more, by another channel.

    Called by a function that `when_unsent` registered, in its transaction. Staff need not see to
    the earlier message any more.
    """
    Message.objects.filter(pk=message.pk).update(state=Message.State.DROPPED)
    put(
        kind=NEXT_WAY,
        occasion=f"{message.pk}:{channel}",
        payload=results.KNOWN if message.known or message.payload == results.KNOWN else None,
        expires=message.expires_at,
    )


def tried_channels(message: Message) -> set[str]:
    """Return the channels by which a message, or a later one in its place, was sent or tried."""
    tried = {later.occasion.partition(":")[2] for later in in_place_of(message)}
    return tried | {message.channel} - {""}


def in_place_of(message: Message) -> list[Message]:
    """Return the messages that sent this message again by another way, oldest first. One query."""
    later = [f"{message.pk}:{channel}" for channel in CHANNELS]
    return list(Message.objects.filter(kind=NEXT_WAY, occasion__in=later).order_by("id"))


def _first_of(message: Message) -> Message | None:
    """Return the message that `message` sends again, bound to the channel of `message`."""
    pk, _colon, channel = message.occasion.partition(":")
    first = Message.objects.filter(pk=pk).first()
    if first:
        first.by = channel
        first.payload = results.KNOWN if first.known else None
    return first


def _about_firsts(occasions: list[str]) -> Mapping[str, str]:
    ids = {occasion: occasion.partition(":")[0] for occasion in occasions}
    names = abouts(Message.objects.filter(pk__in=set(ids.values())))
    known = {str(pk): name for pk, name in names.items()}
    return {occasion: known.get(pk, "") for occasion, pk in ids.items()}


@composer(NEXT_WAY, about=_about_firsts)
def _by_next_way(message: Message) -> Letter | None:
    first = _first_of(message)
    return _composers[first.kind](first) if first and first.kind in _composers else None


@when_unsent(NEXT_WAY)
def _unsent_by_next_way(message: Message) -> None:
    first = _first_of(message)
    if first and first.kind in results.unsents:
        results.unsents[first.kind](first)


# --- the sweep ------------------------------------------------------------------------------------


def sweep() -> int:
    """Free the tasks of dead workers and send the due messages. Returns how many were due."""
    _put_into_lanes()
    lost = DBTaskResult.objects.running().filter(started_at__lt=Now() - LONGEST_JOB)
    lost.update(status="READY", started_at=None)
    return deliver_due()


def _put_into_lanes() -> None:
    """Give messages that the release before put the lane of their kind."""
    for lane in (Lane.ALERT, Lane.SCREEN):
        kinds = [kind for kind, its in _lanes.items() if its == lane]
        rows = Message.objects.filter(state=Message.State.WAITING, lane=Lane.ORDINARY)
        rows.filter(kind__in=kinds).update(lane=lane)


def prune() -> int:
    """Delete the messages that were sent or dropped more than KEPT ago. Returns how many."""
    DBTaskResult.objects.finished().filter(finished_at__lt=Now() - KEPT).delete()
    pacing.prune()
    over = Message.objects.filter(state__in=(Message.State.SENT, Message.State.DROPPED))
    deleted, _by_model = over.filter(finished_at__lt=Now() - KEPT).delete()
    return deleted
