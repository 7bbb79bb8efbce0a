"""Escalation of red flags: who is told when, what ends it, and what does not."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.core import mail
from django.utils import timezone
from hypothesis import HealthCheck, example, given
from hypothesis import settings as how_often
from hypothesis import strategies as st

from clinic import sweeps
from clinic.hours import ClinicHours
from clinic.models import Message
from clinic.outgoing import outbox
from intake.desk import decisions, patient_messages, transitions
from intake.desk.decisions import DecisionInput
from intake.models.calls import Call
from intake.models.submissions import Submission, Urgency
from intake.my_page import replies
from intake.questionnaire import sending
from intake.staff import reads
from intake.ways import calls, escalation
from tests import builders
from tests.staff.desk import Trail, page_of

pytestmark = pytest.mark.django_db
SWOLLEN = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}
DANGER = "I am now short of breath, I can’t breathe."
CLOSED_DAY = "2026-12-02"
DUTY = ["duty@staff.example.org"]
EVERYBODY = [f"{name}@staff.example.org" for name in ("clinician", "duty", "front-desk")]


@pytest.fixture
def people():
    """One of each role, with an address; and one who has left."""
    for role in ("clinician", "duty", "front desk", "auditor", "administrator"):
        user = builders.member(role)
        user.email = f"{user.username}@staff.example.org"
        user.save()
    gone = builders.member("duty", "gone")
    gone.email, gone.is_active = "gone@staff.example.org", False
    gone.save()


class Clock:
    """The time in the clinic, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def set(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))

    def wait(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)


@pytest.fixture
def clock(monkeypatch, settings):
    """Monday morning, in a week whose Wednesday is a holiday."""
    settings.CLINIC_HOURS = ClinicHours.parse(
        "Mon-Fri 08:30-17:00", [CLOSED_DAY], "America/New_York"
    )
    clock = Clock()
    clock.set("2026-11-30T09:00")
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


def red_flag(**answers: Any) -> Submission:
    submission = builders.submission(**{**SWOLLEN, **answers})
    assert submission.urgency >= Urgency.SAME_DAY
    return submission


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def told() -> list[list[str]]:
    """To whom the letters about red flags go that are due now."""
    escalation.escalate()
    mail.outbox.clear()
    outbox.deliver_due()
    return [letter.to for letter in mail.outbox if "Nobody has seen to it" in letter.subject]


def put() -> int:
    """How many escalations the sweep puts now."""
    before = Message.objects.filter(kind="escalation").count()
    escalation.escalate()
    return Message.objects.filter(kind="escalation").count() - before


def act(service: Any, submission: Submission, by: Any, **more: Any) -> None:
    row = fresh(submission)
    service(submission=row, by=by, revision=row.revision, request_id="r", **more)


def take(submission: Submission, by: Any) -> None:
    act(transitions.assign, submission, by, to=by)


def decide(submission: Submission, by: Any, outcome: str = "call_today") -> None:
    urgency = Urgency(fresh(submission).urgency)
    message = "more_needed" if outcome == "need_more_information" else ""
    verdict = DecisionInput(urgency, outcome, "", message=message, alarm_read=True)
    act(decisions.decide, submission, by, given=verdict)


def call(submission: Submission, by: Any, outcome: str = "reached", **more: Any) -> None:
    calls.record(submission=fresh(submission), outcome=outcome, by=by, request_id="r", **more)


# --- who is told when -----------------------------------------------------------------------------


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
    # a step each half hour of opening time; on Wednesday nobody is there
    assert [at for at, *_ in seen[-3:]] == ["Tue 16:40", "Thu 08:40", "Thu 09:10"]
    assert len(seen) == 2 + 17 + 2
    assert all((to, banner) == (EVERYBODY, [submission]) for _at, to, banner in seen[2:])


def on_banner() -> list[Submission]:
    return list(Submission.objects.on_banner())


def test_what_is_sent_at_night_is_told_half_an_hour_after_opening(people, clock):
    clock.set("2026-12-01T22:00")  # the day after is a holiday
    red_flag()
    clock.set("2026-12-03T08:59")
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


def test_without_anybody_it_has_failed_where_staff_see_it(clock):
    red_flag()
    clock.wait(30)
    assert told() == []
    message = Message.objects.get(kind="escalation")
    assert (message.state, message.error) == ("failed", "no recipient")


def test_of_steps_that_could_not_be_sent_only_the_last_one_is_told(people, clock):
    red_flag()
    for _step in range(3):  # the mail server is away
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


# --- what ends it ---------------------------------------------------------------------------------


def opened(submission, role):
    builders.staff_client(role).get(page_of(submission))


def at_the_desk(submission, _role):
    builders.staff_client("front desk").get(f"/admin/intake/frontdesk/{submission.pk}/change/")


def decided(outcome):
    return lambda submission, role: decide(submission, builders.member(role), outcome)


def called(outcome):
    return lambda submission, role: call(submission, builders.member(role), outcome)


def settled(submission, role):
    act(patient_messages.settle_reply, submission, builders.member(role))


def written_to(submission, role):
    act(patient_messages.send, submission, builders.member(role), text="Call us.")


def taken(submission, role):
    take(submission, builders.member(role))


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


# --- what puts it off -----------------------------------------------------------------------------


def test_taking_it_pauses_it_once_for_each_person(people, clock):
    submission = red_flag()
    one, two = builders.member("clinician"), builders.member("clinician", "dr-two")
    due = []
    for by in (one, one, two, one, two):
        clock.wait(5)
        take(submission, by)
        due.append((fresh(submission).escalate_at - clock.now).total_seconds() // 60)
    # 30 minutes from one's first taking, and what is left of it at the second
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
    # the end of the next business day
    assert fresh(submission).escalate_at == datetime.fromisoformat("2026-12-01T17:00:00-05:00")


# --- what a patient writes ------------------------------------------------------------------------


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
    stays = does is not settled  # after the call, what was written waits to be settled
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


# --- the release before ---------------------------------------------------------------------------


@pytest.fixture
def of_before(clock):
    """A red flag as the release before sends it: a message for later, and no time of its own."""
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


# --- whatever happens -----------------------------------------------------------------------------

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
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STEPS, min_size=2, max_size=8))
@example([("reached", "clinician"), ("more", "clinician")])
def test_it_is_silent_only_after_a_decision_or_a_call_that_reached_the_patient(clock, steps):
    clock.set("2026-11-30T09:00")
    # what an earlier example left behind goes on to be escalated, and is counted by `put` too
    Submission.objects.update(escalate_at=None)
    submission, over = red_flag(), False
    for what, who in steps:
        clock.wait(1.5)  # the same call noted within a minute is one
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
                # asked by letter alone: a new question for the same day wants a call of its own
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
                over = over or (outcome == "reached" and who != "front desk")
    for _twice in range(2):
        # a pause at most, then a step each half hour of opening time
        clock.set((clock.now + timedelta(days=1)).strftime("%Y-%m-%dT10:00"))
        while clock.now.weekday() > 4 or clock.now.strftime("%Y-%m-%d") == CLOSED_DAY:
            clock.wait(24 * 60)
        assert put() == (0 if over else 1), steps
        assert over or submission in Submission.objects.waiting()
