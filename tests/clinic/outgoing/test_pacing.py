"""Text messages go out by day, and not too many to one number."""

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.models import Message, TextTry
from clinic.outgoing import outbox, pacing, results, sms
from clinic.outgoing.outbox import Letter
from tests.clinic.outgoing.notes import now, put, soon

NUMBER = "+12025550123"
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def sent(monkeypatch):
    """The numbers to which a text was sent."""
    numbers = []
    monkeypatch.setattr(sms, "send", lambda **text: numbers.append(text["to"]) or "")
    return numbers


@pytest.fixture
def to(say):
    """Choose what the next letters are: a text to a number, asked for or not."""

    def choose(number=NUMBER, *, asked=False):
        say(lambda message: Letter((number,), "", "Words", "sms", asked=asked))

    choose()
    return choose


# --- the hours ------------------------------------------------------------------------------------


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))
def test_the_next_moment_for_texts_is_by_day_and_within_a_day(moment):
    with override_settings(TEXT_HOURS=(8, 21)):
        allowed = pacing.within_hours(moment, [NEW_YORK])

    assert 8 <= allowed.astimezone(NEW_YORK).hour < 21
    # a night is 11 hours long, and 12 when the clocks go back
    assert timedelta(0) <= allowed - moment <= timedelta(hours=12)


NUMBERS = {
    "+12025550147": ["America/New_York"],
    "+17025550120": ["America/Los_Angeles"],
    "+18085550100": ["Pacific/Honolulu"],
    "+34600123456": ["Atlantic/Canary", "Europe/Madrid"],
    "+919812345678": ["Asia/Calcutta"],
    "+18005550199": [],  # toll-free: of no area
    "+19995550000": [],
    "not a number": [],
}


@pytest.mark.parametrize(("number", "areas"), NUMBERS.items())
@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)))
def test_no_text_comes_at_night_where_the_number_is_at_home(number, areas, moment):
    zones = pacing.zones_of(number)
    assert [zone.key for zone in zones] == ["America/New_York", *areas]
    with override_settings(TEXT_HOURS=(8, 21)):
        allowed = pacing.within_hours(moment, zones)
    assert moment <= allowed <= moment + timedelta(days=1)
    assert all(8 <= allowed.astimezone(zone).hour < 21 for zone in zones)


def test_hours_that_no_moment_has_in_both_zones_are_those_of_the_number():
    zones = pacing.zones_of("+919812345678")
    with override_settings(TEXT_HOURS=(12, 14)):
        allowed = pacing.within_hours(datetime(2026, 12, 1, tzinfo=UTC), zones)
    assert 12 <= allowed.astimezone(zones[1]).hour < 14


def at_night(settings):
    """Make the present hour an hour in which no text is sent, and return the next that is."""
    local = timezone.now().astimezone(NEW_YORK)
    later = (local.hour + 2) % 24
    settings.TEXT_HOURS = (later, later + 1)
    moment = local.replace(hour=later, minute=0, second=0, microsecond=0)
    return moment if moment > local else moment + timedelta(days=1)


@pytest.mark.django_db
def test_a_text_at_night_waits_for_the_morning_and_nobody_calls_it_late(settings, to, sent):
    morning = at_night(settings)
    message = put()
    outbox.deliver_due()

    stored = now(message)
    assert (stored.state, stored.attempts, stored.error) == ("waiting", 0, "")
    assert abs(stored.due_at - morning) < timedelta(hours=1, minutes=1)
    assert stored.next_at == stored.due_at
    assert not sent

    settings.TEXT_HOURS = (0, 24)
    soon(message)
    outbox.deliver_due()
    assert (now(message).state, sent) == ("sent", [NUMBER])


@pytest.mark.django_db
def test_news_that_would_be_too_late_in_the_morning_takes_the_next_way(
    settings, to, sent, monkeypatch
):
    unsent = []
    monkeypatch.setattr(results, "unsents", {"note": unsent.append})
    at_night(settings)
    message = put(expires=timedelta(hours=2))
    outbox.deliver_due()

    assert (now(message).state, now(message).error) == ("dropped", "too late")
    assert [each.pk for each in unsent] == [message.pk]
    assert not sent


@pytest.mark.django_db
def test_a_text_that_the_person_asked_for_goes_out_at_night_and_is_not_counted(settings, to, sent):
    settings.TEXTS_A_DAY = 1
    at_night(settings)
    to(asked=True)
    for occasion in "abc":
        put(occasion)
    outbox.deliver_due()
    assert len(sent) == 3

    settings.TEXT_HOURS = (0, 24)
    to()
    put("d")
    outbox.deliver_due()
    assert len(sent) == 4


# --- the counts -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_number_gets_so_many_texts_a_day_and_a_week_and_another_number_its_own(
    settings, to, sent
):
    settings.TEXTS_A_DAY, settings.TEXTS_A_WEEK = 2, 3
    for occasion in "abc":
        put(occasion)
    outbox.deliver_due()
    assert len(sent) == 2
    third = Message.objects.get(occasion="c")
    first = TextTry.objects.earliest("at")
    assert third.due_at == first.at + timedelta(days=1)

    TextTry.objects.update(at=timezone.now() - timedelta(days=2))
    soon(third)
    put("d")
    outbox.deliver_due()
    assert len(sent) == 3
    fourth = Message.objects.get(occasion="d")
    assert timedelta(days=4) < fourth.due_at - timezone.now() < timedelta(days=5)

    to("+12025550124")
    put("e")
    outbox.deliver_due()
    assert len(sent) == 4


@pytest.mark.django_db
def test_a_second_try_of_a_text_is_the_same_text(settings, to, monkeypatch):
    settings.TEXTS_A_DAY = 1
    tries = []

    def fail(**text):
        tries.append(text["tried_at"])
        raise TimeoutError

    monkeypatch.setattr(sms, "send", fail)
    message = put()
    for _try in range(3):
        soon(message)
        outbox.deliver_due()

    assert tries[0] is None
    assert tries[1] == tries[2] == TextTry.objects.get().at


@pytest.mark.django_db(transaction=True)
def test_two_workers_keep_the_count_between_them(settings, to, sent):
    settings.TEXTS_A_DAY = 5
    messages = [put(str(number)) for number in range(20)]
    start = threading.Barrier(4)

    def work(mine):
        start.wait()
        for message in mine:
            pacing.begin(message, NUMBER, asked=False)
        connection.close()

    workers = [threading.Thread(target=work, args=(messages[n::4],)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert TextTry.objects.count() == 5
