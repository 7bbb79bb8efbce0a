"""The submission page takes few queries, however much happened to the submission."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intake.desk import decisions, findings, transitions
from intake.desk.decisions import DecisionInput
from intake.desk.findings import FindingInput
from intake.domain import workflow
from intake.models.calls import Call
from intake.models.submissions import Kind, Submission, Urgency
from intake.my_page import replies
from intake.ways import calls
from tests import builders
from tests.desk import page_of
from tests.intake import book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lee")]
MOST = 16


def busy(number: int = 1, times: int = 1) -> Submission:
    """Return a submission to which everything happened `times` times, and which is undecided."""
    me = builders.member("clinician")
    submission = book.patient(number, wish={"clinician": str(book.Clinician.objects.get().pk)})
    book.booked(submission)
    told = {"by": me, "request_id": "r"}
    for _time in range(times):
        row = Submission.objects.get(pk=submission.pk)
        given = DecisionInput(
            urgency=Urgency(row.urgency),
            outcome=workflow.NEED_INFORMATION,
            reason="",
            message="more_needed",
            alarm_read=row.alarm,
        )
        decisions.decide(submission=row, given=given, revision=row.revision, **told)
        replies.reply(submission=row, text="My toe has turned black, there is a black spot.")
        row = Submission.objects.get(pk=submission.pk)
        calls.record(
            submission=row,
            outcome=Call.Outcome.NOT_REACHED,
            again_at=timezone.now() + timedelta(hours=1),
            words="Nobody.",
            revision=row.revision,
            tasks=row.call_tasks.none(),
            **told,
        )
        found = FindingInput(scale="abi", leg="L", on=timezone.localdate(), value={"index": "0.85"})
        findings.record(submission=row, given=found, **told)
    calls.owe(submission=submission, reason="more", occasion=f"more {number}")
    row = Submission.objects.get(pk=submission.pk)
    transitions.assign(submission=row, to=me, revision=row.revision, **told)
    later = builders.submission({"name": f"Quentin Canary{number}"})
    fields = {"kind": Kind.PART_2, "follows": submission, "status": "closed"}
    Submission.objects.filter(pk=later.pk).update(**fields)
    return Submission.objects.get(pk=submission.pk)


def cost(client: Client, submission: Submission) -> int:
    """Return all queries of the page: session, permissions, audit and page header included.

    In a test the transaction of the view is a savepoint, which two statements make and release.
    """
    with CaptureQueriesContext(connection) as queries:
        assert client.get(page_of(submission)).status_code == 200
    return len(queries) - 2


def test_the_page_costs_the_same_however_much_happened(clinician):
    few, many = busy(1), busy(2, times=3)
    cost(clinician, few)  # warms what a process remembers
    costs = [cost(clinician, few), cost(clinician, many)]

    assert costs[0] == costs[1]
    assert costs[0] <= MOST
