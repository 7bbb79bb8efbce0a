"""Stop a submission's clock while the patient has the next step, and start the clock again.

A sweep puts a submission back on the worklist at `back_at`. Then the target time moves by the
opening time since `asked_at`, when the patient learned what the clinic needs. See
docs/decisions/0021.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clinic import audit
from clinic.outgoing import outbox
from intake.domain import workflow
from intake.history import build_history
from intake.models.submissions import Submission, Urgency
from intake.ways import contact

# all in business days
REMIND_AFTER = 2
BACK_AFTER = 4
BACK_SOON_AFTER = 1
MOST = 500  # the most submissions that one sweep puts back on the worklist
STATE = (
    *("status", "target_at", "reply_due_at", "asked_at", "back_at", "redirected_at"),
    *("escalate_at", "escalations", "revision"),
)
"""The columns that the functions of this module set. The caller saves the row."""


def begin(row: Submission, *, at: datetime, told: bool) -> None:
    """Take `row` off the worklist, because from `at` on the patient has the next step.

    The clock stops only if the patient was `told`. The row comes back after BACK_AFTER business
    days, or after BACK_SOON_AFTER if its urgency is the same day or if a call must still tell the
    patient.
    """
    row.target_at = target_on_return(row, at)
    can_wait = told and row.urgency < Urgency.SAME_DAY
    days = BACK_AFTER if can_wait else BACK_SOON_AFTER
    row.asked_at = at if told else None
    row.back_at = row.hours.add_business_days(at, days)
    row.escalate_at = None
    if told:  # what the patient was told also answers the patient's message
        row.reply_due_at = None


def end(row: Submission, *, at: datetime) -> None:
    """Start the clock of `row` again. Does nothing when the clock is running.

    A row for the same day is escalated at its target time, because no letter alerts staff a second
    time.
    """
    row.target_at = target_on_return(row, at)
    if row.back_at and row.escalate_at is None and row.urgency >= Urgency.SAME_DAY:
        row.escalate_at, row.escalations = row.target_at, 0
    row.back_at = None


def target_on_return(row: Submission, at: datetime) -> datetime:
    """Return the target time that `row` has if its clock starts again at `at`.

    The target time moves by the opening time during which the patient had the next step. When
    the clock is running, the target time stays.
    """
    if row.back_at is None or row.asked_at is None:
        return row.target_at
    calendar = row.hours
    waited = calendar.open_time_between(row.asked_at, min(at, row.back_at))
    return calendar.add_open(row.target_at, waited)


def order_reminder(*, row: Submission, at: datetime) -> None:
    """Order a reminder to a patient whom the clinic asked for something, once for each decision.

    Orders nothing when no letter reaches the patient, or when `row` comes back before the reminder.
    """
    due = row.hours.add_business_days(at, REMIND_AFTER)
    decision = row.decisions.first()  # the newest decision
    if decision and row.back_at and due < row.back_at and contact.reach_of(row).way:
        outbox.put(
            kind="more_reminder", occasion=str(decision.pk), not_before=due, expires=row.back_at
        )


def answer(row: Submission, *, action: str, at: datetime) -> None:
    """Put a locked `row` back on the worklist because the patient answered.

    `action` says how the patient answered.
    """
    end(row, at=at)
    row.status, row.asked_at = workflow.move(row.status, action), None


def apply_reached_call(
    row: Submission, *, by_clinician: bool, told_before: bool, told: bool, at: datetime
) -> str:
    """Change a locked `row` after a call that reached the patient.

    Returns the action for the row's history, or '' when the status stays. A clinician's call
    completes a decision on emergency care. `told`: the patient now knows what the clinic asks, so
    the patient has the next step. `told_before`: the patient knew this before the call, and
    answered in the call.
    """
    if row.redirected_at and by_clinician:
        row.redirected_at = None
        if row.status not in workflow.OPEN:  # the patient had withdrawn the submission
            return ""
        row.status, row.escalate_at = workflow.move(row.status, "decide"), None
        return "decide"
    if row.waits_for_patient and told_before:
        answer(row, action="return", at=at)
        return "return"
    # while the clock runs (no `back_at`), only a clinician's call gives the patient the next step
    if row.status == "waiting" and (told if row.back_at else by_clinician):
        begin(row, at=at, told=True)
        return "ask"
    if row.status != "waiting":
        row.asked_at = None
    return ""


def record_answers(*, addition: Submission) -> None:
    """Put back on the worklist the submissions that an addition answers.

    An addition can answer two submissions: the submission to which it adds, and, if that submission
    is itself an addition, the submission before. Only a submission for which the clinic has asked
    the patient for more is put back. Called in the transaction that sends the addition.
    """
    followed = Q(pk=addition.follows_id)
    earlier = Submission.objects.filter(followed)
    either = followed | Q(pk__in=earlier.values("follows"))
    asked = Q(status="waiting") | Q(status__in=workflow.IN_TRIAGE, asked_at__isnull=False)
    rows = Submission.objects.select_for_update(of=("self",)).filter(either, asked)
    for row in rows.order_by("pk"):
        answer(row, action="reply", at=addition.submitted_at)
        _store(row, "reply", actor=audit.patient(row.reference), at=addition.submitted_at)


def return_unanswered() -> int:
    """Put back on the worklist the submissions whose patients did not answer in time.

    Runs each minute, and may run on several workers at once. Returns how many submissions came
    back.
    """
    due = Submission.objects.filter(status="waiting", back_at__lte=timezone.now())
    keys = due.order_by("back_at").values_list("pk", flat=True)
    return sum(map(_return_if_due, list(keys[:MOST])))


def _return_if_due(pk: UUID) -> bool:
    """Put one submission back on the worklist, unless its status or time changed meanwhile."""
    now = timezone.now()
    with transaction.atomic():
        rows = Submission.objects.select_for_update(of=("self",), skip_locked=True)
        row = rows.filter(pk=pk, status="waiting", back_at__lte=now).first()
        if row is None:
            return False
        end(row, at=now)
        row.status = workflow.move(row.status, "return")
        _store(row, "return", actor=audit.system("waiting"), at=now)
    return True


def _store(row: Submission, action: str, *, actor: str, at: datetime) -> None:
    row.revision += 1
    row.save(update_fields=STATE)
    build_history(row, action, by=None, at=at).save(force_insert=True)
    audit.record(
        actor=actor,
        action="state",
        subject=str(row.pk),
        purpose="PATRQT" if actor.startswith("patient:") else "TREAT",
        detail={"kind": "more", "from": "waiting", "to": row.status},
    )
