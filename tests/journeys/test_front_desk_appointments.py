"""The front desk at work, in a real browser and without scripts: from a wish to a visit."""

import pytest

from intake.models.appointments import Offer
from intake.models.submissions import Submission
from tests.desk import desk_page_of
from tests.intake import book
from tests.journeys.conftest import Window

pytestmark = pytest.mark.journey


@pytest.fixture
def front_desk(window):
    return window("desk", "front desk", scripts=False)


def test_a_wish_becomes_an_offer_and_the_offer_is_taken_back(front_desk):
    # given: a patient who wishes for a visit on a Tuesday
    book.clinician()
    patient = book.patient(wish=wish(days=["tue"]))

    # when: the front desk opens the patient's request
    front_desk.opens("/admin/")
    front_desk.follows(patient.reference)

    # then: the front desk reads the wish
    front_desk.sees("Tuesday; any time")

    # when: the front desk offers a time that fits the wish, and the last time of the calendar
    front_desk.ticks_time(1, "the times that fit the wish")
    front_desk.ticks_time(-1, "the calendar")
    front_desk.selects("2 days", "Held for the patient for")
    front_desk.presses_first("Offer the chosen times")

    # then: both times are held for the patient
    front_desk.sees("2 times are offered.", "Offered to the patient")
    assert offers_held() == 2

    # when: the front desk takes the offers back
    front_desk.presses("Take the offers back")

    # then: the patient waits for an offer again
    front_desk.sees("The offers are taken back.")
    assert book.progress(patient) == "requested"


def test_a_call_books_moves_and_cancels_and_the_next_one_gets_the_time(front_desk):
    # given: a patient who can come at any time, and another patient who waits for a time
    book.clinician()
    patient, waiting = (book.patient(number, wish=wish()) for number in (1, 2))
    front_desk.opens(desk_page_of(waiting))
    front_desk.presses("Put on the waiting list")
    front_desk.sees("On the waiting list")

    # when: the front desk calls the first patient, and they agree on a time
    front_desk.opens(desk_page_of(patient))
    front_desk.ticks_time(2, "the times that fit the wish")
    front_desk.presses_first("Book: agreed on the phone")

    # then: the patient has an appointment
    front_desk.sees("The appointment is booked.")

    # when: the front desk moves the appointment to the week after
    front_desk.follows("Open: move or cancel it")
    front_desk.follows("Move to another time")
    front_desk.follows("Week after")
    front_desk.ticks_time(1, "the calendar")
    front_desk.presses_first("Move it to the chosen time")

    # then: an e-mail with the new time goes out
    front_desk.sees("The appointment is moved. An e-mail goes out to the patient now.")

    # when: the front desk cancels the appointment, because the patient asked for that
    front_desk.selects("The patient asked for it", "Why?")
    front_desk.presses("Cancel the appointment")

    # then: the patient has no appointment any more
    front_desk.sees("The appointment is cancelled.")
    assert how_the_appointment_stands(patient) == "cancelled"

    # when: the front desk looks for a patient who can have the time
    front_desk.follows("Waiting list")
    front_desk.sees(waiting.reference)
    front_desk.follows("Offer a time")

    # then: the page of the waiting patient offers times
    front_desk.sees("from the waiting list")


def test_a_time_that_has_just_gone_is_said_and_nothing_chosen_is_lost(window):
    # given: one person of the front desk at a computer, and another person at a phone, each with
    # the page of a patient
    book.clinician()
    one_patient, other_patient = (book.patient(number, wish={}) for number in range(2))
    one = window("desk", "front desk", "desk-one")
    other = window("phone", "front desk", "desk-two")
    one.opens(desk_page_of(one_patient))
    other.opens(desk_page_of(other_patient))

    # when: both choose the same time, and the person at the phone also chooses a second time
    one.ticks_time(1, "the times that fit the wish")
    other.ticks_time(1, "the times that fit the wish")
    other.ticks_time(4, "the times that fit the wish")
    second = key_of_time(other, 4)

    # when: the person at the computer books the time before the person at the phone offers it
    one.presses_first("Book: agreed on the phone")
    other.presses_first("Offer the chosen times")

    # then: the person at the phone reads that the time has gone; the second time is still ticked
    other.sees("That time is no longer free. Nothing was booked.", "The nearest free times")
    assert is_ticked(other, second)
    assert other.focus() == "problem"
    other.finds_no_barrier()
    other.needs_no_sideways_scrolling(360)

    # when: the person at the phone offers what is still ticked
    other.presses_first("Offer the chosen times")

    # then: the second time is offered
    other.sees("1 time is offered.")


# --- how it is done in the browser ----------------------------------------------------------------


def wish(**wanted: object) -> dict[str, object]:
    return {"days": [], "times": [], "place": "", "clinician": "", **wanted}


def offers_held() -> int:
    return Offer.objects.filter(state="open").count()


def how_the_appointment_stands(patient: Submission) -> str:
    return patient.appointments.get().status


def key_of_time(front_desk: Window, number: int) -> str:
    return front_desk.page.locator("#times .slots input").nth(number - 1).get_attribute("value")


def is_ticked(front_desk: Window, key: str) -> bool:
    return front_desk.page.locator(f'input[value="{key}"]:checked').count() >= 1
