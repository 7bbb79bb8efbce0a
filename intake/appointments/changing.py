"""Move or cancel a visit, or record that the visit took place or that the patient did not come.

Every service is one transaction, and takes its locks in the order that `booking` describes.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from intake.appointments import notices, waiting_list
from intake.appointments.book import FreeTime
from intake.appointments.claims import claiming, locked, retry_deadlocks, span_of
from intake.appointments.deadlines import change_deadline
from intake.appointments.notices import schedule_reminders, tell
from intake.appointments.steps import (
    actor_of,
    advance,
    record,
    request_of,
    step,
    submission_of,
)
from intake.appointments.taking import claiming_time, find_time, free_seat
from intake.domain import workflow
from intake.errors import Refused
from intake.models.appointments import Appointment, CancelReason, WaitlistEntry, during
from intake.models.calls import CallTask
from intake.models.clinic_time import VisitType
from intake.models.submissions import Submission
from intake.ways import calls
from intake.wording.moments import clock_words

CLOSED = {"complete": "completed", "miss": "no_show"}
NEWS_FOR = timedelta(days=7)
"""A patient hears of a no-show that is recorded within this time. A later entry is a correction."""


def time_to_move_to(
    *,
    appointment: Appointment,
    slot: str,
    by: User | None = None,
    visit_type: VisitType | None = None,
) -> FreeTime:
    """Find the free time that `reschedule` would take. Raises SlotGone.

    A patient may only choose a time within the days that the urgency allows; staff may choose any
    free time.
    """
    kind = visit_type or appointment.visit_type
    urgency = None if by else submission_of(appointment).urgency
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
    """Move an appointment to another free time, and free the old time in the same transaction.

    The row stays the same with a higher `sequence`, so that calendars move the visit. Raises
    SlotGone when the new time is not free, and Refused when the patient has to call because the
    visit is too near. After an error the visit keeps its old time.
    """
    _refuse_late(appointment, by)
    free = time_to_move_to(appointment=appointment, slot=slot, by=by, visit_type=visit_type)
    with claiming_time(free, span_of(appointment)) as now:
        request_of(submission_of(appointment))
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
    """Cancel an appointment, and offer the freed time to the waiting list. Idempotent.

    The patient's request stays open for another time if `again` is set, or if staff cancel for
    another reason than the patient's wish. Otherwise the request is withdrawn. A time that a
    clinician or the clinic cancels is not offered. Raises Refused when the patient has to call
    because the visit is too near, workflow.NotAllowed when the visit is over, ValueError for an
    unknown reason.
    """
    if reason not in CancelReason.values:
        raise ValueError(_("Choose a reason."))
    if appointment.status == "cancelled":
        return
    # checked before the submission is read, because a slot held for a draft has no submission
    workflow.move_visit(appointment.status, "cancel")
    with claiming(spans=[span_of(appointment)]) as now:
        request = request_of(submission_of(appointment))
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
            advance(request, "offer")  # the patient can still accept an offered earlier time
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


def end_all(*, submission: Submission, by: User | None = None) -> None:
    """End all arrangements for a patient who does not want a visit any more.

    Ends the appointment, the offers, the held slot and the place on the waiting list, and offers
    the freed time to other patients on the waiting list. `withdraw` and `set_progress` call this
    function before they lock the submission, and record the act.
    """
    known = {row.pk: span_of(row) for row in submission.appointments.taking()}
    with claiming(spans=known.values()) as now:
        request = request_of(submission)
        # read again, because the front desk may have booked while this transaction waited for the
        # lock
        rows = submission.appointments.taking().select_for_update(of=("self",)).order_by("pk")
        for row in rows:
            if row.status == "held":
                step(row, "release", by=by, at=now)
            elif row.during.upper > now:
                end_visit(row, by=by, at=now, reason=CancelReason.PATIENT)
            else:
                continue  # a visit that is over is not cancelled
            # a visit that was booked meanwhile is not offered, because its clinician and day are
            # not locked
            if row.pk in known:
                waiting_list.offer_freed(waiting_list.freed_by(row), at=now, besides=submission.pk)
        waiting_list.withdraw_offers_in(request.offers.filter(state="open"), at=now)
        WaitlistEntry.objects.filter(request=request).delete()
        if request.progress != "done":
            advance(request, "withdraw")


def end_visit(
    row: Appointment, *, by: User | None, at: datetime, reason: str, note: str = ""
) -> None:
    """Cancel a locked visit and tell the patient. `note` is for staff."""
    changes: dict[str, Any] = {"cancel_reason": reason, "sequence": row.sequence + 1}
    if note.strip():
        notes = ((row.note or {}).get("text"), note.strip())
        changes["note"] = {"text": "\n".join(filter(None, notes))}
    step(row, "cancel", by=by, at=at, **changes)
    # a patient who asked to cancel knows that the visit is cancelled
    tell("appointment_cancelled", row, knows=by is None or reason == CancelReason.PATIENT)


def record_attendance(*, appointment: Appointment, by: User, request_id: str) -> None:
    """Record that a visit took place.

    Idempotent. Raises workflow.NotAllowed when the visit was cancelled, and Refused when the visit
    has not begun.
    """
    _close(appointment, "complete", by, request_id)


def record_no_show(*, appointment: Appointment, by: User, request_id: str) -> None:
    """Record that the patient did not come, and tell the patient how to ask for another visit.

    Raises the same errors as `record_attendance`, and Refused when the patient is here.
    """
    _close(appointment, "miss", by, request_id)


def is_news(visit: Appointment) -> bool:
    """Whether the patient hears of a no-show that is recorded now."""
    begun: datetime = visit.during.lower
    return timezone.now() - begun < NEWS_FOR


def _close(appointment: Appointment, action: str, by: User, request_id: str) -> None:
    closed = CLOSED[action]
    if appointment.status == closed:
        return
    # checked before the submission is read, because a slot held for a draft has no submission
    workflow.move_visit(appointment.status, action)
    with claiming(spans=[span_of(appointment)]) as now:
        request = request_of(submission_of(appointment))
        row = locked(appointment)
        if row.status == closed:
            return
        if row.during.lower > now:
            raise Refused(_("The visit has not begun yet."))
        if action == "miss" and row.here_since:
            raise Refused(
                _("The patient has been here since %(time)s. If that is wrong, first take it back.")
                % {"time": clock_words(row.here_since)}
            )
        before = row.status
        step(row, action, by=by, at=now)
        calls.drop(submission_id=row.submission_id, about=row.pk)
        if action == "miss" and is_news(row):
            notices.tell_missed(row)
        later = submission_of(row).appointments.filter(during__startswith__gt=row.during.lower)
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


def ask_again(*, submission: Submission, request_id: str = "") -> None:
    """Open the request of a patient who missed the visit, for another visit. Idempotent.

    Raises Refused when the request was not opened because the submission is finished.
    """
    with transaction.atomic():
        request = request_of(submission)
        if request.progress != "missed":
            return
        if submission.status in workflow.FINISHED:
            raise Refused(_("This request is finished. If you want a visit, please call us."))
        advance(request, "reopen")
        calls.drop(submission_id=submission.pk, reasons=[CallTask.Reason.MISSED])
        audit.record(
            actor=actor_of(None, submission),
            action="state",
            subject=str(submission.pk),
            purpose="PATRQT",
            request_id=request_id,
            detail={"kind": "request", "to": request.progress},
        )


def move_visit(row: Appointment, *, by: User | None, at: datetime, **where: Any) -> None:
    """Move a visit, whose row is locked, to a claimed time, and tell the patient."""
    # an arrival and a reason to overbook belong to the earlier time
    gone = dict.fromkeys(("overbooked_by", "overbook_reason", "arrived_at", "called_in_at"))
    was_at = row.during.lower
    step(row, "move", by=by, at=at, sequence=row.sequence + 1, **{**gone, **where})
    tell("appointment_changed", row, knows=by is None, was_at=was_at)
    schedule_reminders(row)


def _refuse_late(appointment: Appointment, by: User | None) -> None:
    """Raise Refused when the patient has to call to change the visit (see deadlines)."""
    if by is None and timezone.now() > change_deadline(appointment):
        raise Refused(_("It is too late to change this here. Please call us."))
    if appointment.status != "confirmed":
        workflow.move_visit(appointment.status, "move")
