"""The front desk enters what a caller answers, and an answer cannot wait."""

import pytest
from playwright.sync_api import Locator

from intake.models.phone_calls import PhoneCall
from tests.desk import page_of
from tests.journeys.conftest import Window, what_the_clinic_received

pytestmark = pytest.mark.journey


def test_a_daughter_calls_for_her_father_and_the_form_stops_on_the_phone(window):
    # given: a member of the front desk, and a daughter on the phone
    maria = window("desk", "front desk", "maria")
    maria.opens("/admin/intake/frontdesk/")

    # when: Maria enters the call
    maria.follows("Enter a new call")
    maria.writes("(202) 555-0199", "If the line breaks")
    maria.chooses("Yes")
    maria.presses("Continue")
    maria.chooses("Another person who helps the patient")
    maria.writes("daughter", "how is the caller related")
    maria.chooses("An interpreting service")
    maria.writes("Voices 800", "Which service and number")
    maria.presses("Begin the questions")

    # then: Maria reads the first page aloud, in the wording about the patient
    maria.sees("Read this aloud, word for word.", "true for the patient now")
    maria.finds_no_barrier()
    maria.needs_no_sideways_scrolling(768, 1280)

    # when: nothing is true now, but later the leg is suddenly cold
    maria.fills_in_until("reason", who="caregiver")
    maria.follows("Back")
    maria.follows("Back")
    none_of_these(maria).uncheck()
    maria.chooses("a leg or foot suddenly cold")
    maria.presses("Continue")

    # then: Maria stays on the line, asks for the place and has 911 called
    maria.sees("Stay on the line", "Where is the patient now?", "Read this aloud")
    maria.sees_one_link("Call 911", to="tel:911")
    maria.finds_no_barrier()
    maria.needs_no_sideways_scrolling(768, 1280)

    # when: the ambulance is called, and Maria stores it
    maria.writes("12 Elm Street, Reston", "Where is the patient now?")
    maria.chooses("An ambulance is called")
    maria.presses("Store and tell the clinicians")

    # then: the clinicians are told, and Maria stays on the line
    maria.sees("An alert goes to the clinicians now. Stay on the line", "12 Elm Street, Reston")
    maria.finds_no_barrier()

    # when: a clinician opens what was received
    received = what_the_clinic_received()
    clinician = window("desk", "clinician", "dr-lee")
    clinician.opens(page_of(received))

    # then: the page says who entered it, who called, and what was done
    assert received.kind == "stopped"
    assert who_entered_it() == "maria"
    clinician.sees("Entered by phone by maria", "Caller: daughter, interpreter: Voices 800.")
    clinician.sees("An ambulance is called. Place: 12 Elm Street, Reston")


# --- machinery ------------------------------------------------------------------------------------


def who_entered_it() -> str:
    return str(PhoneCall.objects.get().by.username)


def none_of_these(window: Window) -> Locator:
    """Return the box "None of these" of the first safety question."""
    return window.page.locator('[name="em_now"][value="none"]')
