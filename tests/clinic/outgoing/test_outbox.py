"""The outbox: a message is sent once, late rather than never, and staff see when it fails."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from clinic.models import Message
from clinic.outgoing import outbox, oversight, results, trouble
from clinic.outgoing.outbox import Letter, Order
from clinic.outgoing.results import Result
from tests.clinic.outgoing.notes import now, put, soon

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("say")]


# --- putting -------------------------------------------------------------------------------------


def test_what_is_put_is_sent_and_its_payload_blanked(say):
    message = put(payload={"code": "BCDF-2345"})
    say(lambda m: Letter(("ana@example.org",), "Code", m.payload["code"]))

    assert outbox.deliver_due() == 1
    assert [m.body for m in mail.outbox] == ["BCDF-2345"]
    stored = now(message)
    assert (stored.state, stored.payload, stored.attempts) == ("sent", None, 1)
    assert stored.finished_at
    assert outbox.deliver_due() == 0


def test_a_rolled_back_act_leaves_neither_message_nor_task():
    with transaction.atomic():
        outbox.put(kind="note", occasion="one")
        transaction.set_rollback(True)

    assert not Message.objects.exists()
    assert not DBTaskResult.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_putting_outside_of_a_transaction_is_a_mistake():
    with pytest.raises(RuntimeError, match="transaction"):
        outbox.put(kind="note", occasion="one")


def test_put_twice_for_one_occasion_is_one_message():
    first = put(payload=1)
    put(payload=2)
    put("two")

    assert Message.objects.count() == 2
    assert now(first).payload == 1


def test_many_are_two_statements_and_the_task_holds_nothing(django_assert_num_queries):
    with django_assert_num_queries(2):
        outbox.put_all(Order(kind="note", occasion=str(n)) for n in range(30))

    task = DBTaskResult.objects.get()
    assert task.args_kwargs == {"args": [], "kwargs": {}}
    assert outbox.deliver_due() == 30


def test_nothing_to_put_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        outbox.put_all([])


def test_the_payload_is_sealed():
    message = put(payload={"code": "CANARY"})
    with connection.cursor() as cursor:
        cursor.execute("select * from clinic_message where id = %s", [message.pk])
        assert "CANARY" not in str([bytes(v) if isinstance(v, memoryview) else v
                                    for v in cursor.fetchone()])  # fmt: skip


def test_the_database_keeps_no_payload_of_what_is_over():
    message = put(payload=1)
    with pytest.raises(IntegrityError, match="blanked"), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(state="sent")


# --- when ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("later", [timedelta(hours=1), timezone.now() + timedelta(days=9)])
def test_what_is_for_later_waits(later):
    message = put(not_before=later)

    assert outbox.deliver_due() == 0
    soon(message)
    assert outbox.deliver_due() == 1


@pytest.mark.parametrize("over", [timedelta(seconds=-1), timezone.now() - timedelta(days=9)])
def test_what_has_expired_is_dropped_and_blanked(over):
    message = put(payload=1, expires=over)
    outbox.deliver_due()

    stored = now(message)
    assert (stored.state, stored.error, stored.payload) == ("dropped", "expired", None)
    assert not mail.outbox


def test_what_expires_later_is_sent():
    put(expires=timedelta(minutes=10))
    outbox.deliver_due()

    assert len(mail.outbox) == 1


def test_the_composer_decides_at_the_moment_of_sending(say):
    message = put(payload=1)
    say(lambda m: None)
    outbox.deliver_due()

    assert now(message).state == "dropped"
    assert now(message).payload is None
    assert not mail.outbox


def test_a_letter_to_nobody_has_failed(say):
    message = put()
    say(lambda m: Letter((), "Hi", "Words"))
    outbox.deliver_due()

    assert (now(message).state, now(message).error) == ("failed", "no recipient")


# --- messages that could not be sent -------------------------------------------------------------


def nowhere(message: Message) -> Letter:
    raise outbox.NoWay


def to_nobody(message: Message) -> Letter:
    return Letter((), "Hi", "Words")


@pytest.mark.parametrize(
    ("compose", "state", "error"),
    [(nowhere, "dropped", "no way"), (to_nobody, "failed", "no recipient")],
)
def test_what_was_not_sent_though_there_was_something_to_say_is_followed_up(
    say, compose, state, error
):
    seen = []

    @outbox.when_unsent("note", "another")
    def follow(message):
        stored = now(message)
        seen.append((stored.state, stored.error, stored.payload, message.payload))

    say(compose)
    put(payload={"known": True})
    outbox.deliver_due()

    assert seen == [(state, error, None, {"known": True})]


def test_what_is_sent_expired_over_or_tried_again_later_is_not_followed_up(say, sink):
    seen = []
    outbox.when_unsent("note")(lambda message: seen.append(message.occasion))
    put("sent")
    put("expired", expires=timedelta(seconds=-1))
    outbox.deliver_due()
    say(lambda message: None)
    put("over")
    outbox.deliver_due()
    sink.mode = "451"
    say(lambda message: Letter(("ana@example.org",), "Hi", "Words"))
    later = put("later")
    outbox.deliver_due()

    assert now(later).state == "waiting"
    assert seen == []


def test_following_up_and_the_note_are_one_transaction(say, written_log):
    """A message whose follow-up fails counts as failed. Staff see it; the worker never retries."""

    @outbox.when_unsent("note")
    def follow(message):
        Message.objects.create(kind="written", occasion="by the follow-up")
        raise ValueError("CANARY")

    say(nowhere)
    broken = put()
    outbox.deliver_due()

    assert (now(broken).state, now(broken).error) == ("failed", "no way")
    assert not Message.objects.filter(kind="written").exists()
    assert oversight.trouble().failed
    assert "unsent message not followed up" in written_log.getvalue()
    assert "CANARY" not in written_log.getvalue()


def test_codes_of_trouble_never_quote_anybody():
    for error in (ValueError("ana@example.org"), OSError("ana@example.org")):
        code, final = trouble.code_of(error)
        assert "ana" not in code
        assert not final


# --- leases --------------------------------------------------------------------------------------


def test_what_a_worker_holds_no_other_takes_until_its_lease_is_over():
    message = put()
    assert outbox._claim().pk == message.pk
    assert outbox._claim() is None

    Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    assert outbox._claim().pk == message.pk


def test_a_worker_that_was_too_slow_changes_nothing_of_what_another_holds():
    message = put()
    slow = outbox._claim()
    Message.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    outbox._claim()
    results.put_off(slow, Result(Message.State.WAITING, "ValueError"))
    results.finish(slow, Result(Message.State.FAILED, "smtp 550"))
    assert (now(message).state, now(message).error) == ("waiting", "")

    results.finish(slow, Result(Message.State.SENT))
    assert now(message).state == "sent"


def test_the_sweep_takes_up_what_lost_its_worker():
    put()
    old = timezone.now() - timedelta(minutes=11)
    DBTaskResult.objects.update(status="RUNNING", started_at=old)
    with transaction.atomic():
        outbox.look.enqueue()
    DBTaskResult.objects.exclude(status="RUNNING").update(
        status="RUNNING", started_at=timezone.now()
    )

    assert outbox.sweep() == 1
    assert sorted(DBTaskResult.objects.values_list("status", flat=True)) == ["READY", "RUNNING"]


def test_pruning_deletes_what_was_over_long_ago_but_not_what_failed():
    for number, state in enumerate(["sent", "dropped", "failed", "waiting", "sent"]):
        message = put(str(number))
        finished = timezone.now() - timedelta(days=29 if number == 4 else 31)
        Message.objects.filter(pk=message.pk).update(state=state, finished_at=finished)
    DBTaskResult.objects.update(
        status="SUCCESSFUL", finished_at=timezone.now() - timedelta(days=31)
    )

    call_command("prune")
    left = Message.objects.order_by("occasion").values_list("occasion", flat=True)
    assert list(left) == ["2", "3", "4"]
    assert not DBTaskResult.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_deliver_each_once(sink):
    with transaction.atomic():
        outbox.put_all(Order(kind="note", occasion=str(n)) for n in range(60))
    barrier = Barrier(2)

    def work(_number: int) -> int:
        try:
            barrier.wait(5)
            return outbox.deliver_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        shares = list(pool.map(work, range(2)))

    assert sum(shares) == 60
    assert min(shares) > 0
    assert len({m.message_id for m in sink.mails}) == len(sink.mails) == 60
