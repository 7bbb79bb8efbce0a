"""Letters to patients about offers and visits: when, where to read more, the reference.

The letters hold no health data: no clinician, no reason, no complaint. The title of a visit names
no illness, and stands only in the calendar file. A composer reads the appointment when the letter
is sent, so that no patient is reminded of a cancelled visit. A letter names the time zone once, and
says until when a visit can be changed only while that is true. The services in intake/appointments
order these letters.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Letter
from intake.access.part_2 import is_offered
from intake.appointments import calendar_file
from intake.appointments.deadlines import notice_begins
from intake.letters.composing import required_way, text_of
from intake.models.appointments import Appointment, Offer
from intake.models.submissions import Submission
from intake.wording.moments import moment_words, until_words

WITH_FILE = ("confirmed", "changed", "cancelled")  # letters with a calendar file
STANDING = ("confirmed", "changed", "reminder")  # letters about a visit that will take place
INVITING = ("confirmed", "reminder")  # letters that mention part 2 until the patient has sent it
SUBJECTS = {
    "offer": _("Please choose a time at %(clinic)s"),
    "offer_reminder": _("Please choose a time at %(clinic)s"),
    "waitlist": _("A time has become free at %(clinic)s"),
    "lost": _("The time at %(clinic)s is taken"),
    "withdrawn": _("We no longer hold the times at %(clinic)s"),
    "confirmed": _("The appointment at %(clinic)s"),
    "changed": _("The appointment at %(clinic)s was moved"),
    "cancelled": _("The appointment at %(clinic)s was cancelled"),
    "missed": _("The appointment at %(clinic)s did not take place"),
    "reminder": _("A reminder of the appointment at %(clinic)s"),
}


def references_of_appointments(occasions: list[str]) -> Mapping[str, str]:
    """Map occasions ("appointment:sequence…") to references, for staff's list of messages."""
    ids = {occasion: occasion.partition(":")[0] for occasion in occasions}
    rows = Appointment.objects.filter(pk__in=set(ids.values()), submission__isnull=False)
    known = {
        str(pk): reference for pk, reference in rows.values_list("pk", "submission__reference")
    }
    return {occasion: known[pk] for occasion, pk in ids.items() if pk in known}


def references_of_offers(occasions: list[str]) -> Mapping[str, str]:
    """Map occasions of letters about offers to references, for staff's list of messages."""
    rows = Offer.objects.filter(pk__in=occasions)
    return {
        str(pk): reference
        for pk, reference in rows.values_list("pk", "request__submission__reference")
    }


# --- offers ---------------------------------------------------------------------------------------


@outbox.composer("appointment_offer", about=references_of_offers)
def appointment_offer(message: Message) -> Letter | None:
    """Offer times that are held. Returns None when no offer is open any more."""
    return _offer_letter(message, "offer")


@outbox.composer("offer_reminder", about=references_of_offers)
def offer_reminder(message: Message) -> Letter | None:
    """Remind the patient of times that are held. Returns None when no offer is open any more."""
    return _offer_letter(message, "offer_reminder")


def _offer_letter(message: Message, name: str) -> Letter | None:
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
    return _letter(message, submission, name, [offer.appointment for offer in offers], offers[0])


@outbox.composer("waitlist_offer", about=references_of_offers)
def waitlist_offer(message: Message) -> Letter | None:
    """Offer a time that became free. Returns None when the offer is not open any more."""
    offer = _offer(message)
    if offer is None or offer.state != "open" or offer.expires_at <= timezone.now():
        return None
    return _letter(message, offer.request.submission, "waitlist", [offer.appointment], offer)


@outbox.composer("offer_lost", about=references_of_offers)
def offer_lost(message: Message) -> Letter | None:
    """Say that another patient took the offered time. Returns None when the patient has a visit."""
    offer = _offer(message)
    if offer is None or offer.state != "lost" or offer.request.progress == "booked":
        return None
    return _letter(message, offer.request.submission, "lost", [offer.appointment])


@outbox.composer("offers_withdrawn", about=references_of_offers)
def offers_withdrawn(message: Message) -> Letter | None:
    """Say that the clinic took its offers back.

    Returns None when the patient has new offers, when a visit was booked or moved since, or when
    the request is over.
    """
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
    return _letter(message, first.request.submission, "withdrawn", times) if times else None


# --- visits ---------------------------------------------------------------------------------------


@outbox.composer("appointment_confirmed", about=references_of_appointments)
def appointment_confirmed(message: Message) -> Letter | None:
    """Confirm a visit. Returns None after a move or cancellation, which has a letter of its own."""
    return _visit_letter(message, "confirmed")


@outbox.composer("appointment_changed", about=references_of_appointments)
def appointment_changed(message: Message) -> Letter | None:
    """Say that the visit has another time. Returns None when the visit was changed again."""
    return _visit_letter(message, "changed")


@outbox.composer("appointment_reminder", about=references_of_appointments)
def appointment_reminder(message: Message) -> Letter | None:
    """Remind the patient of a visit.

    Returns None when the visit was moved or cancelled, or when the next reminder is already due.
    """
    days = int(message.occasion.split(":")[2])
    letter = _visit_letter(message, "reminder")
    nearer = [other for other in settings.APPOINTMENT_REMIND_DAYS if other < days]
    if letter is None or not nearer:
        return letter
    start = Appointment.objects.values_list("during", flat=True).get(pk=_pk(message)).lower
    return None if start - timezone.now() <= timedelta(days=max(nearer)) else letter


@outbox.composer("appointment_cancelled", about=references_of_appointments)
def appointment_cancelled(message: Message) -> Letter | None:
    """Say that the visit is cancelled."""
    return _visit_letter(message, "cancelled", status="cancelled")


@outbox.composer("appointment_missed", about=references_of_appointments)
def appointment_missed(message: Message) -> Letter | None:
    """Say that the visit did not take place, and how to ask for another visit.

    Returns None when the patient came after all, or has another visit.
    """
    pk, sequence = message.occasion.split(":")
    rows = Appointment.objects.filter(pk=pk, sequence=sequence, status="no_show", arrived_at=None)
    row = rows.for_reading().first()
    if row is None or row.submission is None:
        return None
    booked_again = row.submission.appointments.filter(status="confirmed")
    return None if booked_again.exists() else _letter(message, row.submission, "missed", [row])


@outbox.composer("come_in", about=references_of_appointments)
def come_in(message: Message) -> Letter | None:
    """Ask a patient who is here to come in. Returns None when the patient left."""
    row = Appointment.objects.filter(pk=_pk(message)).for_reading().first()
    if row is None or row.submission is None or row.state != "called_in":
        return None
    channel, address = required_way(row.submission, message)
    with translation.override(row.submission.language):
        text = text_of("come_in", reference=row.submission.reference, place=row.location.name)
        subject = _("Please come in at %(clinic)s") % {"clinic": settings.CLINIC_SHORT_NAME}
        return Letter((address,), subject, text, channel)


def _pk(message: Message) -> str:
    return message.occasion.partition(":")[0]


def _visit_letter(message: Message, name: str, status: str = "confirmed") -> Letter | None:
    pk, sequence = message.occasion.split(":")[:2]
    rows = Appointment.objects.filter(pk=pk, sequence=sequence, status=status)
    rows = rows.filter(during__endswith__gt=timezone.now())
    row = rows.for_reading().first()
    return _letter(message, row.submission, name, [row]) if row and row.submission else None


# --- words ----------------------------------------------------------------------------------------


def _letter(
    message: Message,
    submission: Submission,
    name: str,
    rows: list[Appointment],
    offer: Offer | None = None,
) -> Letter:
    channel, address = required_way(submission, message)
    with translation.override(submission.language):
        text = text_of(
            "appointment_sms" if channel == "sms" else "appointment",
            what=name,
            reference=submission.reference,
            times=_times(rows),
            places=sorted({calendar_file.where(row) for row in rows}),
            until=until_words(offer.expires_at.astimezone(rows[-1].zone)) if offer else "",
            several=len(rows) > 1,
            change_until=_change_until(rows[0]) if name in STANDING else "",
            part_2=name in INVITING and is_offered(submission),
        )
        files: tuple[tuple[str, bytes, str], ...] = ()
        if channel == "email" and name in WITH_FILE:
            kind, (visit,) = calendar_file.media_type(rows[0]), rows
            files = ((calendar_file.NAME, calendar_file.calendar_file(visit), kind),)
        subject = SUBJECTS[name] % {"clinic": settings.CLINIC_SHORT_NAME}
        return Letter((address,), subject, text, channel, files)


def _times(rows: Iterable[Appointment]) -> list[str]:
    """Return the starts of visits in words. Each zone is named where it begins to count."""
    words, named = [], ""
    for row in rows:
        zone = row.location.time_zone
        words.append(moment_words(row.starts, zone) if zone != named else until_words(row.starts))
        named = zone
    return words


def _change_until(visit: Appointment) -> str:
    """Return when the notice period begins, in words, or '' when it has begun."""
    until = notice_begins(visit)
    return until_words(until.astimezone(visit.zone)) if until > timezone.now() else ""


def _offer(message: Message) -> Offer | None:
    rows = Offer.objects.select_related(
        "appointment__location", "appointment__visit_type", "request__submission"
    )
    return rows.filter(pk=message.occasion).first()
