"""Who waits for a time to become free, and who is offered one that did.

Nothing here is taken by anybody: a freed time is held again and offered to those whom it fits, the
most urgent first and then whoever has waited longest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.ids import uuid7
from clinic.outgoing import outbox
from intake.appointments import book, free_times
from intake.appointments.expiry import close_offers
from intake.appointments.steps import User, actor_of, advance, note_change, record, request_of, step
from intake.domain import slots as domain
from intake.errors import Refused
from intake.models.appointments import (
    Appointment,
    AppointmentRequest,
    Offer,
    WaitlistEntry,
    WishedVisit,
    during,
)
from intake.models.clinic_time import Clinician, Location, VisitType
from intake.models.submissions import Submission
from intake.ways import telling

LOOKED_AT = 200  # of those who wait, the first
SHORTEST = timedelta(minutes=30)  # less is no time to answer: the front desk calls


@dataclass(frozen=True)
class Freed:
    """A time that somebody gave back."""

    clinician: Clinician
    location: Location
    visit_type: VisitType
    start: datetime
    end: datetime
    seat: int


def join_waitlist(
    *, submission: Submission, by: User | None = None, request_id: str = ""
) -> WaitlistEntry:
    """The patient wants to hear of times that become free: with an appointment, of earlier ones. A
    patient whom no letter reaches is offered none by itself: the front desk calls.

    Again is the same as once. Raises Refused when the urgency forbids waiting, or when the request
    is over.
    """
    if not free_times.may_be_offered(submission=submission):
        raise Refused(_("Do not wait for an appointment with this. Please call us now."))
    with transaction.atomic():
        request = request_of(submission)
        if request.progress in ("done", "withdrawn"):
            raise Refused(_("This request is over. Send a new one, or call us."))
        entry, is_new = WaitlistEntry.objects.get_or_create(
            request=request, defaults={"since": timezone.now()}
        )
        if is_new:
            _record(submission, by, "create", request_id)
    return entry


def leave_waitlist(*, submission: Submission, by: User | None = None, request_id: str = "") -> None:
    """The patient waits no longer; again is the same as once. Open offers stay open."""
    with transaction.atomic():
        entries = WaitlistEntry.objects.filter(request__submission=submission)
        if entries.delete()[0]:
            _record(submission, by, "state", request_id)


def _record(submission: Submission, by: User | None, action: str, request_id: str) -> None:
    audit.record(
        actor=actor_of(by, submission),
        action=action,
        subject=str(submission.pk),
        purpose="TREAT" if by else "PATRQT",
        request_id=request_id,
        detail={"kind": "waitlist"},
    )


# --- parts of other services: the lock of clinician and day is theirs -----------------------------


def freed_by(row: Appointment) -> Freed:
    """The time of a row, before it is moved or after it has ended."""
    return Freed(
        row.clinician,
        row.location,
        row.visit_type,
        row.during.lower,
        row.during.upper,
        row.seat,
    )


def offer_freed(freed: Freed, *, at: datetime, besides: UUID | None = None) -> list[Offer]:
    """Hold a freed time again and offer it to those who wait, APPOINTMENT_WAITLIST_BATCH at once;
    nobody, when it fits nobody whom a letter reaches, is too near, or is more than the hours allow
    by now. `besides`: the submission that gave it back. Who had an offer of this time gets no
    second one."""
    expires = min(
        at + timedelta(hours=settings.APPOINTMENT_OFFER_HOURS),
        freed.start - timedelta(hours=settings.APPOINTMENT_LEAD_HOURS),
    )
    if expires - at < SHORTEST or not freed.visit_type.is_active:
        return []
    who, start, end = str(freed.clinician.pk), freed.start, freed.end
    capacity = book.capacity_of(
        clinician=freed.clinician,
        location=freed.location,
        start=start,
        end=end,
        visit_type=freed.visit_type,
    )
    busy = book.busy_of([who], start, end)
    if freed.seat not in domain.free_seats(
        busy, clinician=who, start=start, end=end, capacity=capacity
    ):
        return []
    chosen = _best(freed, besides=besides)
    if not chosen:
        return []
    row = held_row(freed, capacity=capacity, until=expires, at=at)
    return make_offers(row, chosen, by=None, at=at, from_waitlist=True)


def held_row(freed: Freed, *, capacity: int, until: datetime, at: datetime) -> Appointment:
    """A new row that holds a time for whoever accepts it."""
    row = Appointment(
        id=uuid7(),
        clinician=freed.clinician,
        location=freed.location,
        visit_type=freed.visit_type,
        during=during(freed.start, freed.end),
        seat=freed.seat,
        capacity=capacity,
        status="held",
        held_until=until,
        created_at=at,
        changed_at=at,
    )
    row.save(force_insert=True)
    note_change(row, "offer", by=None, at=at)
    return row


def make_offers(
    row: Appointment,
    requests: list[AppointmentRequest],
    *,
    by: User | None,
    at: datetime,
    from_waitlist: bool = False,
    request_id: str = "",
) -> list[Offer]:
    """Offer a held row to each of these locked requests, and record it. A message is put for each
    that comes from the waitlist."""
    offers = []
    for request in requests:
        offer = Offer(
            appointment=row,
            request=request,
            from_waitlist=from_waitlist,
            by_id=by.pk if by else None,
            created_at=at,
            expires_at=row.held_until,
        )
        offer.save(force_insert=True)
        advance(request, "offer")
        if from_waitlist:
            outbox.put(kind="waitlist_offer", occasion=str(offer.pk), expires=row.held_until)
        offers.append(offer)
    actor = audit.staff(by) if by else audit.system("appointments")
    record(
        row,
        actor=actor,
        action="create",
        request_id=request_id,
        status="held",
        count=len(offers),
    )
    return offers


def withdraw_offers_in(offers: Any, *, at: datetime) -> None:
    """Take open offers back; a held row that nobody else is offered is free again."""
    offers = list(offers)
    rows = {offer.appointment_id for offer in offers}
    close_offers(offers, Offer.State.WITHDRAWN, at=at)
    free_rows(rows, at=at)


def free_rows(rows: set[UUID], *, at: datetime) -> list[Appointment]:
    """Release the held rows that have no open offer any more."""
    held = Appointment.objects.filter(pk__in=rows, status="held").exclude(offers__state="open")
    freed = list(held.select_for_update(of=("self",)).order_by("pk"))
    for row in freed:
        step(row, "release", by=None, at=at)
    return freed


def _best(freed: Freed, *, besides: UUID | None) -> list[AppointmentRequest]:
    """The requests on the waitlist that the time fits, locked, best first."""
    asked = Offer.objects.filter(
        appointment__clinician=freed.clinician,
        appointment__during=during(freed.start, freed.end),
    )
    start = freed.start.astimezone(freed.location.zone)
    visit = Appointment.objects.filter(submission=OuterRef("submission"), status="confirmed")
    rows = (
        AppointmentRequest.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("submission")
        .only("progress", "wishes", "earliest", "submission__urgency", "submission__person")
        .annotate(has_at=Subquery(visit.values("during__startswith")))
        .filter(Q(has_at=None) | Q(has_at__gt=start))
        .filter(Q(earliest=None) | Q(earliest__lte=start.date()))
        .filter(waiting__isnull=False, visit_type__in=(freed.visit_type.kind, WishedVisit.CALL_ME))
        .filter(progress__in=("requested", "called", "booked"))
        .exclude(submission=besides)
        .exclude(pk__in=asked.values("request"))
        .order_by("-submission__urgency", "waiting__since", "pk")
    )
    slot = domain.Slot(
        start=start,
        end=freed.end.astimezone(freed.location.zone),
        clinician=str(freed.clinician.pk),
        location=str(freed.location.pk),
    )
    known = book.places()
    chosen: list[AppointmentRequest] = []
    for request in rows[:LOOKED_AT]:
        if len(chosen) == settings.APPOINTMENT_WAITLIST_BATCH:
            break
        # a time is held for nobody who would not hear of it
        if _suits(request, slot, known) and telling.can_be_told(request.submission):
            chosen.append(request)
    return chosen


def _suits(request: AppointmentRequest, slot: domain.Slot, known: Mapping[str, str]) -> bool:
    window = free_times.window_of(request.submission.urgency)
    if window is None or not window[0] <= slot.start < window[1]:
        return False
    wishes = free_times.wishes_of(request=request, known=known)
    return not wishes or any(domain.fits(slot, wish) == 0 for wish in wishes)
