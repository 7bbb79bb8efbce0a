"""Which ways to a patient are tried: those that the patient allowed, while they are open."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox
from intake.access import codes
from intake.errors import Conflict, Refused
from intake.models.calls import CallTask
from intake.models.contact_points import ContactPoint
from intake.models.safe_contact import SafeContact
from intake.models.submissions import Submission
from intake.ways import calls, contact, contact_points, safe_contact
from intake.ways.contact import reach_of
from tests import builders
from tests.faults.sink import Sink

pytestmark = pytest.mark.django_db

NUMBER, ADDRESS = "+12025550147", "quentin.canary@example.org"


def say(submission: Submission, *, seen: str | None = None, **said: str) -> SafeContact:
    newest = contact.newest_records([submission]).get(submission.pk)
    return safe_contact.record(
        submission=submission,
        said=said,
        source=SafeContact.Source.PHONE,
        seen=safe_contact.version_of(newest) if seen is None else seen,
        by=builders.member("front desk"),
        request_id="r",
    )


def test_without_a_record_the_contact_step_counts():
    reach = reach_of(builders.submission())
    assert reach.letters == (("email", ADDRESS),)
    assert (reach.phone, reach.may_leave_word) == (NUMBER, True)

    texts = reach_of(builders.submission({"prefer": "text"}))
    assert texts.letters == (("sms", NUMBER), ("email", ADDRESS))
    silent = reach_of(builders.submission({"email": "", "calls": "no"}))
    assert silent.is_none
    assert not reach_of(builders.submission({"voicemail": "no"})).may_leave_word
    limited = {"prefer_time": "morning", "calls": "then"}
    assert reach_of(builders.submission(limited)).hours == "morning"


def test_a_record_replaces_only_what_it_says():
    row = builders.submission({"voicemail": "no"})
    say(row, email="no", hears="Ana")
    say(row, sms="yes")

    reach = reach_of(row)
    assert reach.letters == (("sms", NUMBER),)
    assert (reach.hears, reach.may_leave_word, reach.phone) == ("Ana", False, NUMBER)
    assert row.safe_contacts.count() == 2


def test_a_record_counts_for_all_that_follows_and_came_before():
    first = builders.submission()
    second, third = builders.submission(), builders.submission()
    Submission.objects.filter(pk=second.pk).update(follows=first)
    Submission.objects.filter(pk=third.pk).update(follows=second)
    rows = list(Submission.objects.order_by("submitted_at"))
    say(rows[2], call="no")

    assert [reach.phone for reach in contact.reaches_of(rows).values()] == ["", "", ""]
    assert reach_of(builders.submission()).phone == NUMBER  # a number of several people


def test_the_questionnaire_after_a_request_speaks_for_the_request():
    request = builders.submission()
    later = builders.submission({"voicemail": "no", "calls": "no", "email": "b@example.org"})
    later.follows = request
    later.save(update_fields=["follows"])
    safe_contact.take_over(submission=later)

    reach = reach_of(request)
    assert (reach.phone, reach.may_leave_word) == ("", False)
    assert reach.letters == (("email", ADDRESS),)


def test_an_old_tab_does_not_overwrite_and_a_double_click_is_one_record():
    row = builders.submission()
    say(row, voicemail="no", seen="")
    say(row, voicemail="no", seen="")  # the same form, sent twice
    with pytest.raises(Conflict):
        say(row, voicemail="yes", seen="")

    assert row.safe_contacts.count() == 1
    assert not reach_of(row).may_leave_word


@pytest.mark.parametrize("close", ["dead", "revoked"])
def test_a_closed_address_is_no_way_until_it_is_opened_again(close):
    row = builders.submission({"prefer": "text"})
    point = {"channel": "sms", "address": NUMBER, "actor": "system:test"}
    if close == "dead":
        contact_points.mark_dead(trouble="30003", **point)
    else:
        contact_points.revoke(**point)

    assert reach_of(row).letters == (("email", ADDRESS),)
    assert NUMBER not in reach_of(row).codes
    opened = {"channel": "sms", "address": NUMBER, "request_id": "r"}
    contact_points.allow_again(by=builders.member("front desk"), **opened)
    assert reach_of(row).letters[0] == ("sms", NUMBER)


def test_who_wants_no_texts_gets_none_about_any_submission():
    row, other = builders.submission({"prefer": "text"}), builders.submission({"prefer": "text"})
    say(row, sms="no")

    for each in (row, other):
        assert reach_of(each).letters == (("email", ADDRESS),)


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_a_parent_speaks_for_the_patient_until_the_eighteenth_birthday(days):
    birthday = timezone.localdate() + timedelta(days=days)
    born = birthday.replace(year=birthday.year - 18)
    row = builders.submission({"proxy_name": "Ana Canary", "birth_date": born.isoformat()})
    sent = timezone.now() - timedelta(days=30)
    Submission.objects.filter(pk=row.pk).update(submitted_at=sent)
    row.refresh_from_db()

    assert reach_of(row).is_none == (days <= 0)
    if days <= 0:  # the patient, who is of age, says how to be reached
        say(row, email="yes")
        assert reach_of(row).letters == (("email", ADDRESS),)


def test_born_on_a_leap_day_means_of_age_on_the_first_of_march():
    sent = timezone.now().replace(year=2021)
    person = {"proxy_name": "Ana", "birth_date": "2004-02-29"}
    assert contact.authority_ends({}, person, sent) == date(2022, 3, 1)
    ended = {"proxy_until": "2020-01-01"}
    assert contact.authority_ends(ended, {}, sent) == date(2020, 1, 1)


def test_the_ways_to_many_patients_cost_two_queries(django_assert_num_queries):
    rows = [builders.submission() for _number in range(6)]
    say(rows[0], call="no")
    rows = list(Submission.objects.all())
    with django_assert_num_queries(2):
        reaches = contact.reaches_of(rows)
    assert [reach.may_call for reach in reaches.values()].count(False) == 1


# --- what asks the record -------------------------------------------------------------------------


def news(row: Submission) -> None:
    from intake.desk import patient_messages

    patient_messages.send(
        submission=row,
        text="Please call us.",
        by=builders.member("clinician"),
        revision=row.revision,
        request_id="r",
    )


def refused(settings, act) -> None:
    """Act while the mail server refuses every recipient for good."""
    with Sink() as server:
        server.mode = "550"
        settings.EMAIL_BACKEND = "clinic.outgoing.mail.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS = False
        act()


@pytest.mark.parametrize("texts", ["yes", "no"])
def test_a_refused_letter_goes_by_the_next_allowed_way_and_only_then_is_a_call(
    texts, settings, capsys
):
    row = builders.submission()
    outbox.deliver_due()
    say(row, sms=texts)
    news(row)
    capsys.readouterr()
    refused(settings, outbox.deliver_due)

    message, again = Message.objects.get(kind="news"), Message.objects.filter(kind="next_way")
    sent = capsys.readouterr().out
    owed = CallTask.objects.open().filter(submission=row)
    if texts == "yes":
        assert (message.state, again.get().state) == ("dropped", "sent")
        assert row.reference in sent
        assert not owed.exists()
    else:
        assert (message.state, again.count()) == ("failed", 0)
        assert row.reference not in sent
        assert owed.get().may_call


def test_a_record_marks_the_calls_that_are_owed():
    row = builders.submission({"email": ""})
    news(row)
    assert CallTask.objects.to_make().count() == 1
    say(row, call="no")
    assert CallTask.objects.to_make().count() == 0
    assert CallTask.objects.open().count() == 1
    say(row, call="yes")
    assert CallTask.objects.to_make().count() == 1


def test_word_is_left_only_where_the_patient_allows_it():
    row = builders.submission({"voicemail": "no"})
    made = {"submission": row, "by": builders.member("front desk"), "request_id": "r"}
    with pytest.raises(Refused, match="allows no message"):
        calls.record(outcome="left_word", **made)
    assert calls.record(outcome="not_reached", **made).outcome == "not_reached"


@pytest.mark.parametrize(("closed", "goes"), [("", True), ("revoked", False), ("forbidden", False)])
def test_a_code_goes_only_by_an_open_way_that_the_patient_did_not_forbid(closed, goes, capsys):
    row = builders.submission({"email": ""})
    outbox.deliver_due()
    if closed == "revoked":
        contact_points.revoke(channel="sms", address=NUMBER, actor="system:test")
    elif closed:
        say(row, sms="no")
    capsys.readouterr()
    codes.send(address=NUMBER, reference=row.reference)
    outbox.deliver_due()
    assert (NUMBER in capsys.readouterr().out) == goes


def test_a_redeemed_code_verifies_the_address():
    row = builders.submission()
    outbox.deliver_due()
    key = codes.send(address=ADDRESS, reference=row.reference)
    code = Message.objects.get(kind="code").payload["code"]
    assert codes.redeem(key=key, code=code)

    point = ContactPoint.objects.get()
    assert point.channel == "email"
    assert point.verified_at is not None


def test_news_without_a_safe_way_goes_out_when_the_patient_opens_a_way(mailoutbox):
    row = builders.submission({"calls": "no"})
    say(row, email="no")
    calls.owe(submission=row, reason=CallTask.Reason.MESSAGE, occasion="1")
    say(row, hears="Ana")
    outbox.deliver_due()
    assert not Message.objects.filter(kind="way_open").exists()
    mailoutbox.clear()

    say(row, email="yes")
    outbox.deliver_due()
    assert [mail.to for mail in mailoutbox] == [[ADDRESS]]
    # it stays among the news without a safe way until the patient has read it
    assert CallTask.objects.open().filter(may_call=False).count() == 1
    say(row, email="no")
    say(row, email="yes")
    CallTask.objects.update(settled_at=timezone.now())
    outbox.deliver_due()
    assert len(mailoutbox) == 1


def test_no_call_is_to_be_made_to_a_patient_whose_parent_called_until_the_birthday(monkeypatch):
    day = timezone.localdate()
    born = day.replace(year=day.year - 18) + timedelta(days=2)
    child = {"birth_date": born.isoformat(), "proxy_name": "Pia Canary"}
    row, other = builders.submission(child), builders.submission()
    for each in (row, other):
        calls.owe(submission=each, reason=CallTask.Reason.MESSAGE, occasion=str(each.pk))
    monkeypatch.setattr(safe_contact, "_marked_on", None)
    assert safe_contact.mark_calls_of_the_grown_up() == 0
    assert safe_contact.mark_calls_of_the_grown_up() == 0
    monkeypatch.setattr(timezone, "localdate", lambda *_: day + timedelta(days=2))
    assert safe_contact.mark_calls_of_the_grown_up() == 1
    assert [task.submission_id for task in CallTask.objects.to_make()] == [other.pk]
    assert safe_contact.mark_calls_of_the_grown_up() == 0
