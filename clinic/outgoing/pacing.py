"""Decide when a text message may be sent: within the hours, and within the counts for a number.

A text that a person asked for at a screen, such as a one-time code, is sent at any hour and is not
counted.
"""

from datetime import datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from clinic.models import Message, TextTry
from clinic.outgoing import sql
from clinic.secrets.sealing import keyed

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
    key, now = keyed("text message", number.encode()), timezone.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(sql.LOCK_NUMBER, [int.from_bytes(key[:8], signed=True)])
        earlier = TextTry.objects.filter(message=message.pk).first()
        if earlier:
            return Go(tried_at=earlier.at)
        wait_until = None if asked else _allowed_from(key, now)
        if wait_until is not None and wait_until > now:
            return Go(wait_until=wait_until)
        TextTry.objects.create(message=message.pk, number=key, counts=not asked, at=now)
    return Go()


def _allowed_from(key: bytes, now: datetime) -> datetime:
    """Return the first moment from `now` on that the hours and the counts allow."""
    rows = TextTry.objects.filter(number=key, counts=True, at__gt=now - WEEK)
    sent = list(rows.order_by("at").values_list("at", flat=True))
    moment = now
    for most, per in ((settings.TEXTS_A_DAY, DAY), (settings.TEXTS_A_WEEK, WEEK)):
        if len(sent) >= most:
            moment = max(moment, sent[-most] + per)
    return within_hours(moment)


def within_hours(moment: datetime) -> datetime:
    """Return the first moment from `moment` on at which the clinic sends text messages."""
    first, last = settings.TEXT_HOURS
    local = moment.astimezone(ZoneInfo(settings.TIME_ZONE))
    if first <= local.hour < last:
        return moment
    day = local.date() + timedelta(days=local.hour >= last)
    return datetime.combine(day, time(first), local.tzinfo)


def prune() -> int:
    """Delete the tries that no count and no look-up needs any more. Returns how many."""
    deleted, _by_model = TextTry.objects.filter(at__lt=timezone.now() - 2 * WEEK).delete()
    return deleted
