"""Helpers for tests of offers and visits: the patient on the own page, and letters."""

from datetime import timedelta

from django.core import mail
from django.db.models import F
from django.utils import timezone
from icalendar import Calendar

from clinic.models import Message
from clinic.outgoing import outbox
from intake.appointments import offers as offers_module
from intake.models.appointments import (
    Appointment,
    AppointmentChange,
    Offer,
)
from intake.models.submissions import Submission
from tests import builders
from tests.intake.patient import Patient
from tests.intake.way_in import asking, enter

HEALTH = ("vein", "leg", "restless", "urgent", "symptom", "pain", "canary", "0147", "1982")


def inside(submission: Submission) -> Patient:
    """Return the submission's patient, who has opened the own page with a code."""
    address = submission.person["email"]
    patient = asking(submission.reference, address)
    # send only the letter with the code; the tests look at the letters about visits
    enter(patient, code_of())
    assert patient.page.path == "/my/"
    return patient


def code_of() -> str:
    newest = Message.objects.filter(kind="code").order_by("-created_at").first()
    return newest.payload["code"]


def offered(submission: Submission, *slots) -> list[Offer]:
    return offers_module.offer(
        submission=submission,
        slots=[slot.key for slot in slots],
        visit_type=slots[0].visit_type,
        by=builders.member("front desk"),
    )


def visit(submission: Submission) -> Appointment:
    return Appointment.objects.for_reading().get(submission=submission, status="confirmed")


def sent(kind: str) -> list:
    """Send the mails of one kind, as composed now, and return them. Other messages stay unsent."""
    Message.objects.exclude(kind=kind).filter(state="waiting").update(
        next_at=timezone.now() + timedelta(days=400)
    )
    Message.objects.filter(kind=kind, state="waiting").update(next_at=F("due_at"))
    mail.outbox.clear()
    outbox.deliver_due()
    return list(mail.outbox)


def event_in(letter) -> tuple[Calendar, dict]:
    """Return the calendar and its one event from the attachment, as a calendar program reads it."""
    ((name, content, kind),) = letter.attachments
    assert name == "appointment.ics"
    calendar = Calendar.from_ical(content)
    assert kind == f"text/calendar; method={calendar['METHOD']}"
    (event,) = calendar.walk("VEVENT")
    return calendar, event


def everything() -> tuple:
    return (
        list(Appointment.objects.order_by("pk").values_list("pk", "status", "during", "sequence")),
        list(Offer.objects.order_by("pk").values_list("pk", "state")),
        AppointmentChange.objects.count(),
    )


def choose(patient: Patient, slot, go: str = "continue"):
    return patient.post(
        "/my/times/", {"slot": slot.key, "visit": str(slot.visit_type.pk), "go": go}
    )
