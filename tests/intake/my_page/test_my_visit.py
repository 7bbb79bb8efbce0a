"""The visit on the patient's own page, and what the patient is told of it by mail."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from icalendar import Calendar

from clinic.models import Message
from clinic.outgoing import outbox
from intake.appointments import calendar_file, changing, free_times, waiting_list
from intake.appointments import offers as offers_module
from intake.appointments.offers import accept, withdraw_offers
from intake.appointments.views.visit_words import words_of
from intake.models.appointments import (
    Appointment,
    AppointmentChange,
    AppointmentRequest,
    Offer,
    WaitlistEntry,
)
from intake.models.clinic_time import VisitType
from intake.models.submissions import Submission, Urgency
from intake.wording.moments import moment_words
from tests import builders
from tests.intake import book
from tests.intake.access.test_coming_back import asking, enter
from tests.intake.patient import Patient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy")]
HEALTH = ("vein", "leg", "restless", "urgent", "symptom", "pain", "canary", "0147", "1982")


@pytest.fixture(autouse=True)
def _open_clinic(settings):
    settings.LIMIT_CODES_PEER = settings.LIMIT_CODES_SITE = settings.LIMIT_TRIES_PEER = 1_000_000
    book.clinician()


def inside(submission: Submission) -> Patient:
    """The patient, on the own page."""
    address = submission.person["email"]
    patient = asking(submission.reference, address)
    # only the code's mail: what the visit gives reason to tell is looked at by the test
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
    """The mails of one kind that go out now, as they are then; the others wait."""
    Message.objects.exclude(kind=kind).filter(state="waiting").update(
        next_at=timezone.now() + timedelta(days=400)
    )
    Message.objects.filter(kind=kind, state="waiting").update(next_at=F("due_at"))
    mail.outbox.clear()
    outbox.deliver_due()
    return list(mail.outbox)


def event_in(letter) -> tuple[Calendar, dict]:
    """The calendar and its one event, read from the attachment as a calendar program would."""
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


# --- from the offer to the cancelled visit --------------------------------------------------------


def test_asked_offered_accepted_moved_cancelled_and_told_each_time():
    submission = book.patient()
    first, second = book.free(7), book.free(8)
    offered(submission, first, second)
    (letter,) = sent("appointment_offer")
    assert letter.subject == "Please choose a time at Truffles"
    assert letter.body.count("America/New_York") == 3, "two times and until when"
    assert not letter.attachments

    patient = inside(submission)
    assert "We hold these times for you" in patient.page.text
    (mine,) = Offer.objects.filter(appointment__during__startswith=second.start)
    assert patient.page.form.controls["offer"].offered[1] == str(mine.pk)
    page = patient.post("/my/offer/", {"offer": str(mine.pk), "go": "accept"})
    assert "Your appointment" in page.text
    assert words_of(visit(submission))["time"] in page.text
    assert visit(submission).starts == second.start

    (letter,) = sent("appointment_confirmed")
    calendar, event = event_in(letter)
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("PUBLISH", "CONFIRMED", 0)
    assert event["DTSTART"].dt == second.start
    uid = event["UID"]

    third = book.free(9)
    page = patient.get("/my/times/")
    assert "It stays until you have confirmed another one." in page.text
    page = choose(patient, third)
    assert "Is this the time?" in page.text
    assert visit(submission).starts == second.start, "nothing is moved by looking"
    patient.press("book")
    assert patient.page.path == "/my/"
    assert visit(submission).starts == third.start
    (letter,) = sent("appointment_changed")
    calendar, event = event_in(letter)
    assert (event["UID"], event["SEQUENCE"], event["DTSTART"].dt) == (uid, 1, third.start)

    patient.get("/my/cancel/")
    assert visit(submission), "looking cancels nothing"
    page = patient.press("cancel")
    assert "was cancelled" in page.text
    assert not Appointment.objects.filter(status="confirmed").exists()
    (letter,) = sent("appointment_cancelled")
    calendar, event = event_in(letter)
    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert (event["UID"], event["SEQUENCE"]) == (uid, 2)
    assert book.progress(submission) == "withdrawn"


def test_none_of_the_offers_suits():
    submission = book.patient()
    offered(submission, book.free(7), book.free(8))
    page = inside(submission).post("/my/offer/", {"go": "none"})
    assert "We hold these times" not in page.text
    assert set(Offer.objects.values_list("state", flat=True)) == {"declined"}
    assert book.progress(submission) == "requested"


def test_who_comes_second_is_told_kindly_and_nothing_is_half_booked(settings):
    settings.APPOINTMENT_WAITLIST_BATCH = 2
    early = book.patient(0)
    appointment = book.booked(early, book.free(7))
    waiting = [book.patient(number, wish={}) for number in (1, 2)]
    for each in waiting:
        waiting_list.join_waitlist(submission=each)
    changing.cancel(appointment=appointment)
    slow, quick = waiting
    patient = inside(slow)
    (button,) = patient.page.form.controls["offer"].offered
    accept(offer=Offer.objects.get(request__submission=quick), submission=quick)
    page = patient.post("/my/offer/", {"offer": button, "go": "accept"})
    assert page.status == 409
    assert "Somebody else took this time a moment ago." in page.text
    assert "somebody else took the time we offered you" in patient.get("/my/").text
    assert visit(quick)
    assert not Appointment.objects.filter(submission=slow).exists()
    (letter,) = sent("offer_lost")
    assert letter.to == ["canary1@example.org"]
    assert "You are still on our list" in letter.body


def test_an_offer_that_has_lapsed_is_no_offer():
    submission = book.patient()
    (offer,) = offered(submission, book.free(7))
    patient = inside(submission)
    Offer.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    Appointment.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    page = patient.post("/my/offer/", {"offer": str(offer.pk), "go": "accept"})
    assert page.status == 409
    assert "This offer has ended." in page.text
    assert not Appointment.objects.filter(status="confirmed").exists()
    assert not sent("appointment_offer"), "and nobody is told of it any more"


# --- whose it is ----------------------------------------------------------------------------------


def test_another_person_changes_nothing_of_it():
    mine, other = book.patient(0), book.patient(1)
    book.booked(mine, book.free(7))
    third = book.patient(2)
    (offer,) = offered(third, book.free(8))
    waiting_list.join_waitlist(submission=mine)
    patient = inside(other)
    before = everything()
    for url, data in (
        ("/my/offer/", {"offer": str(offer.pk), "go": "accept"}),
        ("/my/offer/", {"go": "none"}),
        ("/my/cancel/", {"go": "cancel", "submission": str(mine.pk)}),
        ("/my/cancel/", {"go": "again", "reference": mine.reference}),
        ("/my/times/", {"slot": book.free(9).key, "go": "book"}),
        ("/my/wait/", {"go": "leave", "submission": str(mine.pk)}),
    ):
        patient.post(url, data)
        assert everything() == before, url
    assert patient.get("/my/calendar.ics").path == "/my/"
    assert WaitlistEntry.objects.get().request.submission == mine


@pytest.mark.parametrize("path", ["offer", "times", "cancel", "wait", "calendar.ics"])
def test_without_a_code_there_is_nothing(path):
    book.booked(book.patient(), book.free(7))
    before = everything()
    for method in ("get", "post", "head", "options"):
        stranger = Patient()
        response = getattr(stranger.client, method)(f"/my/{path}", follow=True)
        assert response.status_code in (200, 405, 404)
    for url in ("/my/cancel/", "/my/times/", "/my/offer/"):
        assert Patient().post(url, {"go": "cancel"}).path == "/my/"
    assert everything() == before


def test_looking_changes_nothing(settings):
    settings.APPOINTMENT_MODE = "slots"
    submission = book.patient()
    offered(submission, book.free(7))
    patient = inside(submission)
    booked = book.patient(1)
    book.booked(booked, book.free(8))
    second = inside(booked)
    before = everything()
    for browser in (patient, second):
        for path in ("", "offer/", "times/", "cancel/", "wait/", "calendar.ics"):
            for method in ("get", "head", "options"):
                getattr(browser.client, method)(f"/my/{path}")
    assert everything() == before


# --- times that cannot be had ---------------------------------------------------------------------


def bad_key(kind: str) -> str:
    slot = book.free(7)
    when, who, where = slot.key.split("_")
    match kind:
        case "gone":
            book.booked(book.patient(5), slot)
            return slot.key
        case "past":
            return f"20200106T140000_{who}_{where}"
        case "outside hours":
            night = slot.start.replace(hour=3).astimezone(UTC)
            return f"{night:%Y%m%dT%H%M%S}_{who}_{where}"
        case "another type":
            other = VisitType.objects.create(title="Long visit", kind="video", minutes=45)
            book.clinician("Dr. May", types=(other,))
            return next(
                free.key
                for free in free_times.free_slots(visit_type=other)
                if free.clinician.name == "Dr. May"
            )
        case "forged":
            return f"{when}_{'0' * 8}-0000-7000-8000-{'0' * 12}_{where}"
        case "skipped hour":  # the clock goes from 2 to 3 in New York then; no such slot
            return f"20270314T073000_{who}_{where}"
        case "year 1":
            return f"00010101T000000_{who}_{where}"
        case "year 9999":
            return f"99991231T235959_{who}_{where}"
        case _:
            return "💊" * 30


@pytest.mark.parametrize(
    "kind",
    [
        "gone",
        "past",
        "outside hours",
        "another type",
        "forged",
        "skipped hour",
        "year 1",
        "year 9999",
        "nonsense",
    ],
)
@pytest.mark.parametrize("go", ["continue", "book"])
@pytest.mark.parametrize("has", ["a visit", "none"])
def test_a_time_that_cannot_be_had_is_a_sentence_with_the_nearest(kind, go, has, settings):
    settings.APPOINTMENT_MODE = "slots"
    submission = book.patient()
    if has == "a visit":
        book.booked(submission, book.free(10))
    key = bad_key(kind)
    patient = inside(submission)
    before = everything()
    page = patient.post("/my/times/", {"slot": key, "visit": str(book.visit_type().pk), "go": go})
    assert page.status == 409
    assert "That time has just gone. Nothing was booked." in page.text
    assert 'name="slot"' in page.html, "the way on"
    assert everything() == before


@pytest.mark.parametrize("go", ["continue", "book"])
def test_a_visit_is_not_moved_to_a_time_that_has_come_too_near_on_an_old_page(go, settings):
    settings.APPOINTMENT_MODE, settings.APPOINTMENT_LEAD_HOURS = "slots", 0
    submission = book.patient()
    book.booked(submission, book.free(10))
    near = book.free(2)
    patient = inside(submission)
    before = everything()
    settings.APPOINTMENT_LEAD_HOURS = 24 * 4
    page = choose(patient, near, go)
    assert page.status == 409
    assert near.key not in page.html
    assert everything() == before


def test_a_visit_lasts_as_long_as_it_was_booked_for_whatever_became_of_its_sort():
    submission = book.patient()
    book.booked(submission)
    VisitType.objects.update(minutes=45)
    assert ", 30 minutes" in inside(submission).page.text


def test_a_visit_of_a_sort_that_is_offered_no_more_can_still_be_moved(settings):
    settings.APPOINTMENT_MODE = "slots"
    submission = book.patient()
    book.booked(submission, book.free(10))
    sooner = book.free(2)
    VisitType.objects.update(is_active=False)
    patient = inside(submission)
    assert sooner.key in patient.get("/my/times/").html
    assert "Is this the time?" in choose(patient, sooner).text
    choose(patient, sooner, "book")
    assert visit(submission).during.lower == sooner.start


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("button", [{"go": "sooner", "next": "{}"}, {"go": "book", "first": "{}"}])
def test_a_first_day_that_no_book_reaches_counts_as_none(day, button, settings):
    settings.APPOINTMENT_MODE = "slots"
    patient = inside(book.patient())
    posted = {name: words.format(day) for name, words in button.items()}
    page = patient.post("/my/times/", {"visit": str(book.visit_type().pk), **posted})
    assert page.status in (200, 422)
    assert 'name="slot"' in page.html, "the list from today on"


def test_a_hold_that_lapsed_is_taken_up_again_or_told(settings):
    settings.APPOINTMENT_MODE = "slots"
    submission, slot = book.patient(), book.free(7)
    patient = inside(submission)
    assert "Choose a time" in patient.page.text
    patient.get("/my/times/")
    choose(patient, slot)
    assert "We hold it for you until" in patient.page.text
    past = timezone.now() - timedelta(seconds=1)
    Appointment.objects.update(held_until=past)
    book.booked(book.patient(1), slot)
    page = patient.press("book")
    assert page.status == 409
    assert "Here are the nearest free times." in page.text
    second = book.free(8)
    choose(patient, second)
    Appointment.objects.filter(status="held").update(held_until=past)
    assert patient.press("book").path == "/my/"
    assert visit(submission).starts == second.start


# --- limits ---------------------------------------------------------------------------------------


def test_too_late_to_change_it_here_the_telephone(settings):
    settings.APPOINTMENT_CANCEL_HOURS = 24 * 8
    submission = book.patient()
    book.booked(submission, book.free(7))
    patient = inside(submission)
    assert "please call us now" in patient.page.text
    assert not patient.page.links_to("/my/cancel/")
    before = everything()
    for url, data in (
        ("/my/cancel/", {"go": "cancel"}),
        ("/my/times/", {"slot": book.free(9).key, "go": "book"}),
    ):
        page = patient.post(url, data)
        assert page.status == 409
        assert "It is too late to change this here. Please call us." in page.text
    assert everything() == before


def test_what_must_not_wait_shows_no_list(settings):
    settings.APPOINTMENT_MODE = "slots"
    submission = book.patient(urgency=Urgency.SAME_DAY)
    patient = inside(submission)
    assert not patient.page.links_to("/my/times/")
    assert "waiting list" not in patient.page.text
    assert patient.get("/my/times/").path == "/my/"
    assert patient.post("/my/wait/", {"go": "join"}).status == 409


def test_urgent_shows_14_days_and_the_telephone(settings):
    settings.APPOINTMENT_MODE = "slots"
    patient = inside(book.patient(urgency=Urgency.URGENT))
    page = patient.get("/my/times/")
    assert "the times of the next 14 days" in page.text
    last = book.free(30)
    assert choose(patient, last).status == 409


def test_in_request_mode_a_patient_books_nothing_alone():
    submission = book.patient()
    patient = inside(submission)
    assert not patient.page.links_to("/my/times/")
    assert choose(patient, book.free(7), "book").path == "/my/"
    assert not Appointment.objects.exists()


def test_the_waiting_list_is_joined_and_left():
    patient = inside(book.patient())
    page = patient.press("join")
    assert "You are on the waiting list" in page.text
    page = patient.press("leave")
    assert "You are on the waiting list" not in page.text


def test_a_patient_whom_no_letter_reaches_is_promised_none():
    """The code reached a phone that takes text messages, which the patient does not want."""
    submission = builders.submission({"email": "", "prefer": "phone"})
    patient = asking(submission.reference, "+12025550147")
    page = enter(patient, code_of())
    assert page.path == "/my/"
    assert "waiting list" not in page.text
    page = patient.post("/my/wait/", {"go": "join"})  # an old tab
    assert "we write to you" not in patient.page.text
    assert "no message of ours reaches you" in patient.page.text
    assert "leave" in patient.page.form.buttons or "Leave the waiting list" in patient.page.text


def test_offers_that_are_taken_back_are_told_to_those_who_heard_of_them():
    submission = book.patient()
    offered(submission, book.free(7), book.free(8))
    assert len(sent("appointment_offer")) == 1
    by = builders.member("front desk")
    assert withdraw_offers(submission=submission, by=by)
    assert sent("offers_withdrawn") == [], "the front desk may book one on the phone"
    Message.objects.filter(kind="offers_withdrawn").update(due_at=timezone.now())
    (letter,) = sent("offers_withdrawn")
    assert letter.subject == "The times at Truffles are held no longer"
    assert letter.body.count("America/New_York") == 2
    assert "we cannot hold for you any longer" in letter.body

    offered(submission, book.free(9))
    withdraw_offers(submission=submission, by=by)
    offered(submission, book.free(10))
    Message.objects.filter(kind="offers_withdrawn").update(due_at=timezone.now())
    assert sent("offers_withdrawn") == [], "there are others by now"
    assert len(sent("appointment_offer")) == 1
    withdraw_offers(submission=submission, by=by)
    book.booked(submission, book.free(10))
    Message.objects.filter(kind="offers_withdrawn").update(due_at=timezone.now())
    assert sent("offers_withdrawn") == [], "one of them was agreed on by phone"


def test_an_earlier_time_that_is_taken_back_is_told_beside_the_visit_that_stays():
    submission = book.patient(wish={})
    book.booked(submission, book.free(12))
    waiting_list.join_waitlist(submission=submission)
    other = book.booked(book.patient(1), book.free(7))
    changing.cancel(appointment=other)
    assert len(sent("waitlist_offer")) == 1
    withdraw_offers(submission=submission, by=builders.member("front desk"))

    assert not Message.objects.filter(kind="offers_withdrawn", due_at__lte=timezone.now())
    Message.objects.filter(kind="offers_withdrawn").update(due_at=timezone.now())
    assert len(sent("offers_withdrawn")) == 1


# --- messages -------------------------------------------------------------------------------------


def remind(submission: Submission) -> list:
    """The reminders that go out when their time has come."""
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


# what a text message of each kind says, in English and in Spanish
SAYS = {
    "appointment_offer": ("we hold for you", "le guardamos"),
    "appointment_confirmed": ("your appointment is booked:", "su cita fue reservada:"),
    "appointment_changed": ("your appointment was moved to", "su cita cambió a"),
    "appointment_reminder": ("a reminder of your appointment:", "recordatorio de su cita:"),
    "appointment_cancelled": ("this appointment was cancelled:", "esta cita fue cancelada:"),
    "waitlist_offer": ("a time has become free", "hay una hora libre"),
    "offer_lost": ("somebody else took this time:", "otra persona tomó esta hora:"),
    "offers_withdrawn": ("we cannot hold any longer:", "ya no podemos guardarle:"),
}
# of one with one time in it: English fits one message of a telephone, Spanish nearly
LONGEST = {"en": 160, "es": 170}


def texter(number: int, language: str) -> Submission:
    """Somebody without e-mail who wants text messages, for the first free time."""
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
        """They go to this patient alone, and name these moments by the clinic's clocks."""
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


# --- calendar files -------------------------------------------------------------------------------


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
    for hour in (5, 6):  # both 1:00 am by the clocks of New York
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


# --- cost -----------------------------------------------------------------------------------------


def test_the_page_with_an_appointment_costs_a_fixed_number_of_queries():
    submission = book.patient()
    book.booked(submission, book.free(7))
    patient = inside(submission)
    counts = []
    for number in range(2):
        with CaptureQueriesContext(
            connection,
        ) as context:
            patient.client.get("/my/")
        counts.append(len(context))
        changing.reschedule(appointment=visit(submission), slot=book.free(8 + number).key)
    assert counts[0] == counts[1] <= 12
