"""Decide when a text message may be sent: within the hours, and within the counts for a number.

A text that a person asked for at a screen, such as a one-time code, is sent at any hour and is not
counted.
"""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import phonenumbers
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from clinic.models import Message, TextTry
from clinic.outgoing import sql
from clinic.secrets.sealing import keyed

MOST_ZONES = 4  # a number with more zones belongs to a whole country
_MOST_TURNS = 10  # from zone to zone; a day has two turns for each zone at most
DAY, WEEK = timedelta(days=1), timedelta(days=7)


class Go(NamedTuple):
    """What `begin` decided.

    `wait_until` is set when the text may not be sent yet. `tried_at` is set when a worker began to
    send this text before, so that the provider may have it already.
    """

    wait_until: datetime | None = None
    tried_at: datetime | None = None


def begin(message: Message, number: str, *, asked: bool) -> Go:
    """Note that a text message is about to be sent, or return until when it has to wait.

    Two workers that send to one number at the same time wait for each other, so that the counts
    hold. Call it outside a transaction, because the row must be stored before the provider is
    asked.
    """
    key, now = key_of(number), timezone.now()
    with transaction.atomic():
        lock(key)
        earlier = TextTry.objects.filter(message=message.pk).first()
        if earlier:
            return Go(tried_at=earlier.at)
        wait_until = None if asked else _allowed_from(key, zones_of(number), now)
        if wait_until is not None and wait_until > now:
            return Go(wait_until=wait_until)
        TextTry.objects.create(message=message.pk, number=key, counts=not asked, at=now)
    return Go()


def key_of(number: str) -> bytes:
    """Return the keyed hash under which a number is stored and locked."""
    return keyed("text message", number.encode())


def lock(key: bytes) -> None:
    """Wait until no other process deals with this number, up to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LOCK_NUMBER, [int.from_bytes(key[:8], signed=True)])


def _allowed_from(key: bytes, zones: Sequence[ZoneInfo], now: datetime) -> datetime:
    """Return the first moment from `now` on that the hours and the counts allow."""
    rows = TextTry.objects.filter(number=key, counts=True, at__gt=now - WEEK)
    sent = list(rows.order_by("at").values_list("at", flat=True))
    moment = now
    for most, per in ((settings.TEXTS_A_DAY, DAY), (settings.TEXTS_A_WEEK, WEEK)):
        if len(sent) >= most:
            moment = max(moment, sent[-most] + per)
    return within_hours(moment, zones)


def zones_of(number: str) -> list[ZoneInfo]:
    """Return the clinic's time zone and the zones of a number's area, where its owner may be.

    A number that belongs to no area, such as a toll-free one, has the clinic's zone alone.
    """
    clinic = ZoneInfo(settings.TIME_ZONE)
    try:
        names = time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return [clinic]
    if len(names) > MOST_ZONES or UNKNOWN_TIMEZONE in names:
        return [clinic]
    return [clinic, *(ZoneInfo(name) for name in names)]


def within_hours(moment: datetime, zones: Sequence[ZoneInfo]) -> datetime:
    """Return the first moment from `moment` on that is within TEXT_HOURS in all zones.

    If no hour of a day is so, the clinic's zone, which is the first, does not count.
    """
    at = moment
    for _turn in range(_MOST_TURNS):
        later = max(_in_hours(at, zone) for zone in zones)
        if later == at:
            return at
        at = later
    return (
        within_hours(moment, zones[1:] or zones[:1])
        if len(zones) > 2
        else _in_hours(moment, zones[-1])
    )


def _in_hours(moment: datetime, zone: ZoneInfo) -> datetime:
    first, last = settings.TEXT_HOURS
    local = moment.astimezone(zone)
    if first <= local.hour < last:
        return moment
    day = local.date() + timedelta(days=local.hour >= last)
    return datetime.combine(day, time(first), zone)


def forget(message: Message) -> None:
    """Forget that a text message was sent, because the provider says that it did not arrive.

    The next try then sends a new text, and does not look for the old one.
    """
    TextTry.objects.filter(message=message.pk).delete()


def prune() -> int:
    """Delete the tries that no count and no look-up needs any more. Returns how many."""
    deleted, _by_model = TextTry.objects.filter(at__lt=timezone.now() - 2 * WEEK).delete()
    return deleted
