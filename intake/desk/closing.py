"""Close decided submissions whose visit was kept, once nothing is left to do."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from clinic import audit
from intake.domain import workflow
from intake.history import build_history
from intake.models.appointments import Appointment, Offer, WaitlistEntry
from intake.models.calls import Call, CallTask
from intake.models.submissions import (
    IS_WAITING,
    Communication,
    Decision,
    Draft,
    StatusChange,
    Submission,
)

MOST_AT_ONCE = 100


def close_kept(*, limit: int = MOST_AT_ONCE) -> int:
    """Close the submissions whose visit was kept, after CLOSE_KEPT_DAYS without any event.

    Runs each minute, and may run on several workers at once. Returns how many were closed.
    """
    keys = finished().order_by("pk").values_list("pk", flat=True)[:limit]
    return sum(map(_close_if_finished, list(keys)))


def finished() -> QuerySet[Submission]:
    """Return the decided submissions whose last visit was kept and for which nothing is left to do.

    Left to do is: a message to answer, a red flag, a call, an offer, a place on the waiting list, a
    visit to come, unsent answers of the patient, and an addition or part 2 that waits for the
    clinic. A decision after the visit plans something new, so it is left to staff as well.
    """
    quiet_since = timezone.now() - timedelta(days=settings.CLOSE_KEPT_DAYS)
    mine = {"submission": OuterRef("pk")}
    visits = Appointment.objects.filter(**mine)
    last_visit = visits.filter(status__in=workflow.VISITS).order_by("-during")
    decided = Decision.objects.filter(**mine).order_by("-at", "-id")
    in_hand = (
        visits.filter(status__in=workflow.OCCUPYING),
        CallTask.objects.open().filter(**mine),
        Offer.objects.filter(state="open", request__submission=OuterRef("pk")),
        WaitlistEntry.objects.filter(request__submission=OuterRef("pk")),
        Draft.objects.filter(follows=OuterRef("pk"), submission=None),
        Submission.objects.filter(IS_WAITING, follows=OuterRef("pk")),
    )
    lately = (
        rows.filter(**mine, at__gt=quiet_since)
        for rows in (StatusChange.objects, Communication.objects, Call.objects)
    )
    rows = Submission.objects.filter(
        status="decided",
        reply_due_at=None,
        alarm=False,
        escalate_at=None,
        redirected_at=None,
        back_at=None,
        suspect=False,
        appointment_request__progress="done",
    )
    rows = rows.annotate(
        visit=Subquery(last_visit.values("status")[:1]),
        visit_at=Subquery(last_visit.values("during__startswith")[:1]),
        visit_noted=Subquery(last_visit.values("changed_at")[:1]),
        decided_at=Subquery(decided.values("at")[:1]),
    ).filter(
        visit="completed",
        visit_noted__lte=quiet_since,
        decided_at__lt=F("visit_at"),
    )
    for each in (*in_hand, *lately):
        rows = rows.filter(~Q(Exists(each)))
    return rows


def _close_if_finished(pk: UUID) -> bool:
    """Close one submission, unless it is in use or was changed meanwhile."""
    with transaction.atomic():
        locked = Submission.objects.select_related("appointment_request")
        locked = locked.select_for_update(of=("self", "appointment_request"), skip_locked=True)
        locked = locked.defer("answers", "assessment", "person")
        row = locked.filter(pk=pk, appointment_request__progress="done").first()
        # asked again under the lock, because a message or a call may have come since
        if row is None or not finished().filter(pk=pk).exists():
            return False
        row.status = workflow.move(row.status, "close")
        row.revision += 1
        row.save(update_fields=["status", "revision"])
        build_history(row, "close", by=None, at=timezone.now()).save(force_insert=True)
        audit.record(
            actor=audit.system("closing"),
            action="state",
            subject=str(row.pk),
            purpose="TREAT",
            detail={"from": "decided", "to": row.status},
        )
    return True
