"""What the patient's own page says of visits: the appointment, offers, the waiting list."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from intake.appointments import calendar_file, free_times
from intake.models.appointments import Appointment, Offer
from intake.models.clinic_time import VisitKind
from intake.models.submissions import Submission, Urgency
from intake.ways.contact import way_to
from intake.wording import moments

OPEN = ("requested", "called", "offered")  # a request that has no visit yet


def visit_context(submission: Submission) -> dict[str, Any]:
    """Three queries beside the request's own: the newest visit, offers, the waiting list; one more
    where there is a word to say of the waiting list."""
    request = getattr(submission, "appointment_request", None)
    visit = _newest(submission)
    booked = visit is not None and visit.status == "confirmed"
    coming = booked and visit.during.lower > timezone.now()
    offers = _offers(request) if request else []
    waits = hasattr(request, "waiting") if request else False
    bookable = _bookable(submission) and not booked
    may_wait = not waits and (bookable or (coming and free_times.may_choose(submission.urgency)))
    # where the waiting list is spoken of: what became free is offered in a letter
    is_written_to = bool((waits or may_wait) and way_to(submission.person))
    return {
        "appointment": words_of(visit) if visit else None,
        "is_booked": booked,
        "is_coming": coming,
        "may_change": coming and may_change(visit),
        "cancel_hours": settings.APPOINTMENT_CANCEL_HOURS,
        # what was promised before there was a visit; what is urgent is called about all the same
        "says_next": not coming or submission.urgency >= Urgency.URGENT,
        "offers": [_offer_words(row) for row in offers if row.state == "open"],
        "was_lost": bool(offers) and all(row.state == "lost" for row in offers) and not booked,
        "may_choose": bookable and settings.APPOINTMENT_MODE == "slots",
        "waits": waits,
        "may_wait": may_wait and is_written_to,
        "is_written_to": is_written_to,
    }


def may_choose(submission: Submission) -> bool:
    """Whether a patient without a visit may choose a time here. One query."""
    return settings.APPOINTMENT_MODE == "slots" and _bookable(submission)


def _bookable(submission: Submission) -> bool:
    request = getattr(submission, "appointment_request", None)
    return (
        request is not None
        and request.progress in OPEN
        and free_times.may_choose(submission.urgency)
    )


def words_of(visit: Appointment) -> dict[str, Any]:
    """A visit in words, by the clocks of its place."""
    in_person = visit.visit_type.kind == VisitKind.IN_PERSON
    return {
        "title": visit.visit_type.title,
        "day": moments.day_words(visit.starts.date()),
        "time": moments.clock_words(visit.starts),
        "zone": visit.location.time_zone,
        "moment": moments.moment_words(visit.starts, visit.location.time_zone),
        "minutes": (visit.during.upper - visit.during.lower) // timedelta(minutes=1),
        "clinician": visit.clinician.name,
        "where": calendar_file.where(visit),
        "directions": visit.location.directions if in_person else "",
        "phone": visit.location.phone,
        "cancelled": visit.status == "cancelled",
    }


def may_change(visit: Appointment) -> bool:
    """Whether the patient may still move or cancel the visit without calling."""
    notice = timedelta(hours=settings.APPOINTMENT_CANCEL_HOURS)
    return visit.during.lower - timezone.now() >= notice


def _newest(submission: Submission) -> Appointment | None:
    """The visit that is booked, else the last one that was cancelled before its time. What was
    held and given back was never a visit."""
    rows = submission.appointments.filter(status__in=("confirmed", "cancelled"))
    rows = rows.exclude(status="cancelled", cancel_reason="")
    rows = rows.exclude(status="cancelled", during__startswith__lt=timezone.now())
    return rows.for_reading().order_by("-status", "-changed_at").first()


def _offers(request: Any) -> list[Offer]:
    """What can be accepted now; else the last one, if somebody else won it."""
    rows = list(
        request.offers.filter(state__in=("open", "lost"))
        .select_related(
            "appointment__location", "appointment__visit_type", "appointment__clinician"
        )
        .order_by("appointment__during")
    )
    now = timezone.now()
    found = [row for row in rows if row.state == "open" and row.expires_at > now]
    return found or [row for row in rows if row.state == "lost"]


def _offer_words(offer: Offer) -> dict[str, str]:
    row = offer.appointment
    return {
        "id": str(offer.pk),
        "moment": moments.moment_words(row.starts, row.location.time_zone),
        "where": calendar_file.where(row),
        "clinician": row.clinician.name,
        "until": moments.until_words(offer.expires_at.astimezone(row.zone)),
    }
