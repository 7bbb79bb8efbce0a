"""A decided submission whose visit was kept closes by itself, once nothing is left to do."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from clinic import sweeps
from intake.appointments import changing
from intake.desk import closing, decisions, patient_messages, transitions
from intake.desk.decisions import DecisionInput
from intake.models.appointments import Appointment, AppointmentRequest, Offer, WaitlistEntry, during
from intake.models.calls import CallTask
from intake.models.submissions import Kind, StatusChange, Submission, Urgency
from intake.my_page import replies
from intake.questionnaire import part_2
from intake.ways import calls
from tests import builders
from tests.desk import Trail
from tests.intake import book
from tests.intake.ways.escalating import Clock

pytestmark = pytest.mark.django_db
DAY = 24 * 60


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


@pytest.fixture
def row(clock, lee) -> Submission:
    """A decided submission whose visit was kept 31 days ago."""
    submission = book.patient()
    visit = book.booked(submission, book.free(days=1))
    staff("decide", submission)
    clock.wait(3 * DAY)
    changing.record_attendance(appointment=visit, by=builders.member("front desk"), request_id="r")
    clock.wait(31 * DAY)
    return fresh(submission)


def fresh(row: Submission) -> Submission:
    return Submission.objects.get(pk=row.pk)


def staff(act: str, row: Submission) -> None:
    row, by = fresh(row), builders.member("clinician")
    given = {"submission": row, "by": by, "revision": row.revision, "request_id": "r"}
    if act == "decide":
        verdict = DecisionInput(Urgency(row.urgency), "book_routine", "", alarm_read=True)
        decisions.decide(given=verdict, **given)
    elif act == "settle":
        patient_messages.settle_reply(**given)
    elif act == "take":
        transitions.assign(to=by, **given)
    elif act == "write":
        patient_messages.send(text="Call us.", **given)
    else:
        transitions.move(action=act, **given)


def column(**values: object) -> Callable[[Submission], object]:
    return lambda row: Submission.objects.filter(pk=row.pk).update(**values)


def progress(code: str) -> Callable[[Submission], object]:
    rows = AppointmentRequest.objects
    return lambda row: rows.filter(submission=row).update(progress=code)


def visit(status: str, days: int) -> Callable[[Submission], object]:
    """Give the submission one more appointment, so many days from now."""

    def make(row: Submission) -> None:
        other = Appointment.objects.get(submission=row)
        start = timezone.now() + timedelta(days=days)
        other.pk, other.status = None, status
        other.during = during(start, start + timedelta(minutes=30))
        other.held_until = start
        other.save(force_insert=True)

    return make


def linked(kind: str, **fields: object) -> Callable[[Submission], object]:
    """Send one more submission of the same patient, which adds to the submission."""

    def send(row: Submission) -> None:
        other = builders.submission()
        Submission.objects.filter(pk=other.pk).update(kind=kind, follows=row, **fields)

    return send


def offered(row: Submission) -> None:
    request = AppointmentRequest.objects.get(submission=row)
    held = Appointment.objects.get(submission=row)
    now = timezone.now()
    Offer(appointment=held, request=request, created_at=now, expires_at=now).save()


def decided_after_the_visit(row: Submission) -> None:
    staff("reopen", row)
    staff("decide", row)


# What keeps a submission open, for as long as it lasts.
BLOCKERS: dict[str, Callable[[Submission], object]] = {
    "a message waits": lambda row: replies.reply(submission=row, text="When do you call me?"),
    "alarm words": column(alarm=True),
    "an escalation": column(escalate_at=timezone.now()),
    "emergency care, not reached": column(redirected_at=timezone.now()),
    "the patient has the next step": column(back_at=timezone.now()),
    "a possible bot": column(suspect=True),
    "not decided": lambda row: staff("reopen", row),
    "withdrawn": column(status="withdrawn"),
    "closed already": column(status="closed"),
    "a call is owed": lambda row: calls.owe(submission=row, reason="message", occasion="x"),
    "an offer": offered,
    "on the waiting list": lambda row: WaitlistEntry(
        request=row.appointment_request, since=timezone.now()
    ).save(),
    "a visit to come": visit("confirmed", 300),
    "a held time": visit("held", 300),
    "a visit missed later": visit("no_show", -2),
    "the visit was missed": lambda row: changing.record_no_show(
        appointment=Appointment.objects.get(), by=builders.member("front desk"), request_id="r"
    ),
    "a visit is wanted again": progress("requested"),
    "unsent additions": lambda row: replies.begin_addition(submission=row, language="en"),
    "unsent part 2": lambda row: part_2.begin(submission=row, language="en"),
    "an addition waits": linked(Kind.ADDITION),
    "a decision after the visit": decided_after_the_visit,
}
# What happened lately: the submission stays open until CLOSE_KEPT_DAYS later.
LATELY: dict[str, Callable[[Submission], object]] = {
    "a call": lambda row: calls.record(
        submission=row, outcome="reached", by=builders.member("front desk"), request_id="r"
    ),
    "a colleague took it": lambda row: staff("take", row),
    "a message to the patient": lambda row: staff("write", row),
    "a message that was settled": lambda row: (
        replies.reply(submission=row, text="Thank you."),
        staff("settle", row),
    ),
    "attendance noted late": lambda row: Appointment.objects.update(changed_at=timezone.now()),
}


def closed_after(act: Callable[[Submission], object], row: Submission, clock: Clock) -> list[bool]:
    """Return whether the sweep closes the submission right after `act`, and 31 days later."""
    now, found = clock.now, []
    with transaction.atomic():
        act(fresh(row))
        CallTask.objects.exclude(occasion="x").update(settled_at=timezone.now())
        for _month in range(2):
            found.append(bool(closing.close_kept()))
            clock.wait(31 * DAY)
        transaction.set_rollback(True)
    clock.now = now
    return found


def test_each_thing_that_is_left_to_do_keeps_it_open(row, clock):
    got = {name: closed_after(act, row, clock) for name, act in BLOCKERS.items()}
    assert got == {name: [False, False] for name in BLOCKERS}


def test_what_happened_lately_keeps_it_open_for_a_month(row, clock):
    got = {name: closed_after(act, row, clock) for name, act in LATELY.items()}
    assert got == {name: [False, True] for name in LATELY}
    clock.wait(-2 * DAY)
    assert closing.close_kept() == 0


def test_the_system_closes_it_once_and_writes_that_down(row, clock):
    trail = Trail()
    assert closing.close_kept in sweeps._chores
    assert [closing.close_kept(), closing.close_kept()] == [1, 0]

    closed = fresh(row)
    assert (closed.status, closed.revision) == ("closed", row.revision + 1)
    step = StatusChange.objects.filter(submission=row).last()
    assert (step.action, step.status, step.by) == ("close", "closed", None)
    (event,) = trail.events(subject=str(row.pk))
    assert (event.actor, event.action) == ("system:closing", "state")
    assert event.detail == {"from": "decided", "to": "closed"}


def test_a_missed_visit_that_was_kept_later_and_an_answered_part_2_close_it(row, clock):
    for act in (visit("no_show", -50), linked(Kind.PART_2, status="closed")):
        assert closed_after(act, row, clock) == [True, False]


def test_a_later_message_brings_it_back_to_the_worklist(row, clock):
    closing.close_kept()
    assert not Submission.objects.waiting().exists()
    replies.reply(submission=row, text="It hurts again.")
    assert list(Submission.objects.waiting()) == [row]
    clock.wait(31 * DAY)
    assert closing.close_kept() == 0
