"""What staff do with a submission: look, take, decide, close.

Each is one transaction with its audit event inside, guarded by the revision that was read. Of two
who decide at once, one is told to read again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.outbox import Order
from intake import search
from intake.domain import workflow
from intake.models import (
    AppointmentRequest,
    CallTask,
    Communication,
    Decision,
    Submission,
    Urgency,
)
from intake.services import appointments, telling
from intake.services.documents import protocol_of
from intake.services.errors import Conflict
from intake.services.sending import build_history, target

User = Any  # whatever settings.AUTH_USER_MODEL names


@dataclass(frozen=True)
class Verdict:
    """What a clinician decides: an urgency, an outcome, and the words beside them."""

    urgency: Urgency
    outcome: str
    reason: str
    note: str = ""


def open_submission(
    *, submission: Submission, by: User, request_id: str, action: str = "read"
) -> None:
    """Record that a member of staff looked at the submission."""
    with transaction.atomic():
        audit.record(
            actor=audit.staff(by),
            action=action,
            subject=str(submission.pk),
            purpose="TREAT",
            request_id=request_id,
        )


def record_list(
    *, submissions: Iterable[Submission], by: User, request_id: str, term: str = "", page: str = ""
) -> None:
    """Record that a list was shown, with the ids on it; a search with the blinded term."""
    with transaction.atomic():
        audit.record(
            actor=audit.staff(by),
            action="search" if term else "list",
            purpose="TREAT",
            request_id=request_id,
            detail={
                "ids": [str(submission.pk) for submission in submissions],
                **({"term": str(search.blinded_term(term))} if term else {}),
                **({"page": page} if page else {}),
            },
        )


def assign(
    *, submission: Submission, to: User | None, by: User, revision: int, request_id: str
) -> None:
    """Give the submission to somebody, or (None) back to the queue.

    Raises Conflict when it was changed since `revision`, workflow.NotAllowed when its status
    forbids it.
    """
    action = "assign" if to else "release"
    status = workflow.move(submission.status, action)
    with transaction.atomic():
        _claim(submission, revision, status=status, assignee=to)
        submission.status = status
        build_history(submission, action, by=by, at=timezone.now()).save(force_insert=True)
        _record_change(submission, by, "assign", request_id, {"to": str(to.pk) if to else None})


def decide(
    *, submission: Submission, verdict: Verdict, by: User, revision: int, request_id: str
) -> Decision:
    """Record a clinician's decision.

    The urgency is kept, raised or lowered; a change needs its reason. Raises Conflict when the
    submission was changed since `revision`, ValueError without a reason for a change,
    workflow.NotAllowed when its status forbids deciding.
    """
    if verdict.urgency != submission.urgency and not verdict.reason.strip():
        raise ValueError("Say why the urgency is changed.")
    action = workflow.action_of(verdict.outcome)
    status = workflow.move(submission.status, action)
    with transaction.atomic():
        before = submission.urgency
        changes: dict[str, Any] = {"status": status, "urgency": verdict.urgency}
        if verdict.urgency != before:
            # raised: its time runs from now; lowered: nobody waits longer than from the sending
            start = timezone.now() if verdict.urgency > before else submission.submitted_at
            changes["target_at"] = _target(submission, verdict.urgency, start)
        _claim(submission, revision, **changes)
        decision = Decision(
            submission=submission,
            revision=revision,
            urgency_before=before,
            urgency=verdict.urgency,
            outcome=verdict.outcome,
            words={"reason": verdict.reason.strip(), "note": verdict.note.strip()},
            by=by,
            at=timezone.now(),
        )
        decision.save(force_insert=True)
        submission.status = status
        build_history(submission, action, by=by, at=timezone.now()).save(force_insert=True)
        detail = {
            "outcome": verdict.outcome,
            "from": Urgency(before).code,
            "to": Urgency(verdict.urgency).code,
            "reason_given": bool(verdict.reason.strip()),
        }
        _record_change(submission, by, "decide", request_id, detail)
    return decision


def move(*, submission: Submission, action: str, by: User, revision: int, request_id: str) -> None:
    """Close or reopen a submission; opened again, its target runs anew from now.

    Raises Conflict and workflow.NotAllowed like `assign`.
    """
    # the other actions have services of their own: none is decided without its decision
    action = action if action in ("close", "reopen") else ""
    status = workflow.move(submission.status, action)
    changes: dict[str, Any] = {"status": status}
    if action == "reopen":
        changes["target_at"] = _target(submission, submission.urgency, timezone.now())
    with transaction.atomic():
        before = submission.status
        _claim(submission, revision, **changes)
        submission.status = status
        build_history(submission, action, by=by, at=timezone.now()).save(force_insert=True)
        _record_change(submission, by, "state", request_id, {"from": before, "to": status})


def set_progress(
    *, submission: Submission, progress: str, by: User, revision: int, request_id: str
) -> None:
    """The front desk notes that it called, that no visit is wanted any more (which ends whatever
    was booked or offered), or that one is wanted again. The rest follows from what is booked.

    Raises Conflict when the submission was changed since `revision`, workflow.NotAllowed for
    another step, and AppointmentRequest.DoesNotExist when there is none.
    """
    before = submission.appointment_request.progress
    with transaction.atomic():
        if progress == "withdrawn":
            appointments.drop_all(submission=submission, by=by)
        # read again: it may be booked by now
        wishes = AppointmentRequest.objects.select_for_update(of=("self",))
        wish = wishes.get(submission=submission)
        wish.progress = workflow.move_request(
            wish.progress, workflow.BY_HAND.get(progress, progress)
        )
        wish.save(update_fields=["progress"])
        _claim(submission, revision, status=submission.status)
        _record_change(submission, by, "state", request_id, {"from": before, "to": progress})


def message_patient(
    *,
    submission: Submission,
    text: str,
    by: User,
    revision: int,
    request_id: str,
    english: str = "",
) -> None:
    """Write one of the clinic's fixed sentences to the patient, who reads it on their own page and
    is told by a message, or owed a call, that there is something to read. What the patient wrote
    counts as answered.

    `english` is the same for staff, where the patient reads another language. Raises Conflict like
    `assign`.
    """
    with transaction.atomic():
        _claim(submission, revision, status=submission.status, reply_due_at=None)
        words = {"text": text, "alarm": ""} | ({"english": english} if english else {})
        written = Communication(submission=submission, words=words, by=by, at=timezone.now())
        written.save(force_insert=True)
        order = Order(kind="news", occasion=str(written.pk))
        telling.tell(submission=submission, reason=CallTask.Reason.MESSAGE, order=order)
        _record_change(submission, by, "create", request_id, {"kind": "message"})


def settle_reply(*, submission: Submission, by: User, revision: int, request_id: str) -> None:
    """What the patient wrote was read and needs no answer. Raises Conflict like `assign`."""
    with transaction.atomic():
        _claim(submission, revision, status=submission.status, reply_due_at=None)
        _record_change(submission, by, "state", request_id, {"kind": "reply", "to": "settled"})


def trust(*, submission: Submission, by: User, revision: int, request_id: str) -> None:
    """Somebody looked: a person sent this. It comes to the worklist. Raises Conflict."""
    with transaction.atomic():
        _claim(submission, revision, status=submission.status, suspect=False)
        _record_change(submission, by, "state", request_id, {"from": "suspect", "to": "person"})


def _target(submission: Submission, urgency: int, start: datetime) -> datetime:
    """When an urgency has the clinic make contact, by the rules this submission was judged by."""
    level = protocol_of(submission.protocol_id).level(Urgency(urgency).code)
    return target(level, start)


def _claim(submission: Submission, revision: int, **changes: Any) -> None:
    """Compare-and-set on the revision; the loser is told to read again."""
    changed = Submission.objects.filter(pk=submission.pk, revision=revision).update(
        revision=revision + 1, **changes
    )
    if not changed:
        raise Conflict(
            _(
                "Somebody changed this submission while you were reading. Nothing of yours was "
                "stored. Read it again below, then decide."
            )
        )


def _record_change(
    submission: Submission, by: User, action: str, request_id: str, detail: dict[str, Any]
) -> None:
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=str(submission.pk),
        purpose="TREAT",
        request_id=request_id,
        detail=detail,
    )
