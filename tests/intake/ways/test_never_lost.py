"""Whatever staff, patients and the clock do, in any order, no waiting patient is lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.appointments import ending
from intake.desk import decisions, patient_messages, transitions
from intake.desk.decisions import DecisionInput
from intake.domain import workflow
from intake.errors import Conflict, Refused
from intake.models.calls import Call, CallTask
from intake.models.submissions import StatusChange, Submission, Urgency
from intake.my_page import replies
from intake.ways import calls, waiting
from tests import builders
from tests.examples import examples

pytestmark = pytest.mark.django_db

REFUSALS = (Conflict, Refused, workflow.NotAllowed, ValueError)

CALLED = st.sampled_from([None, *(calls.CallInput(outcome=each) for each in Call.Outcome)])
DECISIONS = st.builds(
    DecisionInput,
    urgency=st.sampled_from(Urgency),
    outcome=st.sampled_from(list(workflow.OUTCOMES)),
    reason=st.just("Read it."),
    message=st.sampled_from(["", "more_needed"]),
    call=CALLED,
    close_request=st.booleans(),
    alarm_read=st.booleans(),
)
ACTS = st.one_of(
    st.tuples(st.just("decide"), DECISIONS),
    # a second entry for decisions, so that questions to the patient come up more often
    st.tuples(
        st.just("decide"),
        DECISIONS.map(
            lambda made: made.__class__(**vars(made) | {"outcome": workflow.NEED_INFORMATION})
        ),
    ),
    st.tuples(
        st.just("call"),
        st.sampled_from(["clinician", "duty", "front desk"]),
        st.sampled_from(Call.Outcome),
        st.booleans(),
    ),
    st.tuples(st.just("reply"), st.sampled_from(["Here it is.", "I can't breathe", "Thanks."])),
    st.tuples(st.just("move"), st.sampled_from(["close", "reopen"])),
    st.tuples(st.just("assign"), st.booleans()),
    st.tuples(st.sampled_from(["withdraw", "settle", "message", "day passes", "4 days pass"])),
)


def fresh(row: Submission) -> Submission:
    return Submission.objects.get(pk=row.pk)


def act(row: Submission, what: tuple[Any, ...]) -> None:
    me = builders.member("clinician")
    staff = {"submission": row, "by": me, "revision": row.revision, "request_id": "r"}
    match what:
        case ("decide", made):
            decisions.decide(given=made, **staff)
        case ("call", role, outcome, told):
            tasks = list(CallTask.objects.filter(submission=row, settled_at=None)) if told else []
            # make earlier calls older, so that the new call does not count as a double click
            Call.objects.update(at=timezone.now() - timedelta(hours=1))
            calls.record(
                submission=row,
                outcome=outcome,
                by=builders.member(role),
                request_id="r",
                tasks=tasks,
            )
        case ("reply", text):
            replies.reply(submission=row, text=text)
        case ("move", action):
            transitions.move(action=action, **staff)
        case ("assign", mine):
            transitions.assign(to=me if mine else None, **staff)
        case ("withdraw",):
            replies.withdraw(submission=row)
        case ("settle",):
            patient_messages.settle_reply(**staff)
        case ("message",):
            patient_messages.send(text="Please call us.", **staff)
        case ("day passes",) | ("4 days pass",):
            # four business days are at most seven days, because a weekend may lie in between
            days = timedelta(days=7 if what[0].startswith("4") else 1)
            if row.back_at:
                Submission.objects.filter(pk=row.pk).update(
                    back_at=row.back_at - days, asked_at=row.asked_at and row.asked_at - days
                )
            waiting.return_unanswered()


def hold_the_laws(row: Submission) -> None:
    undecided = row.status in workflow.OPEN
    in_triage = Submission.objects.waiting().filter(pk=row.pk).exists()
    if undecided and not in_triage:
        assert row.status == "waiting"
        assert row.back_at > timezone.now()
        # a same-day submission may wait for the patient only after a clinician spoke to the patient
        if row.urgency >= Urgency.SAME_DAY:
            assert spoken(row, "need_more_information")
        assert row.escalate_at is None
        # the patient was told, or is on the call list
        assert row.asked_at or CallTask.objects.filter(submission=row, reason="more").exists()
    if in_triage and undecided:
        assert row.due_at is not None
    if row.redirected_at and undecided:
        assert row.urgency == Urgency.EMERGENCY
        assert row.status in workflow.IN_TRIAGE
        assert row.escalate_at is not None
    newest = row.decisions.first()
    if newest and newest.outcome == workflow.EMERGENCY_CARE and row.status == "decided":
        assert spoken(row, workflow.EMERGENCY_CARE)
    if not undecided:
        assert row.back_at is None
    steps = StatusChange.objects.filter(submission=row)
    assert steps.last().status == row.status


def spoken(row: Submission, outcome: str) -> bool:
    """Return whether the decision `outcome` was made and a clinician reached the patient."""
    first = row.decisions.filter(outcome=outcome).last()
    reached = Call.objects.filter(submission=row, outcome__in=Call.SPOKE, by_clinician=True)
    return first is not None and reached.exists()


@settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    urgency=st.sampled_from(Urgency),
    way=st.booleans(),
    acts=st.lists(ACTS, min_size=1, max_size=8),
)
def test_an_undecided_submission_is_in_the_worklist_or_waits_for_the_patient(
    db, urgency, way, acts
):
    with transaction.atomic():
        row = builders.submission(None if way else {"email": "", "prefer": "phone"})
        Submission.objects.filter(pk=row.pk).update(urgency=urgency, suspect=False)
        for what in acts:
            row = fresh(row)
            try:
                with transaction.atomic():
                    act(row, what)
            except REFUSALS:
                pass
            row = fresh(row)
            hold_the_laws(row)
        assert ending.arranged_for(submission=row).request is not None
        transaction.set_rollback(True)
