"""The outbox: what is put is sent once, late rather than never, and given up loudly."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from clinic.models import Message
from clinic.outgoing import outbox, oversight
from clinic.outgoing.outbox import Letter, Order
from tests.faults.sink import Sink

pytestmark = pytest.mark.django_db
MINUTES = [1, 5, 15, 60, 240]


@pytest.fixture(autouse=True)
def say(monkeypatch) -> Callable[[Any], None]:
    """What the composer of the kind 'note' says; a letter to Ana unless a test wants another."""
    letters: dict[str, Any] = {"note": lambda message: Letter(("ana@example.org",), "Hi", "Words")}
    monkeypatch.setattr(outbox, "_composers", {"note": lambda m: letters["note"](m)})
    monkeypatch.setattr(outbox, "_unsents", {})
    outbox._stopping.clear()
    return lambda compose: letters.update(note=compose)


@pytest.fixture
def sink(settings) -> Iterator[Sink]:
    """A mail server, and mail that goes to it."""
    with Sink() as server:
        settings.EMAIL_BACKEND = "clinic.outgoing.mail.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 0.5
        yield server


def put(occasion: str = "one", **order: Any) -> Message:
    with transaction.atomic():
        outbox.put(kind="note", occasion=occasion, **order)
    return Message.objects.get(occasion=occasion)


def soon(message: Message) -> None:
    """The time of the next try has come."""
    Message.objects.filter(pk=message.pk).update(next_at=timezone.now() - timedelta(seconds=1))


def now(message: Message) -> Message:
    """The message as it is stored."""
    return Message.objects.get(pk=message.pk)


# --- putting --------------------------------------------------------------------------------------


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


# --- when -----------------------------------------------------------------------------------------


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


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_mail_server_that_cannot_now_is_asked_again_and_again_until_it_can(sink):
    message = put(payload=1)
    sink.mode = "451"
    for number, minutes in enumerate(MINUTES, 1):
        before = timezone.now()
        assert outbox.deliver_due() == 1
        stored = now(message)
        assert (stored.state, stored.error, stored.attempts) == ("waiting", "smtp 451", number)
        assert abs(stored.next_at - before - timedelta(minutes=minutes)) < timedelta(seconds=20)
        assert outbox.deliver_due() == 0
        soon(message)
    sink.mode = "ok"
    outbox.deliver_due()

    assert (now(message).state, now(message).error) == ("sent", "")
    assert len(sink.mails) == 1


def test_after_the_last_try_it_has_failed(sink):
    message = put(payload=1)
    sink.mode = "451"
    for _try in range(len(MINUTES) + 1):
        soon(message)
        outbox.deliver_due()

    stored = now(message)
    assert (stored.state, stored.error, stored.payload) == ("failed", "smtp 451", None)
    soon(message)
    assert outbox.deliver_due() == 0


def test_a_recipient_refused_for_good_has_failed_at_once(sink):
    message = put(payload=1)
    sink.mode = "550"
    outbox.deliver_due()

    stored = now(message)
    assert (stored.state, stored.error, stored.payload) == ("failed", "smtp 550", None)


def test_a_mail_server_that_says_nothing_is_left(sink):
    message = put()
    sink.mode = "hang"
    started = time.monotonic()
    outbox.deliver_due()

    assert time.monotonic() - started < 5
    assert (now(message).state, now(message).error) == ("waiting", "SMTPServerDisconnected")


def test_a_mail_server_that_is_not_there_is_tried_later(settings, sink):
    message = put()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        settings.EMAIL_PORT = probe.getsockname()[1]
        outbox.deliver_due()

    assert (now(message).state, now(message).error) == ("waiting", "ConnectionRefusedError")


def test_a_conversation_ends_before_the_message_is_somebody_elses(settings, sink):
    settings.OUTBOX_LEASE_SECONDS = 0
    message = put()
    outbox.deliver_due(limit=1)

    assert now(message).error == "TimeoutError"
    assert not sink.mails


def test_a_server_that_answers_and_goes_is_believed(sink):
    message = put()
    sink.mode = "drop-after-250"
    outbox.deliver_due()

    assert now(message).state == "sent"
    assert len(sink.mails) == 1


def test_an_answer_that_never_came_means_a_double_with_the_same_id(sink):
    message = put()
    sink.mode = "cut"
    outbox.deliver_due()
    assert now(message).state == "waiting"
    sink.mode = "ok"
    soon(message)
    outbox.deliver_due()

    assert now(message).state == "sent"
    first, second = sink.mails
    assert first == second
    assert first.message_id == f"<{message.pk}@127.0.0.1>"


def test_a_composer_that_breaks_does_not_hold_up_the_others(say, written_log):
    broken = put("broken")
    put("whole")

    def compose(message):
        if message.occasion == "broken":
            raise ValueError("CANARY")
        return Letter(("ana@example.org",), "Hi", "Words")

    say(compose)
    assert outbox.deliver_due() == 2
    assert (now(broken).state, now(broken).error) == ("waiting", "ValueError")
    assert len(mail.outbox) == 1
    assert "message not sent" in written_log.getvalue()
    assert "CANARY" not in written_log.getvalue()


def test_a_kind_that_nobody_writes_waits_for_a_version_that_does():
    with transaction.atomic():
        outbox.put(kind="of-tomorrow", occasion="one")
    outbox.deliver_due()

    message = Message.objects.get()
    assert (message.state, message.error) == ("waiting", "NoComposer")


def test_the_task_raises_nothing_that_its_row_would_keep(monkeypatch, written_log):
    def broken(limit=None):
        raise ValueError("ana@example.org")

    monkeypatch.setattr(outbox, "deliver_due", broken)
    outbox.look.call()

    assert "look failed" in written_log.getvalue()
    assert "ana@" not in written_log.getvalue()


# --- what was not sent ----------------------------------------------------------------------------


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
    """What cannot be followed up has failed, where staff see it; it is not looked at for ever."""

    @outbox.when_unsent("note")
    def follow(message):
        Message.objects.create(kind="written", occasion="by the follow-up")
        raise ValueError("CANARY")

    say(nowhere)
    broken = put()
    outbox.deliver_due()

    assert (now(broken).state, now(broken).error) == ("failed", "no way")
    assert not Message.objects.filter(kind="written").exists()
    assert oversight.trouble() == (True, False, False)
    assert "unsent message not followed up" in written_log.getvalue()
    assert "CANARY" not in written_log.getvalue()


def test_codes_of_trouble_never_quote_anybody():
    for error in (ValueError("ana@example.org"), OSError("ana@example.org")):
        code, final = outbox.trouble_of(error)
        assert "ana" not in code
        assert not final


# --- leases ---------------------------------------------------------------------------------------


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
    outbox._put_off(slow, "ValueError")
    outbox._finish(slow, Message.State.FAILED, "smtp 550")
    assert (now(message).state, now(message).error) == ("waiting", "")

    outbox._finish(slow, Message.State.SENT)
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


# --- the worker, as a process ---------------------------------------------------------------------


@pytest.fixture
def worker(settings) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts real workers on this test's database; the kind of the tests is unknown to them."""
    started: list[subprocess.Popen[str]] = []
    database = connection.settings_dict["NAME"]
    url = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{database}"

    def start(**env: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=django_settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": url} | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it never was"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_the_worker_runs_tasks_and_ends_in_order(worker, with_signal):
    process = worker()
    message = put()
    wait_until(lambda: now(message).error == "NoComposer")
    wait_until(lambda: DBTaskResult.objects.get().status == "SUCCESSFUL")
    process.send_signal(with_signal)
    said, _nothing = process.communicate(timeout=20)

    assert process.returncode == 0, said


@pytest.mark.django_db(transaction=True)
def test_the_worker_delivers_what_no_task_speaks_of_and_outlives_its_connections(worker):
    message = put()
    DBTaskResult.objects.all().delete()
    process = worker()
    wait_until(lambda: now(message).error == "NoComposer")
    # as a restart of the database does
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    another = put("two")
    wait_until(lambda: now(another).error == "NoComposer")

    assert process.poll() is None
    process.terminate()
    said, _nothing = process.communicate(timeout=20)
    assert process.returncode == 0, said
    for line in said.splitlines():
        assert line.startswith('{"ts"'), line
