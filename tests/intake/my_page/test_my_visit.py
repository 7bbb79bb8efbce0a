"""The visit on the patient's own page, from the offer to the cancelled visit."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Message
from intake.appointments import changing, waiting_list
from intake.appointments.offers import accept, withdraw_offers
from intake.appointments.views.visit_words import words_of
from intake.models.appointments import (
    Appointment,
    Offer,
    WaitlistEntry,
)
from intake.models.submissions import Urgency
from tests import builders
from tests.intake import book
from tests.intake.my_visit import (
    choose,
    code_of,
    event_in,
    everything,
    inside,
    offered,
    sent,
    visit,
)
from tests.intake.patient import Patient
from tests.intake.way_in import asking, enter

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("roomy", "codes_without_limit", "lee"),
]


# --- from the offer to the cancelled visit -------------------------------------------------------


def offered_on(patient: Patient) -> list[str]:
    """Return the buttons that accept an offer on the patient's page."""
    forms = patient.page.forms
    return next(form.controls["offer"].offered for form in forms if "offer" in form.controls)


def test_asked_offered_accepted_moved_cancelled_and_told_each_time():
    submission = book.patient()
    first, second = book.free(7), book.free(8)
    offered(submission, first, second)
    (letter,) = sent("appointment_offer")
    assert letter.subject == "Please choose a time at Truffles"
    assert letter.body.count("Eastern time") == 1, "one zone for all times"
    assert not letter.attachments

    patient = inside(submission)
    assert "We hold these times for you" in patient.page.text
    (mine,) = Offer.objects.filter(appointment__during__startswith=second.start)
    assert offered_on(patient)[1] == str(mine.pk)
    page = patient.post("/my/offer/", {"offer": str(mine.pk), "go": "accept"})
    assert "The appointment" in page.text
    assert words_of(visit(submission))["time"] in page.text
    assert visit(submission).starts == second.start

    (letter,) = sent("appointment_confirmed")
    calendar, event = event_in(letter)
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("PUBLISH", "CONFIRMED", 0)
    assert event["DTSTART"].dt == second.start
    uid = event["UID"]

    third = book.free(9)
    page = patient.get("/my/times/")
    assert "You keep it until you confirm another time." in page.text
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
    (button,) = offered_on(patient)
    accept(offer=Offer.objects.get(request__submission=quick), submission=quick)
    page = patient.post("/my/offer/", {"offer": button, "go": "accept"})
    assert page.status == 409
    assert "Another patient has just taken this time." in page.text
    assert "Another patient took the time that we offered you" in patient.get("/my/").text
    assert visit(quick)
    assert not Appointment.objects.filter(submission=slow).exists()
    (letter,) = sent("offer_lost")
    assert letter.to == ["canary1@example.org"]
    assert "You are still on our waiting list" in letter.body


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


# --- strangers cannot reach it -------------------------------------------------------------------


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


# --- limits --------------------------------------------------------------------------------------


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
    """The code went to the phone, but the patient does not want text messages."""
    submission = builders.submission({"email": "", "prefer": "phone"})
    patient = asking(submission.reference, "+12025550147")
    page = enter(patient, code_of())
    assert page.path == "/my/"
    assert "We reach you by phone." in page.text
    assert "mail" not in page.text.casefold()
    assert "waiting list" not in page.text
    page = patient.post("/my/wait/", {"go": "join"})  # from an old tab
    assert "We write to you" not in patient.page.text
    assert "we have no way to write to you" in patient.page.text
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
    assert letter.subject == "We no longer hold the times at Truffles"
    assert letter.body.count("Eastern time") == 1
    assert "can no longer hold these times" in letter.body

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


# --- cost ----------------------------------------------------------------------------------------


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
    assert counts[0] == counts[1] <= 13
