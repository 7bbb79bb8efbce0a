"""`manage.py outbox` shows the queue, tries failed messages again, and explains one message."""

import smtplib
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox, results, trouble
from tests.clinic.outgoing.notes import now, put
from tests.desk import Trail, waiting

pytestmark = pytest.mark.django_db


def told(*options: str) -> str:
    out = StringIO()
    call_command("outbox", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def failed(say) -> Message:
    message = put()
    finished = timezone.now()
    Message.objects.update(state="failed", error="smtp 550", attempts=1, finished_at=finished)
    return message


def test_an_empty_outbox_says_so():
    assert told().splitlines() == [
        "Waiting messages, in the order in which they are sent:",
        "  Alert to staff: 0 due, 0 for later, 0 tried before",
        "  To a patient at a screen: 0 due, 0 for later, 0 tried before",
        "  Ordinary: 0 due, 0 for later, 0 tried before",
        "Failed messages: 0",
    ]


def test_it_shows_how_long_the_queue_is_and_how_old_and_what_failed_with_the_cure(failed):
    put("late")
    put("tried")
    put("later", not_before=timedelta(days=1))
    old = timezone.now() - timedelta(hours=2, minutes=5)
    Message.objects.filter(occasion="late").update(due_at=old)
    Message.objects.filter(occasion="tried").update(attempts=2)

    page = told()
    assert "Ordinary: 2 due (the oldest for 2 hours), 1 for later, 1 tried before" in page
    assert "smtp 550 (1): The mail server or provider refuses the recipient's address" in page
    assert "Ask the person for another address" in page
    assert str(failed.pk) in page


def test_it_names_the_submission_and_neither_address_nor_text():
    submission = waiting("Quentin Canary")
    Message.objects.update(state="failed", error="bounced")
    message = Message.objects.get()

    for page in (told(), told("--explain", str(message.pk))):
        assert submission.reference in page
        assert "canary" not in page.casefold()
        assert "@" not in page


def test_it_explains_one_message(failed):
    page = told("--explain", str(failed.pk))
    assert "Note, about no reference, lane “Ordinary”" in page
    assert "State: Failed, after 1 try" in page
    assert "Last trouble: smtp 550. The mail server or provider refuses" in page
    assert "What follows: no call." in page

    results.unsents["note"] = print
    assert "What follows: a call is on the call list" in told("--explain", str(failed.pk))
    Message.objects.update(known=True)
    assert "the person knows the news already" in told("--explain", str(failed.pk))
    Message.objects.update(delivery="undelivered", delivery_trouble="bounced")
    assert "The provider reports: Not delivered (bounced)" in told("--explain", str(failed.pk))


@pytest.mark.parametrize("all_of_them", [False, True])
def test_it_tries_failed_messages_again_and_writes_that_down(failed, mailoutbox, all_of_them):
    trail = Trail()
    options = ["--failed"] if all_of_them else [str(failed.pk)]
    assert "1 of 1 messages are due now." in told("--retry", *options)
    outbox.deliver_due()

    assert now(failed).state == "sent"
    assert len(mailoutbox) == 1
    (event,) = trail.events(subject=str(failed.pk))
    assert (event.actor, event.detail["to"]) == ("system:outbox", "waiting")


def test_a_message_that_has_not_failed_is_left(failed):
    other = put("waiting")
    errors = StringIO()
    call_command("outbox", "--retry", str(other.pk), stdout=StringIO(), stderr=errors)

    assert "has not failed" in errors.getvalue()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--explain", "smtp 550"], "is not the id of a message"),
        (["--explain", str(uuid4())], "There is no message"),
        (["--retry"], "Name the messages after --retry"),
        (["--retry", str(uuid4()), "--failed"], "Name the messages after --retry"),
    ],
)
def test_a_slip_gets_a_sentence(options, sentence):
    with pytest.raises(CommandError, match=sentence):
        told(*options)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (smtplib.SMTPRecipientsRefused({"a@x": (550, b"no")}), "refuses the recipient's address"),
        (smtplib.SMTPRecipientsRefused({"a@x": (451, b"no")}), "cannot take the message now"),
        (smtplib.SMTPAuthenticationError(535, b"no"), "refuses the program's password"),
        (smtplib.SMTPDataError(554, b"no"), "refuses the message for good"),
        (smtplib.SMTPServerDisconnected("no"), "does not answer"),
        (ConnectionRefusedError(), "does not answer"),
        (TimeoutError(), "does not answer"),
        (outbox.NoComposer(), "cannot write a message of this kind"),
        (ZeroDivisionError(), "The program broke"),
    ],
)
def test_each_trouble_has_a_meaning(error, words):
    code, _final = trouble.code_of(error)
    assert words in trouble.meaning_of(code).meaning


def test_the_codes_of_our_own_have_a_meaning():
    broken = trouble.meaning_of("ZeroDivisionError")
    for code in (*trouble.UNSENT, trouble.EXPIRED, trouble.NO_RECIPIENT, trouble.NOT_FOLLOWED_UP):
        assert trouble.meaning_of(code) != broken
