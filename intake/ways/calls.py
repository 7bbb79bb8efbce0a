"""Calls to patients: record the calls that staff made, and keep the list of calls to make."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, hours
from intake.errors import Refused
from intake.history import build_history
from intake.models.calls import Call, CallTask, CallTaskQuerySet
from intake.models.submissions import Submission
from intake.ways import contact, waiting

DOUBLE_CLICK = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class CallInput:
    """A call that a member of staff made: the outcome, when to call again, and a note (`words`)."""

    outcome: str
    again_at: datetime | None = None
    words: str = ""

    @property
    def reached(self) -> bool:
        """Whether the call reached the patient."""
        return self.outcome == Call.Outcome.REACHED


def owe(
    *, submission: Submission, reason: str, occasion: str, due_at: datetime | None = None
) -> None:
    """Put a call on the call list, in the transaction of the act that the patient has to hear of.

    `occasion` names the act, as for the outbox. The clinic owes one call for each occasion and
    reason. Without `due_at`, the call is due by the end of the next business day. When the patient
    may not be called, staff see what the patient was not told, and that there is no safe way.
    """
    now = timezone.now()
    task = CallTask(
        submission=submission,
        reason=reason,
        occasion=occasion,
        created_at=now,
        due_at=due_at or submission.hours.add_business_days(now, 1),
        may_call=contact.reach_of(submission).may_call,
    )
    CallTask.objects.bulk_create([task], ignore_conflicts=True)


def record(
    *,
    submission: Submission,
    outcome: str,
    by: User,
    request_id: str,
    again_at: datetime | None = None,
    words: str = "",
    tasks: Iterable[CallTask] = (),
    revision: int | None = None,
) -> Call:
    """Record a call that `by` made, and its outcome. Returns the call.

    A call that reached the patient settles `tasks`, and completes a decision that waits for a call
    (see `waiting.apply_reached_call`). A call that did not reach the patient delays `tasks` until
    `again_at`.

    When a clinician reached the patient, the escalation of a red flag ends. Any other call delays
    the escalation until `again_at`, but at most to the end of the next business day. Without
    `again_at`, a delay is ESCALATE_MINUTES of opening time.

    If the patient wrote alarm words after the caller read `revision`, the escalation goes on and
    the alarm stays. The same call recorded twice within a minute is stored once. Raises ValueError
    for an unknown outcome, and Refused for word that was left without the patient's leave.
    """
    now = timezone.now()
    made = CallInput(outcome=outcome, again_at=again_at, words=words)
    with transaction.atomic():
        row = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
        known = _double_click(row, made, by, now)
        # While an alarm is open, this counts as a new call, because the caller may have read the
        # alarm words since the first call.
        if known and not row.alarm:
            # the stored call told the patient about these tasks, too
            for task in tasks if made.reached else ():
                settle(task=task, by=by, request_id=request_id)
            return known
        call = _store(row, made, by, now)
        told_of = row.call_tasks.open().filter(pk__in=[task.pk for task in tasks])
        unseen = row.alarm and revision not in (None, row.revision)
        if made.reached and call.by_clinician and not unseen:
            row.escalate_at, row.alarm = None, False
        elif row.escalate_at is not None:
            latest = hours.usual().add_business_days(now, 1)
            row.escalate_at = min(call.again_at or next_try(now), latest)
        escalate_at = row.escalate_at
        if made.reached:
            _apply_reached_call(row, call, told_of)
        else:
            told_of.update(due_at=call.again_at)
        if unseen:
            row.escalate_at = escalate_at
        row.save(update_fields=[*waiting.STATE, "alarm"])
        _record_event(call, request_id)
    return call


def _apply_reached_call(row: Submission, call: Call, told_of: CallTaskQuerySet) -> None:
    """Settle the tasks that the patient heard of in the call, and change the locked `row`."""
    untold = row.call_tasks.open().filter(reason=CallTask.Reason.MORE)
    told_before = not untold.exists()
    told_of.update(settled_at=call.at, settled_by=call.by)
    action = waiting.apply_reached_call(
        row,
        by_clinician=call.by_clinician,
        told_before=told_before,
        told=told_before or not untold.exists(),
        at=call.at,
    )
    if action:
        row.revision += 1
        build_history(row, action, by=call.by, at=call.at).save(force_insert=True)
    if action == "ask":
        waiting.order_reminder(row=row, at=call.at)


def record_with_decision(
    *, submission: Submission, made: CallInput, by: User, at: datetime, request_id: str
) -> Call:
    """Record a call as part of a decision. Returns the call.

    The decision has already updated and locked the submission in this transaction, so this function
    leaves the submission alone.
    """
    call = _double_click(submission, made, by, at)
    if call is None:
        call = _store(submission, made, by, at)
        _record_event(call, request_id)
    return call


def _double_click(row: Submission, made: CallInput, by: User, now: datetime) -> Call | None:
    """Return the stored call that `made` repeats, or None if `made` is a new call."""
    calls = row.calls.filter(by=by, outcome=made.outcome, at__gt=now - DOUBLE_CLICK)
    return next((call for call in calls if _note_of(call) == made.words.strip()), None)


def _store(row: Submission, made: CallInput, by: User, now: datetime) -> Call:
    if made.outcome not in Call.Outcome.values:
        raise ValueError("Say what became of the call.")
    if made.outcome == Call.Outcome.LEFT_WORD and not contact.reach_of(row).may_leave_word:
        raise Refused(_("This patient allows no message: leave no word. Nothing was noted."))
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


def _record_event(call: Call, request_id: str) -> None:
    audit.record(
        actor=audit.staff(call.by),
        action="create",
        subject=str(call.submission_id),
        purpose="TREAT",
        request_id=request_id,
        detail={"kind": "call", "outcome": call.outcome},
    )


def settle(*, task: CallTask, by: User, request_id: str) -> None:
    """Take a call off the call list because the patient already knows the news. Idempotent."""
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


def drop(*, submission_id: Any, reasons: Iterable[str] = (), about: UUID | None = None) -> None:
    """Take off the call list the calls that the patient no longer needs.

    Drops the calls for these `reasons`, and all calls about the appointment with the id `about`.
    Called in the transaction of the act after which no call is needed: the patient read the news,
    or newer news takes its place.
    """
    meant = Q(reason__in=list(reasons))
    if about is not None:
        meant |= Q(occasion__startswith=f"{about}:")
    rows = CallTask.objects.open().filter(meant, submission_id=submission_id)
    rows.update(settled_at=timezone.now())


def next_try(now: datetime) -> datetime:
    """Return when to call or escalate again: after ESCALATE_MINUTES of opening time."""
    return hours.usual().add_open(now, timedelta(minutes=settings.ESCALATE_MINUTES))


def _note_of(call: Call) -> str:
    return str((call.words or {}).get("note", ""))
