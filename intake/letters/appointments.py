"""What patients are told about offers and visits: when, where to read more, the reference.

No health data: no clinician, no reason, no complaint; the title of a visit tells no illness and
stands in the calendar file alone. What is true is looked up at the moment of
sending, so that nobody is reminded of what was cancelled; the zone stands beside every time.
The orders are put by intake/services/appointments.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Letter
from intake.appointments import calendar_file
from intake.letters.composing import required_way, text_of
from intake.models.appointments import Appointment, Offer
from intake.models.submissions import Submission
from intake.wording.moments import moment_words

WITH_FILE = ("confirmed", "changed", "cancelled")  # with what a calendar makes of it
SUBJECTS = {
    "offer": _("Please choose a time at %(clinic)s"),
    "waitlist": _("A time has become free at %(clinic)s"),
    "lost": _("The time at %(clinic)s is taken"),
    "withdrawn": _("The times at %(clinic)s are held no longer"),
    "confirmed": _("Your appointment at %(clinic)s"),
    "changed": _("Your appointment at %(clinic)s was moved"),
    "cancelled": _("Your appointment at %(clinic)s was cancelled"),
    "reminder": _("A reminder of your appointment at %(clinic)s"),
}


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
    offers = list(rows.select_related("appointment__location", "appointment__visit_type"))
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


@outbox.composer("offers_withdrawn", about=references_of_offers)
def offers_withdrawn(message: Message) -> Letter | None:
    """The clinic took its offers back. Not if there are others by now, a visit was booked or moved
    since, or none is wanted."""
    first = _offer(message)
    if first is None or first.request.progress in ("offered", "done", "withdrawn"):
        return None
    visits = first.request.submission.appointments.filter(status="confirmed")
    if visits.filter(changed_at__gt=first.answered_at).exists():
        return None
    rows = Offer.objects.filter(
        request=first.request, state="withdrawn", answered_at=first.answered_at
    )
    offers = rows.select_related("appointment__location", "appointment__visit_type")
    times = [offer.appointment for offer in offers]
    return _letter(first.request.submission, "withdrawn", times) if times else None


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
    """The visit comes near. Not if it was moved or cancelled by now, nor late when the next
    reminder is due already."""
    days = int(message.occasion.split(":")[2])
    letter = _of_visit(message, "reminder")
    nearer = [other for other in settings.APPOINTMENT_REMIND_DAYS if other < days]
    if letter is None or not nearer:
        return letter
    start = Appointment.objects.values_list("during", flat=True).get(pk=_pk(message)).lower
    return None if start - timezone.now() <= timedelta(days=max(nearer)) else letter


@outbox.composer("appointment_cancelled", about=references_of_appointments)
def appointment_cancelled(message: Message) -> Letter | None:
    """The visit does not take place."""
    return _of_visit(message, "cancelled", status="cancelled")


def _pk(message: Message) -> str:
    return message.occasion.partition(":")[0]


def _of_visit(message: Message, name: str, status: str = "confirmed") -> Letter | None:
    pk, sequence = message.occasion.split(":")[:2]
    rows = Appointment.objects.filter(pk=pk, sequence=sequence, status=status)
    rows = rows.filter(during__endswith__gt=timezone.now())
    row = rows.for_reading().first()
    return _letter(row.submission, name, [row]) if row else None


# --- words ----------------------------------------------------------------------------------------


def _letter(
    submission: Submission, name: str, rows: list[Appointment], offer: Offer | None = None
) -> Letter:
    channel, address = required_way(submission)
    with translation.override(submission.language):
        text = text_of(
            "appointment_sms" if channel == "sms" else "appointment",
            what=name,
            reference=submission.reference,
            times=[_words_of(row.during.lower, row) for row in rows],
            places=sorted({calendar_file.where(row) for row in rows}),
            until=_words_of(offer.expires_at, rows[0]) if offer else "",
            several=len(rows) > 1,
        )
        files: tuple[tuple[str, bytes, str], ...] = ()
        if channel == "email" and name in WITH_FILE:
            kind, (visit,) = calendar_file.media_type(rows[0]), rows
            files = ((calendar_file.NAME, calendar_file.calendar_file(visit), kind),)
        subject = SUBJECTS[name] % {"clinic": settings.CLINIC_SHORT_NAME}
        return Letter((address,), subject, text, channel, files)


def _words_of(at: datetime, row: Appointment) -> str:
    """A moment by the clocks of the visit's location, whose zone is named."""
    return moment_words(at.astimezone(row.zone), row.location.time_zone)


def _offer(message: Message) -> Offer | None:
    rows = Offer.objects.select_related(
        "appointment__location", "appointment__visit_type", "request__submission"
    )
    return rows.filter(pk=message.occasion).first()
