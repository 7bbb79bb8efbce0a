"""Hold a slot for a patient while the patient fills in the details that are still missing.

Every function that writes is one transaction, and takes its locks in the order that `booking`
describes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.appointments import free_times, sql, waiting_list
from intake.appointments.claims import claiming, locked, span_of
from intake.appointments.open_requests import refuse_one_too_many
from intake.appointments.slot_gone import SlotGone
from intake.appointments.steps import actor_of, note_change, record, request_of, step
from intake.appointments.taking import claiming_time, find_time, free_seat, same_slot, take
from intake.errors import Refused
from intake.models.appointments import Appointment, AppointmentQuerySet
from intake.models.clinic_time import VisitType
from intake.models.submissions import Draft, Submission


@dataclass(frozen=True)
class Standing:
    """The visit that a patient has booked and the slot that the patient holds, at one moment."""

    visit: Appointment | None
    held: Appointment | None
    at: datetime


def hold(
    *,
    slot: str,
    visit_type: VisitType,
    urgency: int,
    person: Mapping[str, Any],
    submission: Submission | None = None,
    draft: Draft | None = None,
    request_id: str = "",
) -> Appointment:
    """Hold a slot for APPOINTMENT_HOLD_MINUTES, for a draft or for a submission.

    Idempotent. Releases another slot that the patient holds.

    `urgency` and `person` belong to the draft or submission. Raises SlotGone when the slot is not
    free. Raises Refused when the urgency forbids choosing a time, when the patient has an
    appointment already, or when too many requests are open.
    """
    if draft is None and submission is None:
        raise ValueError("a time is held for a draft or a submission")
    if free_times.window_of(urgency) is None:
        raise Refused(_("Do not wait for an appointment with this. Please call us now."))
    if draft:
        refuse_one_too_many(person=person)
    try:
        return _hold(slot, visit_type, urgency, submission, draft, request_id)
    except SlotGone:
        if ids := _booked_or_held(submission, draft):
            rows = Appointment.objects.filter(pk__in=ids, status="held")
            if held := same_slot(rows, slot, visit_type):
                return held  # the patient pressed the button twice
        raise


def _hold(
    slot: str,
    visit_type: VisitType,
    urgency: int,
    submission: Submission | None,
    draft: Draft | None,
    request_id: str,
) -> Appointment:
    free = find_time(slot, visit_type, urgency=urgency)
    with claiming_time(free) as now:
        seat = free_seat(free)
        if submission:
            request_of(submission)
            if submission.appointments.filter(status="confirmed").exists():
                raise Refused(_("You have an appointment already. You can move it instead."))
        for earlier in _holds(submission, draft).select_for_update(of=("self",)):
            step(earlier, "release", by=None, at=now)
        appointment = take(
            free,
            seat,
            at=now,
            submission=submission,
            draft=draft,
            status="held",
            held_until=now + timedelta(minutes=settings.APPOINTMENT_HOLD_MINUTES),
        )
        note_change(appointment, "hold", by=None, at=now)
        record(
            appointment,
            actor=actor_of(None, submission),
            action="create",
            request_id=request_id,
            status="held",
        )
    return appointment


def held_by(
    *, submission: Submission | None = None, draft: Draft | None = None
) -> Appointment | None:
    """Return the slot that a patient holds now, or None."""
    rows = _holds(submission, draft).filter(held_until__gt=timezone.now())
    return rows.for_reading().first()


def standing_of(*, submission: Submission) -> Standing:
    """Read a patient's visit and held slot. Needs one query if there is neither, else two."""
    now = timezone.now()
    ids = _booked_or_held(submission, None)
    rows = Appointment.objects.for_reading().filter(pk__in=ids) if ids else ()
    found = {row.status: row for row in rows}
    return Standing(found.get("confirmed"), found.get("held"), now)


def release(
    *,
    appointment: Appointment,
    submission: Submission | None = None,
    draft: Draft | None = None,
    request_id: str = "",
) -> None:
    """Release the patient's held slot. Idempotent; does nothing when the patient holds no slot."""
    with claiming(spans=[span_of(appointment)]) as now:
        row = locked(appointment)
        is_own = (submission and row.submission_id == submission.pk) or (
            draft and row.draft_id == draft.pk
        )
        if is_own and row.status == "held":
            step(row, "release", by=None, at=now)
            record(
                row,
                actor=actor_of(None, submission),
                action="state",
                request_id=request_id,
                status=row.status,
            )
            waiting_list.offer_freed(waiting_list.freed_by(row), at=now)


def prune_holds(*, days: int) -> int:
    """Delete holds that did not become visits, `days` days after they ended. Returns how many."""
    rows = Appointment.objects.filter(
        submission=None, changed_at__lt=timezone.now() - timedelta(days=days)
    ).exclude(status="held")
    with transaction.atomic():
        return rows.delete()[1].get("intake.Appointment", 0)


# --- parts ----------------------------------------------------------------------------------------


def _holds(submission: Submission | None, draft: Draft | None) -> AppointmentQuerySet:
    """Return the patient's held slots, ended or not, without slots that are held for an offer."""
    rows = Appointment.objects.filter(status="held", offers=None)
    return rows.filter(submission=submission) if submission else rows.filter(draft=draft)


def _booked_or_held(submission: Submission | None, draft: Draft | None) -> list[UUID]:
    """Find the ids of the patient's booked visit and of the slot that the patient holds now.

    Reads only ids, because most patients who lose a slot have neither a visit nor a held slot.
    """
    with connection.cursor() as cursor:
        keys = [row.pk if row else None for row in (submission, draft)]
        cursor.execute(sql.BOOKED_OR_HELD, [*keys, timezone.now()])
        return [pk for (pk,) in cursor.fetchall()]
