"""Limit how often an act is done, with token buckets in the database that all processes share."""

import hashlib
import hmac
import ipaddress
import logging
import math
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from clinic.logs import log
from clinic.secrets.sealing import index_key

LONGEST = timedelta(days=1)  # after this time without use, every bucket is full again
_SITE_OF_IPV6 = 64  # one household or office owns a /64 and may use any address in it
_ALARM = "alarm"

# One statement, so that processes that take a token at the same time wait for each other. The
# statement returns no row if the bucket is empty.
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
    """A bucket of `capacity` tokens, named by `key`. An empty bucket fills evenly within `per`."""

    key: str
    capacity: int
    per: timedelta


def take(key: str, *, capacity: int, per: timedelta) -> bool:
    """Take one token of a bucket (see `Limit`). Returns False when the bucket is empty.

    `key` names the act and the person or network, such as "send:203.0.113.7"; only its keyed hash
    is stored. Call this function outside the transaction of the limited act: inside, a rollback
    would give the token back, and the row would stay locked until the commit. Call it inside only
    if a failed act shall cost no token. Raises ValueError for a capacity below 1, and for a `per`
    of 0 or longer than LONGEST.
    """
    if capacity < 1 or not timedelta(0) < per <= LONGEST:
        raise ValueError("a limit has a capacity of 1 or more, and a time of one day at most")
    rate = capacity / per.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": _digest(key), "capacity": capacity, "rate": rate})
        return cursor.fetchone() is not None


def take_all(*limits: Limit) -> int:
    """Take one token of each limit, in this order, and stop at the first empty bucket.

    Returns 0 if each limit gave a token. Otherwise returns the seconds until every limit has a
    token again, for the header Retry-After. See `take`.
    """
    if all(take(key, capacity=capacity, per=per) for key, capacity, per in limits):
        return 0
    return max(1, *map(seconds_to_wait, limits))


def seconds_to_wait(limit: Limit) -> int:
    """Return the whole seconds until the limit has a token, 0 if it has one. Takes no token."""
    rate = limit.capacity / limit.per.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(_WAIT, {"key": _digest(limit.key), "rate": rate})
        row = cursor.fetchone()
    return math.ceil(max(0, row[0])) if row else 0


def sound_alarm() -> None:
    """Note that a limit of the whole site is reached.

    For a day, every staff page shows a warning (`oversight.trouble`). The log gets at most one line
    an hour.
    """
    if take(_ALARM, capacity=1, per=timedelta(hours=1)):
        log("site limit reached", level=logging.ERROR)


def alarm_key() -> str:
    """Return the stored key of the bucket from which `sound_alarm` takes a token."""
    return _digest(_ALARM)


def peer(request: HttpRequest) -> str:
    """Return the network address that a request came from; an IPv6 address is cut to its /64.

    With TRUSTED_PROXIES = n, the function returns the n-th address from the right in
    X-Forwarded-For. Our outermost proxy wrote that address. The sender may have made up any address
    further left. If the header has fewer than n parts, or the n-th part is not an address, the
    function returns the address of the nearest proxy.
    """
    remote = request.META.get("REMOTE_ADDR", "")
    proxies = settings.TRUSTED_PROXIES
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if 0 < proxies <= len(hops):
        return _network(hops[-proxies].strip()) or _network(remote) or "unknown"
    return _network(remote) or "unknown"


def prune() -> int:
    """Delete the buckets that are full again. Returns how many were deleted."""
    values: list[Any] = [LONGEST]
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from clinic_bucket where at < clock_timestamp() - %s::interval", values
        )
        count: int = cursor.rowcount
    return count


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
