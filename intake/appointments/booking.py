"""Turn a slot into a visit: confirm a held slot, book by telephone, overbook.

Every function is one transaction, which first locks each clinician and day (claims.claiming), then
the rows of appointments, then the row of the request. `by` is the member of staff; None stands for
the patient. A slot is named by its key (FreeTime.key). When the slot is not free, the function
raises SlotGone with the nearest free times.
"""

from datetime import datetime, timedelta
from itertools import count

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.appointments import book, waiting_list
from intake.appointments.claims import claiming, locked, retry_deadlocks, span_of
from intake.appointments.deadlines import restore_deadline
from intake.appointments.notices import schedule_reminders, tell
from intake.appointments.slot_gone import SlotGone
from intake.appointments.steps import (
    actor_of,
    advance,
    insert,
    record,
    request_of,
    step,
    submission_of,
)
from intake.appointments.taking import claiming_time, find_time, free_seat, same_slot, take
from intake.domain import slots as domain
from intake.errors import Refused
from intake.models.appointments import Appointment, Offer, WaitlistEntry
from intake.models.clinic_time import Clinician, Location, VisitType
from intake.models.submissions import Submission
from intake.ways import calls, telling


def confirm_hold(
    *, appointment: Appointment, submission: Submission, request_id: str = ""
) -> Appointment:
    """Make a held slot the appointment of a submission.

    Called in the transaction that sends a draft, or in a transaction of its own. A hold that has
    ended still counts if no other patient has taken the slot. Idempotent. Raises SlotGone, or
    Refused when the request is closed. After an error nothing is booked.
    """
    with claiming(spans=[span_of(appointment)]) as now:
        request = request_of(submission)
        row = locked(appointment)
        if row.status == "confirmed" and row.submission_id == submission.pk:
            return row
        if request.progress == "withdrawn":  # the request was closed while the patient chose a slot
            raise Refused(_("This request is over. Send a new one, or call us."))
        if row.submission_id not in (None, submission.pk) or row.status not in ("held", "expired"):
            raise SlotGone
        if row.draft and row.draft.submission_id not in (None, submission.pk):
            raise SlotGone
        confirm_visit(row, submission, by=None, at=now, request_id=request_id)
    return row


@retry_deadlocks
def confirm_by_call(
    *, submission: Submission, slot: str, visit_type: VisitType, by: User, request_id: str
) -> Appointment:
    """Book a free slot for a patient on the phone, and withdraw the patient's open offers.

    Idempotent. Raises SlotGone, and Refused when the patient has another appointment.
    """
    confirmed = submission.appointments.filter(status="confirmed")
    try:
        _refuse_second(submission)
        return _book(submission, slot, visit_type, by, request_id)
    except (SlotGone, Refused):
        # Staff may have pressed the button twice. Then the first press has already booked the slot.
        if booked := same_slot(confirmed, slot, visit_type):
            return booked
        raise


def _book(
    submission: Submission, slot: str, visit_type: VisitType, by: User, request_id: str
) -> Appointment:
    free = find_time(slot, visit_type)
    with claiming_time(free) as now:
        seat = free_seat(free)
        request_of(submission)
        appointment = take(free, seat, at=now, submission=submission, status="held", held_until=now)
        # the patient is on the phone, so no call about visits is due any more
        calls.drop(submission_id=submission.pk, reasons=telling.OF_VISITS)
        confirm_visit(appointment, submission, by=by, at=now, request_id=request_id)
    return appointment


@retry_deadlocks
def overbook(
    *,
    submission: Submission,
    clinician: Clinician,
    location: Location,
    visit_type: VisitType,
    start: datetime,
    reason: str,
    by: User,
    request_id: str,
) -> Appointment:
    """Book a visit at any future time, for a reason, even when hours or seats allow no more visits.

    Takes an ordinary seat if one is free, and keeps the reason as a note. Otherwise takes a seat
    above the capacity, which marks the visit as overbooked for ever. `start` is a moment;
    wall_time.resolve_wall makes the moment from the typed wall time. Raises ValueError without a
    reason, and Refused when the time is past or the patient has an appointment already.
    """
    if not reason.strip():
        raise ValueError(_("Say why you book more than the hours allow."))
    if start <= timezone.now():
        raise Refused(_("This time is past. Choose a later one."))
    _refuse_second(submission)
    end = start + timedelta(minutes=visit_type.minutes)
    with claiming(spans=[(clinician.pk, start, end)]) as now:
        request_of(submission)
        capacity = book.capacity_of(clinician=clinician, location=location, start=start, end=end)
        seat = _ordinary_or_extra_seat(clinician, start, end, capacity)
        words = {"text": reason.strip()}
        why = (
            {"overbooked_by": by, "overbook_reason": words} if seat >= capacity else {"note": words}
        )
        appointment = insert(
            submission=submission,
            clinician=clinician,
            location=location,
            visit_type=visit_type,
            start=start,
            end=end,
            seat=seat,
            capacity=capacity,
            status="held",
            held_until=now,
            at=now,
            **why,
        )
        kind = "overbooking" if appointment.is_overbooked else "appointment"
        confirm_visit(
            appointment,
            submission,
            by=by,
            at=now,
            request_id=request_id,
            kind=kind,
            knows=False,
        )
    return appointment


@retry_deadlocks
def restore(*, appointment: Appointment, request_id: str = "") -> Appointment:
    """Book a visit again that the patient canceled less than 15 minutes ago. Idempotent.

    Raises SlotGone when another patient has the time, and Refused when it is too late, or when the
    patient has another appointment.
    """
    submission = submission_of(appointment)
    with claiming(spans=[span_of(appointment)]) as now:
        request = request_of(submission)
        old = locked(appointment)
        start, end = old.during.lower, old.during.upper
        if booked := submission.appointments.filter(status="confirmed").first():
            if booked.during == old.during:  # the patient pressed the button twice
                return booked
            raise Refused(_("You have an appointment already. You can move it instead."))
        until = restore_deadline(old)
        is_over = submission.status == "withdrawn"
        if old.status != "cancelled" or until is None or now > until or is_over:
            raise Refused(_("It is too late to undo this. Please choose a time, or call us."))
        capacity = book.capacity_of(
            clinician=old.clinician, location=old.location, start=start, end=end
        )
        who = str(old.clinician_id)
        near = book.busy_of([who], start, end)
        free = domain.free_seats(near, clinician=who, start=start, end=end, capacity=capacity)
        if not free:
            raise SlotGone
        if request.progress == "withdrawn":
            advance(request, "reopen")
        visit = insert(
            submission=submission,
            clinician=old.clinician,
            location=old.location,
            visit_type=old.visit_type,
            start=start,
            end=end,
            seat=free[0],
            capacity=capacity,
            status="held",
            held_until=now,
            at=now,
        )
        confirm_visit(visit, submission, by=None, at=now, request_id=request_id)
    return visit


# --- parts ----------------------------------------------------------------------------------------


def confirm_visit(
    row: Appointment,
    submission: Submission,
    *,
    by: User | None,
    at: datetime,
    request_id: str,
    kind: str = "appointment",
    knows: bool = True,
) -> None:
    """Turn a held appointment, whose row the caller has locked, into the submission's visit.

    Withdraws the patient's other offers, ends the wait, tells the patient and schedules reminders.
    `knows`: the patient knows of the visit already, having chosen the time or being on the phone.
    """
    request = request_of(submission)
    if row.status == "expired":  # no other patient has taken the slot since the hold ended
        row.status = "held"
    step(row, "confirm", by=by, at=at, submission=submission, held_until=None)
    advance(request, "book")
    rivals = Offer.objects.filter(request=request, state="open").exclude(appointment=row)
    waiting_list.withdraw_offers_in(rivals, at=at)
    WaitlistEntry.objects.filter(request=request).delete()
    tell("appointment_confirmed", row, knows=knows)
    schedule_reminders(row)
    record(
        row,
        actor=actor_of(by, submission),
        action="create",
        request_id=request_id,
        kind=kind,
        status=row.status,
    )


def _ordinary_or_extra_seat(
    clinician: Clinician, start: datetime, end: datetime, capacity: int
) -> int:
    """Return the lowest free seat, or if no seat is free, the lowest seat above the capacity."""
    who = str(clinician.pk)
    near = book.busy_of([who], start, end)
    free = domain.free_seats(near, clinician=who, start=start, end=end, capacity=capacity)
    taken = {busy.seat for busy in near}
    return free[0] if free else next(n for n in count(capacity) if n not in taken)


def _refuse_second(submission: Submission) -> None:
    """Raise Refused when the patient has an appointment already."""
    if submission.appointments.filter(status="confirmed").exists():
        raise Refused(_("This patient has an appointment already. Move it instead."))
