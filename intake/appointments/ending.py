"""Read the arrangements for a patient, and end them for a decision that plans no visit."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.appointments import waiting_list
from intake.appointments.changing import end_visit
from intake.appointments.claims import claiming, locked, span_of
from intake.appointments.offers import open_offers
from intake.appointments.slot_gone import SlotGone
from intake.appointments.steps import advance, request_of
from intake.domain import workflow
from intake.errors import Conflict
from intake.models.appointments import (
    Appointment,
    AppointmentRequest,
    CancelReason,
    Offer,
    WaitlistEntry,
)
from intake.models.submissions import Submission

VISIT, OFFERS, PLACE, REQUEST = "visit", "offers", "waitlist", "request"
CHANGED = gettext_lazy(
    "What is arranged for this patient was changed while you were reading. Nothing of yours was "
    "stored. Look at it again, then decide."
)


WITHOUT_OFFERS = (workflow.REQUESTED, "called")
"""The progress of a request for which nothing is booked and nothing is offered."""


@dataclass(frozen=True)
class Arranged:
    """A patient's request, the visit to come, the open offers, the place on the waiting list."""

    request: AppointmentRequest | None = None
    visit: Appointment | None = None
    offers: tuple[Offer, ...] = ()
    place: WaitlistEntry | None = None

    @property
    def is_open(self) -> bool:
        return self.request is not None and self.request.progress in workflow.REQUEST_OPEN

    @property
    def keys(self) -> dict[str, str]:
        """Map each part to a key that changes when the part changes."""
        keys = {}
        if self.visit:
            keys[VISIT] = f"{VISIT}:{self.visit.pk}:{self.visit.sequence}"
        if self.offers:
            keys[OFFERS] = ":".join([OFFERS, *(str(offer.pk) for offer in self.offers)])
        if self.place:
            keys[PLACE] = f"{PLACE}:{self.place.pk}"
        return keys


def arranged_for(*, submission: Submission) -> Arranged:
    """Read the arrangements for the patient of a submission.

    Needs one query when nothing is booked or offered.
    """
    requests = AppointmentRequest.objects.select_related("waiting")
    request = requests.filter(submission=submission).first()
    if request is None:
        return Arranged()
    request.submission = submission  # saves a query when later code reads request.submission
    if request.progress in WITHOUT_OFFERS:
        return arranged_from(request, (), ())
    visits = submission.appointments.filter(status="confirmed").for_reading()
    return arranged_from(request, visits, open_offers(submission=submission))


def arranged_from(
    request: AppointmentRequest | None, visits: Iterable[Appointment], offers: Iterable[Offer]
) -> Arranged:
    """Return the arrangements of a request whose visits and open offers are read already.

    `request.waiting` must be loaded, or costs a query.
    """
    if request is None:
        return Arranged()
    place, now = getattr(request, "waiting", None), timezone.now()
    if request.progress in WITHOUT_OFFERS:
        return Arranged(request, place=place)
    to_come = (v for v in visits if v.status == "confirmed" and v.during.lower > now)
    return Arranged(request, next(to_come, None), tuple(offers), place)


def end(*, submission: Submission, keys: Collection[str], close: bool, by: User) -> tuple[str, ...]:
    """End the parts that `keys` name, and with `close` the request. Returns the ended parts.

    A request stays open while a visit is booked or the patient is on the waiting list. Open offers
    that `keys` does not name can still be accepted. `decide` calls this function before it locks
    the submission, and records the act. Raises Conflict when a named part was changed meanwhile.
    """
    known = arranged_for(submission=submission)
    if known.request is None and not keys:
        return ()
    ended = {part for part, key in known.keys.items() if key in keys}
    if len(ended) != len(set(keys)):
        raise Conflict(str(CHANGED))
    rows = [known.visit] if known.visit else []
    rows += [offer.appointment for offer in known.offers]
    try:
        with claiming(spans=map(span_of, rows)) as now:
            request = request_of(submission)
            found = arranged_for(submission=submission)
            if any(found.keys.get(part) != known.keys[part] for part in ended):
                raise Conflict(str(CHANGED))
            if found.visit and VISIT in ended:
                visit = locked(found.visit)
                end_visit(visit, by=by, at=now, reason=CancelReason.OTHER)
                waiting_list.offer_freed(
                    waiting_list.freed_by(visit), at=now, besides=submission.pk
                )
            if OFFERS in ended:
                waiting_list.withdraw_offers_in(request.offers.filter(state="open"), at=now)
            if PLACE in ended:
                WaitlistEntry.objects.filter(request=request).delete()
            # withdrawing offers may have changed the progress of the request
            request.refresh_from_db()
            left = found.keys.keys() - ended
            ended |= _move(request, close=close, left=left, visit_ended=VISIT in ended)
    except SlotGone as gone:
        raise Conflict(_("Please try again.")) from gone
    return tuple(sorted(ended))


def _move(
    request: AppointmentRequest, *, close: bool, left: Collection[str], visit_ended: bool
) -> set[str]:
    """Close the request, unless a part that was not ended keeps the request open.

    If the visit was ended and the request stays open, the request waits for another visit.
    """
    is_open = request.progress in workflow.REQUEST_OPEN
    if close and is_open and VISIT not in left and PLACE not in left:
        advance(request, "withdraw")
        return {REQUEST}
    if visit_ended:
        advance(request, "return")
        if OFFERS in left:
            advance(request, "offer")
    return set()
