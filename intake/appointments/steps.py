"""Change the status of appointments and requests by the workflow tables, and record each step.

The tables are in intake.domain.workflow.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from clinic import audit
from clinic.ids import uuid7
from clinic.pagecache import repeated
from intake.domain import workflow
from intake.models.appointments import (
    Appointment,
    AppointmentChange,
    AppointmentRequest,
    WishedVisit,
    during,
)
from intake.models.submissions import Submission

_PURPOSES = {"staff": "TREAT", "patient": "PATRQT", audit.ANONYMOUS: "PATRQT"}


def insert(*, start: datetime, end: datetime, at: datetime, **given: Any) -> Appointment:
    """Insert an appointment. The caller has claimed its time (claims.claiming)."""
    row = Appointment(id=uuid7(), during=during(start, end), created_at=at, changed_at=at, **given)
    row.save(force_insert=True)
    return row


def step(
    appointment: Appointment, action: str, *, by: User | None, at: datetime, **changes: Any
) -> None:
    """Set an appointment's status by the workflow table, store `changes` and write the history.

    Raises workflow.NotAllowed when the table forbids the action.
    """
    appointment.status = workflow.move_visit(appointment.status, action)
    appointment.changed_at = at
    for name, value in changes.items():
        setattr(appointment, name, value)
    appointment.save(update_fields=["status", "changed_at", *changes])
    note_change(appointment, action, by=by, at=at)
    repeated.forget()


def note_change(appointment: Appointment, action: str, *, by: User | None, at: datetime) -> None:
    """Write one line of an appointment's history."""
    AppointmentChange(
        appointment=appointment,
        action=action,
        status=appointment.status,
        during=appointment.during,
        by_id=by.pk if by else None,
        at=at,
    ).save(force_insert=True)


def advance(request: AppointmentRequest, action: str) -> None:
    """Set a request's progress by the workflow table.

    Raises workflow.NotAllowed when the table forbids the action.
    """
    request.progress = workflow.move_request(request.progress, action)
    request.save(update_fields=["progress"])


def request_of(submission: Submission) -> AppointmentRequest:
    """Lock and return the request of a submission.

    Creates the request if the patient stopped at an emergency and so never sent a request.
    """
    rows = AppointmentRequest.objects.select_for_update(of=("self",))
    request = rows.filter(submission=submission).first()
    if request is None:
        request = AppointmentRequest(submission=submission, visit_type=WishedVisit.CALL_ME)
        request.save(force_insert=True)
    return request


def actor_of(by: User | None, submission: Submission | None) -> str:
    """Name the actor of an audit event: the member of staff, or else the patient."""
    if by is not None:
        return audit.staff(by)
    return audit.patient(submission.reference) if submission else audit.ANONYMOUS


def record(
    appointment: Appointment, *, actor: str, action: str, request_id: str = "", **detail: Any
) -> None:
    """Record the audit event of a changed appointment, in the transaction of the change."""
    audit.record(
        actor=actor,
        action=action,
        subject=str(appointment.submission_id or appointment.pk),
        purpose=_PURPOSES.get(actor.partition(":")[0], ""),
        request_id=request_id,
        detail={"kind": "appointment", "ids": [str(appointment.pk)], **detail},
    )


def submission_of(visit: Appointment) -> Submission:
    """Return the submission of a visit. Raises ValueError when a held slot has no submission."""
    if visit.submission is None:
        raise ValueError("this slot belongs to no submission")
    return visit.submission
