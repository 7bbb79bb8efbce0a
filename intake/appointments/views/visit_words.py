"""The visits on the patient's own page in words: the appointment, offers, the waiting list."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from intake.appointments import arrival, calendar_file, free_times
from intake.appointments.deadlines import change_deadline, restore_deadline
from intake.domain import workflow
from intake.models.appointments import Appointment, AppointmentRequest, Offer
from intake.models.clinic_time import VisitKind
from intake.models.submissions import Submission, Urgency
from intake.ways.contact import reach_of
from intake.wording import moments

OPEN = ("requested", "called", "offered")  # a request that has no visit yet


def visit_context(submission: Submission) -> dict[str, Any]:
    """Return what the patient's own page says about visits, as a part of its context.

    Makes three queries: for the newest visit, the offers and the waiting list. Makes a few more
    queries if the page speaks of the waiting list, and one if the patient missed the visit.
    """
    request = getattr(submission, "appointment_request", None)
    newest = _newest(submission)
    booked = newest if newest and newest.status == "confirmed" else None
    coming = booked if booked and booked.during.lower > timezone.now() else None
    is_bookable = booked is None and _is_bookable(submission)
    missed = booked is None and request is not None and request.progress == "missed"
    here = _arrival_context(arrival.visit_of(submission) if missed else booked)
    comes_now = here["may_arrive"] or here["here_since"]
    could_come_earlier = coming is not None and free_times.may_choose(submission.urgency)
    could_wait = is_bookable or (could_come_earlier and not comes_now)
    offers = _offers_context(request, is_booked=booked is not None)
    return {
        "appointment": words_of(newest) if newest else None,
        "is_booked": booked is not None,
        "is_coming": coming is not None,
        "change_until": _future_words(coming, change_deadline(coming)) if coming else "",
        "restore_until": _future_words(newest, restore_deadline(newest))
        if newest and newest.status == "cancelled" and submission.status != "withdrawn"
        else "",
        # A visit to come or an offer replaces the promise of a level, except that an urgent patient
        # is still called.
        "says_next": submission.urgency >= Urgency.URGENT
        or (coming is None and not offers["offers"]),
        **offers,
        **here,
        "may_ask_again": missed and submission.status not in workflow.FINISHED,
        "may_choose": is_bookable and settings.APPOINTMENT_MODE == "slots",
        **_waiting_context(submission, request, could_wait=could_wait),
    }


def _arrival_context(visit: Appointment | None) -> dict[str, Any]:
    """Return whether the patient may say "I am here", or since when the patient waits."""
    now = timezone.now()
    context = {"may_arrive": False, "arrive_from": "", "here_since": "", "is_called_in": False}
    if visit is None or not arrival.is_today(visit, at=now):
        return context
    if visit.here_since:
        since = moments.clock_words(visit.here_since)
        return context | {"here_since": since, "is_called_in": visit.in_since is not None}
    if now < (opens := arrival.opens_at(visit)):
        return context | {"arrive_from": moments.clock_words(opens)}
    return context | {"may_arrive": True}


def _future_words(visit: Appointment, until: datetime | None) -> str:
    """Return a deadline of a visit in words, or '' when the deadline is over."""
    if until is None or until < timezone.now():
        return ""
    return moments.until_words(until.astimezone(visit.location.zone))


def _offers_context(request: AppointmentRequest | None, *, is_booked: bool) -> dict[str, Any]:
    offers = _offers(request) if request else []
    was_lost = bool(offers) and all(row.state == "lost" for row in offers)
    return {
        "offers": [_offer_words(row) for row in offers if row.state == "open"],
        "was_lost": was_lost and not is_booked,
    }


def _waiting_context(
    submission: Submission, request: AppointmentRequest | None, *, could_wait: bool
) -> dict[str, bool]:
    waits = request is not None and hasattr(request, "waiting")
    may_wait = could_wait and not waits
    # a freed slot is offered by letter, so the page asks whether a letter reaches the patient
    is_written_to = bool((waits or may_wait) and reach_of(submission).way)
    return {
        "waits": waits,
        "may_wait": may_wait and is_written_to,
        "is_written_to": is_written_to,
    }


def may_choose(submission: Submission) -> bool:
    """Whether a patient without a visit may choose a time on the own page. Needs one query."""
    return settings.APPOINTMENT_MODE == "slots" and _is_bookable(submission)


def _is_bookable(submission: Submission) -> bool:
    request = getattr(submission, "appointment_request", None)
    return (
        request is not None
        and request.progress in OPEN
        and free_times.may_choose(submission.urgency)
    )


def words_of(visit: Appointment) -> dict[str, Any]:
    """Return a visit in words, with its times in the time zone of its location."""
    in_person = visit.visit_type.kind == VisitKind.IN_PERSON
    return {
        "title": visit.visit_type.title,
        "day": moments.day_words(visit.starts.date()),
        "time": moments.clock_words(visit.starts),
        "zone": moments.zone_words(visit.location.time_zone),
        "moment": moments.moment_words(visit.starts, visit.location.time_zone),
        "minutes": (visit.during.upper - visit.during.lower) // timedelta(minutes=1),
        "clinician": visit.clinician.name,
        "where": calendar_file.where(visit),
        "directions": visit.location.directions if in_person else "",
        "phone": visit.location.phone,
        "cancelled": visit.status == "cancelled",
    }


def may_change(visit: Appointment) -> bool:
    """Whether there is still time for the patient to move or cancel the visit without calling."""
    return timezone.now() <= change_deadline(visit)


def _newest(submission: Submission) -> Appointment | None:
    """Return the booked visit, or else the last cancelled visit whose time is still to come.

    Leaves out a slot that was held and released, because the slot was never a visit.
    """
    rows = submission.appointments.filter(status__in=("confirmed", "cancelled"))
    rows = rows.exclude(status="cancelled", cancel_reason="")
    rows = rows.exclude(status="cancelled", during__startswith__lt=timezone.now())
    return rows.for_reading().order_by("-status", "-changed_at").first()


def _offers(request: AppointmentRequest) -> list[Offer]:
    """Return the offers that the patient can accept, or else the offers that other patients won."""
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
