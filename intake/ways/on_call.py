"""Order the text message that wakes the person on call, beside the letters about red flags.

At night an e-mail may lie unread. So each event that alerts staff while the clinic is closed also
orders a text to the phones that the rota names, at most one text to a phone in five minutes. The
text says only that the worklist has something urgent.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from clinic.models import Message
from clinic.outgoing import outbox, sms
from clinic.outgoing.outbox import Order
from clinic.secrets.sealing import keyed
from intake import calendars

KIND = "on_call"
APART = 5 * 60
"""Seconds. Events in the same span of this length share one text."""


def orders(at: datetime, location: UUID | None) -> list[Order]:
    """Return the orders of the texts about an event; none while the location is open.

    The event may come after the text of its span. Then its text is due at the start of the next
    span, because the person on call may have looked at the worklist before the event.
    """
    if not sms.is_on():
        return []
    phones = {shift.phone for shift in calendars.on_call(at, location) if shift.phone}
    span = int(at.timestamp()) // APART
    due = datetime.fromtimestamp((span + 1) * APART, UTC)
    late = timedelta(hours=12)  # the next shift is told by the letters that wait on the worklist
    found = []
    for phone in sorted(phones):
        now, later = (f"{each}:{_mark(phone)}" for each in (span, span + 1))
        if Message.objects.filter(kind=KIND, occasion=now).exists():
            found.append(Order(kind=KIND, occasion=later, not_before=due, expires=due + late))
        else:
            found.append(Order(kind=KIND, occasion=now, expires=at + late))
    return found


def order(at: datetime, location: UUID | None) -> None:
    """Order the texts about an event, in the caller's transaction."""
    outbox.put_all(orders(at, location))


def phone_of(message: Message, at: datetime) -> str:
    """Return the phone to which a text goes; '' if it is on call no more."""
    calendar = calendars.read()
    shifts = (shift for place in calendar.on_call for shift in calendar.shifts(at, place))
    mark = message.occasion.partition(":")[2]
    return next((each.phone for each in shifts if each.phone and _mark(each.phone) == mark), "")


def _mark(phone: str) -> str:
    """Return the keyed hash that stands for a phone in the occasion of a text."""
    return keyed("on call", phone.encode()).hex()[:32]
