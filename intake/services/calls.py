"""Calls to patients: note that one was made, and keep the list of those that are owed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clinic import audit, hours
from intake.models import Call, CallTask, Submission

DOUBLE_CLICK = timedelta(minutes=1)


def owe(
    *, submission: Submission, reason: str, occasion: str, due_at: datetime | None = None
) -> None:
    """Put a call on the call list, in the transaction of what the patient has to hear of.

    `occasion` names what happened, as for the outbox: of one occasion and reason one call is owed.
    Without `due_at` the call is due by the end of the next business day.
    """
    now = timezone.now()
    task = CallTask(
        submission=submission,
        reason=reason,
        occasion=occasion,
        created_at=now,
        due_at=due_at or hours.current().add_business_days(now, 1),
    )
    CallTask.objects.bulk_create([task], ignore_conflicts=True)


def note(
    *,
    submission: Submission,
    outcome: str,
    by: Any,
    request_id: str,
    again_at: datetime | None = None,
    words: str = "",
    tasks: Iterable[CallTask] = (),
) -> Call:
    """Record a call that `by` made, and what became of it. Returns the call.

    A patient who was reached heard of `tasks`: these calls are owed no more. A call in which a
    clinician reached the patient ends the escalation of a red flag; any other call puts the next
    escalation off until `again_at`, or for one more period of ESCALATE_MINUTES, and makes `tasks`
    due then. The same call noted twice within a minute is stored once. Raises ValueError for an
    unknown outcome.
    """
    if outcome not in Call.Outcome.values:
        raise ValueError("Say what became of the call.")
    now, reached = timezone.now(), outcome == Call.Outcome.REACHED
    with transaction.atomic():
        row = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
        same = row.calls.filter(by=by, outcome=outcome, at__gt=now - DOUBLE_CLICK)
        if again := next((call for call in same if _note_of(call) == words.strip()), None):
            for task in tasks if reached else ():  # one call told of this, too
                settle(task=task, by=by, request_id=request_id)
            return again
        call = Call(
            submission=row,
            outcome=outcome,
            again_at=None if reached else again_at or next_try(now),
            words={"note": words.strip()} if words.strip() else None,
            by=by,
            by_clinician=by.has_perm("intake.decide_submission"),
            at=now,
        )
        call.save(force_insert=True)
        open_tasks = CallTask.objects.open().filter(submission=row)
        open_tasks.filter(pk__in=[task.pk for task in tasks]).update(
            **({"settled_at": now, "settled_by": by} if reached else {"due_at": call.again_at})
        )
        if row.escalate_at is not None:
            ended = reached and call.by_clinician
            row.escalate_at = None if ended else call.again_at or next_try(now)
            row.save(update_fields=["escalate_at"])
        audit.record(
            actor=audit.staff(by),
            action="create",
            subject=str(row.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "call", "outcome": outcome},
        )
    return call


def settle(*, task: CallTask, by: Any, request_id: str) -> None:
    """Take a call off the call list: the patient knows already. Again is the same as once."""
    with transaction.atomic():
        rows = CallTask.objects.open().filter(pk=task.pk)
        if rows.update(settled_at=timezone.now(), settled_by=by):
            audit.record(
                actor=audit.staff(by),
                action="state",
                subject=str(task.submission_id),
                purpose="TREAT",
                request_id=request_id,
                detail={"kind": "call", "to": "settled"},
            )


def drop(*, submission_id: Any, reasons: Iterable[str] = (), about: Any = None) -> None:
    """Take off the call list what the patient need not hear of any more: what is owed for these
    `reasons`, and what is owed `about` an appointment (its id), whatever the reason. A part of the
    service that makes it so: the patient has read it, or something newer takes its place."""
    meant = Q(reason__in=list(reasons))
    if about is not None:
        meant |= Q(occasion__startswith=f"{about}:")
    rows = CallTask.objects.open().filter(meant, submission_id=submission_id)
    rows.update(settled_at=timezone.now())


def next_try(now: datetime) -> datetime:
    """When to call again, or to escalate again: after ESCALATE_MINUTES of opening time."""
    return hours.current().add_open(now, timedelta(minutes=settings.ESCALATE_MINUTES))


def _note_of(call: Call) -> str:
    return (call.words or {}).get("note", "")
