"""The waiting list: patients who wait for a slot, and the offer of a slot that became free.

A freed slot is not booked here. The slot is held again and offered to patients whose wishes it
fits, the most urgent first, then the longest wait.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.outgoing import outbox
from intake.appointments import book, free_times
from intake.appointments.expiry import close_offers
from intake.appointments.steps import (
    actor_of,
    advance,
    insert,
    note_change,
    record,
    request_of,
    step,
)
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
from intake.ways import contact

# a freed slot is compared with the wishes of this many requests, from the top of the list
LOOKED_AT = 200
OF_SUBMISSION = [f"submission__{name}" for name in ("urgency", "person", "submitted_at", "follows")]
# an offer shorter than this leaves no time to answer, so the slot is not offered
SHORTEST = timedelta(minutes=30)


@dataclass(frozen=True)
class Freed:
    """One seat of a slot that became free or is about to be offered."""

    clinician: Clinician
    location: Location
    visit_type: VisitType
    start: datetime
    end: datetime
    seat: int


def join_waitlist(
    *, submission: Submission, by: User | None = None, request_id: str = ""
) -> WaitlistEntry:
    """Put a patient on the waiting list. A patient with an appointment waits for an earlier slot.

    The list offers no slot to a patient whom no letter reaches, so the front desk has to call this
    patient. Idempotent. Raises Refused when the urgency forbids waiting, or when the request is
    over.
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
    """Take a patient off the waiting list. Idempotent. Open offers stay open."""
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


# --- parts of other services, which hold the lock of clinician and day ----------------------------


def freed_by(row: Appointment) -> Freed:
    """Return the slot that an appointment frees by being moved, or has freed by ending."""
    return Freed(
        row.clinician,
        row.location,
        row.visit_type,
        row.during.lower,
        row.during.upper,
        row.seat,
    )


def offer_freed(freed: Freed, *, at: datetime, besides: UUID | None = None) -> list[Offer]:
    """Hold a freed slot again, and offer the slot to APPOINTMENT_WAITLIST_BATCH waiting patients.

    Makes no offer when the slot is too near, when the hours no longer allow the slot, or when the
    slot fits no patient whom a letter reaches. A patient is not offered the same slot twice.
    `besides` is the submission of the patient who gave the slot back.
    """
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
    chosen = _requests_to_offer(freed, besides=besides)
    if not chosen:
        return []
    row = held_row(freed, capacity=capacity, until=expires, at=at)
    return make_offers(row, chosen, by=None, at=at, from_waitlist=True)


def held_row(freed: Freed, *, capacity: int, until: datetime, at: datetime) -> Appointment:
    """Insert a row that holds a slot for the first patient who accepts its offer."""
    row = insert(
        clinician=freed.clinician,
        location=freed.location,
        visit_type=freed.visit_type,
        start=freed.start,
        end=freed.end,
        seat=freed.seat,
        capacity=capacity,
        status="held",
        held_until=until,
        at=at,
    )
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
    """Offer the slot of a held appointment to each of these locked requests, and record the offers.

    With `from_waitlist`, each patient gets a separate message.
    """
    until = row.held_until
    assert until  # a database constraint gives every held slot this time
    offers = []
    for request in requests:
        offer = Offer(
            appointment=row,
            request=request,
            from_waitlist=from_waitlist,
            by_id=by.pk if by else None,
            created_at=at,
            expires_at=until,
        )
        offer.save(force_insert=True)
        advance(request, "offer")
        if from_waitlist:
            outbox.put(kind="waitlist_offer", occasion=str(offer.pk), expires=until)
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


def withdraw_offers_in(offers: Iterable[Offer], *, at: datetime) -> None:
    """Withdraw open offers, and release each held row that has no other open offer."""
    offers = list(offers)
    rows = {offer.appointment_id for offer in offers}
    close_offers(offers, Offer.State.WITHDRAWN, at=at)
    free_rows(rows, at=at)


def free_rows(rows: set[UUID], *, at: datetime) -> list[Appointment]:
    """Release the held rows that have no open offer any more. Returns the released rows."""
    held = Appointment.objects.filter(pk__in=rows, status="held").exclude(offers__state="open")
    freed = list(held.select_for_update(of=("self",)).order_by("pk"))
    for row in freed:
        step(row, "release", by=None, at=at)
    return freed


def _requests_to_offer(freed: Freed, *, besides: UUID | None) -> list[AppointmentRequest]:
    """Lock and return the waiting requests that the slot fits, in the order of the list."""
    offered_before = Offer.objects.filter(
        appointment__clinician=freed.clinician,
        appointment__during=during(freed.start, freed.end),
    )
    start = freed.start.astimezone(freed.location.zone)
    visit = Appointment.objects.filter(submission=OuterRef("submission"), status="confirmed")
    rows = (
        AppointmentRequest.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("submission")
        .only("progress", "wishes", "earliest", *OF_SUBMISSION)
        .annotate(has_at=Subquery(visit.values("during__startswith")))
        .filter(Q(has_at=None) | Q(has_at__gt=start))
        .filter(Q(earliest=None) | Q(earliest__lte=start.date()))
        .filter(waiting__isnull=False, visit_type__in=(freed.visit_type.kind, WishedVisit.CALL_ME))
        .filter(progress__in=("requested", "called", "booked"))
        .exclude(submission=besides)
        .exclude(pk__in=offered_before.values("request"))
        .order_by("-submission__urgency", "waiting__since", "pk")
    )
    slot = domain.Slot(
        start=start,
        end=freed.end.astimezone(freed.location.zone),
        clinician=str(freed.clinician.pk),
        location=str(freed.location.pk),
    )
    known = book.places()
    suited: list[AppointmentRequest] = [
        request for request in rows[:LOOKED_AT] if _suits(request, slot, known)
    ]
    # a slot is not held for a patient whom no letter about the offer reaches
    reaches = contact.reaches_of(request.submission for request in suited)
    reached = [request for request in suited if reaches[request.submission_id].way]
    return reached[: settings.APPOINTMENT_WAITLIST_BATCH]


def _suits(request: AppointmentRequest, slot: domain.Slot, known: Mapping[str, str]) -> bool:
    """Whether the slot fits a wish of the request, and the days that its urgency allows."""
    window = free_times.window_of(request.submission.urgency)
    if window is None or not window[0] <= slot.start < window[1]:
        return False
    wishes = free_times.wishes_of(request=request, known=known)
    return not wishes or any(domain.unmet_parts(slot, wish) == 0 for wish in wishes)
