"""Calls to patients: note that one was made, and keep the list of those that are owed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clinic import audit, hours
from intake.history import build_history
from intake.models.calls import Call, CallTask
from intake.models.submissions import Submission
from intake.ways import waiting

DOUBLE_CLICK = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class CallInput:
    """A call that a member of staff made: what became of it, and when to try again."""

    outcome: str
    again_at: datetime | None = None
    words: str = ""

    @property
    def reached(self) -> bool:
        return self.outcome == Call.Outcome.REACHED


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


def record(
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
    period of ESCALATE_MINUTES, and makes `tasks` due then. What the patient wrote in danger after
    the caller read `revision` stays unread, and its escalation goes on. What a call that reached
    the patient does to a decision that waits for it: `waiting.reached`. The same call noted twice
    within a minute is stored once. Raises ValueError for an unknown outcome.
    """
    now = timezone.now()
    made = CallInput(outcome=outcome, again_at=again_at, words=words)
    with transaction.atomic():
        row = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
        again = _same(row, made, by, now)
        # with an alarm it is no double click: the caller has read what was unread at the first
        if again and not row.alarm:
            for task in tasks if made.reached else ():  # one call told of this, too
                settle(task=task, by=by, request_id=request_id)
            return again
        call = _store(row, made, by, now)
        open_tasks = CallTask.objects.open().filter(submission=row)
        told_of = open_tasks.filter(pk__in=[task.pk for task in tasks])
        unseen = row.alarm and revision not in (None, row.revision)
        if made.reached and call.by_clinician and not unseen:
            row.escalate_at, row.alarm = None, False
        elif row.escalate_at is not None:
            latest = hours.current().add_business_days(now, 1)
            row.escalate_at = min(call.again_at or next_try(now), latest)
        escalate_at = row.escalate_at
        if made.reached:
            untold = open_tasks.filter(reason=CallTask.Reason.MORE)
            told_before = not untold.exists()
            told_of.update(settled_at=now, settled_by=by)
            action = waiting.apply_reached_call(
                row,
                by_clinician=call.by_clinician,
                told_before=told_before,
                told=told_before or not untold.exists(),
                at=now,
            )
            if action:
                row.revision += 1
                build_history(row, action, by=by, at=now).save(force_insert=True)
            if action == "ask":
                waiting.order_reminder(row=row, at=now)
        else:
            told_of.update(due_at=call.again_at)
        if unseen:
            row.escalate_at = escalate_at
        row.save(update_fields=[*waiting.STATE, "alarm"])
        _record(call, request_id)
    return call


def record_with_decision(
    *, submission: Submission, made: CallInput, by: Any, at: datetime, request_id: str
) -> Call:
    """Record a call as a part of a decision, which knows itself what follows from the call. The
    decision has changed the submission in the same transaction, so that its row is locked."""
    call = _same(submission, made, by, at)
    if call is None:
        call = _store(submission, made, by, at)
        _record(call, request_id)
    return call


def _same(row: Submission, made: CallInput, by: Any, now: datetime) -> Call | None:
    """The call that is noted a second time, or None."""
    calls = row.calls.filter(by=by, outcome=made.outcome, at__gt=now - DOUBLE_CLICK)
    return next((call for call in calls if _note_of(call) == made.words.strip()), None)


def _store(row: Submission, made: CallInput, by: Any, now: datetime) -> Call:
    if made.outcome not in Call.Outcome.values:
        raise ValueError("Say what became of the call.")
    note = made.words.strip()
    call = Call(
        submission=row,
        outcome=made.outcome,
        again_at=None if made.reached else made.again_at or next_try(now),
        words={"note": note} if note else None,
        by=by,
        by_clinician=by.has_perm("intake.decide_submission"),
        at=now,
    )
    call.save(force_insert=True)
    return call


def _record(call: Call, request_id: str) -> None:
    audit.record(
        actor=audit.staff(call.by),
        action="create",
        subject=str(call.submission_id),
        purpose="TREAT",
        request_id=request_id,
        detail={"kind": "call", "outcome": call.outcome},
    )


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
