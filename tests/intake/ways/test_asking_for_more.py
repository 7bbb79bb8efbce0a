"""The form that asks a patient for more information, and who has the next step afterwards."""

import itertools
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic import hours
from clinic.models import Message
from clinic.opening_hours import ClinicHours
from intake.models.calls import Call, CallTask
from intake.models.submissions import Communication, Decision, Submission, Urgency
from intake.my_page import replies
from tests import builders
from tests.desk import is_ticked, page_of, verdict, waiting, words
from tests.intake.ways.asked import (
    MORE,
    NO_WAY,
    ask,
    call,
    fresh,
    in_triage,
    read_by_patient,
    row_of,
)

pytestmark = pytest.mark.django_db


# --- the form ------------------------------------------------------------------------------------


def test_more_information_is_not_stored_without_a_message_or_a_call(clinician):
    submission = waiting(urgency=Urgency.URGENT)
    refused = ask(clinician, submission, sentence="", note="Typed with care.", call_note="Rang.")

    assert refused.status_code == 422
    assert "Write to the patient, or note a call." in words(refused)
    assert "Typed with care." in refused.content.decode()
    assert "Rang." in refused.content.decode()
    assert fresh(submission).revision == 0


def test_the_form_of_the_release_before_is_told_what_it_does_not_ask(clinician):
    submission = waiting(urgency=Urgency.URGENT)
    for outcome, told in (
        ("need_more_information", "Write to the patient, or note a call."),
        ("redirect_emergency", "Say what became of the call."),
        ("advice_only", "Say whether to close the open request."),
    ):
        page = clinician.post(
            page_of(submission, "decide"), verdict(submission, outcome=outcome, note="Kept.")
        )
        assert page.status_code == 422
        assert told in words(page)
        assert "Kept." in page.content.decode()
        assert is_ticked(page, outcome)
    assert not Decision.objects.exists()


def test_fields_of_another_outcome_are_ignored_whatever_they_hold(clinician):
    submission = waiting(urgency=Urgency.SOON)
    clinician.post(
        page_of(submission, "decide"),
        verdict(
            submission,
            outcome="book_soon",
            sentence="dance",
            call="dance",
            again="dance",
            ends=["dance"],
            close_request="dance",
            call_note="x" * 5000,
        ),
    )
    assert Decision.objects.get().outcome == "book_soon"
    assert not Call.objects.exists()
    assert not Communication.objects.exists()


def test_of_two_who_decide_the_second_keeps_all_that_was_typed(clinician):
    submission = waiting(urgency=Urgency.URGENT)
    old = verdict(submission, **MORE, sentence="bring_list", call="left_word", call_note="By hand.")
    builders.staff_client("clinician", "dr-other").post(
        page_of(submission, "assign"), {"revision": 0, "to": "me"}
    )
    page = clinician.post(page_of(submission, "decide"), old | {"again": "later"})
    body = page.content.decode()

    assert page.status_code == 409
    assert 'value="bring_list" selected' in body
    assert 'value="left_word" id="id_call_2" checked' in body
    assert 'value="later" selected' in body
    assert "By hand." in body
    assert not Call.objects.exists()


def test_two_forms_that_ask_of_a_call_stand_on_one_page_with_ids_of_their_own(clinician):
    submission = waiting(urgency=Urgency.URGENT)
    for page in (
        clinician.get(page_of(submission)),
        ask(clinician, submission, sentence=""),
        call(clinician, submission, ""),
    ):
        ids = re.findall(r' id="([^"]+)"', page.content.decode())
        assert len(ids) == len(set(ids))


# --- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("urgency", Urgency)
def test_who_has_the_next_step_once_a_patient_was_asked(clinician, urgency):
    """Try each urgency with every combination of four facts.

    A letter reaches the patient, or not. The patient has written alarm words, or not. The question
    goes by message, or not. Staff do not call, or call with one of the outcomes. What follows
    changes between urgent and same day, so alarm words are tried with these two.
    """
    alarms = (True, False) if urgency in (Urgency.URGENT, Urgency.SAME_DAY) else (False,)
    made = itertools.product((True, False), alarms, (True, False), (None, *Call.Outcome))
    for way, alarm, message, outcome in made:
        case = f"way={way} alarm={alarm} message={message} call={outcome}"
        submission = row_of(None if way else NO_WAY)
        if alarm:
            replies.reply(submission=submission, text="I can't breathe")
        Submission.objects.filter(pk=submission.pk).update(urgency=urgency)
        submission = fresh(submission)
        if not message and outcome is None:
            continue  # the form refuses this (see the tests above)
        Message.objects.all().delete()
        CallTask.objects.all().delete()
        given = {"sentence": "more_needed" if message else "", "call": outcome or ""}
        given |= {"alarm_read": "on"} if alarm else {}
        now = timezone.now()
        page = ask(clinician, submission, **given)
        assert page.status_code == 302, case

        reached = outcome in Call.SPOKE
        told = reached or (message and way)
        stays = (urgency >= Urgency.SAME_DAY or alarm) and not reached
        stored = fresh(submission)
        assert stored.status == "waiting", case
        assert in_triage(stored) == stays, case
        assert (stored.due_at is not None) == stays, case
        assert (stored.escalate_at is not None) == stays, case
        # a question to the patient does not settle the patient's alarm words
        assert (stored.reply_due_at is not None) == (alarm and not reached), case
        days = 4 if told and urgency < Urgency.SAME_DAY else 1
        back = None if stays else hours.current().add_business_days(now, days)
        assert stored.back_at == back, case
        assert (stored.asked_at is not None) == told, case
        owed = CallTask.objects.filter(reason="more", settled_at=None)
        assert owed.count() == (0 if told else 1), case
        assert Message.objects.filter(kind="news").exists() == (message and way), case
        is_reminded = way and days == 4 and not stays
        assert Message.objects.filter(kind="more_reminder").exists() == is_reminded, case
        assert Call.objects.filter(submission=stored).count() == (outcome is not None), case
        said = read_by_patient(stored)
        assert ("Read the messages below" in said) == message, case
        if not message:
            assert ("We spoke with you on" in said) == reached, case
            tried = not reached and outcome != Call.Outcome.WRONG_NUMBER
            assert ("We tried to call you on" in said) == tried, case
            assert "write to us below" in said, case


@pytest.mark.parametrize("outcome", Call.Outcome)
@pytest.mark.parametrize("contact", [None, NO_WAY])
def test_an_older_message_of_the_clinic_is_no_question(clinician, contact, outcome):
    for urgency in Urgency:
        submission = row_of(contact, urgency=urgency)
        clinician.post(page_of(submission, "message"), {"revision": 0, "message": "thanks"})
        ask(clinician, fresh(submission), sentence="", call=outcome)
        said = read_by_patient(submission)
        assert fresh(submission).status == "waiting"
        assert "Read the messages below" not in said
        assert "write to us below" in said


def test_a_question_over_words_of_alarm_leaves_them_on_top(clinician):
    submission = builders.submission()
    replies.reply(submission=submission, text="I can't breathe")
    ask(clinician, fresh(submission), sentence="more_needed", alarm_read="on")
    page = words(clinician.get(page_of(submission)))
    assert "I can't breathe" in page[: page.index("Urgency")]


def test_a_call_that_was_ticked_by_a_slip_can_be_taken_back(clinician):
    submission = waiting(urgency=Urgency.SAME_DAY)
    form = clinician.get(page_of(submission)).content.decode()
    assert re.search(r'name="call" value="" id="id_call_0" checked>No call<', form)
    ask(clinician, submission, sentence="more_needed", call="")
    assert not Call.objects.exists()
    assert in_triage(submission)


@pytest.mark.parametrize("urgency", [Urgency.URGENT, Urgency.SAME_DAY])
def test_staff_read_one_day_of_return_and_no_second_full_stop(clinician, urgency):
    submission = waiting(urgency=urgency, hours=1)
    for outcome in ("", "not_reached", "reached"):
        ask(clinician, fresh(submission), sentence="more_needed", call=outcome)
        page = words(clinician.get(page_of(submission)))
        back = fresh(submission).back_at is not None
        assert ("Due: " in page) == (not back)
        assert ("Back on " in page) == back
        assert ".." not in page.replace("...", "")
        assert ("call now" in page) == (urgency == Urgency.SAME_DAY and not outcome)


# --- calls ---------------------------------------------------------------------------------------


def test_a_call_is_noted_on_the_page_and_read_there(clinician, me):
    submission = waiting(urgency=Urgency.SAME_DAY)
    page = call(clinician, submission, "left_word", again="later", call_note="NOTECANARY")
    assert page.headers["Location"] == f"{page_of(submission)}#call"
    noted = Call.objects.get()
    assert (noted.by, noted.outcome, noted.by_clinician) == (me, "left_word", True)
    assert timedelta(minutes=119) < noted.again_at - timezone.now() < timedelta(minutes=121)
    text = words(clinician.get(page_of(submission)))
    assert "Left word NOTECANARY" in text
    assert "to call again at" in text
    with connection.cursor() as cursor:
        cursor.execute("select words from intake_call")
        assert b"CANARY" not in bytes(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"call": ""}, "Say what became of the call."),
        ({"call": "sang"}, "Say what became of the call."),
        (
            {"call": "not_reached", "again": "tomorrow"},
            "This cannot wait until tomorrow. Choose an earlier time.",
        ),
        ({"call": "reached", "call_note": "x" * 1001}, "at most 1000 characters"),
    ],
)
def test_a_call_that_is_not_in_order_comes_back_as_typed(clinician, given, told):
    submission = waiting(urgency=Urgency.SAME_DAY)
    page = clinician.post(
        page_of(submission, "call"), {"revision": 0, "call_note": "Kept.", **given}
    )
    assert page.status_code == 422
    assert told in words(page)
    assert given.get("call_note", "Kept.") in page.content.decode()
    assert not Call.objects.exists()


def test_tomorrow_is_the_next_morning_on_which_we_open(clinician, settings):
    settings.CLINIC_HOURS = ClinicHours.parse("Mon-Sun 09:00-17:00", [], settings.TIME_ZONE)
    submission = waiting(urgency=Urgency.SOON)
    call(clinician, submission, "not_reached", again="tomorrow")
    again = timezone.localtime(Call.objects.get().again_at)
    assert again.date() == timezone.localdate() + timedelta(days=1)
    assert (again.hour, again.minute) == (9, 0)
