"""From a free time to a visit, and what becomes of the visit.

Every function is one transaction. It takes the lock of clinician and day first (common.claiming),
then the rows, then the request's. `by` is the member of staff, None the patient. A time is named by
the key of its slot (FreeTime.key); one that cannot be had raises SlotGone with the nearest.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.ids import uuid7
from intake.appointments import book, free_times, sql, waiting_list
from intake.appointments.book import FreeTime
from intake.appointments.claims import Span, claiming, locked, retry_deadlocks, span_of
from intake.appointments.notices import schedule_reminders, tell
from intake.appointments.open_requests import refuse_one_too_many
from intake.appointments.slot_gone import SlotGone
from intake.appointments.steps import User, actor_of, advance, note_change, record, request_of, step
from intake.domain import slots as domain
from intake.errors import Refused
from intake.models.appointments import Appointment, Offer, WaitlistEntry, during
from intake.models.clinic_time import Clinician, Location, VisitType
from intake.models.submissions import Draft, Submission
from intake.ways import calls, telling


@dataclass(frozen=True)
class Standing:
    """The visit that is booked and the time that is held, each or None, and when that was so."""

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
    """Hold a slot for APPOINTMENT_HOLD_MINUTES while the patient fills in details: for a draft, or
    for a submission. Idempotent; releases another slot that the patient holds.

    `urgency` and `person` are those of the draft or submission. Raises SlotGone, and Refused when
    the urgency forbids choosing a time, when the patient has an appointment already, or when too
    many requests are open.
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
        if ids := _ids_of(submission, draft):
            rows = Appointment.objects.filter(pk__in=ids, status="held")
            if mine := _same(rows, slot, visit_type):
                return mine  # clicked twice
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
        appointment = _take(
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


def held_by(*, submission: Submission | None = None, draft: Draft | None = None) -> Any:
    """The time that a patient holds now, or None."""
    rows = _holds(submission, draft).filter(held_until__gt=timezone.now())
    return rows.for_reading().first()


def standing_of(*, submission: Submission) -> Standing:
    """What a patient has: one query when that is nothing, else two."""
    now = timezone.now()
    ids = _ids_of(submission, None)
    rows = Appointment.objects.for_reading().filter(pk__in=ids) if ids else ()
    found = {row.status: row for row in rows}
    return Standing(found.get("confirmed"), found.get("held"), now)


def confirm_hold(
    *, appointment: Appointment, submission: Submission, request_id: str = ""
) -> Appointment:
    """The held time becomes the submission's appointment. Called in the transaction that sends a
    draft, or by itself. A hold that has ended is taken up again if nobody else has the time.

    Again is the same as once. Raises SlotGone, or Refused when the request is closed; after either
    nothing is booked.
    """
    with claiming(spans=[span_of(appointment)]) as now:
        request = request_of(submission)
        row = locked(appointment)
        if row.status == "confirmed" and row.submission_id == submission.pk:
            return row
        if request.progress == "withdrawn":  # closed while the patient chose
            raise Refused(_("This request is over. Send a new one, or call us."))
        if row.submission_id not in (None, submission.pk) or row.status not in ("held", "expired"):
            raise SlotGone
        if row.draft_id and row.draft.submission_id not in (None, submission.pk):
            raise SlotGone
        confirm_visit(row, submission, by=None, at=now, request_id=request_id)
    return row


def release(
    *,
    appointment: Appointment,
    submission: Submission | None = None,
    draft: Draft | None = None,
    request_id: str = "",
) -> None:
    """The patient gives a held time back; again is the same as once, and not theirs as nothing."""
    with claiming(spans=[span_of(appointment)]) as now:
        row = locked(appointment)
        theirs = (submission and row.submission_id == submission.pk) or (
            draft and row.draft_id == draft.pk
        )
        if theirs and row.status == "held":
            step(row, "release", by=None, at=now)
            record(
                row,
                actor=actor_of(None, submission),
                action="state",
                request_id=request_id,
                status=row.status,
            )
            waiting_list.offer_freed(waiting_list.freed_by(row), at=now)


@retry_deadlocks
def confirm_by_call(
    *, submission: Submission, slot: str, visit_type: VisitType, by: User, request_id: str
) -> Appointment:
    """The front desk books a free time after a call. Open offers to the same patient are taken
    back; again is the same as once. Raises SlotGone, and Refused when there is another appointment.
    """
    confirmed = submission.appointments.filter(status="confirmed")
    if mine := _same(confirmed, slot, visit_type):
        return mine
    _refuse_second(submission)
    try:
        return _book(submission, slot, visit_type, by, request_id)
    except SlotGone:
        if mine := _same(confirmed, slot, visit_type):
            return mine  # clicked twice
        raise


def _book(
    submission: Submission, slot: str, visit_type: VisitType, by: User, request_id: str
) -> Appointment:
    free = find_time(slot, visit_type)
    with claiming_time(free) as now:
        seat = free_seat(free)
        request_of(submission)
        appointment = _take(
            free, seat, at=now, submission=submission, status="held", held_until=now
        )
        calls.drop(submission_id=submission.pk, reasons=telling.OF_VISITS)  # they were on the phone
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
    """The front desk books any time to come on purpose, with a reason: where hours or seats allow
    no more, it takes a seat at or above the capacity, named as such for ever; where there is an
    ordinary seat, that one, and the reason becomes a note.

    `start` is a moment (domain.slots.resolve_wall makes it of what was typed). Raises ValueError
    without a reason; Refused for a time that is past or for a second appointment.
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
        near = book.busy_of([str(clinician.pk)], start, end)
        left = domain.free_seats(
            near, clinician=str(clinician.pk), start=start, end=end, capacity=capacity
        )
        taken = {busy.seat for busy in near}
        seat = left[0] if left else next(n for n in count(capacity) if n not in taken)
        words = {"text": reason.strip()}
        why = (
            {"overbooked_by": by, "overbook_reason": words} if seat >= capacity else {"note": words}
        )
        appointment = Appointment(
            id=uuid7(),
            submission=submission,
            clinician=clinician,
            location=location,
            visit_type=visit_type,
            during=during(start, end),
            seat=seat,
            capacity=capacity,
            status="held",
            held_until=now,
            **why,
            created_at=now,
            changed_at=now,
        )
        appointment.save(force_insert=True)
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


# --- parts ----------------------------------------------------------------------------------------


def find_time(
    slot: str, visit_type: VisitType, urgency: int | None = None, *, has_one: bool = False
) -> FreeTime:
    """The free time of a key, within what the urgency allows. Raises SlotGone; see find_slot."""
    free = free_times.find_slot(key=slot, visit_type=visit_type, has_one=has_one)
    window = free_times.window_of(urgency) if urgency is not None else None
    if window and not window[0] <= free.start < window[1]:
        near = free_times.slots_for(
            urgency=urgency, visit_type=visit_type, limit=free_times.NEAREST
        )
        raise SlotGone(_("That is not a time you can choose. Please choose one of these."), near)
    return free


@contextmanager
def claiming_time(free: FreeTime, *others: Span) -> Iterator[datetime]:
    """`claiming` for a free time: who comes second is shown the nearest others."""
    try:
        with claiming(spans=[(free.clinician.pk, free.start, free.end), *others]) as now:
            yield now
    except SlotGone as gone:
        if gone.nearest:
            raise
        raise SlotGone("", free_times.nearest_left(free)) from gone.__cause__


def _take(free: FreeTime, seat: int, *, at: datetime, **given: Any) -> Appointment:
    """Insert a row for a free time, under its lock."""
    appointment = Appointment(
        id=uuid7(),
        clinician=free.clinician,
        location=free.location,
        visit_type=free.visit_type,
        during=during(free.start, free.end),
        seat=seat,
        capacity=free.slot.capacity,
        created_at=at,
        changed_at=at,
        **given,
    )
    appointment.save(force_insert=True)
    return appointment


def free_seat(free: FreeTime, besides: Appointment | None = None) -> int:
    """The lowest seat that is free now that the lock is ours. Raises SlotGone."""
    who = free.slot.clinician
    near = book.busy_of([who], free.start, free.end, besides=besides and besides.pk)
    left = domain.free_seats(
        near, clinician=who, start=free.start, end=free.end, capacity=free.slot.capacity
    )
    if not left:
        raise SlotGone
    return left[0]


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
    """A locked held row becomes the submission's visit, with all that follows. The patient `knows`
    who chose the time or was on the phone."""
    request = request_of(submission)
    if row.status == "expired":  # nobody has taken it since
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


def _holds(submission: Submission | None, draft: Draft | None) -> Any:
    """What a patient holds, whether its time is over or not."""
    rows = Appointment.objects.filter(status="held", offers=None)
    return rows.filter(submission=submission) if submission else rows.filter(draft=draft)


def _ids_of(submission: Submission | None, draft: Draft | None) -> list[UUID]:
    """The visit that is booked and the time that is held now. Most of those who come second have
    neither."""
    with connection.cursor() as cursor:
        keys = [row.pk if row else None for row in (submission, draft)]
        cursor.execute(sql.BOOKED_OR_HELD, [*keys, timezone.now()])
        return [pk for (pk,) in cursor.fetchall()]


def _same(rows: Any, slot: str, visit_type: VisitType) -> Appointment | None:
    """The one of these rows that has this very time and has not ended."""
    for row in rows.filter(visit_type=visit_type):
        is_over = row.status == "held" and row.held_until <= timezone.now()
        key = domain.slot_key(row.during.lower, str(row.clinician_id), str(row.location_id))
        if key == slot and not is_over:
            return row
    return None


def prune_holds(*, days: int) -> int:
    """Delete held times that nobody took, so many days after they ended. Returns how many."""
    rows = Appointment.objects.filter(
        submission=None, changed_at__lt=timezone.now() - timedelta(days=days)
    ).exclude(status="held")
    with transaction.atomic():
        return rows.delete()[1].get("intake.Appointment", 0)


def _refuse_second(submission: Submission) -> None:
    if submission.appointments.filter(status="confirmed").exists():
        raise Refused(_("This patient has an appointment already. Move it instead."))


def key_of(row: Appointment) -> str:
    """The key of the slot that an appointment has."""
    slot = domain.Slot(
        start=row.during.lower,
        end=row.during.upper,
        clinician=str(row.clinician_id),
        location=str(row.location_id),
    )
    return slot.key
