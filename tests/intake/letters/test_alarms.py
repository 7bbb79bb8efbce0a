"""Letters to staff about words of danger in messages: sent at once, at most one in five minutes."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import F

from clinic.models import Message
from clinic.outgoing import outbox
from intake.models.submissions import Submission
from intake.my_page import replies
from tests import builders

pytestmark = pytest.mark.django_db
DANGER = "My foot went ice cold this morning"


@pytest.fixture(autouse=True)
def nurse() -> None:
    nurse = builders.member("clinician")
    nurse.email = "nurse@clinic.example"
    nurse.save()


def writes() -> Submission:
    submission = builders.submission()
    replies.reply(submission=submission, text=DANGER)
    return submission


def later(minutes: float) -> None:
    """Let time pass, by moving every time of every message back."""
    passed = timedelta(minutes=minutes)
    names = ("created_at", "due_at", "next_at", "finished_at", "claimed_until")
    Message.objects.update(**{name: F(name) - passed for name in names})


def sent() -> list[str]:
    outbox.deliver_due()
    subjects = [letter.subject for letter in mail.outbox if "patient" in letter.subject]
    mail.outbox.clear()
    return subjects


def test_the_first_goes_at_once_and_the_others_together_five_minutes_later() -> None:
    first = writes()
    assert sent() == [f"A patient wrote: {first.reference}"]
    later(1)
    second, third = writes(), writes()
    assert sent() == []
    later(3.5)
    assert sent() == []
    later(1)
    outbox.deliver_due()
    (letter,) = [each for each in mail.outbox if "patient" in each.subject]
    assert letter.subject == "2 patients wrote words of danger"
    assert {second.reference in letter.body, third.reference in letter.body} == {True}
    assert first.reference not in letter.body
    assert "cold" not in letter.body
    mail.outbox.clear()
    later(60)
    assert sent() == []
    fourth = writes()
    assert sent() == [f"A patient wrote: {fourth.reference}"]


def test_after_an_outage_one_letter_has_the_count(monkeypatch) -> None:
    def fails(_backend: EmailBackend, _messages: object) -> int:
        raise SMTPServerDisconnected("gone")

    with monkeypatch.context() as outage:
        outage.setattr(EmailBackend, "send_messages", fails)
        for _hour in range(3):
            writes()
            assert sent() == []
            later(20)
    later(300)
    assert sent() == ["3 patients wrote words of danger"]
    later(60)
    assert sent() == []
    assert not Message.objects.filter(kind="alarm", state__in=("waiting", "failed")).exists()


def test_words_that_staff_answered_meanwhile_are_not_told() -> None:
    writes()
    Submission.objects.update(reply_due_at=None)
    assert sent() == []
