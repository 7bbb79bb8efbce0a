"""Overdue reviews: a monthly letter tells the editors, and contains only names of pages."""

from datetime import date, timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from clinic.models import Event, Message
from clinic.outgoing import outbox
from education.models import Page
from education.services import editing, reminders
from education.services.reminders import REVIEWS_DUE
from tests.education import desk

# These tests commit, because the outbox claims messages outside of a transaction. The audit trail
# is not emptied after a test, so each test uses other months.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def overdue(pages) -> Page:
    """A published page whose next review was due yesterday, and an editor with an address."""
    editor = desk.editor()
    editor.email = "ed@clinic.example"
    editor.save()
    page = desk.publish(pages["knees/creaking"])
    Page.objects.filter(pk=page.pk).update(next_review_on=timezone.localdate() - timedelta(days=1))
    return desk.fresh(page)


def letters() -> list[mail.EmailMessage]:
    outbox.deliver_due()
    return mail.outbox


def test_the_editors_hear_of_an_overdue_review_once_a_month(overdue):
    for _time in range(3):
        reminders.remind_of_reviews(today=date(2031, 1, 2))
    [letter] = letters()

    assert letter.to == ["ed@clinic.example"]
    assert letter.subject == "1 page waits for its review"
    assert "Creaking knees" in letter.body
    assert "/admin/education/page/?review=overdue" in letter.body
    assert overdue.get_absolute_url() in letter.body

    # the outbox has deleted the message by the end of a long month, but no second letter is sent
    Message.objects.all().delete()
    assert reminders.remind_of_reviews(today=date(2031, 1, 31)) == 0
    assert reminders.remind_of_reviews(today=date(2031, 2, 1)) == 1
    assert len(letters()) == 2


def test_nothing_is_said_when_nothing_is_overdue(pages):
    desk.publish(pages["knees/creaking"])

    assert reminders.remind_of_reviews(today=date(2032, 1, 2)) == 0
    assert not Message.objects.filter(kind=REVIEWS_DUE).exists()


def test_what_was_reviewed_before_the_mail_went_out_is_not_told(overdue):
    reminders.remind_of_reviews(today=date(2033, 1, 2))
    Page.objects.update(next_review_on=timezone.localdate() + timedelta(days=365))

    assert letters() == []
    assert Message.objects.get(kind=REVIEWS_DUE).state == Message.State.DROPPED


def test_a_page_that_nobody_reads_or_that_is_due_today_is_not_overdue(overdue):
    today = timezone.localdate()
    Page.objects.update(next_review_on=today)
    assert not Page.objects.overdue(today).exists()
    Page.objects.filter(pk=overdue.pk).update(next_review_on=today - timedelta(days=1))
    editing.take_down(page=overdue, by=desk.editor(), read=desk.read(overdue))
    assert not Page.objects.overdue(today).exists()


def test_the_command_puts_the_message_and_says_so(overdue, capsys, monkeypatch):
    monkeypatch.setattr(timezone, "localdate", lambda *args: date(2034, 5, 1))
    Page.objects.update(next_review_on=date(2034, 4, 1))
    call_command("review_reminders")
    call_command("review_reminders")

    assert capsys.readouterr().out == "pages named: 1\nno review is overdue, or already told\n"
    event = Event.objects.get(actor="system:review-reminders", subject="2034-05")
    assert event.detail == {"job": "review-reminders", "count": 1}
