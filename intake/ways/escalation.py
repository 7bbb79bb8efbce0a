"""Escalation of red flags: more and more people are told, until a clinician has seen to it.

First the duty role, then everybody, then every page of staff says so, too; each step comes
ESCALATE_MINUTES of opening time after the one before. A decision ends it, or a call in which a
clinician reached the patient. To take the submission only pauses it; to read it changes nothing.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from clinic import audit
from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Order
from intake.domain import workflow
from intake.models.calls import Call
from intake.models.submissions import Submission
from intake.ways.calls import next_try

MOST_AT_ONCE = 100


def start(*, row: Submission, at: datetime) -> None:
    """Set when a row is escalated first, counted from `at`; the caller holds it and stores it.

    An escalation under way goes on with its next step, which comes no later than this.
    """
    first = next_try(at)
    if row.escalate_at is None:
        row.escalations = 0
    row.escalate_at = min(row.escalate_at or first, first)


def pause(*, submission: Submission, by: Any, at: datetime) -> None:
    """Put the next step off for one period because `by` takes the submission: once for each person.

    Called in the transaction of the taking, before its history is written.
    """
    if not submission.history.filter(action="assign", by=by).exists():
        until = next_try(at)
        rows = Submission.objects.filter(pk=submission.pk, escalate_at__lt=until)
        rows.update(escalate_at=until)


def escalate(*, limit: int = MOST_AT_ONCE) -> int:
    """Tell of the red flags whose next step is due, and set the step after it. Returns how many.

    Done each minute, by any number of workers at once: of two, one takes the row.
    """
    now = timezone.now()
    with transaction.atomic():
        _take_over()
        due = Submission.objects.filter(escalate_at__lte=now).order_by("escalate_at")
        due = due.only("escalate_at", "escalations")
        rows = list(due.select_for_update(of=("self",), skip_locked=True)[:limit])
        orders = []
        for row in rows:
            row.escalations += 1
            orders.append(escalation_order(row))
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


def _take_over() -> None:
    """Give a time to what the release before sent: it has only a message that waits to be sent."""
    waiting = Message.objects.filter(kind="escalation", state=Message.State.WAITING)
    reached = Call.objects.filter(outcome=Call.Outcome.REACHED, by_clinician=True)
    unseen = Submission.objects.filter(
        status__in=workflow.OPEN, escalate_at=None, escalations=0, decisions=None
    ).exclude(pk__in=reached.values("submission"))
    for occasion, due in waiting.exclude(occasion__contains=":").values_list("occasion", "due_at"):
        unseen.filter(pk=occasion).update(escalate_at=due)


def escalation_order(submission: Submission) -> Order:
    """What an escalation that falls due gives reason to tell; `escalations` counts it already.

    The occasion says when it fell due: an alarm after a decision begins with the first step again.
    """
    step, due = submission.escalations, int(submission.escalate_at.timestamp())
    return Order(kind="escalation", occasion=f"{submission.pk}:{step}:{due}")
