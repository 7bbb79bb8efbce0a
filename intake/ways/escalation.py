"""Escalate red flags: tell more and more staff, until a clinician decides or reaches the patient.

The first step tells the duty role, the second all staff, the third also every page of staff. Each
step comes ESCALATE_MINUTES of opening time after the step before. The
escalation ends with a decision, or with a call in which a clinician reached the patient. Taking the
submission only pauses the escalation; reading the submission changes nothing.
"""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit, limits
from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Order
from intake.domain import workflow
from intake.errors import Refused
from intake.models.calls import Call, is_open_red_flag
from intake.models.submissions import Submission
from intake.ways import on_call
from intake.ways.calls import next_try

MOST_AT_ONCE = 100
ONCE_IN = timedelta(minutes=5)  # how often a button takes a step


def start(*, row: Submission, at: datetime) -> None:
    """Start the escalation of a submission, counted from `at`. The caller locks and saves the row.

    If the escalation has begun already, its next step is never delayed: the step comes at its due
    time, or earlier, if a new escalation would take its first step earlier.
    """
    first = next_try(at)
    if row.escalate_at is None:
        row.escalations = 0
    row.escalate_at = min(row.escalate_at or first, first)


def pause(*, submission: Submission, by: User, at: datetime) -> None:
    """Put the next step off by one period, because `by` takes the submission.

    Each person can do this once for a submission. Called in the transaction of the assignment,
    before the assignment is written to the history.
    """
    if not submission.history.filter(action="assign", by=by).exists():
        until = next_try(at)
        rows = Submission.objects.filter(pk=submission.pk, escalate_at__lt=until)
        rows.update(escalate_at=until)


def tell_now(*, submission: Submission, by: User, request_id: str) -> int:
    """Take the next step of the escalation at once, because `by` asks for it. Returns the step.

    Raises Refused when a clinician has ended the red flag, and when the button was pressed a
    moment ago.
    """
    if not Submission.objects.filter(is_open_red_flag(), pk=submission.pk).exists():
        raise Refused(_("A clinician has dealt with this. Nobody has to be told."))
    if not limits.take(f"tell-now:{submission.pk}", capacity=1, per=ONCE_IN):
        raise Refused(_("Staff were told a moment ago. Call a clinician, or go and look for one."))
    now = timezone.now()
    with transaction.atomic():
        row = Submission.objects.select_for_update(of=("self",)).get(pk=submission.pk)
        row.escalations, row.escalate_at = row.escalations + 1, now
        outbox.put_all([escalation_order(row)])
        row.escalate_at = next_try(now)
        row.save(update_fields=["escalations", "escalate_at"])
        audit.record(
            actor=audit.staff(by),
            action="state",
            subject=str(row.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "escalation", "step": row.escalations},
        )
    return row.escalations


def escalate(*, limit: int = MOST_AT_ONCE) -> int:
    """Order a letter for each red flag whose next step is due, and set the time of the next step.

    Runs each minute, and may run on several workers at once, because each run locks its rows.
    Returns how many red flags were escalated.
    """
    now = timezone.now()
    with transaction.atomic():
        _adopt_old_messages()
        due = Submission.objects.filter(escalate_at__lte=now).order_by("escalate_at")
        due = due.only("escalate_at", "escalations", "location")
        rows = list(due.select_for_update(of=("self",), skip_locked=True)[:limit])
        orders = []
        for row in rows:
            row.escalations += 1
            orders += [escalation_order(row), *on_call.orders(now, row.location_id)]
            row.escalate_at = next_try(now)
        Submission.objects.bulk_update(rows, ["escalations", "escalate_at"])
        outbox.put_all(orders)
        for row in rows:
            audit.record(
                actor=audit.system("escalation"),
                action="state",
                subject=str(row.pk),
                purpose="TREAT",
                detail={"kind": "escalation", "step": row.escalations},
            )
    return len(rows)


def _adopt_old_messages() -> None:
    """Set `escalate_at` for escalations of the previous release, which only stored a message."""
    waiting = Message.objects.filter(kind="escalation", state=Message.State.WAITING)
    reached = Call.objects.filter(outcome__in=Call.SPOKE, by_clinician=True)
    unseen = Submission.objects.filter(
        status__in=workflow.OPEN, escalate_at=None, escalations=0, decisions=None
    ).exclude(pk__in=reached.values("submission"))
    for occasion, due in waiting.exclude(occasion__contains=":").values_list("occasion", "due_at"):
        unseen.filter(pk=occasion).update(escalate_at=due)


def escalation_order(submission: Submission) -> Order:
    """Return the order of the letter for the escalation step that is due.

    `escalations` already counts this step. An alarm after a decision starts at step one again. The
    due time in the occasion makes its letter a new one. Raises ValueError for a submission that is
    not escalated.
    """
    if submission.escalate_at is None:
        raise ValueError("This submission is not escalated.")
    step, due = submission.escalations, int(submission.escalate_at.timestamp())
    return Order(kind="escalation", occasion=f"{submission.pk}:{step}:{due}")
