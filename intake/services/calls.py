"""Calls to patients: note that one was made, and keep the list of those that are owed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
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
    revision: int | None = None,
) -> Call:
    """Record a call that `by` made, and what became of it. Returns the call.

    A patient who was reached heard of `tasks`: these calls are owed no more. A call in which a
    clinician reached the patient ends the escalation of a red flag; any other call puts the next
    escalation off until `again_at`, at most to the end of the next business day, or for one more
    period of ESCALATE_MINUTES. What the patient wrote in danger after the caller read `revision`
    stays unread, and its escalation goes on. The same call
    noted twice within a minute is stored once. Raises ValueError for an unknown outcome.
    """
    if outcome not in Call.Outcome.values:
        raise ValueError("Say what became of the call.")
    now, reached = timezone.now(), outcome == Call.Outcome.REACHED
    with transaction.atomic():
        row = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
        same = row.calls.filter(by=by, outcome=outcome, at__gt=now - DOUBLE_CLICK)
        again = next((call for call in same if _note_of(call) == words.strip()), None)
        # with an alarm it is no double click: the caller has read what was unread at the first
        if again and not row.alarm:
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
        if reached:
            open_tasks = CallTask.objects.filter(submission=row, settled_at=None)
            open_tasks.filter(pk__in=[task.pk for task in tasks]).update(
                settled_at=now, settled_by=by
            )
        was_seen = not row.alarm or revision in (None, row.revision)
        if reached and call.by_clinician and was_seen:
            row.escalate_at, row.alarm = None, False
        elif row.escalate_at is not None:
            latest = hours.current().add_business_days(now, 1)
            row.escalate_at = min(call.again_at or next_try(now), latest)
        row.save(update_fields=["escalate_at", "alarm"])
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
        rows = CallTask.objects.filter(pk=task.pk, settled_at=None)
        if rows.update(settled_at=timezone.now(), settled_by=by):
            audit.record(
                actor=audit.staff(by),
                action="state",
                subject=str(task.submission_id),
                purpose="TREAT",
                request_id=request_id,
                detail={"kind": "call", "to": "settled"},
            )


def next_try(now: datetime) -> datetime:
    """When to call again, or to escalate again: after ESCALATE_MINUTES of opening time."""
    return hours.current().add_open(now, timedelta(minutes=settings.ESCALATE_MINUTES))


def _note_of(call: Call) -> str:
    return (call.words or {}).get("note", "")
