"""Escalation of red flags: who is told and when, what ends an escalation, and what does not."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group

from clinic import sweeps
from clinic.models import Message
from clinic.outgoing import outbox
from intake.desk import transitions
from intake.models.submissions import Submission, Urgency
from intake.my_page import replies
from intake.questionnaire import sending
from intake.ways import escalation
from tests import builders
from tests.desk import Trail
from tests.intake.ways.escalating import (
    DUTY,
    EVERYBODY,
    SWOLLEN,
    act,
    call,
    called,
    decide,
    decided,
    fresh,
    on_banner,
    opened,
    put,
    red_flag,
    settled,
    take,
    taken,
    told,
    written_to,
)

pytestmark = pytest.mark.django_db


# --- who is told when ----------------------------------------------------------------------------


def test_it_goes_to_the_duty_role_then_to_everybody_and_never_falls_silent(people, clock):
    clock.set("2026-11-30T15:40")
    submission = red_flag()
    seen = []
    while clock.now < datetime.fromisoformat("2026-12-03T09:30:00-05:00"):
        seen += [(clock.now.strftime("%a %H:%M"), to, on_banner()) for to in told()]
        clock.wait(10)

    assert seen[:4] == [
        ("Mon 16:10", DUTY, []),
        ("Mon 16:40", EVERYBODY, []),
        ("Tue 08:40", EVERYBODY, [submission]),
        ("Tue 09:10", EVERYBODY, [submission]),
    ]
    # one step in each half hour of a usual week: the holiday on Wednesday delays none
    assert [at for at, *_ in seen[-3:]] == ["Wed 16:40", "Thu 08:40", "Thu 09:10"]
    assert len(seen) == 2 + 17 + 17 + 2
    assert all((to, banner) == (EVERYBODY, [submission]) for _at, to, banner in seen[2:])


def test_what_is_sent_at_night_is_told_half_an_hour_after_opening(people, clock):
    clock.set("2026-12-01T22:00")  # the next day is a holiday, which delays no red flag
    red_flag()
    clock.set("2026-12-02T08:59")
    assert told() == []
    clock.wait(1)
    assert told() == [DUTY]


@pytest.mark.parametrize("urgency", Urgency)
def test_what_need_not_be_read_today_is_not_escalated(urgency, clock):
    answers = {Urgency.SAME_DAY: SWOLLEN, Urgency.URGENT: {"vein_bleed": "ever"}}
    submission = builders.submission(**answers.get(urgency, {}))
    assert (submission.escalate_at is not None) == (submission.urgency >= Urgency.SAME_DAY)


def test_a_form_that_was_stopped_is_escalated(people, clock):
    draft, _key = builders.draft(em_now=("cold_leg_sudden",))
    sending.tell_clinic(draft=draft, phone="+12025550147", name="")
    clock.wait(30)
    assert told() == [DUTY]


def test_without_a_duty_role_it_goes_to_everybody_at_once(people, clock):
    Group.objects.get(name="duty").user_set.clear()
    red_flag()
    clock.wait(30)
    assert told() == [[name for name in EVERYBODY if name not in DUTY]]


def test_without_anybody_it_waits_until_there_is_somebody(clock):
    red_flag()
    clock.wait(30)
    assert told() == []
    message = Message.objects.get(kind="escalation")
    assert (message.state, message.error) == ("waiting", "no recipient")


def test_of_steps_that_could_not_be_sent_only_the_last_one_is_told(people, clock):
    red_flag()
    for _step in range(3):  # the mail server is down
        clock.wait(30)
        assert put() == 1
    assert told() == [EVERYBODY]
    assert sorted(Message.objects.filter(kind="escalation").values_list("state", flat=True)) == [
        *("dropped", "dropped", "sent")
    ]


def test_each_step_is_written_down(people, clock):
    submission, trail = red_flag(), Trail()
    clock.wait(30)
    told()
    (event,) = trail.events(subject=str(submission.pk))
    assert (event.actor, event.action) == ("system:escalation", "state")
    assert event.detail == {"kind": "escalation", "step": 1}
    message = Message.objects.get(kind="escalation")
    assert outbox.abouts([message]) == {message.pk: submission.reference}


def test_it_is_a_chore_of_each_minute():
    assert escalation.escalate in sweeps._chores


# --- what ends it --------------------------------------------------------------------------------


def at_the_desk(submission, _role):
    builders.staff_client("front desk").get(f"/admin/intake/frontdesk/{submission.pk}/change/")


def taken_and_given_back(submission, role):
    taken(submission, role)
    act(transitions.assign, submission, builders.member(role), to=None)


def taken_by_somebody_who_left(submission, role):
    taken(submission, role)
    user = builders.member(role)
    user.is_active = False
    user.save()


def taken_back(submission, _role):
    replies.withdraw(submission=submission)


def taken_back_and_looked_at(submission, role):
    taken_back(submission, role)
    settled(submission, role)


ENDS = [
    ("clinician", decided("call_today")),
    ("duty", decided("advice_only")),
    ("clinician", called("reached")),
    ("duty", called("reached")),
    ("clinician", taken_back_and_looked_at),
]

DOES_NOT_END = [
    ("clinician", opened),
    ("duty", opened),
    ("front desk", at_the_desk),
    ("clinician", decided("need_more_information")),
    ("clinician", called("not_reached")),
    ("clinician", called("left_word")),
    ("front desk", called("reached")),
    ("clinician", settled),
    ("clinician", written_to),
    ("clinician", taken),
    ("clinician", taken_and_given_back),
    ("clinician", taken_by_somebody_who_left),
    ("clinician", taken_back),
]


@pytest.mark.parametrize(("role", "does"), ENDS)
def test_a_decision_or_a_call_that_reached_the_patient_ends_it(role, does, people, clock):
    submission = red_flag()
    does(submission, role)
    clock.wait(60 * 24 * 5)
    assert told() == []
    assert fresh(submission).escalate_at is None


@pytest.mark.parametrize(("role", "does"), DOES_NOT_END)
def test_nothing_else_ends_it(role, does, people, clock):
    submission = red_flag()
    does(submission, role)
    clock.wait(60)
    assert told()[0] == DUTY
    assert list(Submission.objects.waiting()) == [submission]


def test_what_was_put_and_ended_before_it_was_sent_is_not_told(people, clock):
    submission = red_flag()
    clock.wait(30)
    assert put() == 1
    decide(submission, builders.member("clinician"))
    assert told() == []
    assert Message.objects.get(kind="escalation").state == "dropped"


def test_a_red_flag_that_is_opened_again_is_escalated_again(people, clock):
    submission, by = red_flag(), builders.member("clinician")
    decide(submission, by)
    act(transitions.move, submission, by, action="reopen")
    clock.wait(30)
    assert told() == [DUTY]


# --- what delays it ------------------------------------------------------------------------------


def test_taking_it_pauses_it_once_for_each_person(people, clock):
    submission = red_flag()
    one, two = builders.member("clinician"), builders.member("clinician", "dr-two")
    due = []
    for by in (one, one, two, one, two):
        clock.wait(5)
        take(submission, by)
        due.append((fresh(submission).escalate_at - clock.now).total_seconds() // 60)
    # each person has 30 minutes from the first time that this person takes the submission; taking
    # it again does not begin new minutes
    assert due == [30, 25, 30, 25, 20]


def test_giving_it_back_gives_no_time(people, clock):
    submission, by = red_flag(), builders.member("clinician")
    take(submission, by)
    due = fresh(submission).escalate_at
    clock.wait(10)
    act(transitions.assign, submission, by, to=None)
    take(submission, by)
    assert fresh(submission).escalate_at == due


def test_to_take_what_was_ended_begins_nothing(people, clock):
    submission = red_flag()
    call(submission, builders.member("duty"))
    take(submission, builders.member("clinician"))
    assert fresh(submission).escalate_at is None


def test_a_call_that_reached_nobody_sets_the_next_step_but_not_for_ever(people, clock):
    submission, by = red_flag(), builders.member("clinician")
    call(submission, by, "not_reached", again_at=clock.now + timedelta(hours=3))
    assert fresh(submission).escalate_at == clock.now + timedelta(hours=3)
    call(submission, by, "left_word", again_at=clock.now + timedelta(days=30))
    # the escalation pauses at most until the end of the next business day
    assert fresh(submission).escalate_at == datetime.fromisoformat("2026-12-01T17:00:00-05:00")
