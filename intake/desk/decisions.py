"""What staff do with a submission: look, take, decide, close.

Each is one transaction with its audit event inside, guarded by the revision that was read. Of two
who decide at once, one is told to read again.
"""

from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.outgoing.outbox import Order
from intake.appointments import changing, ending
from intake.documents import protocol_of
from intake.domain import workflow
from intake.errors import Conflict
from intake.history import build_history
from intake.letters import sentences
from intake.models.appointments import AppointmentRequest
from intake.models.calls import CallTask
from intake.models.submissions import Communication, Decision, Submission, Urgency
from intake.questionnaire.sending import target
from intake.ways import calls, escalation, telling, waiting

CHANGED = ("urgency", "alarm", *(name for name in waiting.STATE if name != "revision"))
User = Any  # whatever settings.AUTH_USER_MODEL names


@dataclass(frozen=True)
class DecisionInput:
    """What a clinician decides: an urgency, an outcome, and the words beside them; and what belongs
    to some outcomes.

    `message` is the code of a sentence to the patient (for more information), `call` a call that
    was made (for more information, emergency care). `close_request` and `ends`, the keys of what is
    arranged, count for the outcomes that plan no visit.
    """

    urgency: Urgency
    outcome: str
    reason: str
    note: str = ""
    message: str = ""
    call: calls.Made | None = None
    close_request: bool = False
    ends: tuple[str, ...] = ()
    # the clinician has read what the patient wrote in danger
    alarm_read: bool = False

    @property
    def reached(self) -> bool:
        return self.call is not None and self.call.reached

    @property
    def action(self) -> str:
        """What recording it does to the submission. Raises workflow.NotAllowed."""
        if self.outcome == workflow.EMERGENCY_CARE and not self.reached:
            return "redirect"
        return workflow.action_of(self.outcome)


def assign(
    *, submission: Submission, to: User | None, by: User, revision: int, request_id: str
) -> None:
    """Give the submission to somebody, or (None) back to the queue.

    To take it pauses its escalation, once for each person; to give it back changes nothing of that.
    Raises Conflict when it was changed since `revision`, workflow.NotAllowed when its status
    forbids it.
    """
    action = "assign" if to else "release"
    status = workflow.move(submission.status, action)
    with transaction.atomic():
        _claim(submission, revision, status=status, assignee=to)
        submission.status, now = status, timezone.now()
        if to:
            escalation.pause(submission=submission, by=by, at=now)
        build_history(submission, action, by=by, at=now).save(force_insert=True)
        _record_change(submission, by, "assign", request_id, {"to": str(to.pk) if to else None})


def decide(
    *, submission: Submission, verdict: DecisionInput, by: User, revision: int, request_id: str
) -> Decision:
    """Record a clinician's decision, with the message, the call and the end of what is arranged,
    as far as they belong to it.

    The urgency is kept, raised or lowered; a change needs its reason. Emergency care that the
    patient has not heard of yet leaves the submission undecided, on top of the worklist and
    escalating. More information stops the clock and takes it off the worklist, but for the same day
    and above, or with an unread alarm, until a call has reached the patient.

    Raises Conflict when the submission, or what is arranged, was changed since it was read;
    ValueError without a reason for a change, without a message or call that belongs to the
    outcome, or with words of alarm unread; workflow.NotAllowed when its status forbids deciding.
    """
    action, before, now = verdict.action, submission.urgency, timezone.now()
    row = _decided(submission, verdict, workflow.move(submission.status, action), now)
    with transaction.atomic():
        ended: tuple[str, ...] = ()
        if verdict.outcome in workflow.NO_VISIT:  # first: the locks of clinic time come before any
            ended = ending.end(
                submission=submission, keys=verdict.ends, close=verdict.close_request, by=by
            )
        changes = {name: getattr(row, name) for name in CHANGED}
        _claim(submission, revision, **changes)
        _refuse_incomplete(submission, verdict)
        for name, value in changes.items():
            setattr(submission, name, value)
        decision = Decision(
            submission=submission,
            revision=revision,
            urgency_before=before,
            urgency=row.urgency,
            outcome=verdict.outcome,
            words={"reason": verdict.reason.strip(), "note": verdict.note.strip()},
            by=by,
            at=now,
        )
        decision.save(force_insert=True)
        build_history(submission, action, by=by, at=now).save(force_insert=True)
        _tell(decision, verdict, action, ended, request_id)
        detail = {
            "outcome": verdict.outcome,
            "from": Urgency(before).code,
            "to": Urgency(row.urgency).code,
            "reason_given": bool(verdict.reason.strip()),
            **({"fields": list(ended)} if ended else {}),
        }
        _record_change(submission, by, "decide", request_id, detail)
    return decision


def _refuse_incomplete(submission: Submission, verdict: DecisionInput) -> None:
    if verdict.urgency != submission.urgency and not verdict.reason.strip():
        raise ValueError("Say why the urgency is changed.")
    if submission.alarm and not verdict.alarm_read:
        raise ValueError("Say that what the patient wrote was read.")
    if verdict.outcome == workflow.EMERGENCY_CARE and verdict.call is None:
        raise ValueError("Say what became of the call to the patient.")
    if verdict.outcome == workflow.MORE and verdict.call is None and not verdict.message:
        raise ValueError("Write to the patient, or say what became of the call.")


def _decided(
    submission: Submission, verdict: DecisionInput, status: str, now: datetime
) -> Submission:
    """The submission as it is after the decision, not stored: status, urgency and clocks."""
    row = copy(submission)
    row.target_at = waiting.target_on_return(submission, now)
    row.back_at = row.asked_at = row.redirected_at = None
    row.status, row.urgency, row.alarm = status, verdict.urgency, False
    if verdict.urgency != submission.urgency:
        # raised: its time runs from now; lowered: nobody waits longer than from the sending
        start = now if verdict.urgency > submission.urgency else submission.submitted_at
        row.target_at = _target(submission, verdict.urgency, start)
    next_try = _next_try(submission, verdict, now)
    row.escalate_at = None
    if verdict.action == "redirect":
        row.redirected_at, row.escalate_at = now, next_try
        row.urgency, row.target_at = Urgency.EMERGENCY, now
    elif verdict.action == "ask":
        told = _is_told(submission, verdict)
        cannot_wait = verdict.urgency >= Urgency.SAME_DAY or submission.alarm
        if cannot_wait and not verdict.reached:
            row.asked_at, row.escalate_at = now if told else None, next_try
        else:
            waiting.begin(row, at=now, told=told)
    return row


def _next_try(submission: Submission, verdict: DecisionInput, now: datetime) -> datetime:
    """When a patient who was not reached is escalated."""
    if verdict.call is None:
        return submission.escalate_at or calls.next_try(now)
    return verdict.call.again_at or calls.next_try(now)


def _is_told(submission: Submission, verdict: DecisionInput) -> bool:
    """Whether the patient hears of the decision: by the call, or by a letter."""
    return verdict.reached or bool(verdict.message and telling.can_be_told(submission))


def _tell(
    decision: Decision, verdict: DecisionInput, action: str, ended: tuple[str, ...], request_id: str
) -> None:
    """Note the call of a decision and write to the patient; where neither can tell the patient, put
    a call on the call list."""
    row, by = decision.submission, decision.by
    codes = [verdict.message] if action == "ask" and verdict.message else []
    codes += ["we_tried"] if action == "redirect" else []
    codes += [part for part in ended if part in sentences.ENDED]
    if codes:
        told = sentences.told(codes, row.language)
        owes_call = action != "ask" and verdict.call is None
        _write(row, told, by=by, at=decision.at, owes_call=owes_call)
    if action == "ask":
        waiting.remind(row=row, at=decision.at)
        if not _is_told(row, verdict):
            again_at = verdict.call.again_at if verdict.call else None
            calls.owe(submission=row, reason="more", occasion=str(decision.pk), due_at=again_at)
    if verdict.call:
        calls.note_with(
            submission=row, made=verdict.call, by=by, at=decision.at, request_id=request_id
        )


def move(*, submission: Submission, action: str, by: User, revision: int, request_id: str) -> None:
    """Close or reopen a submission; opened again, its target runs anew from now, and a red flag
    is escalated anew.

    Raises Conflict and workflow.NotAllowed like `assign`.
    """
    # the other actions have services of their own: none is decided without its decision
    action = action if action in ("close", "reopen") else ""
    status = workflow.move(submission.status, action)
    changes: dict[str, Any] = {"status": status}
    if action == "reopen":
        changes["target_at"] = _target(submission, submission.urgency, timezone.now())
        changes |= {"asked_at": None, "back_at": None, "redirected_at": None}
    with transaction.atomic():
        before = submission.status
        _claim(submission, revision, **changes)
        submission.status = status
        if action == "reopen" and submission.is_for_today:
            row = Submission.objects.only("escalate_at", "escalations").get(pk=submission.pk)
            escalation.start(row=row, at=timezone.now())
            row.save(update_fields=["escalate_at", "escalations"])
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
            changing.end_all(submission=submission, by=by)
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
    counts as answered; its escalation goes on, since nobody knows whether the patient reads.

    `english` is the same for staff, where the patient reads another language. Raises Conflict like
    `assign`.
    """
    with transaction.atomic():
        _claim(submission, revision, status=submission.status, reply_due_at=None, alarm=False)
        told = {"text": text} | ({"english": english} if english else {})
        _write(submission, told, by=by, at=timezone.now())
        _record_change(submission, by, "create", request_id, {"kind": "message"})


def _write(
    submission: Submission,
    told: dict[str, str],
    *,
    by: User,
    at: datetime,
    owes_call: bool = True,
) -> None:
    """Store a message to the patient and order the letter that says there is one.

    A patient whom no letter reaches is owed a call, unless the decision that the message belongs
    to has a call of its own (`owes_call` is False).
    """
    written = Communication(submission=submission, words={"alarm": "", **told}, by=by, at=at)
    written.save(force_insert=True)
    if owes_call or telling.can_be_told(submission):
        order = Order(kind="news", occasion=str(written.pk))
        telling.tell(submission=submission, reason=CallTask.Reason.MESSAGE, order=order)


def settle_reply(*, submission: Submission, by: User, revision: int, request_id: str) -> None:
    """What the patient wrote, or took back, was read and needs no answer.

    Where no decision is open, this ends the escalation. Raises Conflict like `assign`.
    """
    changes: dict[str, Any] = {"reply_due_at": None, "alarm": False}
    if submission.status not in workflow.OPEN:
        changes["escalate_at"] = None
    with transaction.atomic():
        _claim(submission, revision, status=submission.status, **changes)
        _record_change(submission, by, "state", request_id, {"kind": "reply", "to": "settled"})


def mark_genuine(*, submission: Submission, by: User, revision: int, request_id: str) -> None:
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
