import math
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import RequestFactory

from clinic import limits
from clinic.limits import Limit
from clinic.models import Bucket
from clinic.outgoing import oversight

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def age(seconds):
    """Move the last use of all buckets back by `seconds`."""
    with connection.cursor() as cursor:
        cursor.execute("update clinic_bucket set at = at - make_interval(secs => %s)", [seconds])


def drain(key, capacity, per):
    taken = 0
    while limits.take(key, capacity=capacity, per=per):
        taken += 1
    return taken


def touched(seconds):
    """Set the last use of all buckets to exactly `seconds` ago, and round their tokens down."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update clinic_bucket set tokens = floor(tokens),"
            " at = clock_timestamp() - make_interval(secs => %s)",
            [seconds],
        )


@pytest.mark.django_db
def test_a_bucket_gives_its_capacity_and_then_nothing():
    assert drain("send:a", 3, DAY) == 3
    assert not limits.take("send:a", capacity=3, per=DAY)


@pytest.mark.django_db
def test_tokens_come_back_evenly_and_never_more_than_the_capacity():
    assert drain("send:a", 4, HOUR) == 4
    age(901)
    assert drain("send:a", 4, HOUR) == 1
    age(1801)
    assert drain("send:a", 4, HOUR) == 2
    age(100 * 3600)
    assert drain("send:a", 4, HOUR) == 4


@pytest.mark.django_db
def test_a_clock_set_back_takes_no_tokens():
    assert limits.take("send:a", capacity=3, per=DAY)
    age(-7200)
    assert drain("send:a", 3, DAY) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("capacity", [1, 3, 7, 60, 300])
@pytest.mark.parametrize("per", [timedelta(minutes=7), 0.5 * HOUR, HOUR, DAY])
def test_the_wait_that_is_told_is_the_one_that_is_needed(capacity, per):
    limit = Limit("send:a", capacity, per)
    assert limits.seconds_to_wait(limit) == 0
    drain(*limit)
    touched(0)
    seconds = limits.seconds_to_wait(limit)
    assert seconds == math.ceil(per.total_seconds() / capacity)
    touched(seconds - 1)
    assert limits.seconds_to_wait(limit) == 1
    assert limits.take_all(limit) == 1
    touched(seconds)
    assert limits.seconds_to_wait(limit) == 0
    assert limits.take_all(limit) == 0


@pytest.mark.django_db
def test_of_several_limits_the_longest_wait_is_told():
    hour, day = Limit("ask:a", 2, HOUR), Limit("ask:b", 1, DAY)
    untouched = Limit("ask:c", 1, DAY)
    assert limits.take_all(hour, day) == 0
    assert limits.take_all(hour, day, untouched) == 24 * 3600
    assert limits.take_all(hour, untouched) == 1800
    assert limits.seconds_to_wait(untouched) == 0


@pytest.mark.django_db
def test_the_alarm_lasts_a_day_and_is_written_into_the_log_once_an_hour(written_log):
    def told() -> int:
        return written_log.getvalue().count('"event": "site limit reached"')

    assert not oversight.trouble().limited
    for _n in range(3):
        limits.sound_alarm()
    assert told() == 1
    age(3601)
    limits.sound_alarm()
    assert told() == 2
    age(24 * 3600 - 60)
    limits.prune()
    assert oversight.trouble().limited
    age(61)
    assert not oversight.trouble().limited


@pytest.mark.django_db
def test_buckets_are_apart_from_each_other():
    assert drain("send:a", 2, DAY) == 2
    assert drain("send:b", 2, DAY) == 2
    assert drain("start:a", 2, DAY) == 2


@pytest.mark.django_db
def test_taking_is_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        limits.take("send:a", capacity=1, per=DAY)
    with django_assert_num_queries(1):
        limits.take("send:a", capacity=1, per=DAY)


@pytest.mark.django_db
def test_the_table_names_nobody():
    limits.take("send:ana@example.org|203.0.113.7", capacity=1, per=DAY)
    (key,) = Bucket.objects.values_list("key", flat=True)
    assert len(key) == 64
    assert set(key) <= set("0123456789abcdef")


@pytest.mark.parametrize(("capacity", "per"), [(0, HOUR), (1, 0 * HOUR), (1, 25 * HOUR)])
def test_a_limit_that_means_nothing_is_refused(capacity, per):
    with pytest.raises(ValueError):
        limits.take("send:a", capacity=capacity, per=per)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("capacity", [1, 5, 37])
def test_of_many_at_once_exactly_the_capacity_pass(capacity):
    def attempt(_number):
        return limits.take("send:a", capacity=capacity, per=DAY)

    def attempts(_thread):
        try:
            return sum(map(attempt, range(10)))
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempts, range(16))) == capacity


@pytest.mark.django_db
def test_pruning_deletes_only_what_is_full_again():
    limits.take("old", capacity=1, per=DAY)
    age(24 * 3600 + 1)
    limits.take("young", capacity=1, per=DAY)
    assert limits.prune() == 1
    assert limits.prune() == 0
    assert not limits.take("young", capacity=1, per=DAY)


# --- who sends a request ------------------------------------------------------------------------
def request(remote, forwarded=None):
    extra = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=remote, **extra)


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "peer"),
    [
        (0, "203.0.113.7", None, "203.0.113.7"),
        (0, "203.0.113.7", "198.51.100.1", "203.0.113.7"),  # no proxy is trusted
        (1, "10.0.0.1", "203.0.113.7", "203.0.113.7"),
        # the sender made up the first address
        (1, "10.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (2, "10.0.0.1", "203.0.113.7", "10.0.0.1"),  # the request went around the outer proxy
        (1, "10.0.0.1", None, "10.0.0.1"),
        (1, "10.0.0.1", "198.51.100.1, rubbish", "10.0.0.1"),
        (0, "2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        (1, "10.0.0.1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        (0, "fe80::1%eth0", None, "fe80::/64"),
        (0, "::ffff:203.0.113.7", None, "203.0.113.7"),
        (0, "", None, "unknown"),  # a request over a Unix socket has no address
    ],
)
def test_the_peer_of_a_request(settings, proxies, remote, forwarded, peer):
    settings.TRUSTED_PROXIES = proxies
    assert limits.peer(request(remote, forwarded)) == peer
