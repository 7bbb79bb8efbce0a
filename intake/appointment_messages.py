"""What patients are told about offers and visits: when, where to read more, the reference.

No health data: no visit title, no clinician, no reason. What is true is looked up at the moment of
sending, so that nobody is reminded of what was cancelled; the zone stands beside every time.
The orders are put by intake/services/appointments.
"""

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.utils import timezone, translation
from django.utils.dateformat import format as date_format
from django.utils.translation import gettext as _

from clinic import outbox
from clinic.models import Message
from clinic.outbox import Letter
from intake.messages import text_of, way_to
from intake.models import Appointment, Offer, Submission


def references_of_appointments(occasions: list[str]) -> Mapping[str, str]:
    """Occasion ("appointment:sequence…") → reference, for staff who look at the messages."""
    ids = {occasion: occasion.partition(":")[0] for occasion in occasions}
    rows = Appointment.objects.filter(pk__in=set(ids.values()), submission__isnull=False)
    known = {str(pk): told for pk, told in rows.values_list("pk", "submission__reference")}
    return {occasion: known[pk] for occasion, pk in ids.items() if pk in known}


def references_of_offers(occasions: list[str]) -> Mapping[str, str]:
    """The same for offers."""
    rows = Offer.objects.filter(pk__in=occasions)
    return {str(pk): told for pk, told in rows.values_list("pk", "request__submission__reference")}


# --- offers ---------------------------------------------------------------------------------------


@outbox.composer("appointment_offer", about=references_of_offers)
def appointment_offer(message: Message) -> Letter | None:
    """Times are held for you. Not if all are answered or have lapsed by now."""
    first = _offer(message)
    if first is None:
        return None
    rows = Offer.objects.open(timezone.now()).filter(
        request=first.request, created_at=first.created_at
    )
    offers = list(rows.select_related("appointment__location"))
    if not offers:
        return None
    submission = first.request.submission
    return _letter(submission, "offer", [offer.appointment for offer in offers], offers[0])


@outbox.composer("waitlist_offer", about=references_of_offers)
def waitlist_offer(message: Message) -> Letter | None:
    """A time became free. Not if it is answered, has lapsed or was won by somebody else."""
    offer = _offer(message)
    if offer is None or offer.state != "open" or offer.expires_at <= timezone.now():
        return None
    return _letter(offer.request.submission, "waitlist", [offer.appointment], offer)


@outbox.composer("offer_lost", about=references_of_offers)
def offer_lost(message: Message) -> Letter | None:
    """Somebody else was first. Not if the patient has a visit by now."""
    offer = _offer(message)
    if offer is None or offer.state != "lost" or offer.request.progress == "booked":
        return None
    return _letter(offer.request.submission, "lost", [offer.appointment])


# --- visits ---------------------------------------------------------------------------------------


@outbox.composer("appointment_confirmed", about=references_of_appointments)
def appointment_confirmed(message: Message) -> Letter | None:
    """The visit stands. Not if it was moved or cancelled by now: that has a message of its own."""
    return _of_visit(message, "confirmed")


@outbox.composer("appointment_changed", about=references_of_appointments)
def appointment_changed(message: Message) -> Letter | None:
    """The visit is at another time."""
    return _of_visit(message, "changed")


@outbox.composer("appointment_reminder", about=references_of_appointments)
def appointment_reminder(message: Message) -> Letter | None:
    """The visit comes near."""
    return _of_visit(message, "reminder")


@outbox.composer("appointment_cancelled", about=references_of_appointments)
def appointment_cancelled(message: Message) -> Letter | None:
    """The visit does not take place."""
    return _of_visit(message, "cancelled", status="cancelled")


def _of_visit(message: Message, name: str, status: str = "confirmed") -> Letter | None:
    pk, sequence = message.occasion.split(":")[:2]
    rows = Appointment.objects.filter(pk=pk, sequence=sequence, status=status)
    row = rows.for_reading().first()
    return _letter(row.submission, name, [row]) if row else None


# --- words ----------------------------------------------------------------------------------------


def _letter(
    submission: Submission, name: str, rows: list[Appointment], offer: Offer | None = None
) -> Letter | None:
    way = way_to(submission.person)
    if not way:
        return None
    channel, address = way
    with translation.override(submission.language):
        subject = _("Your appointment at %(clinic)s") % {"clinic": settings.CLINIC_SHORT_NAME}
        text = text_of(
            "appointment",
            what=name,
            reference=submission.reference,
            times=[moment_words(row.during.lower, row) for row in rows],
            until=moment_words(offer.expires_at, rows[0]) if offer else "",
        )
        return Letter((address,), subject, text, channel)


def moment_words(at: datetime, row: Appointment) -> str:
    """A moment in the zone of the visit's location, which is named."""
    local = at.astimezone(row.location.zone)
    return f"{date_format(local, 'l, F j, Y, g:i A')} ({local.tzname()}, {row.location.time_zone})"


def _offer(message: Message) -> Offer | None:
    rows = Offer.objects.select_related("appointment__location", "request__submission")
    return rows.filter(pk=message.occasion).first()
