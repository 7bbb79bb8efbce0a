"""The desk by keyboard alone."""

from typing import Any

import pytest

from clinic.models import StaffSession
from intake.models.submissions import Submission
from tests.desk import WORKLIST, page_of, waiting
from tests.journeys.conftest import Window

pytestmark = pytest.mark.journey


def test_ten_submissions_are_triaged_by_keyboard_alone(window):
    # given: ten patients who wait, and a clinician who opens the worklist
    patients = [waiting(f"Quentin Number-{number}") for number in range(10)]
    clinician = window("desk", "clinician")
    clinician.opens(WORKLIST)

    # when: the clinician goes to the first row and opens it
    keys(clinician, "j")
    key_opens(clinician, "o")

    # when: the clinician decides on each with three acts: what happens now, send, open the next
    for number in range(10):
        chooses_by_keys(clinician, "d", "Advice")
        key_opens(clinician, "Control+Enter")
        clinician.sees("stored")
        if number < 9:
            key_opens(clinician, "n")

    # then: all ten are decided
    assert [how_it_stands(patient) for patient in patients] == ["decided"] * 10

    # when: the clinician asks for help
    keys(clinician, "?")

    # then: a panel says which keys the page has, and Escape closes it
    clinician.sees("Keys of this page", "Worklist", "Send the form that you are in")
    clinician.finds_no_barrier()
    keys(clinician, "Escape")
    clinician.does_not_see("Keys of this page")


def test_keys_do_nothing_while_a_person_types_and_when_they_are_switched_off(window):
    # given: a patient who waits
    patient = waiting("Otto Other")
    clinician = window("desk", "clinician")
    clinician.opens(page_of(patient))

    # when: the clinician types every key into the note
    types_into_note(clinician, "jkoadrn?/gw12345A")

    # then: the page is the same, and the note has the letters
    clinician.is_at(page_of(patient))
    assert noted(clinician) == "jkoadrn?/gw12345A"

    # when: the clinician leaves the field and goes to the worklist by two keys
    keys(clinician, "Escape", "g")
    key_opens(clinician, "w")

    # then: the clinician is there
    clinician.is_at(WORKLIST)

    # when: the clinician switches single keys off
    clinician.opens("/account/keyboard/")
    clinician.presses("Switch single keys off")
    clinician.finds_no_barrier()
    clinician.opens(page_of(patient))
    keys(clinician, "g", "w", "a", "?")

    # then: nothing happens
    clinician.is_at(page_of(patient))
    clinician.does_not_see("Keys of this page")
    assert who_has_it(patient) is None


def test_a_note_is_not_lost_when_the_session_ends(window):
    # given: a clinician who types a note, and whose session ends meanwhile
    patient = waiting("Otto Other")
    clinician = window("desk", "clinician", scripts=False)
    clinician.opens(page_of(patient))
    types_into_note(clinician, "Rang at noon, 左腿")
    all_sessions_end()

    # when: the clinician sends the form
    clinician.presses("Store the decision")

    # then: the page says that the text is kept
    clinician.sees("You were signed out", "kept for one hour")

    # when: the clinician signs in again and comes back
    signs_in_again(clinician, window)

    # then: the note stands in its field, and nothing was sent
    clinician.is_at(page_of(patient))
    clinician.sees("You were signed out before this was sent.")
    assert noted(clinician) == "Rang at noon, 左腿"
    assert how_it_stands(patient) == "new"


# --- how it is done in the browser ----------------------------------------------------------------


def keys(clinician: Window, *names: str) -> None:
    for name in names:
        clinician.page.keyboard.press(name)


def key_opens(clinician: Window, name: str) -> None:
    """Press a key that leads to another page, and wait until that page has arrived whole."""
    with clinician.page.expect_navigation():
        keys(clinician, name)


def types_into_note(clinician: Window, text: str) -> None:
    clinician.page.locator("#decide [name=note]").focus()
    clinician.page.keyboard.type(text)


def all_sessions_end() -> None:
    StaffSession.objects.all().delete()


def chooses_by_keys(clinician: Window, key: str, outcome: str) -> None:
    """Go to the form by its key, to the outcome by Tab, and choose it by its first letters."""
    keys(clinician, key)
    for _press in range(12):
        if clinician.page.evaluate("document.activeElement.name") == "outcome":
            break
        keys(clinician, "Tab")
    clinician.page.keyboard.type(outcome)


def signs_in_again(clinician: Window, window: Any) -> None:
    other = window("desk", "clinician")
    clinician.context.add_cookies(
        [cookie for cookie in other.context.cookies() if cookie["name"] == "staff"]
    )
    clinician.opens("/account/unsent/")


def noted(clinician: Window) -> str:
    return clinician.page.locator("#decide [name=note]").input_value()


def how_it_stands(patient: Submission) -> str:
    return Submission.objects.get(pk=patient.pk).status


def who_has_it(patient: Submission) -> Any:
    return Submission.objects.get(pk=patient.pk).assignee
