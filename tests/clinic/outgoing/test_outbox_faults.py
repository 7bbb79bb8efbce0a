"""The worker tries again to send mail that failed. When a message fails for good, staff see it."""

import socket
import time
from datetime import timedelta

import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox, results
from clinic.outgoing.outbox import Letter
from tests.clinic.outgoing.notes import MINUTES, now, put, soon

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("say")]


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


@pytest.mark.django_db(transaction=True)
def test_a_crash_that_looks_like_a_fault_of_the_statement_is_waited_for(monkeypatch):
    monkeypatch.setattr(results, "_NOTE_PAUSES", (0, 0))
    tried = []

    def write():
        tried.append(1)
        if len(tried) == 1:
            connection.ensure_connection()
            connection.connection.close()  # the server has gone
            raise DatabaseError

    results._note(write)
    assert len(tried) == 2

    def wrong():
        tried.append(1)
        connection.ensure_connection()
        raise DatabaseError

    with pytest.raises(DatabaseError):
        results._note(wrong)
    assert len(tried) == 3
