"""What staff do with a submission besides the decision: take it, close it, reopen it, trust it.

Each function is one transaction, which includes the audit event. Each raises Conflict when the
submission was changed since staff read it.
"""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from intake.appointments import changing
from intake.desk.changes import claim, record_change, target_from
from intake.domain import workflow
from intake.history import build_history
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Fit, Submission
from intake.ways import escalation


def assign(
    *, submission: Submission, to: User | None, by: User, revision: int, request_id: str
) -> None:
    """Assign the submission to `to`, or give it back to the worklist when `to` is None.

    Taking a submission pauses its escalation, once for each person; handing it to a colleague does
    not. Giving a submission back does
    not change the escalation. Raises Conflict when the submission was changed since `revision`,
    workflow.NotAllowed when its status forbids the assignment.
    """
    action = "assign" if to else "release"
    status = workflow.move(submission.status, action)
    with transaction.atomic():
        claim(submission, revision, status=status, assignee=to)
        submission.status, now = status, timezone.now()
        if to == by:  # who hands it to a colleague has not attended to it
            escalation.pause(submission=submission, by=by, at=now)
        build_history(submission, action, by=by, at=now).save(force_insert=True)
        record_change(submission, by, "assign", request_id, {"to": str(to.pk) if to else None})


def move(
    *,
    submission: Submission,
    action: str,
    by: User,
    revision: int,
    request_id: str,
    fit: str = "",
) -> None:
    """Close or reopen a submission: `action` is "close" or "reopen".

    `fit` says how well the urgency of the rules fitted, a value of `Fit` or '' without an answer.
    Reopening deletes the answer.

    A reopened submission gets a new target time, counted from now, and a red flag is escalated
    again. Raises Conflict when the submission was changed since `revision`, workflow.NotAllowed
    when its status forbids the action.
    """
    # Other actions have services of their own, so that no submission is decided without a Decision.
    action = action if action in ("close", "reopen") else ""
    status = workflow.move(submission.status, action)
    fit = fit if action == "close" and fit in Fit.values else ""
    columns: dict[str, Any] = {"status": status, "recheck_urgency": None}
    columns |= {"urgency_fit": fit} if fit else {}
    if action == "reopen":
        columns["urgency_fit"] = ""
        columns["target_at"] = target_from(submission, submission.urgency, timezone.now())
        columns |= {"asked_at": None, "back_at": None, "redirected_at": None}
    with transaction.atomic():
        before = submission.status
        claim(submission, revision, **columns)
        submission.status = status
        if action == "reopen" and submission.is_for_today:
            row = Submission.objects.only("escalate_at", "escalations").get(pk=submission.pk)
            escalation.start(row=row, at=timezone.now())
            row.save(update_fields=["escalate_at", "escalations"])
        build_history(submission, action, by=by, at=timezone.now()).save(force_insert=True)
        detail = {"from": before, "to": status, **({"fit": fit} if fit else {})}
        record_change(submission, by, "state", request_id, detail)


def mark_genuine(*, submission: Submission, by: User, revision: int, request_id: str) -> None:
    """Put a possible bot's submission on the worklist, because staff say that a person sent it.

    Raises Conflict when the submission was changed since `revision`.
    """
    with transaction.atomic():
        claim(submission, revision, status=submission.status, suspect=False)
        record_change(submission, by, "state", request_id, {"from": "suspect", "to": "person"})


def set_progress(
    *, submission: Submission, progress: str, by: User, revision: int, request_id: str
) -> None:
    """Note what the front desk learned about the request for a visit.

    `progress` says that the patient was called, does not want a visit any more (then every booking
    and offer ends), or wants a visit again. All other progress follows from what is booked. Raises
    Conflict when the submission was changed since `revision`, workflow.NotAllowed when the request
    does not allow the step, and AppointmentRequest.DoesNotExist when the submission has no request.
    """
    before = submission.appointment_request.progress
    with transaction.atomic():
        if progress == "withdrawn":
            changing.end_all(submission=submission, by=by)
        # read again, because a visit may have been booked meanwhile
        requests = AppointmentRequest.objects.select_for_update(of=("self",))
        request = requests.get(submission=submission)
        request.progress = workflow.move_request(
            request.progress, workflow.FRONT_DESK_ACTIONS.get(progress, progress)
        )
        request.save(update_fields=["progress"])
        claim(submission, revision, status=submission.status)
        record_change(submission, by, "state", request_id, {"from": before, "to": progress})
