"""The demonstration's way in: what services.submit stores one by one, stored by the thousand.

It builds every row with the functions that services uses, and a test compares the two row by row.
What differs is only the audit trail: one event for a batch instead of one for a submission.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from clinic import audit
from clinic.ids import new_reference, uuid7
from intake import services
from intake.demo import Patient
from intake.domain import workflow
from intake.models import AppointmentRequest, Decision, Kind, StatusChange, Submission, Urgency
from intake.protocols import current
from intake.walk import Walk

OUTCOMES = {
    Urgency.EMERGENCY: "redirect_emergency",
    Urgency.SAME_DAY: "call_today",
    Urgency.URGENT: "book_urgent",
    Urgency.SOON: "book_soon",
    Urgency.ROUTINE: "book_routine",
}


def walk_of(patient: Patient) -> Walk:
    """A synthetic patient's walk. The suicide question is never asked in a demonstration."""
    kind = Kind.APPOINTMENT if patient.kind == Kind.APPOINTMENT else Kind.INTAKE
    return Walk(current(), patient.content, kind=kind, si_screen=False)


@transaction.atomic
def load(*, patients: Sequence[Patient], now: datetime, clinician: Any = None) -> int:
    """Store a batch of synthetic patients. Returns how many.

    With a `clinician`, most of those sent some days before `now` are decided and closed by them,
    as they would be. Raises nothing of its own.
    """
    references = _free_references(len(patients))
    submissions: list[Submission] = []
    wishes: list[AppointmentRequest] = []
    history: list[StatusChange] = []
    decisions: list[Decision] = []
    counts: Counter[tuple[date, str, str]] = Counter()
    for patient, reference in zip(patients, references, strict=True):
        walk = walk_of(patient)
        submission = services.build_submission(
            draft_id=uuid7(),
            walk=walk,
            kind=patient.kind,
            contact=patient.content.contact,
            language=patient.language,
            reference=reference,
            at=patient.sent_at,
        )
        submissions.append(submission)
        history.append(services.build_history(submission, "send", by=None, at=patient.sent_at))
        if patient.kind != Kind.STOPPED:
            wishes.append(services.build_wish(submission, patient.content.wish))
        counts.update(services.rule_count_keys(submission, walk.assessment))
        if clinician and patient.handled and now - patient.sent_at > timedelta(days=2):
            decisions.append(_decided(submission, clinician, history))
    Submission.objects.bulk_create(submissions)
    AppointmentRequest.objects.bulk_create(wishes)
    StatusChange.objects.bulk_create(history)
    Decision.objects.bulk_create(decisions)
    services.add_rule_counts(counts)
    audit.record(actor=audit.system("demo"), action="create", detail={"count": len(submissions)})
    return len(submissions)


def _free_references(count: int) -> list[str]:
    found: set[str] = set()
    while len(found) < count:
        wanted = {new_reference() for _ in range(count - len(found))} - found
        taken = Submission.objects.filter(reference__in=wanted).values_list("reference", flat=True)
        found |= wanted - set(taken)
    return sorted(found)


def _decided(submission: Submission, by: Any, history: list[StatusChange]) -> Decision:
    at = submission.submitted_at + timedelta(hours=3)
    decision = Decision(
        submission=submission,
        revision=0,
        urgency_before=submission.urgency,
        urgency=submission.urgency,
        outcome=OUTCOMES[Urgency(submission.urgency)],
        words={"reason": "", "note": ""},
        by=by,
        at=at,
    )
    for action, after in (("decide", timedelta(0)), ("close", timedelta(hours=1))):
        submission.status = workflow.move(submission.status, action)
        history.append(services.build_history(submission, action, by=by, at=at + after))
    submission.revision = 2
    return decision
