"""A visit in a browser: the patient asks, accepts an offer, moves the visit and cancels it."""

from datetime import datetime

import pytest

from intake.models.appointments import Appointment, Offer
from intake.models.submissions import Submission
from tests.intake import book
from tests.journeys.conftest import Window, what_the_clinic_received

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("scripts", [True, False])
def test_a_patient_asks_accepts_moves_and_cancels_and_the_next_patient_gets_the_time(
    window, scripts
):
    # given: a clinician who sees patients every day, and a patient who asks for an appointment
    book.clinician()
    patient = window("phone", scripts=scripts)
    patient.starts("/appointments/")
    patient.fills_in_until("appointment")

    # when: the patient wishes for a video call, and adds a second wish
    patient.chooses("By video")
    patient.presses("Add another wish")

    # then: nothing that was ticked is lost
    assert is_chosen(patient, "By video")

    # when: the patient asks for a Friday, decides to come in person, and sends the request
    patient.answers(days_2="fri")
    looks_right(patient)
    patient.chooses("In person")
    patient.presses("Continue")
    patient.sees("Second wish")
    patient.sends()

    # then: the clinic has the request
    request = what_the_clinic_received()

    # given: another patient, who asked for an appointment before
    earlier_request = book.patient(1)
    other_patient = window("phone", scripts=scripts)
    other_patient.comes_back_with(
        earlier_request.reference, mailbox=earlier_request.person["email"]
    )

    # when: the other patient asks to be put on the waiting list
    other_patient.presses("Put me on the waiting list")

    # then: the page says that the other patient is on the waiting list
    other_patient.sees("You are on the waiting list")
    looks_right(other_patient)

    # when: the front desk opens the first patient's request
    front_desk = window("desk", "front desk", scripts=scripts)
    front_desk.opens("/admin/")
    front_desk.follows(request.reference)

    # then: the front desk reads the wish
    front_desk.sees("Friday")

    # when: the front desk offers two times, two weeks later
    front_desk.follows("Week after")
    front_desk.follows("Week after")
    front_desk.ticks_time(1, "the calendar")
    front_desk.ticks_time(4, "the calendar")
    front_desk.presses_first("Offer the chosen times")

    # then: the clinic holds the two times for the patient
    front_desk.sees("2 times are offered.")
    _first, second = times_offered_to(request)

    # when: the patient comes back
    patient.comes_back_with(request.reference)

    # then: the patient sees the two times
    patient.sees("We hold these times for you")
    looks_right(patient)

    # when: the patient takes the second time
    patient.ticks_time(2, "the offered times")
    patient.presses("Take this time")

    # then: the appointment is at the second time, and the patient can put it into a calendar
    patient.sees("The appointment")
    assert the_visit().starts == second
    looks_right(patient)
    if scripts:
        assert file_behind(patient, "Add it to my calendar") == "appointment.ics"

    # when: the patient chooses another time
    patient.follows("Choose another time")
    looks_right(patient)
    patient.ticks_time(-1, "the free times")
    patient.presses("Continue")

    # then: the appointment is not moved yet, because the patient has to confirm the move
    assert the_visit().starts == second
    looks_right(patient)

    # when: the patient confirms the move
    patient.presses("Move my appointment")

    # then: the appointment is at another time, and not before the first free time
    assert the_visit().starts != second
    assert the_visit().starts >= book.free(days=0).start
    assert the_visit().sequence == 1, "calendars replace the time before"

    # when: the patient cancels the appointment
    patient.follows("Cancel the appointment")
    looks_right(patient)
    patient.presses("Cancel, I do not need a visit")

    # then: nobody has an appointment
    patient.sees("was cancelled")
    assert nobody_has_a_visit()

    # then: the freed time is held for the patient who waits
    (freed,) = times_offered_to(earlier_request)
    other_patient.opens("/my/")
    other_patient.sees("You are on the waiting list")
    looks_right(other_patient)

    # when: the patient who waits takes the freed time
    other_patient.presses("Take this time")

    # then: the patient who waited has the appointment
    assert the_visit().submission == earlier_request
    assert the_visit().starts == freed


@pytest.mark.parametrize("scripts", [True, False])
def test_a_patient_chooses_a_free_time_while_filling_in(window, settings, scripts):
    # given: a clinic where patients choose a free time themselves
    settings.APPOINTMENT_MODE = "slots"
    book.clinician()
    # given: a patient who asks for an appointment
    patient = window("phone", scripts=scripts)
    patient.starts("/appointments/")
    patient.fills_in_until("appointment")
    looks_right(patient)

    # when: the patient looks at later days, comes back, and chooses a time of the first days
    patient.presses("Later days")
    patient.presses("The first free days")
    patient.ticks_time(4, "the free times")
    patient.presses("Continue")

    # then: the time is held
    patient.sees("We hold your time until")

    # when: the patient sends the request, and comes back later
    patient.sends()
    patient.comes_back_with(the_visit().submission.reference)

    # then: the patient has the appointment
    assert the_visit().submission == what_the_clinic_received()
    patient.sees("The appointment")


# --- how it is done in the browser ----------------------------------------------------------------


def looks_right(person: Window) -> None:
    """Check that the page fits two small phones, and that axe finds no fault.

    Axe needs scripts. Without scripts nothing is checked, because the page is the same.
    """
    if person.scripts:
        person.needs_no_sideways_scrolling(360, 320)
        person.finds_no_barrier()


def is_chosen(patient: Window, label: str) -> bool:
    return patient.page.get_by_label(label).is_checked()


def file_behind(patient: Window, link: str) -> str:
    """Follow a link to a file, and return the file's name."""
    with patient.page.expect_download() as download:
        patient.follows(link)
    return download.value.suggested_filename


def the_visit() -> Appointment:
    """Return the only visit that is agreed on."""
    return Appointment.objects.for_reading().get(status="confirmed")


def nobody_has_a_visit() -> bool:
    return not Appointment.objects.filter(status="confirmed").exists()


def times_offered_to(request: Submission) -> list[datetime]:
    offers = Offer.objects.filter(request__submission=request, state="open")
    return sorted(offer.appointment.starts for offer in offers.select_related("appointment"))
