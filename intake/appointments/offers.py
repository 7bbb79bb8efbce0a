"""Offers: slots held for patients who have not accepted yet. The first patient to accept wins."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Order
from intake.appointments import booking, changing, free_times, taking, waiting_list
from intake.appointments.book import FreeTime
from intake.appointments.claims import claiming, lock, locked, retry_deadlocks, span_of
from intake.appointments.expiry import close_offers, lapse_holds
from intake.appointments.slot_gone import SlotGone
from intake.appointments.steps import actor_of, advance, record, request_of, step
from intake.errors import Refused
from intake.models.appointments import Appointment, Offer, WaitlistEntry
from intake.models.calls import CallTask
from intake.models.clinic_time import VisitType
from intake.models.submissions import Submission
from intake.ways import calls, telling

MOST = 3  # how many slots one patient can be offered at once
# The front desk often withdraws offers in order to offer other slots or to book on the phone.
# Within this time, the patient gets no letter about the withdrawal, only one about the new offer or
# visit.
SECOND_THOUGHTS = timedelta(minutes=15)
# A patient who has not answered is reminded once, when a quarter of the hold is left. A shorter
# hold than this has no time for a reminder.
SHORTEST_WITH_REMINDER = timedelta(hours=12)


@retry_deadlocks
def offer(
    *,
    submission: Submission,
    slots: Sequence[str],
    visit_type: VisitType,
    by: User,
    hours: int | None = None,
    request_id: str = "",
) -> list[Offer]:
    """Offer one to three free slots to a patient, and tell the patient in one message.

    The slots are held for `hours` (default: APPOINTMENT_OFFER_HOURS), but never beyond their own
    start. Earlier open offers to the same request are withdrawn. A patient who does not answer is
    reminded once.

    If one of the slots is not free, raises SlotGone and offers no slot. Raises Refused when the
    urgency must not wait or when no letter reaches the patient, ValueError for no slot or too many
    slots, workflow.NotAllowed when the request is over.
    """
    found = _free_times_to_offer(submission, slots, visit_type)
    spans = [(free.clinician.pk, free.start, free.end) for free in found]
    try:
        with claiming(spans=spans) as now:
            request = request_of(submission)
            waiting_list.withdraw_offers_in(request.offers.filter(state="open"), at=now)
            until = now + timedelta(hours=hours or settings.APPOINTMENT_OFFER_HOURS)
            made: list[Offer] = []
            for free in found:
                place = waiting_list.Freed(
                    free.clinician,
                    free.location,
                    visit_type,
                    free.start,
                    free.end,
                    taking.free_seat(free),
                )
                row = waiting_list.held_row(
                    place, capacity=free.slot.capacity, until=min(until, free.start), at=now
                )
                made += waiting_list.make_offers(
                    row, [request], by=by, at=now, request_id=request_id
                )
            outbox.put_all(_letters(made, now, until))
    except SlotGone as gone:
        raise SlotGone("", free_times.nearest_left(found[0])) from gone.__cause__
    return made


def _letters(made: Sequence[Offer], at: datetime, until: datetime) -> Iterator[Order]:
    """Yield the orders of the letter with the offers in `made`, and of the reminder."""
    occasion, hold = str(made[0].pk), until - at
    yield Order(kind="appointment_offer", occasion=occasion, expires=until)
    if hold >= SHORTEST_WITH_REMINDER:
        reminder = at + hold * 3 / 4
        yield Order(kind="offer_reminder", occasion=occasion, not_before=reminder, expires=until)


@retry_deadlocks
def accept(*, offer: Offer, submission: Submission, request_id: str = "") -> Appointment:
    """Accept an offer for the patient: book the slot, or move the patient's visit to the slot.

    The patient's other offers are withdrawn. Other patients who were offered the same slot get a
    letter that the slot is taken. Idempotent. Raises SlotGone when the offer was answered, has
    lapsed, was lost to another patient, or belongs to another patient.
    """
    row = offer.appointment
    current = submission.appointments.filter(status="confirmed").first()
    with claiming(spans=[span_of(row), *([span_of(current)] if current else [])]) as now:
        request = request_of(submission)
        row, answered = locked(row), _locked(offer)
        if answered.request_id != request.pk:
            raise SlotGone
        if answered.state == "accepted":
            return _confirmed_visit(submission)
        _refuse_closed(answered, now)
        rivals = list(row.offers.filter(state="open").exclude(pk=answered.pk))
        answered.state, answered.answered_at = Offer.State.ACCEPTED, now
        answered.save(update_fields=["state", "answered_at"])
        if request.progress == "withdrawn":  # a decision closed the request, but not the offer
            advance(request, "reopen")
        calls.drop(submission_id=submission.pk, reasons=telling.OF_VISITS)
        visit = _confirm_or_move(row, submission, now, request_id)
        close_offers(rivals, Offer.State.LOST, at=now)
        for rival in rivals:
            outbox.put(kind="offer_lost", occasion=str(rival.pk), expires=row.during.lower)
    return visit


@retry_deadlocks
def decline(*, offer: Offer, submission: Submission, request_id: str = "") -> None:
    """Decline an offer for the patient. Idempotent.

    A slot without another open offer becomes free, and goes to the next patients on the waiting
    list. Raises SlotGone when the offer belongs to another patient.
    """
    with claiming(spans=[span_of(offer.appointment)]) as now:
        request = request_of(submission)
        row, answered = locked(offer.appointment), _locked(offer)
        if answered.request_id != request.pk:
            raise SlotGone
        if answered.state != "open":
            return
        close_offers([answered], Offer.State.DECLINED, at=now)
        record(
            row,
            actor=actor_of(None, submission),
            action="state",
            request_id=request_id,
            status="declined",
        )
        for freed in waiting_list.free_rows({row.pk}, at=now):
            waiting_list.offer_freed(waiting_list.freed_by(freed), at=now, besides=submission.pk)


@retry_deadlocks
def withdraw_offers(*, submission: Submission, by: User, request_id: str = "") -> bool:
    """Withdraw all open offers to a patient, and set the request back to "requested".

    If the patient already knew of the offers, also tells the patient of the withdrawal, and
    returns True.
    """
    rows = Appointment.objects.filter(
        offers__request__submission=submission, offers__state="open", status="held"
    )
    with claiming(spans=map(span_of, rows)) as now:
        request = request_of(submission)
        offers = list(request.offers.filter(state="open"))
        is_call_due = submission.call_tasks.open().filter(reason=CallTask.Reason.OFFER).exists()
        waiting_list.withdraw_offers_in(offers, at=now)
        is_told = bool(offers) and not is_call_due
        if is_told:
            order = Order(
                kind="offers_withdrawn",
                occasion=str(offers[0].pk),
                not_before=SECOND_THOUGHTS,
                expires=max(offer.expires_at for offer in offers),
            )
            telling.tell(submission=submission, reason=CallTask.Reason.LOST, order=order)
        audit.record(
            actor=audit.staff(by),
            action="state",
            subject=str(submission.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "offer", "to": "withdrawn", "count": len(offers)},
        )
    return is_told


def lapse() -> int:
    """End the holds and offers whose time is over, and offer each slot to the waiting list.

    Runs each minute. Returns how many holds ended.
    """
    done = 0
    over = Appointment.objects.filter(status="held", held_until__lte=timezone.now())
    for row in over.for_reading().order_by("held_until")[:500]:
        try:
            with claiming(spans=[]) as now:
                lock([span_of(row)])
                again = Appointment.objects.filter(pk=row.pk, status="held", held_until__lte=now)
                for ended in lapse_holds(again, at=now):
                    done += 1
                    waiting_list.offer_freed(waiting_list.freed_by(ended), at=now)
        # another transaction is booking with this clinician; the next run tries again
        except SlotGone:
            continue
    return done


def open_offers(*, submission: Submission) -> list[Offer]:
    """Return the offers that a patient can still accept, sorted by time.

    Expired offers are ignored, even before they are marked as expired.
    """
    rows = Offer.objects.open(timezone.now()).filter(request__submission=submission)
    return list(
        rows.select_related(
            "appointment__clinician", "appointment__location", "appointment__visit_type"
        )
    )


# --- parts ----------------------------------------------------------------------------------------


def _free_times_to_offer(
    submission: Submission, slots: Sequence[str], visit_type: VisitType
) -> list[FreeTime]:
    """Find the free times with the keys in `slots`.

    Raises SlotGone, Refused and ValueError, as `offer` describes.
    """
    keys = list(dict.fromkeys(slots))
    if not 0 < len(keys) <= MOST:
        raise ValueError(_("Choose one to three times."))
    window = free_times.window_of(submission.urgency)
    if window is None:
        raise Refused(_("This cannot wait for an answer to an offer. Call the patient."))
    if not telling.letter_reaches(submission):
        raise Refused(
            _("No letter reaches this patient. Call, and book the time that you agree on.")
        )
    found = [free_times.find_slot(key=key, visit_type=visit_type) for key in keys]
    if any(free.start >= window[1] for free in found):
        raise Refused(_("This is too late for how urgent it is. Choose an earlier time."))
    return found


def _locked(offer: Offer) -> Offer:
    row = Offer.objects.select_for_update(of=("self",)).filter(pk=offer.pk).first()
    if row is None:
        raise SlotGone
    return row


def _refuse_closed(offer: Offer, now: datetime) -> None:
    """Raise SlotGone, with the reason, for an offer that cannot be accepted any more."""
    if offer.state == "lost":
        raise SlotGone(_("We are sorry. Another patient has just taken this time."))
    if offer.state == "lapsed" or (offer.state == "open" and offer.expires_at <= now):
        raise SlotGone(_("This offer has ended. We will offer you other times, or call us."))
    if offer.state != "open":
        raise SlotGone(_("This offer was already answered or withdrawn."))


def _confirmed_visit(submission: Submission) -> Appointment:
    """Return the visit of a patient who accepts the same offer twice.

    Raises SlotGone when the visit was cancelled meanwhile.
    """
    found = submission.appointments.filter(status="confirmed").first()
    if found is None:
        raise SlotGone(_("This appointment has changed in the meantime."))
    return found


def _confirm_or_move(
    row: Appointment, submission: Submission, now: datetime, request_id: str
) -> Appointment:
    """Book the offered slot. If the patient has a visit already, move that visit to the slot."""
    current = submission.appointments.filter(status="confirmed")
    visit = current.select_for_update(of=("self",)).first()
    if visit is None:
        booking.confirm_visit(row, submission, by=None, at=now, request_id=request_id)
        return row
    left = waiting_list.freed_by(visit)
    step(row, "release", by=None, at=now)
    changing.move_visit(
        visit,
        by=None,
        at=now,
        clinician=row.clinician,
        location=row.location,
        visit_type=row.visit_type,
        during=row.during,
        seat=row.seat,
        capacity=row.capacity,
    )
    request = request_of(submission)
    waiting_list.withdraw_offers_in(request.offers.filter(state="open"), at=now)
    WaitlistEntry.objects.filter(request=request).delete()
    record(
        visit,
        actor=actor_of(None, submission),
        action="update",
        request_id=request_id,
        status=visit.status,
    )
    waiting_list.offer_freed(left, at=now, besides=submission.pk)
    return visit
