"""What becomes of a visit: moved, cancelled, taken back with all else, or over.

Each is one transaction, in the order of `booking`.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.appointments import waiting_list
from intake.appointments.book import FreeTime
from intake.appointments.booking import claiming_time, find_time, free_seat
from intake.appointments.claims import claiming, locked, retry_deadlocks, span_of
from intake.appointments.notices import schedule_reminders, tell
from intake.appointments.steps import User, actor_of, advance, record, request_of, step
from intake.domain import workflow
from intake.errors import Refused
from intake.models.appointments import Appointment, CancelReason, WaitlistEntry, during
from intake.models.clinic_time import VisitType
from intake.models.submissions import Submission
from intake.ways import calls


def time_to_move_to(
    *,
    appointment: Appointment,
    slot: str,
    by: User | None = None,
    visit_type: VisitType | None = None,
) -> FreeTime:
    """The free time that `reschedule` would take; a patient's within what the urgency allows.
    Raises SlotGone."""
    kind = visit_type or appointment.visit_type
    urgency = None if by else appointment.submission.urgency
    return find_time(slot, kind, urgency, has_one=kind == appointment.visit_type)


@retry_deadlocks
def reschedule(
    *,
    appointment: Appointment,
    slot: str,
    by: User | None = None,
    visit_type: VisitType | None = None,
    request_id: str = "",
) -> Appointment:
    """Move an appointment to another free time: the old one is free in the same transaction. The
    row stays the same with a higher `sequence`, so that calendars move it.

    Raises SlotGone (the old time stays), Refused when the patient is too late to do it alone.
    """
    _refuse_late(appointment, by)
    free = time_to_move_to(appointment=appointment, slot=slot, by=by, visit_type=visit_type)
    with claiming_time(free, span_of(appointment)) as now:
        request_of(appointment.submission)
        row = locked(appointment)
        _refuse_late(row, by)
        left = waiting_list.freed_by(row)
        move_visit(
            row,
            by=by,
            at=now,
            clinician=free.clinician,
            location=free.location,
            visit_type=free.visit_type,
            during=during(free.start, free.end),
            seat=free_seat(free, besides=row),
            capacity=free.slot.capacity,
        )
        record(
            row,
            actor=actor_of(by, row.submission),
            action="update",
            request_id=request_id,
            status=row.status,
        )
        waiting_list.offer_freed(left, at=now, besides=row.submission_id)
    return row


@retry_deadlocks
def cancel(
    *,
    appointment: Appointment,
    by: User | None = None,
    reason: str = CancelReason.PATIENT,
    note: str = "",
    again: bool = False,
    request_id: str = "",
) -> None:
    """Cancel an appointment; again is the same as once. The freed time goes to the waitlist.

    With `again` the request waits for another time; without, a patient's request is withdrawn,
    while one that the clinic cancels always waits again. Raises Refused when the patient is too
    late, workflow.NotAllowed when the visit is over, ValueError for an unknown reason.
    """
    if reason not in CancelReason.values:
        raise ValueError(_("Choose a reason."))
    if appointment.status == "cancelled":
        return
    workflow.move_visit(appointment.status, "cancel")  # a held time may be nobody's
    with claiming(spans=[span_of(appointment)]) as now:
        request = request_of(appointment.submission)
        row = locked(appointment)
        if row.status == "cancelled":
            return
        _refuse_late(row, by)
        end_visit(row, by=by, at=now, reason=reason, note=note)
        asks_again = again or (by is not None and reason != CancelReason.PATIENT)
        if request.progress == "booked":
            advance(request, "return" if asks_again else "withdraw")
        offers = request.offers.filter(state="open")
        if not asks_again:
            waiting_list.withdraw_offers_in(offers, at=now)
            WaitlistEntry.objects.filter(request=request).delete()
        elif request.progress == "requested" and offers.exists():
            advance(request, "offer")  # an earlier time: they can still have it
        record(
            row,
            actor=actor_of(by, row.submission),
            action="state",
            request_id=request_id,
            status=row.status,
            ground=reason,
        )
        if reason not in (CancelReason.CLINICIAN, CancelReason.CLINIC):
            waiting_list.offer_freed(waiting_list.freed_by(row), at=now, besides=row.submission_id)


def drop_all(*, submission: Submission, by: User | None = None) -> None:
    """No visit is wanted any more: appointment, offers, held time and waiting end, and the freed
    time goes to the waitlist. A part of `withdraw` and `set_progress`, which record it; call it
    before the submission is locked."""
    known = {row.pk: span_of(row) for row in submission.appointments.taking()}
    with claiming(spans=known.values()) as now:
        request = request_of(submission)
        # read again: somebody may have booked while we waited
        rows = submission.appointments.taking().select_for_update(of=("self",)).order_by("pk")
        for row in rows:
            if row.status == "held":
                step(row, "release", by=by, at=now)
            elif row.during.upper > now:
                end_visit(row, by=by, at=now, reason=CancelReason.PATIENT)
            else:
                continue  # a visit that was is not cancelled
            if row.pk in known:  # whose lock is ours
                waiting_list.offer_freed(waiting_list.freed_by(row), at=now, besides=submission.pk)
        waiting_list.withdraw_offers_in(request.offers.filter(state="open"), at=now)
        WaitlistEntry.objects.filter(request=request).delete()
        if request.progress != "done":
            advance(request, "withdraw")


def end_visit(
    row: Appointment, *, by: User | None, at: datetime, reason: str, note: str = ""
) -> None:
    changes: dict[str, Any] = {"cancel_reason": reason, "sequence": row.sequence + 1}
    if note.strip():
        notes = ((row.note or {}).get("text"), note.strip())
        changes["note"] = {"text": "\n".join(filter(None, notes))}
    step(row, "cancel", by=by, at=at, **changes)
    # who asked for it knows
    tell("appointment_cancelled", row, knows=by is None or reason == CancelReason.PATIENT)


def complete(*, appointment: Appointment, by: User, request_id: str) -> None:
    """The visit took place. Raises workflow.NotAllowed, and Refused before it has begun."""
    _close(appointment, "complete", by, request_id)


def no_show(*, appointment: Appointment, by: User, request_id: str) -> None:
    """The patient did not come. Raises workflow.NotAllowed, and Refused before it has begun."""
    _close(appointment, "miss", by, request_id)


def _close(appointment: Appointment, action: str, by: User, request_id: str) -> None:
    workflow.move_visit(appointment.status, action)  # a held time may be nobody's
    with claiming(spans=[span_of(appointment)]) as now:
        request = request_of(appointment.submission)
        row = locked(appointment)
        if row.during.lower > now:
            raise Refused(_("The visit has not begun yet."))
        before = row.status
        step(row, action, by=by, at=now)
        calls.drop(submission_id=row.submission_id, about=row.pk)
        later = row.submission.appointments.filter(during__startswith__gt=row.during.lower)
        moves = (request.progress, action) in workflow.REQUEST_MOVES
        if moves and not later.filter(status__in=workflow.VISITS).exists():
            advance(request, action)
            WaitlistEntry.objects.filter(request=request).delete()
        record(
            row,
            actor=actor_of(by, row.submission),
            action="state",
            request_id=request_id,
            **{"from": before, "to": row.status},
        )


def move_visit(row: Appointment, *, by: User | None, at: datetime, **where: Any) -> None:
    """Move a locked confirmed row to a time whose lock is ours."""
    overbooked = {"overbooked_by": None, "overbook_reason": None, **where}
    was_at = row.during.lower
    step(row, "move", by=by, at=at, sequence=row.sequence + 1, **overbooked)
    tell("appointment_changed", row, knows=by is None, was_at=was_at)
    schedule_reminders(row)


def _refuse_late(appointment: Appointment, by: User | None) -> None:
    notice = timedelta(hours=settings.APPOINTMENT_CANCEL_HOURS)
    if by is None and appointment.during.lower - timezone.now() < notice:
        raise Refused(_("It is too late to change this here. Please call us."))
    if appointment.status != "confirmed":
        workflow.move_visit(appointment.status, "move")
