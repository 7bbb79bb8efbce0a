"""Calls to patients: recorded once, and owed until the patient was reached."""

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from intake.models.calls import Call, CallTask
from intake.models.submissions import Submission
from intake.ways import calls, contact_points
from tests import builders

pytestmark = pytest.mark.django_db


def note(submission, by, outcome="reached", **more):
    return calls.record(submission=submission, outcome=outcome, by=by, request_id="0" * 32, **more)


def escalating(**fields):
    """Return a submission whose escalation begins in ten minutes."""
    submission = builders.submission()
    at = timezone.now() + timedelta(minutes=10)
    Submission.objects.filter(pk=submission.pk).update(escalate_at=at, **fields)
    submission.refresh_from_db()
    return submission


@pytest.mark.parametrize(
    ("role", "outcome"),
    list(itertools.product(("clinician", "duty", "front desk"), Call.Outcome.values)),
)
def test_only_a_clinician_who_reached_the_patient_ends_the_escalation(role, outcome):
    submission, by = escalating(), builders.member(role)
    due = submission.escalate_at
    call = note(submission, by, outcome)
    submission.refresh_from_db()
    ended = outcome in ("reached", "went", "refused") and role != "front desk"
    assert (submission.escalate_at is None) == ended
    assert call.by_clinician == (role != "front desk")
    # a wrong number puts nothing off; every other call that ends nothing does
    assert ended or (submission.escalate_at > due) == (outcome != "wrong")
    assert (call.again_at is None) == (outcome in ("reached", "went", "refused", "wrong"))


def test_a_wrong_number_keeps_the_call_and_its_time_and_gets_no_text_message():
    submission, by = escalating(), builders.member("front desk")
    calls.owe(submission=submission, reason="offer", occasion="1")
    task = CallTask.objects.get()
    note(submission, by, "wrong", tasks=[task])
    assert CallTask.objects.open().get().due_at == task.due_at
    assert not contact_points.is_open("sms", submission.person["callback_phone"])
    assert contact_points.is_open("email", submission.person["email"])


def test_two_colleagues_who_call_at_once_hear_of_each_other():
    submission = escalating()
    first = note(submission, builders.member("duty"), "not_reached")
    assert calls.colleagues_call(first) is None
    second = note(submission, builders.member("clinician"), "not_reached")
    assert calls.colleagues_call(second) == first
    Call.objects.filter(pk=first.pk).update(at=timezone.now() - timedelta(hours=1))
    assert calls.colleagues_call(second) is None


def test_a_call_that_reached_nobody_sets_the_next_try():
    submission, by = escalating(), builders.member("duty")
    again_at = timezone.now() + timedelta(hours=2)
    call = note(submission, by, "not_reached", again_at=again_at)
    submission.refresh_from_db()
    assert call.again_at == submission.escalate_at == again_at


def test_a_call_noted_twice_within_a_minute_is_stored_once():
    submission, by = escalating(), builders.member("duty")
    assert note(submission, by, words="Slept well.") == note(submission, by, words=" Slept well. ")
    note(submission, by, words="He called back: worse.")
    assert Call.objects.count() == 2


def test_a_patient_who_was_reached_is_owed_no_call_for_what_they_heard():
    submission, by = escalating(), builders.member("front desk")
    for reason in ("offer", "changed"):
        calls.owe(submission=submission, reason=reason, occasion="1")
        calls.owe(submission=submission, reason=reason, occasion="1")
    offer, changed = CallTask.objects.order_by("-reason")
    note(submission, by, "left_word", tasks=[offer])
    assert CallTask.objects.filter(settled_at=None).count() == 2
    note(submission, by, "reached", tasks=[offer])
    assert list(CallTask.objects.filter(settled_at=None)) == [changed]
    calls.settle(task=changed, by=by, request_id="0" * 32)
    assert not CallTask.objects.filter(settled_at=None).exists()


@pytest.mark.parametrize("outcome", ["left_word", "not_reached"])
def test_a_patient_who_was_not_reached_is_owed_the_call_at_the_next_try(outcome):
    submission, by = escalating(), builders.member("front desk")
    for reason in ("offer", "changed"):
        calls.owe(submission=submission, reason=reason, occasion="1")
    changed = CallTask.objects.get(reason="changed")
    call = note(submission, by, outcome, tasks=[changed])

    due = dict(CallTask.objects.open().values_list("reason", "due_at"))
    assert due["changed"] == call.again_at
    assert due["offer"] != call.again_at


def test_one_call_tells_of_two_things_that_are_ticked_one_after_the_other():
    submission, by = escalating(), builders.member("front desk")
    for reason in ("offer", "changed"):
        calls.owe(submission=submission, reason=reason, occasion="1")
    for task in CallTask.objects.all():
        note(submission, by, "reached", tasks=[task])

    assert Call.objects.count() == 1
    assert not CallTask.objects.open().exists()


def test_a_call_settles_nothing_of_another_patient():
    other = builders.submission()
    calls.owe(submission=other, reason="offer", occasion="1")
    note(escalating(), builders.member("front desk"), "reached", tasks=CallTask.objects.all())

    assert CallTask.objects.open().count() == 1


def test_an_unknown_outcome_is_refused():
    with pytest.raises(ValueError, match="became of the call"):
        note(escalating(), builders.member("duty"), "spoke")
