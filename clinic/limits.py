"""How often something may be done: token buckets in the database, shared by all processes."""

import hashlib
import hmac
import ipaddress
import logging
import math
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from clinic.logs import log
from clinic.secrets.sealing import index_key

LONGEST = timedelta(days=1)  # a bucket left alone this long is full again, whatever its limit
_SITE_OF_IPV6 = 64  # one household or office owns a /64 and may use any address in it
_ALARM = "alarm"

# One statement, so that parallel takers queue on the row. No row comes back when it is empty.
_TAKE = """
insert into clinic_bucket as b (key, tokens, at)
values (%(key)s, %(capacity)s - 1, clock_timestamp())
on conflict (key) do update set
  tokens = least(%(capacity)s, b.tokens
    + greatest(0, extract(epoch from clock_timestamp() - b.at)) * %(rate)s) - 1,
  at = clock_timestamp()
where least(%(capacity)s, b.tokens
    + greatest(0, extract(epoch from clock_timestamp() - b.at)) * %(rate)s) >= 1
returning 1
"""
_WAIT = """
select (1 - tokens) / %(rate)s - greatest(0, extract(epoch from clock_timestamp() - at))
from clinic_bucket where key = %(key)s
"""


class Limit(NamedTuple):
    """`capacity` tokens of what `key` names; they come back evenly within `per`."""

    key: str
    capacity: int
    per: timedelta


def take(key: str, *, capacity: int, per: timedelta) -> bool:
    """Take one of `capacity` tokens, which come back evenly within `per`. False: none is left.

    `key` names what is limited and for whom, such as "send:203.0.113.7"; only its keyed hash is
    stored. Call it outside the transaction of what it guards: a rollback would give the token
    back, and the row stays locked until commit; inside only where failing is to cost nothing.
    Raises ValueError for a capacity below 1 or a time that is not above 0 and at most LONGEST.
    """
    if capacity < 1 or not timedelta(0) < per <= LONGEST:
        raise ValueError("a limit has a capacity of 1 or more, and a time of one day at most")
    rate = capacity / per.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": _digest(key), "capacity": capacity, "rate": rate})
        return cursor.fetchone() is not None


def take_all(*limits: Limit) -> int:
    """Take one token of each limit, in this order, up to the first that has none left.

    Returns 0 when each gave one. Otherwise it returns after how many seconds each has one again:
    the value of Retry-After. See `take`.
    """
    if all(take(key, capacity=capacity, per=per) for key, capacity, per in limits):
        return 0
    return max(1, *map(wait, limits))


def wait(limit: Limit) -> int:
    """After how many whole seconds the limit has a token; 0 when it has one now. Takes none."""
    rate = limit.capacity / limit.per.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(_WAIT, {"key": _digest(limit.key), "rate": rate})
        row = cursor.fetchone()
    return math.ceil(max(0, row[0])) if row else 0


def sound_alarm() -> None:
    """Note that a limit of the whole site is reached. Staff read so on every page for a day
    (`outbox.trouble`); the log says it once an hour at most."""
    if take(_ALARM, capacity=1, per=timedelta(hours=1)):
        log("site limit reached", level=logging.ERROR)


def alarm_key() -> str:
    """The key of the bucket that the alarm last took from."""
    return _digest(_ALARM)


def peer(request: HttpRequest) -> str:
    """The network address a request came from, an IPv6 one cut to its /64.

    With TRUSTED_PROXIES = n it is the n-th from the right in X-Forwarded-For, the one our outermost
    proxy saw; what stands left of it is whatever the sender wrote. If there are fewer, or it is no
    address, it is the next proxy's own address.
    """
    remote = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXIES
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < proxies <= len(hops):
        return _network(hops[-proxies].strip()) or _network(remote) or "unknown"
    return _network(remote) or "unknown"


def prune() -> int:
    """Delete the buckets that are full again; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from clinic_bucket where at < clock_timestamp() - %s::interval", [LONGEST]
        )
        return cursor.rowcount


def _digest(key: str) -> str:
    return hmac.new(index_key(), f"bucket\0{key}".encode(), hashlib.sha256).hexdigest()


def _network(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), _SITE_OF_IPV6), strict=False))
