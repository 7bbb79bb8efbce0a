"""Record a clinician's decision on a submission, with the decision's message and call."""

from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from intake.appointments import ending
from intake.desk import patient_messages
from intake.desk.changes import claim, record_change, target_from
from intake.desk.instructions import Instruction
from intake.domain import workflow
from intake.history import build_history
from intake.letters import sentences
from intake.models.submissions import Decision, Fit, Submission, Urgency
from intake.ways import calls, telling, waiting

# KEPT are columns that a decision does not set: `claim` raises `revision`, and the sweep raises
# `escalations` without changing the revision.
KEPT = ("revision", "escalations")
CHANGED = ("urgency", "alarm", *(name for name in waiting.STATE if name not in KEPT))


@dataclass(frozen=True)
class DecisionInput:
    """What a clinician decided: urgency, outcome, reason, note, and fields for some outcomes only.

    `message` is the code of a sentence to the patient, for the outcome "more information". `call`
    is a call that was made, for "more information" and "emergency care". `close_request` and `ends`
    (the keys of the arrangements to end) are for the outcomes that plan no visit. `alarm_read` says
    that the clinician has read the patient's alarm words. `desk` is an instruction for the visit,
    and `fit` says whether the urgency of the rules was right (a value of `Fit`, or '').
    """

    urgency: Urgency
    outcome: str
    reason: str
    note: str = ""
    message: str = ""
    call: calls.CallInput | None = None
    close_request: bool = False
    ends: tuple[str, ...] = ()
    alarm_read: bool = False
    desk: Instruction | None = None
    fit: str = ""

    @property
    def reached(self) -> bool:
        """Whether the clinician made a call that reached the patient."""
        return self.call is not None and self.call.reached

    @property
    def action(self) -> str:
        """The workflow action of the decision. Raises workflow.NotAllowed for a wrong outcome."""
        if self.outcome == workflow.EMERGENCY_CARE and not self.reached:
            return "redirect"
        return workflow.action_of(self.outcome)


def decide(
    *, submission: Submission, given: DecisionInput, by: User, revision: int, request_id: str
) -> Decision:
    """Record a clinician's decision with its message and call, and end arrangements.

    `given` names the arrangements to end. The decision keeps, raises or lowers the urgency; a
    change needs a reason.

    After "emergency care" the submission stays undecided on top of the worklist, and is escalated,
    until a call has reached the patient. "More information" stops the clock and takes the
    submission off the worklist. If the patient's urgency is the same day or above, or if alarm
    words were unread, the submission stays on the worklist until a call has reached the patient.

    Raises Conflict when the submission or its arrangements were changed since the clinician read
    them. Raises ValueError for a changed urgency without a reason, for unread alarm words, and when
    the outcome needs a message or a call that is missing. Raises workflow.NotAllowed when the
    status forbids a decision.
    """
    action, before, now = given.action, submission.urgency, timezone.now()
    row = _decided(submission, given, workflow.move(submission.status, action), now)
    with transaction.atomic():
        ended: tuple[str, ...] = ()
        if given.outcome in workflow.NO_VISIT:
            # first, because the locks of clinic time come before all row locks
            ended = ending.end(
                submission=submission, keys=given.ends, close=given.close_request, by=by
            )
        changes = {name: getattr(row, name) for name in CHANGED}
        if row.escalate_at and submission.escalate_at is None:
            changes["escalations"] = 0  # a new escalation starts again with the duty role
        if given.fit:
            changes["urgency_fit"] = Fit(given.fit).value
        claim(submission, revision, recheck_urgency=None, **changes)
        _refuse_incomplete(submission, given)
        for name, value in changes.items():
            setattr(submission, name, value)
        decision = Decision(
            submission=submission,
            revision=revision,
            urgency_before=before,
            urgency=row.urgency,
            outcome=given.outcome,
            words=_words_of(given),
            book_by=given.desk.day if given.desk else None,
            by=by,
            at=now,
        )
        decision.save(force_insert=True)
        build_history(submission, action, by=by, at=now).save(force_insert=True)
        _tell(decision, given, action, ended, request_id)
        detail = {
            "outcome": given.outcome,
            "from": Urgency(before).code,
            "to": Urgency(row.urgency).code,
            "reason_given": bool(given.reason.strip()),
            **({"fields": list(ended)} if ended else {}),
        }
        record_change(submission, by, "decide", request_id, detail)
    return decision


def _words_of(given: DecisionInput) -> dict[str, Any]:
    words: dict[str, Any] = {"reason": given.reason.strip(), "note": given.note.strip()}
    return words | ({"desk": given.desk.stored()} if given.desk else {})


def _refuse_incomplete(submission: Submission, given: DecisionInput) -> None:
    if given.urgency != submission.urgency and not given.reason.strip():
        raise ValueError("Say why the urgency is changed.")
    if submission.alarm and not given.alarm_read:
        raise ValueError("Say that what the patient wrote was read.")
    if given.outcome == workflow.EMERGENCY_CARE and given.call is None:
        raise ValueError("Say what became of the call to the patient.")
    if given.outcome == workflow.NEED_INFORMATION and given.call is None and not given.message:
        raise ValueError("Write to the patient, or say what became of the call.")


def _decided(
    submission: Submission, given: DecisionInput, status: str, now: datetime
) -> Submission:
    """Return a copy of the submission with the status, urgency and times that the decision sets.

    The copy is not stored.
    """
    row = copy(submission)
    row.target_at = waiting.target_on_return(submission, now)
    row.back_at = row.asked_at = row.redirected_at = None
    row.status, row.urgency, row.alarm = status, given.urgency, False
    if given.urgency != submission.urgency:
        # A raised urgency counts from now. A lowered urgency counts from the time of sending, so
        # that the target time is the same as if the urgency had always been the lower one.
        start = now if given.urgency > submission.urgency else submission.submitted_at
        row.target_at = target_from(submission, given.urgency, start)
    next_try = _next_try(submission, given, now)
    row.escalate_at = None
    if given.action == "redirect":
        row.redirected_at, row.escalate_at = now, next_try
        row.urgency, row.target_at = Urgency.EMERGENCY, now
    elif given.action == "ask":
        told = _is_told(submission, given)
        cannot_wait = given.urgency >= Urgency.SAME_DAY or submission.alarm
        if cannot_wait and not given.reached:
            row.asked_at, row.escalate_at = now if told else None, next_try
        else:
            waiting.begin(row, at=now, told=told)
    return row


def _next_try(submission: Submission, given: DecisionInput, now: datetime) -> datetime:
    """Return when to escalate the submission next if no call has reached the patient."""
    if given.call is None or given.call.is_wrong_number:
        return submission.escalate_at or calls.next_try(now)
    return given.call.again_at or calls.next_try(now)


def _is_told(submission: Submission, given: DecisionInput) -> bool:
    """Whether the patient hears of the decision by the call or by a letter."""
    return given.reached or bool(given.message and telling.letter_reaches(submission))


def _tell(
    decision: Decision, given: DecisionInput, action: str, ended: tuple[str, ...], request_id: str
) -> None:
    """Write to the patient, and record the call of a decision.

    If neither the message nor the call tells the patient, puts a call on the call list.
    """
    row, by = decision.submission, decision.by
    codes = [given.message] if action != "redirect" and given.message else []
    codes += ["we_tried"] if action == "redirect" else []
    codes += [part for part in ended if part in sentences.ENDED]
    if codes:
        texts = sentences.message_texts(codes, row.language)
        owes_call = action != "ask" and given.call is None
        # the letter about a cancelled visit is enough, except for a patient in danger
        announce = ending.VISIT not in ended or action == "redirect"
        patient_messages.store(
            row, texts, by=by, at=decision.at, owes_call=owes_call, announce=announce
        )
    if action == "ask":
        waiting.order_reminder(row=row, at=decision.at)
        if not _is_told(row, given):
            due_at = given.call.again_at if given.call else None
            # the clock runs until the call, so the call must be made by the target time
            if row.back_at is None:
                due_at = due_at or row.target_at
            calls.owe(submission=row, reason="more", occasion=str(decision.pk), due_at=due_at)
    if given.call:
        calls.record_with_decision(
            submission=row, made=given.call, by=by, at=decision.at, request_id=request_id
        )
