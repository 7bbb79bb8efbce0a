"""Hold a decision back for a minute, so that the clinician can undo it before anything has left.

Meanwhile the submission keeps its status, urgency and escalation. The decision takes effect when
its clinician opens the next page, or by the worker when the minute is over. A decision with a call,
or for emergency care, takes effect at once.
"""

import logging
from copy import copy
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.utils import timezone

from clinic.logs import log
from intake.desk import decisions
from intake.desk.changes import claim, record_change
from intake.desk.decisions import DecisionInput
from intake.desk.instructions import Instruction
from intake.domain import workflow
from intake.errors import Conflict
from intake.models.pending import PendingDecision
from intake.models.submissions import Submission, Urgency

MOST = 100  # the most decisions that one sweep applies


class _TriedOut(Exception):
    """Rolls back a decision that was only tried out."""


def hold(
    *, submission: Submission, given: DecisionInput, by: User, revision: int, request_id: str
) -> PendingDecision | None:
    """Hold a decision back, and return it; or decide at once, and return None.

    Refuses exactly what `decisions.decide` refuses, with the same errors.
    """
    decision: dict[str, Any] = {"given": given, "by": by, "request_id": request_id}
    waits = settings.UNDO_SECONDS and not given.call and given.outcome != workflow.EMERGENCY_CARE
    if not waits:
        with transaction.atomic():
            _replace_failed(submission)
            decisions.decide(submission=submission, revision=revision, **decision)
        return None
    with transaction.atomic():
        try:
            with transaction.atomic():
                decisions.decide(submission=copy(submission), revision=revision, **decision)
                raise _TriedOut
        except _TriedOut:
            pass
        _replace_failed(submission)
        claim(submission, revision)
        now = timezone.now()
        row = PendingDecision(
            submission=submission,
            revision=revision + 1,
            outcome=given.outcome,
            given=as_words(given),
            by=by,
            request_id=request_id,
            at=now,
            due_at=now + timedelta(seconds=settings.UNDO_SECONDS),
        )
        row.save(force_insert=True)
    return row


def undo(*, submission: Submission, by: User, request_id: str, revision: int | None = None) -> bool:
    """Undo a decision that `by` made and that has not taken effect. Returns whether it was undone.

    With `revision`, undoes only the decision that raised the submission to this revision, so that
    an old page does not undo a later decision. A decision takes effect or is undone, never both:
    whichever locks the row first.
    """
    with transaction.atomic():
        rows = PendingDecision.objects.select_for_update(of=("self",))
        row = rows.filter(submission=submission, by=by, failed_at=None).first()
        if row is None or revision not in (None, row.revision):
            return False
        row.delete()
        detail = {"from": "pending", "to": "undone", "outcome": row.outcome}
        record_change(submission, by, "state", request_id, detail)
    return True


def apply(*, pk: UUID) -> bool:
    """Let a decision take effect. Returns False if the submission was changed meanwhile.

    Does nothing, and returns True, for a decision that took effect or was undone before. A decision
    that cannot take effect stays, marked as failed, and the submission waits for a new one.
    """
    with transaction.atomic():
        rows = PendingDecision.objects.select_for_update(of=("self",))
        row = rows.select_related("submission", "by").filter(pk=pk, failed_at=None).first()
        if row is None:
            return True
        try:
            with transaction.atomic():
                decisions.decide(
                    submission=row.submission,
                    given=given_of(row),
                    by=row.by,
                    revision=row.revision,
                    request_id=row.request_id,
                )
                row.delete()
        except DatabaseError:
            raise  # the worker tries again
        except Exception as error:  # one decision must not stop the others
            if not isinstance(error, (Conflict, workflow.NotAllowed, ValueError)):
                log("held decision not stored", level=logging.ERROR, exc_info=True)
            PendingDecision.objects.filter(pk=pk).update(failed_at=timezone.now())
            return False
    return True


def apply_of(*, by: User, but: UUID | None = None) -> list[PendingDecision]:
    """Let the decisions of one person take effect, but not the one on the submission `but`.

    Returns those that could not.
    """
    rows = PendingDecision.objects.filter(by=by, failed_at=None).exclude(submission=but)
    rows = rows.select_related("submission").defer("given")
    return [row for row in rows.order_by("at") if not apply(pk=row.pk)]


def apply_due() -> int:
    """Let the decisions take effect whose minute is over. Returns how many were tried.

    Runs each minute, and may run on several workers at once.
    """
    due = PendingDecision.objects.filter(failed_at=None, due_at__lte=timezone.now())
    keys = list(due.order_by("due_at").values_list("pk", flat=True)[:MOST])
    for pk in keys:
        apply(pk=pk)
    return len(keys)


def _replace_failed(submission: Submission) -> None:
    """Delete a decision that could not take effect, because a new one takes its place."""
    PendingDecision.objects.filter(submission=submission).exclude(failed_at=None).delete()


# --- a decision as it is stored -------------------------------------------------------------------


def as_words(given: DecisionInput) -> dict[str, Any]:
    """Return a decision without a call, as JSON."""
    return asdict(given) | {"urgency": int(given.urgency), "ends": list(given.ends)}


def given_of(row: PendingDecision) -> DecisionInput:
    """Return the decision that a row holds."""
    said = dict(row.given)
    said["urgency"], said["ends"] = Urgency(said["urgency"]), tuple(said["ends"])
    said["desk"] = Instruction(**said["desk"]) if said.get("desk") else None
    return DecisionInput(**said)
