"""An answer that cannot wait stops the form at once."""

import pytest

from intake.models.submissions import Draft, Submission
from tests.journeys.conftest import Window, what_the_clinic_received

pytestmark = pytest.mark.journey

COLD_LEG = "a leg or foot suddenly cold"


@pytest.fixture
def patient(window):
    """A patient at a phone, who has just answered that one leg is suddenly cold."""
    patient = window("phone", scripts=False)
    patient.starts()
    patient.chooses(COLD_LEG)
    patient.presses("Continue")
    return patient


def test_a_sudden_cold_leg_stops_the_form_and_says_whom_to_call(patient):
    # given: a patient who has just answered that one leg is suddenly cold
    # when: the next page comes
    # then: the page says whom to call, in a link that a thumb hits without scrolling
    assert patient.path in ("/intake/emergency/", "/intake/legs/p/safety/")
    patient.sees_one_link("Call 911", to="tel:911")
    patient.sees("No one at the clinic is watching this page.")
    assert can_be_hit_without_scrolling(patient, "Call 911")

    # when: the patient tries to answer more questions
    patient.opens("/intake/legs/p/about/")

    # then: the emergency page comes again
    patient.is_at("/intake/emergency/")


def test_a_patient_who_also_tells_the_clinic_leaves_a_number(patient):
    # given: a patient who has just answered that one leg is suddenly cold
    # when: the patient also gives the clinic a name and a phone number
    leave_name_and_phone(patient, "Carl Canary", "(202) 555-0147")
    patient.presses("Tell the clinic")

    # then: the clinic has an emergency and a number to call
    received = what_the_clinic_received()
    assert received.kind == "stopped"
    assert received.urgency_code == "emergency"
    assert received.person["callback_phone"] == "+12025550147"

    # then: the patient reads that the clinic has the number, and still reads whom to call
    patient.sees("We have your phone number.", received.reference)
    patient.sees_one_link("Call 911")


def test_a_patient_who_leaves_no_phone_number_is_asked_for_it_again(patient):
    # given: a patient who has just answered that one leg is suddenly cold
    # when: the patient tells the clinic, but leaves no number
    patient.presses("Tell the clinic")

    # then: the page says what is missing, and still says whom to call
    patient.sees("There is a problem")
    patient.sees_one_link("Call 911")
    assert the_clinic_received_nothing()


def test_a_patient_who_picked_it_by_mistake_goes_on(patient):
    # given: a patient who has just answered that one leg is suddenly cold
    # when: the patient says that this was a mistake
    patient.presses("I picked this by mistake, go back")

    # then: the same question comes again
    patient.is_at("safety")

    # when: the patient answers that none of the emergencies is there
    patient.unchooses(COLD_LEG)
    patient.answers(em_now="none", em_past="none")
    patient.presses("Continue")

    # then: the questions go on
    patient.is_at("about")
    assert the_answers_are_kept_once()

    # when: the patient answers the other questions and sends the answers
    patient.has_answered_until("check")
    patient.sends()

    # then: the clinic still reads of the cold leg, and that the patient took this answer back
    (stop,) = what_the_clinic_received().assessment["stops"]
    assert stop["retracted"]


# --- how it is done in the browser ----------------------------------------------------------------


def can_be_hit_without_scrolling(patient: Window, link: str) -> bool:
    """Whether the link is large enough for a finger and on the first screen."""
    box = patient.page.get_by_role("link", name=link, exact=True).bounding_box()
    return box["height"] >= 44 and box["y"] + box["height"] < 740


def leave_name_and_phone(patient: Window, name: str, phone: str) -> None:
    patient.page.get_by_role("textbox").first.wait_for()
    patient.answers(**{box: phone if "phone" in box else name for box in patient.asked()})


def the_clinic_received_nothing() -> bool:
    return not Submission.objects.exists()


def the_answers_are_kept_once() -> bool:
    return Draft.objects.count() == 1
