"""Say in words how the outbox stands: what waits, what failed and why, and what follows.

For the keeper of the program (`manage.py outbox`). No sentence holds an address or the text of a
message, because the table has neither.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Count, Min, Q
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox, results, trouble

Lane, State = Message.Lane, Message.State
MOST_NAMED = 20  # messages that are named for each reason
_UNITS = (
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def overview() -> Iterator[str]:
    """Yield the lines of `manage.py outbox`."""
    now = timezone.now()
    yield from _queue(now)
    yield from _failed()


def _queue(now: datetime) -> Iterator[str]:
    counts = Message.objects.filter(state=State.WAITING).aggregate(
        **{f"due_{lane.name}": Count("pk", filter=Q(lane=lane, due_at__lte=now)) for lane in Lane},
        **{f"later_{lane.name}": Count("pk", filter=Q(lane=lane, due_at__gt=now)) for lane in Lane},
        **{f"tried_{lane.name}": Count("pk", filter=Q(lane=lane, attempts__gt=0)) for lane in Lane},
        **{f"oldest_{lane.name}": Min("due_at", filter=Q(lane=lane)) for lane in Lane},
    )
    yield "Waiting messages, in the order in which they are sent:"
    for lane in Lane:
        due, later, tried, oldest = (
            counts[f"{name}_{lane.name}"] for name in ("due", "later", "tried", "oldest")
        )
        since = f" (the oldest for {_span(now - oldest)})" if due else ""
        yield f"  {lane.label}: {due} due{since}, {later} for later, {tried} tried before"


def _failed() -> Iterator[str]:
    rows = list(Message.objects.filter(state=State.FAILED).order_by("error", "pk"))
    yield f"Failed messages: {len(rows)}"
    for code, group in groupby(rows, key=lambda row: row.error):
        failed = list(group)
        meaning = trouble.meaning_of(code)
        yield f"  {code or 'no code'} ({len(failed)}): {meaning.meaning} {meaning.cure}"
        known = outbox.abouts(failed[:MOST_NAMED])
        for row in failed[:MOST_NAMED]:
            yield f"    {row.pk}  {_what(row)}  {known[row.pk] or '-'}"
        if len(failed) > MOST_NAMED:
            yield f"    and {len(failed) - MOST_NAMED} more"
    if rows:
        yield "Try again: manage.py outbox --retry ID, or --retry --failed for all of them."


def explanation(message: Message) -> Iterator[str]:
    """Yield the lines of `manage.py outbox --explain ID`."""
    about = outbox.abouts([message])[message.pk] or "no reference"
    yield f"{_what(message)}, about {about}, lane “{Lane(message.lane).label}”"
    tries = f"{message.attempts} {'try' if message.attempts == 1 else 'tries'}"
    yield f"State: {State(message.state).label}, after {tries}"
    yield f"Made {_moment(message.created_at)}, due {_moment(message.due_at)}"
    if message.state == State.WAITING:
        yield f"Next try: {_moment(message.next_at)}"
    elif message.finished_at:
        yield f"Finished {_moment(message.finished_at)}"
    if message.delivery or message.delivery_trouble:
        words = message.get_delivery_display() if message.delivery else "on the way"
        code = f" ({message.delivery_trouble})" if message.delivery_trouble else ""
        yield f"The provider reports: {words}{code}"
    if message.error:
        meaning = trouble.meaning_of(message.error)
        yield f"Last trouble: {message.error}. {meaning.meaning} {meaning.cure}"
    yield f"What follows: {_follows(message)}"


def _follows(message: Message) -> str:
    """Say what becomes of the news if the message does not reach its recipient."""
    is_unsent = message.state == State.FAILED or message.error in trouble.UNSENT
    if message.state in (State.SENT, State.DROPPED) and not is_unsent:
        return "nothing"
    if message.lane == Lane.ALERT:
        return "the message stays due until it is sent, and every staff page says so."
    if message.lane == Lane.SCREEN:
        return "the patient at the screen asks again."
    if message.known:
        return "nothing: the person knows the news already."
    if message.kind not in results.unsents:
        return "no call. If the person has to know, tell them in another way."
    return (
        "a call is on the call list, unless the news is out of date."
        if is_unsent
        else "if the message is not sent, a call is put on the call list."
    )


def _what(message: Message) -> str:
    return message.kind.replace("_", " ").capitalize()


def _moment(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%a %-d %b %Y, %H:%M}"


def _span(span: timedelta) -> str:
    for unit, name in _UNITS:
        if span >= unit:
            count = span // unit
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"
