"""Letters to patients about a visit: reminders, text messages, calendar files."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from icalendar import Calendar

from clinic.models import Message
from intake.appointments import calendar_file, changing, waiting_list
from intake.appointments.offers import accept, withdraw_offers
from intake.appointments.views.visit_words import words_of
from intake.models.appointments import (
    Appointment,
    AppointmentRequest,
    Offer,
)
from intake.models.submissions import Submission
from intake.wording.moments import moment_words
from tests import builders
from tests.intake import book
from tests.intake.my_visit import HEALTH, inside, offered, sent, visit

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("roomy", "codes_without_limit", "lee"),
]


# --- messages ------------------------------------------------------------------------------------


def remind(submission: Submission) -> list:
    """Make the reminders due, send them and return them."""
    Message.objects.filter(kind="appointment_reminder").update(due_at=timezone.now())
    return sent("appointment_reminder")


def test_a_reminder_is_sent_for_the_visit_as_it_stands_and_no_other():
    submission = book.patient()
    appointment = book.booked(submission, book.free(7))
    changing.reschedule(appointment=appointment, slot=book.free(9).key)
    letters_ = remind(submission)
    assert len(letters_) == 2, "three days and one day before; none for the time of before"
    assert all("A reminder" in letter.subject for letter in letters_)
    assert all(words_of(visit(submission))["moment"] in letter.body for letter in letters_)


def test_no_reminder_of_what_was_cancelled():
    submission = book.patient()
    changing.cancel(appointment=book.booked(submission, book.free(7)))
    assert remind(submission) == []


def test_of_two_reminders_that_are_late_one_is_sent():
    submission = book.patient()
    book.booked(submission, book.free(7))
    Appointment.objects.filter(submission=submission).update(
        during=(timezone.now() + timedelta(hours=20), timezone.now() + timedelta(hours=21))
    )
    assert len(remind(submission)) == 1


def test_no_message_tells_of_health_or_of_the_person():
    submission = book.patient()
    other = book.patient(1, wish={})
    offers = offered(submission, book.free(7))
    mine = [sent("appointment_offer")]
    appointment = accept(offer=offers[0], submission=submission)
    mine.append(sent("appointment_confirmed"))
    changing.reschedule(appointment=appointment, slot=book.free(8).key)
    mine.append(sent("appointment_changed"))
    mine.append(remind(submission))
    waiting_list.join_waitlist(submission=other)
    appointment.refresh_from_db()
    changing.cancel(appointment=appointment)
    mine.append(sent("appointment_cancelled"))
    mine.append(sent("waitlist_offer"))
    withdraw_offers(submission=other, by=builders.member("front desk"))
    Message.objects.filter(kind="offers_withdrawn").update(due_at=timezone.now())
    mine.append(sent("offers_withdrawn"))
    assert all(mine)
    for letter in (letter for some in mine for letter in some):
        files = "".join(content for _name, content, _kind in letter.attachments)
        told = f"{letter.subject} {letter.body} {files}".casefold()
        assert not [word for word in HEALTH if word in told]
        assert "/my/\n" in letter.body
        assert "America/New_York" in letter.body


# kind of message → how its text begins in English and in Spanish
SAYS = {
    "appointment_offer": ("we hold for you", "le guardamos"),
    "offer_reminder": ("please answer, we still hold for you", "responda, por favor: seguimos"),
    "appointment_confirmed": ("the appointment is booked:", "su cita fue reservada:"),
    "appointment_changed": ("the appointment was moved to", "su cita cambió a"),
    "appointment_reminder": ("a reminder of the appointment:", "recordatorio de su cita:"),
    "appointment_cancelled": ("this appointment was cancelled:", "esta cita fue cancelada:"),
    "waitlist_offer": ("a time has become free", "hay una hora libre"),
    "offer_lost": ("somebody else took this time:", "otra persona tomó esta hora:"),
    "offers_withdrawn": ("we cannot hold any longer:", "ya no podemos guardarle:"),
}

# the most characters of a text with one time; one text message has room for 160 characters
LONGEST = {"en": 160, "es": 170}


def texter(number: int, language: str) -> Submission:
    """Return the submission of a patient without e-mail who wants text messages.

    The patient's appointment request suits any free time.
    """
    name, phone = f"Quentin Canary{number}", f"+1202555014{number}"
    contact = {"name": name, "callback_phone": phone, "email": "", "prefer": "text"}
    row = builders.submission(contact)
    AppointmentRequest.objects.filter(submission=row).update(wishes=[])
    Submission.objects.filter(pk=row.pk).update(language=language)
    row.refresh_from_db()
    return row


@pytest.mark.parametrize("language", ["en", "es"])
def test_text_messages_are_short_name_the_zone_and_tell_nothing(settings, capsys, language):
    settings.SMS_BACKEND = "clinic.outgoing.sms.console"
    settings.APPOINTMENT_WAITLIST_BATCH = 2
    mine, quick, slow = (texter(number, language) for number in range(7, 10))

    def told(kind: str, to: Submission, moments: list[datetime], parts: int) -> None:
        """Check the text message of this kind to the patient of `to`.

        The text names all `moments` by the clinic's clock, and is at most `parts` messages long.
        """
        capsys.readouterr()
        assert sent(kind) == [], "no mail"
        texts = re.findall(r"Text message to (\S+):\n  (.+)\n", capsys.readouterr().out)
        assert texts, kind
        text = next(text for number, text in texts if number == to.person["callback_phone"])
        assert text.startswith(f"Truffles: {SAYS[kind][language == 'es']}")
        with translation.override(language):
            for moment in moments:
                assert moment_words(moment, "America/New_York") in text
        assert text.count("America/New_York") == len(moments)
        prefix = "" if language == "en" else f"/{language}"
        assert text.endswith(f"{to.reference}, http://127.0.0.1:8000{prefix}/my/, +1 202-555-0123")
        assert len(text) <= LONGEST[language] * parts, text
        assert not [word for word in (*HEALTH, "vena", "pierna") if word in text.casefold()]

    def until(offer: Offer) -> datetime:
        return offer.expires_at.astimezone(book.location().zone)

    slots = [book.free(days) for days in (7, 8, 9)]
    offers = offered(mine, *slots)
    told("appointment_offer", mine, [*(slot.start for slot in slots), until(offers[0])], parts=3)
    Message.objects.filter(kind="offer_reminder").update(due_at=timezone.now())
    told("offer_reminder", mine, [*(slot.start for slot in slots), until(offers[0])], parts=3)
    appointment = accept(offer=offers[0], submission=mine)
    told("appointment_confirmed", mine, [appointment.starts], parts=1)
    changing.reschedule(appointment=appointment, slot=book.free(10).key)
    told("appointment_changed", mine, [visit(mine).starts], parts=1)
    Message.objects.filter(kind="appointment_reminder").update(due_at=timezone.now())
    told("appointment_reminder", mine, [visit(mine).starts], parts=1)

    for each in (quick, slow):
        waiting_list.join_waitlist(submission=each)
    at = visit(mine).starts
    changing.cancel(appointment=visit(mine))
    told("appointment_cancelled", mine, [at], parts=1)
    won = Offer.objects.get(request__submission=quick)
    told("waitlist_offer", quick, [at, until(won)], parts=2)
    accept(offer=won, submission=quick)
    told("offer_lost", slow, [at], parts=1)
    offered(slow, slots[1])
    withdraw_offers(submission=slow, by=builders.member("front desk"))
    Message.objects.filter(kind="offers_withdrawn").update(due_at=timezone.now())
    told("offers_withdrawn", slow, [slots[1].start], parts=1)


# --- calendar files ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("America/New_York", "2027-03-13 09:00", "2027-03-14 09:00"),
        ("America/New_York", "2027-11-06 09:00", "2027-11-07 09:00"),
        ("Europe/Berlin", "2027-03-27 09:00", "2027-03-28 09:00"),
        ("Europe/Berlin", "2027-10-30 09:00", "2027-10-31 09:00"),
        ("Australia/Sydney", "2027-04-03 09:00", "2027-04-04 09:00"),
        ("Australia/Sydney", "2027-10-02 09:00", "2027-10-03 09:00"),
    ],
)
def test_calendar_files_keep_the_local_time_on_both_sides_of_a_clock_change(zone, before, after):
    place = book.location(f"Clinic of {zone}", zone)
    offsets = set()
    for number, wall in enumerate((before, after)):
        start = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone))
        row = Appointment.objects.create(
            submission=book.patient(number),
            clinician=book.clinician(f"Dr. {number}", place=place),
            location=place,
            visit_type=book.visit_type(),
            during=(start, start + timedelta(minutes=30)),
            status="confirmed",
            created_at=timezone.now(),
            changed_at=timezone.now(),
        )
        row.refresh_from_db()
        text = calendar_file.calendar_file(row)
        (event,) = Calendar.from_ical(text).walk("VEVENT")
        local = event["DTSTART"].dt.astimezone(ZoneInfo(zone))
        assert f"{local:%Y-%m-%d %H:%M}" == wall
        assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(minutes=30)
        assert words_of(row)["time"].startswith("9:00 am")
        offsets.add(local.utcoffset())
    assert len(offsets) == 2, "the clock did change between them"


def test_a_time_that_comes_twice_is_named_by_its_clock():
    place = book.location()
    row = Appointment(location=place, visit_type=book.visit_type(), clinician=book.clinician("X"))
    told = []
    for hour in (5, 6):  # both hours are 1:00 am on the clocks of New York
        start = datetime(2027, 11, 7, hour, tzinfo=UTC)
        row.during = type("Range", (), {"lower": start, "upper": start})
        told.append(words_of(row)["time"])
    assert told == ["1:00 am EDT", "1:00 am EST"]


def test_the_file_is_what_calendars_read_and_names_nobody():
    place = book.location()
    place.address = "1 Long Road, with a name that goes on and on\nSome town; far away, Ünderhill"
    place.directions = "Door B.\nRing twice."
    place.save()
    submission = book.patient()
    book.booked(submission, book.free(7))
    response = inside(submission).client.get("/my/calendar.ics")
    assert response["Content-Type"] == "text/calendar; method=PUBLISH; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    text = response.content
    assert text.startswith(b"BEGIN:VCALENDAR\r\n")
    assert text.count(b"\n") == text.count(b"\r\n")
    assert max(map(len, text.split(b"\r\n"))) <= 75
    (event,) = Calendar.from_ical(text).walk("VEVENT")
    assert "Ünderhill" in event["LOCATION"]
    assert event["SUMMARY"] == "Truffles: Visit of 30 minutes"
    assert event["ORGANIZER"] == "mailto:clinic@example.org"
    told = text.decode().casefold()
    assert not [word for word in (*HEALTH, submission.reference.casefold()) if word in told]
