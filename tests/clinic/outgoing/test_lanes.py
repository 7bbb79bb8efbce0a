"""Alerts to staff go before all other messages, and are tried until they are sent."""

import time
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils import timezone

from clinic import sweeps
from clinic.management.commands import worker
from clinic.models import Message
from clinic.outgoing import outbox, oversight
from clinic.outgoing.outbox import Lane, Letter, Order
from tests import builders
from tests.clinic.outgoing.notes import now, soon
from tests.desk import words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("say", "kinds")]
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 1, 2, 4, 4, 4, 4, 4, 4)]
REMINDERS = """
insert into clinic_message (id, kind, occasion, state, attempts, error, next_at)
select gen_random_uuid(), 'ordinary', n, 'waiting', 0, '', now() - interval '1 minute'
from generate_series(1, 10000) n; analyze clinic_message
"""
BANNER = "An alert to staff is not going out"


@pytest.fixture
def kinds(say):
    """Have a kind of message in each lane; the subject of each letter names the lane."""

    def letter(message: Message) -> Letter:
        return Letter(("ana@example.org",), Lane(message.lane).name, "Words")

    for lane in Lane:
        outbox.composer(lane.name.lower(), lane=lane)(letter)
    yield
    outbox.work_until(float("inf"))


def put(kind: str, *occasions: str, **order) -> None:
    with transaction.atomic():
        outbox.put_all(Order(kind=kind, occasion=each, **order) for each in occasions)


def sent() -> list[str]:
    return [each.subject for each in mail.outbox]


def test_due_messages_are_sent_lane_by_lane():
    put("ordinary", "1", "2")
    put("screen", "3")
    put("alert", "4")
    put("alert", "5", not_before=timedelta(hours=1))
    outbox.deliver_due()

    assert sent() == ["ALERT", "SCREEN", "ORDINARY", "ORDINARY"]


def test_ten_thousand_reminders_do_not_delay_an_alert():
    with connection.cursor() as cursor:
        cursor.execute(REMINDERS)
    outbox.deliver_due(limit=3)
    put("alert", "red flag")
    started = time.monotonic()
    outbox.deliver_due(limit=1)

    assert sent() == ["ORDINARY"] * 3 + ["ALERT"]
    assert time.monotonic() - started < 1


@pytest.mark.django_db(transaction=True)
def test_a_long_queue_does_not_keep_the_worker_from_its_chores(monkeypatch):
    """A chore orders the escalations, so an alert would wait for the whole queue."""
    at: list[float] = []
    monkeypatch.setattr(sweeps, "_chores", [lambda: at.append(time.monotonic())])
    monkeypatch.setattr(worker, "SWEEP", 0.2)
    outbox.composer("ordinary")(lambda message: time.sleep(0.02))
    for number in range(60):
        put("ordinary", str(number))
    process = worker.Command()
    process.stopping = worker.threading.Event()
    process.swept, process.pruned = float("-inf"), time.monotonic()
    while Message.objects.filter(state="waiting").exists():
        process.round()

    assert len(at) > 3


def test_an_alert_is_tried_every_five_minutes_at_least_and_for_ever(sink):
    sink.mode = "550"
    put("alert", "red flag")
    message = Message.objects.get()
    for number, pause in enumerate(PAUSES, 1):
        before = timezone.now()
        assert outbox.deliver_due() == 1
        stored = now(message)
        assert (stored.state, stored.error, stored.attempts) == ("waiting", "smtp 550", number)
        assert abs(stored.next_at - before - pause) < timedelta(seconds=20)
        soon(message)
    Message.objects.update(attempts=32_000)
    outbox.deliver_due()
    assert now(message).state == "waiting"
    sink.mode = "ok"
    soon(message)
    outbox.deliver_due()

    assert now(message).state == "sent"


def test_after_an_outage_one_alert_that_is_sent_makes_the_others_due(sink):
    put("alert", "1", "2", "3")
    put("ordinary", "4")
    sink.mode = "451"
    assert outbox.deliver_due() == 4
    assert outbox.deliver_due() == 0
    sink.mode = "ok"
    soon(Message.objects.get(occasion="2"))

    assert outbox.deliver_due() == 3
    assert len(sink.mails) == 3
    assert Message.objects.get(state="waiting").occasion == "4"


def test_an_alert_that_breaks_is_not_tried_in_a_circle():
    outbox.composer("alert", lane=Lane.ALERT)(
        lambda message: 1 / 0 if message.occasion == "broken" else Letter(("a@x",), "ALERT", "")
    )
    put("alert", "broken", *map(str, range(5)))

    assert outbox.deliver_due() < 13  # at most one more try of the broken one for each other
    assert len(sent()) == 5


def test_staff_are_told_of_an_alert_that_is_not_sent(sink):
    page = "/admin/intake/frontdesk/"
    client = builders.staff_client("front desk")
    sink.mode = "451"
    put("alert", "red flag")
    outbox.deliver_due()
    assert BANNER not in words(client.get(page))
    soon(Message.objects.get())
    outbox.deliver_due()

    assert BANNER in words(client.get(page))
    sink.mode = "ok"
    soon(Message.objects.get())
    outbox.deliver_due()
    assert BANNER not in words(client.get(page))


def test_staff_are_told_of_an_alert_that_no_worker_sends(client):
    put("alert", "red flag")
    assert oversight.trouble() == oversight.Trouble()
    Message.objects.update(due_at=timezone.now() - timedelta(minutes=6))

    assert oversight.trouble() == oversight.Trouble(alert=True)
    assert client.get("/readyz").json()["queue"] is False


def test_an_alert_of_the_release_before_gets_its_lane():
    put("ordinary", "1")
    put("alert", "2")
    Message.objects.update(lane=Lane.ORDINARY)
    outbox.sweep()

    assert sent() == ["ALERT", "ORDINARY"]
