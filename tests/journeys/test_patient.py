"""A patient answers the questions: on a small phone, without scripts, with the keyboard alone."""

import re
from typing import Any

import pytest

from tests.journeys.conftest import SAYS, Window, what_the_clinic_received

pytestmark = pytest.mark.journey

REFERENCE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")


def test_a_patient_with_restless_legs_answers_everything_and_gets_a_number(window):
    # given: a patient whose phone shows its own colours, moves nothing and runs no scripts
    patient = window("phone", scripts=False, forced_colors="active", reduced_motion="reduce")

    # when: the patient answers all questions, from the front page on
    patient.opens("/")
    patient.follows("Questions")
    patient.presses("Start, this device is mine")
    patient.fills_in_until("check")

    # then: the patient reads the answers and the name once more
    patient.sees("Restless legs", "Quentin Canary")

    # when: the patient sends the answers
    patient.sends()

    # then: the clinic has the answers, and the patient sees the number of the request
    patient.is_at("sent")
    received = what_the_clinic_received()
    assert number_on(patient) == received.reference
    assert received.person["name"] == "Quentin Canary"
    assert received.answers["rls_urge"] == "yes"
    patient.needs_no_sideways_scrolling(320)


def test_a_patient_changes_an_answer_from_the_check_page(window):
    # given: a patient with pain on walking, who never smoked, checks the answers
    patient = window("phone", scripts=False)
    patient.starts()
    pain = {"walk_pain": "yes", "walk_pattern": ("in_joint",), "walk_distance": "over_2_blocks"}
    patient.has_answered_until("check", **pain)

    # when: the patient changes one answer: "Yes, now"
    follows_change_of(patient, "Do you smoke")
    patient.answers(tobacco="current")
    patient.presses("Continue")

    # then: the patient is back where all answers are checked
    patient.is_at("check")

    # when: the patient sends the answers
    patient.sends()

    # then: the clinic reads that the patient smokes
    assert what_the_clinic_received().answers["tobacco"] == "current"


def test_a_patient_asks_for_an_appointment_and_nothing_else(window):
    # given: a patient on the front page
    patient = window("phone", scripts=False)
    patient.opens("/")

    # when: the patient asks for an appointment
    patient.follows("Appointment")
    patient.presses("Start, this device is mine")
    patient.fills_in_until("check")
    patient.sends()

    # then: the clinic has a request for an appointment
    patient.is_at("sent")
    assert what_the_clinic_received().kind == "appointment"


def test_a_patient_leaves_and_nothing_stays_on_the_device(window):
    # given: a patient who has begun to answer
    patient = window("phone", scripts=False)
    patient.starts()
    patient.fills_in_until("about")

    # when: the patient leaves
    patient.follows("Leave and clear this device")
    patient.presses("Clear and leave")

    # then: the phone keeps nothing by which the answers could be found
    patient.is_at("/")
    assert cookies_of(patient) in ([], ["form"])


def test_a_patient_who_uses_no_mouse_answers_everything(window):
    # given: a patient at a computer, who uses the keyboard alone
    patient = window("desk")
    patient.opens("/intake/")

    # when: the patient presses Tab and Enter
    # then: the first Tab offers to skip to the questions, and Enter skips to them
    press(patient, "Tab")
    assert "skip" in patient.focus()
    press(patient, "Enter")
    assert patient.focus() == "main"

    # when: the patient answers every page and sends the answers
    press_by_keyboard(patient, "mine")
    answer_all_by_keyboard(patient)
    tab_to(patient, '[name="consent"]', most=200)
    press(patient, "Space")
    press_by_keyboard(patient, "send", most=200)

    # then: the clinic has the answers
    patient.is_at("sent")
    assert what_the_clinic_received()


def test_after_an_error_the_keyboard_is_at_the_summary_and_one_key_from_the_box(window):
    # given: a patient at a computer, at the first questions
    patient = window("desk")
    patient.starts()

    # when: the patient goes on without an answer
    patient.presses("Continue")

    # then: the page says that there is an error, and the keyboard is at the list of errors
    assert patient.title.startswith("Error:")
    assert patient.focus() == "problem"

    # when: the patient presses Tab and Enter
    press(patient, "Tab")
    press(patient, "Enter")

    # then: the keyboard is at the question without an answer
    assert name_at_the_keyboard(patient) == patient.asked()[0]


# --- how it is done in the browser ----------------------------------------------------------------


def number_on(patient: Window) -> str:
    return REFERENCE.search(patient.text)[0]


def follows_change_of(patient: Window, question: str) -> None:
    patient.clicks_on(patient.page.locator("details", has_text=question).locator("summary"))
    patient.clicks_on(patient.page.get_by_role("link", name=re.compile(f"Change {question}")))


def cookies_of(patient: Window) -> list[str]:
    return [cookie["name"] for cookie in patient.context.cookies()]


def press(patient: Window, key: str) -> None:
    patient.page.keyboard.press(key)


def name_at_the_keyboard(patient: Window) -> str:
    return patient.page.evaluate("document.activeElement.name")


def press_by_keyboard(patient: Window, button: str, most: int = 60) -> None:
    """Come to a button with Tab and press Enter on it. `button` is its value in the form."""
    tab_to(patient, f'main button[value="{button}"]', most)
    with patient.page.expect_navigation():
        patient.page.keyboard.press("Enter")


def answer_all_by_keyboard(patient: Window) -> None:
    for _page in range(50):
        if patient.step == "check":
            return
        before = patient.step
        answer_by_keyboard(patient)
        assert patient.step != before, patient.text[:400]
    raise AssertionError("the check page never came")


def tab_to(patient: Window, wanted: str, most: int = 60) -> dict[str, Any]:
    """Press Tab until the focused element matches `wanted`. Returns its type, value and name."""
    script = """wanted => { const e = document.activeElement; return {
        fits: e.matches(wanted), type: e.type, value: e.value, name: e.name } }"""
    for _press in range(most):
        patient.page.keyboard.press("Tab")
        found = patient.page.evaluate(script, wanted)
        if found["fits"]:
            return found
    raise AssertionError(f"Tab never came to {wanted} on {patient.path}")


def answer_by_keyboard(patient: Window) -> None:
    """Fill in the page with Tab, Space, arrows and letters, and press Enter on Continue."""
    keyboard = patient.page.keyboard
    for name in patient.asked():
        value = SAYS.get(name)
        if value is None:
            continue
        wanted = value if isinstance(value, tuple) else (value,)
        box = tab_to(patient, f'[name="{name}"]')
        if box["type"] == "checkbox":
            for each in wanted:
                if patient.page.evaluate("document.activeElement.value") != str(each):
                    tab_to(patient, f'[name="{name}"][value="{each}"]')
                keyboard.press("Space")
        elif box["type"] == "radio":
            keyboard.press("Space")
            for _press in range(20):
                if patient.page.evaluate("document.activeElement.value") == str(value):
                    break
                keyboard.press("ArrowDown")
        else:
            keyboard.press("Control+a")
            keyboard.type(str(value))
    press_by_keyboard(patient, "continue")
