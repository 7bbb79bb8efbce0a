"""A held decision in odd cases: it equals a decision at once, and an undo undoes only this one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Message
from intake.desk import pending
from intake.domain import workflow
from intake.models.appointments import AppointmentRequest
from intake.models.calls import CallTask
from intake.models.pending import PendingDecision
from intake.models.submissions import (
    Communication,
    Decision,
    Fit,
    StatusChange,
    Submission,
    Urgency,
)
from tests import builders
from tests.desk import page_of, verdict, waiting, words

pytestmark = pytest.mark.django_db

UNDONE, TOO_LATE = "Undone. Nothing was sent.", "too late to undo"
NOTHING_TO_UNDO = "There is nothing to undo: this decision was undone before"
HELD = [code for code in workflow.OUTCOMES if code != workflow.EMERGENCY_CARE]


@pytest.fixture(autouse=True)
def _a_minute(settings):
    settings.UNDO_SECONDS = 60


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def decide(client, submission, **changes):
    given = {"sentence": "more_needed", "tell": "bring_list", "close_request": "yes"}
    data = verdict(fresh(submission), **given, **changes)
    return client.post(page_of(submission, "decide"), data)


def undo(client, submission, revision=None) -> str:
    """Press Undo, on the newest page or on the page with `revision`. Returns the next page."""
    given = {"revision": fresh(submission).revision if revision is None else revision}
    return words(client.post(page_of(submission, "undo"), given, follow=True))


def seconds_pass(count: int) -> None:
    for row in PendingDecision.objects.defer("given"):
        due = row.due_at - timedelta(seconds=count)
        PendingDecision.objects.filter(pk=row.pk).update(due_at=due)


def everything(submission: Submission) -> list[object]:
    """Return all that a decision changes. The revision is left out, because it only rises."""
    row = Submission.objects.filter(pk=submission.pk).values().get()
    row.pop("revision")
    request = AppointmentRequest.objects.filter(submission=submission).values().get()
    tables = (Decision, Communication, StatusChange, CallTask, Message)
    return [row, request, *(list(table.objects.order_by("pk").values()) for table in tables)]


STARTS = {
    "new": {},
    "same day, escalated": {"urgency": Urgency.SAME_DAY, "escalate_at": 9, "escalations": 1},
    "taken": {"status": "in_review"},
    "asked before": {"status": "waiting", "asked_at": -1440, "back_at": 1440},
}
"""Columns of a submission. Times are in minutes from now."""


@pytest.mark.parametrize("start", STARTS)
def test_undo_leaves_every_column_and_row_as_it_was(clinician, start):
    now = timezone.now()
    times = ("escalate_at", "asked_at", "back_at")
    given = {
        name: now + timedelta(minutes=value) if name in times else value
        for name, value in STARTS[start].items()
    }
    submission = waiting(**given)
    before = everything(submission)
    for outcome in HELD:
        given = {"outcome": outcome, "urgency": Urgency.URGENT, "reason": "Spoke to her."}
        assert decide(clinician, submission, **given).status_code == 302, outcome
        assert everything(submission) == before, outcome
        assert UNDONE in undo(clinician, submission)
        assert everything(submission) == before, outcome


@pytest.mark.parametrize("end", ["the next page", "the worker"])
def test_a_held_decision_does_what_a_decision_at_once_does(clinician, settings, end):
    for outcome in HELD:
        done = []
        for seconds in (0, 60):
            settings.UNDO_SECONDS = seconds
            submission = waiting(urgency=Urgency.SAME_DAY, escalate_at=timezone.now())
            given = {"urgency": Urgency.URGENT, "reason": "Old.", "note": "NOTE"}
            decide(clinician, submission, outcome=outcome, fit=Fit.TOO_HIGH.value, **given)
            if end == "the worker":
                seconds_pass(60)
                pending.apply_due()
            else:
                clinician.get(page_of(waiting()))
            done.append(what_was_done(submission))
        assert done[0] == done[1], outcome


def what_was_done(submission: Submission) -> list[object]:
    row, decision = fresh(submission), Decision.objects.get(submission=submission)
    return [
        (row.status, row.urgency, row.escalate_at, row.urgency_fit, bool(row.back_at)),
        (decision.outcome, decision.words, decision.urgency_before, decision.urgency),
        [message.words for message in row.communications.all()],
        row.appointment_request.progress,
        list(row.history.values_list("action", "status")),
    ]


def test_undoing_twice_says_that_it_was_undone(clinician):
    submission = waiting()
    decide(clinician, submission)
    assert UNDONE in undo(clinician, submission)
    assert NOTHING_TO_UNDO in undo(clinician, submission)


def test_an_old_page_or_an_odd_one_does_not_undo_a_later_decision(clinician):
    submission = waiting()
    decide(clinician, submission)
    undo(clinician, submission)
    decide(clinician, submission, outcome="book_soon")
    for revision in (submission.revision + 1, "", "x", "-1", "9" * 30):
        assert NOTHING_TO_UNDO in undo(clinician, submission, revision)
    assert PendingDecision.objects.get().outcome == "book_soon"


def test_another_person_reads_who_alone_can_undo(clinician):
    submission = waiting()
    decide(builders.staff_client("clinician", "dr-other"), submission)
    assert "Only dr-other can undo this decision." in undo(clinician, submission)
    assert PendingDecision.objects.exists()


@pytest.mark.parametrize("seconds", [59, 60, 61, 3600])
def test_the_worker_ends_the_time_to_undo(clinician, seconds):
    submission = waiting()
    decide(clinician, submission)
    shown = fresh(submission).revision
    seconds_pass(seconds)
    pending.apply_due()
    answer = undo(clinician, submission, shown)
    assert (UNDONE in answer, TOO_LATE in answer) == (seconds < 60, seconds >= 60)
    assert Decision.objects.exists() == (seconds >= 60)


def test_after_the_next_page_it_is_too_late_but_the_same_page_is_not_the_next(clinician):
    submission, other = waiting(), waiting()
    decide(clinician, submission)
    shown = fresh(submission).revision
    clinician.get(page_of(submission))
    assert PendingDecision.objects.exists()
    clinician.get(page_of(other))
    assert TOO_LATE in undo(clinician, submission, shown)
    assert fresh(submission).status == "decided"


def test_after_signing_out_and_in_again_a_person_can_still_undo(clinician, me):
    submission = waiting()
    decide(clinician, submission)
    clinician.logout()
    assert UNDONE in undo(builders.sign_in(builders.Client(), me), submission)


def test_one_decision_that_breaks_stops_neither_the_others_nor_the_next_page(
    clinician, monkeypatch
):
    rows = [waiting() for _n in range(3)]
    for number, row in enumerate(rows):
        decide(builders.staff_client("clinician", f"dr-{number}"), row)
    apply = pending.decisions.decide

    def break_the_first(*, submission, **what):
        if submission == rows[0]:
            raise KeyError("of a later release")
        return apply(submission=submission, **what)

    monkeypatch.setattr(pending.decisions, "decide", break_the_first)
    seconds_pass(61)
    pending.apply_due()
    assert [fresh(row).status for row in rows] == ["new", "decided", "decided"]
    assert "Not stored: dr-0 decided" in words(clinician.get(page_of(rows[0])))


def test_a_second_decision_that_is_refused_leaves_the_first_one_held(clinician):
    submission = waiting()
    decide(clinician, submission, outcome="book_soon")
    old = verdict(submission, outcome="book_routine", note="OLD-TAB")
    response = clinician.post(page_of(submission, "decide"), old)
    assert response.status_code == 409
    assert "OLD-TAB" in response.content.decode()
    assert PendingDecision.objects.get().outcome == "book_soon"
