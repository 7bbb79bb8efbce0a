"""Alarm words begin an escalation.

The escalation ends when a clinician decides, settles the patient's words, or reaches the patient by
phone. Other acts do not end the escalation.
"""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.core import mail
from django.utils import timezone
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how_often
from hypothesis import strategies as st

from clinic.models import Message
from clinic.outgoing import outbox
from intake.desk import patient_messages, transitions
from intake.models.calls import Call
from intake.models.submissions import Submission, Urgency
from intake.my_page import replies
from intake.staff import reads
from intake.ways import escalation
from tests import builders
from tests.examples import examples
from tests.intake.ways.escalating import (
    DANGER,
    DUTY,
    act,
    call,
    called,
    decide,
    decided,
    fresh,
    on_banner,
    put,
    red_flag,
    settled,
    take,
    told,
    written_to,
)

pytestmark = pytest.mark.django_db


# --- what a patient writes -----------------------------------------------------------------------


@pytest.mark.parametrize("status", ["new", "decided", "closed", "withdrawn"])
def test_words_of_alarm_begin_it_whatever_was_decided(status, people, clock):
    submission = builders.submission()
    Submission.objects.update(status=status)
    replies.reply(submission=submission, text="May I come on Friday?")
    assert fresh(submission).escalate_at is None
    replies.reply(submission=submission, text=DANGER)
    clock.wait(30)
    assert told() == [DUTY]


def test_words_of_alarm_after_a_decision_begin_with_the_first_step(people, clock):
    submission, by = red_flag(), builders.member("clinician")
    for _step in range(3):
        clock.wait(30)
        told()
    decide(submission, by)
    replies.reply(submission=submission, text=DANGER)
    assert on_banner() == []
    clock.wait(30)
    assert told() == [DUTY]


def test_words_of_alarm_bring_a_step_nearer_that_a_call_had_put_off(people, clock):
    submission = red_flag()
    far = clock.now + timedelta(hours=5)
    call(submission, builders.member("duty"), "not_reached", again_at=far)
    replies.reply(submission=submission, text=DANGER)
    assert fresh(submission).escalate_at == clock.now + timedelta(minutes=30)


def test_somebody_who_took_it_for_a_bot_hears_of_words_of_alarm(people, clock):
    submission = builders.submission()
    Submission.objects.update(suspect=True)
    replies.reply(submission=submission, text=DANGER)
    assert list(Submission.objects.waiting()) == [submission]


@pytest.mark.parametrize(
    ("does", "ends"), [(settled, True), (called("reached"), True), (written_to, False)]
)
def test_after_a_decision_words_of_alarm_wait_until_somebody_read_them_or_called(
    does, ends, people, clock
):
    submission = builders.submission()
    Submission.objects.update(status="decided")
    replies.reply(submission=submission, text=DANGER)
    does(submission, "clinician")
    clock.wait(30)
    assert told() == ([] if ends else [DUTY])
    stays = does is not settled  # only settling takes the submission off the worklist
    assert Submission.objects.waiting().exists() == stays


def test_a_call_of_before_does_not_answer_what_was_written_since(people, clock):
    submission, by = red_flag(), builders.member("clinician")
    seen = fresh(submission).revision
    replies.reply(submission=submission, text=DANGER)
    call(submission, by, "reached", revision=seen)
    row = fresh(submission)
    assert row.alarm
    assert row.escalate_at is not None
    call(submission, by, "reached", words="About the message.", revision=row.revision)
    row = fresh(submission)
    assert not row.alarm
    assert row.escalate_at is None


# --- the previous release ------------------------------------------------------------------------


@pytest.fixture
def of_before(clock):
    """Return a red flag as the previous release stored it.

    A message for the first step waits in the outbox, and `escalate_at` is empty.
    """
    submission = red_flag()
    Submission.objects.update(escalate_at=None)
    due = clock.now + timedelta(minutes=30)
    Message(kind="escalation", occasion=str(submission.pk), due_at=due, next_at=due).save()
    return submission


def test_what_the_release_before_sends_is_taken_over(of_before, people, clock):
    assert put() == 0
    due = clock.now + timedelta(minutes=30)
    assert fresh(of_before).escalate_at == due
    clock.wait(30)
    Message.objects.filter(kind="escalation").update(next_at=timezone.now() - timedelta(days=9))
    assert told() == [DUTY]
    old = Message.objects.get(kind="escalation", occasion=str(of_before.pk))
    assert old.state == "dropped"


@pytest.mark.parametrize("is_decided", [False, True])
def test_a_message_of_the_release_before_is_sent_unless_it_is_over(
    is_decided, of_before, people, clock
):
    if is_decided:
        decide(of_before, builders.member("clinician"))
    Message.objects.filter(kind="escalation").update(next_at=timezone.now() - timedelta(days=9))
    outbox.deliver_due()
    to = [letter.to for letter in mail.outbox if "Nobody has seen to it" in letter.subject]
    assert to == ([] if is_decided else [DUTY])


@pytest.mark.parametrize("does", [decided("call_today"), called("reached")])
def test_what_was_ended_is_not_taken_over(does, of_before, people, clock):
    does(of_before, "clinician")
    assert put() == 0
    assert fresh(of_before).escalate_at is None


def test_at_the_upgrade_what_waits_gets_its_time_and_what_patients_wrote_its_mark(
    settings, people, clock
):
    by = builders.member("clinician")
    rows = {
        "red": red_flag(),
        "decided": red_flag(),
        "ordinary": builders.submission(),
        "alarm": builders.submission(),
        "answered": builders.submission(),
        "friday": builders.submission(),
    }
    decide(rows["decided"], by)
    for name in ("alarm", "answered"):
        replies.reply(submission=rows[name], text=DANGER)
    act(patient_messages.send, rows["answered"], by, text="Call us.")
    for name in ("answered", "friday"):
        replies.reply(submission=rows[name], text="May I come on Friday?")
    Submission.objects.filter(urgency__lt=Urgency.SAME_DAY).update(urgency=Urgency.ROUTINE)
    Submission.objects.filter(pk=rows["alarm"].pk).update(status="closed")
    Submission.objects.filter(pk=rows["answered"].pk).update(urgency=Urgency.ROUTINE)
    Submission.objects.update(escalate_at=None, alarm=False)

    settings.DEMO = False
    import_module("intake.migrations.0013_worklist_order").begin(apps, None)

    due = clock.now + timedelta(minutes=30)
    found = {name: (fresh(row).escalate_at, fresh(row).alarm) for name, row in rows.items()}
    assert found == {
        "red": (due, False),
        "decided": (None, False),
        "ordinary": (None, False),
        "alarm": (due, True),
        "answered": (None, False),
        "friday": (None, False),
    }


# --- any order of acts ---------------------------------------------------------------------------

ROLES = st.sampled_from(["clinician", "duty", "front desk"])
DECIDERS = st.sampled_from(["clinician", "duty"])
STEPS = st.one_of(
    st.tuples(st.just("opened"), ROLES),
    st.tuples(st.just("taken"), DECIDERS),
    st.tuples(st.just("given back"), DECIDERS),
    st.tuples(st.just("written to"), DECIDERS),
    st.tuples(st.just("more"), DECIDERS),
    st.tuples(st.just("decided"), DECIDERS),
    st.tuples(st.just("reopened"), DECIDERS),
    st.tuples(st.sampled_from(Call.Outcome.values), ROLES),
    st.tuples(st.just("alarm"), st.just("")),
    st.tuples(st.just("time"), st.integers(1, 90)),
)


@how_often(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(STEPS, min_size=2, max_size=8))
@example([("reached", "clinician"), ("more", "clinician")])
def test_it_is_silent_only_after_a_decision_or_a_call_that_reached_the_patient(clock, steps):
    clock.set("2026-11-30T09:00")
    # red flags of earlier examples would go on escalating, and `put` would count them
    Submission.objects.update(escalate_at=None)
    submission, over = red_flag(), False
    for what, who in steps:
        clock.wait(1.5)  # the same call recorded twice within a minute is one call
        row, by = fresh(submission), who and not isinstance(who, int) and builders.member(who)
        is_open, calls = row.status in ("new", "in_review", "waiting"), Call.Outcome.values
        match what:
            case "opened":
                reads.record_read(submission=row, by=by, request_id="r")
            case "taken" if is_open:
                take(row, by)
            case "given back" if row.status in ("in_review", "waiting"):
                act(transitions.assign, row, by, to=None)
            case "written to":
                written_to(row, who)
            case "more" if is_open:
                # a new question goes by letter, so an earlier call no longer ends the escalation
                decide(row, by, "need_more_information")
                over = False
            case "decided" if is_open:
                decide(row, by)
                over = True
            case "reopened" if row.status == "decided":
                act(transitions.move, row, by, action="reopen")
                over = False
            case "alarm":
                replies.reply(submission=row, text=f"{DANGER} {clock.now}")
                over = False
            case "time":
                clock.wait(who)
                escalation.escalate()
            case outcome if outcome in calls:
                call(row, by, outcome)
                over = over or (outcome in Call.SPOKE and who != "front desk")
    for _twice in range(2):
        # by 10:00 of the next business day every pause is over, so the next step is due
        clock.set((clock.now + timedelta(days=1)).strftime("%Y-%m-%dT10:00"))
        while clock.now.weekday() > 4:
            clock.wait(24 * 60)
        assert put() == (0 if over else 1), steps
        assert over or submission in Submission.objects.waiting()
