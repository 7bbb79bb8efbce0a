"""The desk by keyboard alone."""

from typing import Any

import pytest
from playwright.sync_api import expect

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

    # when: the clinician decides on each with three acts: what happens now, store, open the next
    for number in range(10):
        keys(clinician, "w", digit_of(clinician, "advice_only"))
        key_opens(clinician, "Control+Enter")
        clinician.sees("Stored for Quentin Number")
        if number < 9:
            key_opens(clinician, "n")

    # when: the clinician goes back to the worklist
    keys(clinician, "g")
    key_opens(clinician, "w")

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


def test_the_worklist_opens_a_row_in_place_says_what_changed_and_warns_before_the_end(window):
    # given: a patient who waits, and a clinician at the worklist
    waiting("Otto Other")
    clinician = window("desk", "clinician")
    the_clock_is_ours(clinician)
    clinician.opens(WORKLIST)

    # when: the clinician opens the preview of the first row by a key
    keys(clinician, "j", "p")

    # then: the preview stands below the row, and the page is the same
    sees_preview(clinician, "None: no rule for emergencies or same-day contact fired.")
    clinician.is_at(WORKLIST)
    clinician.finds_no_barrier()

    # when: the clinician closes the preview, another patient sends a form, and a minute passes
    keys(clinician, "p")
    waiting("Rita Routine")
    time_passes(clinician, "01:05")

    # then: the list says that it changed
    sees_soon(clinician, "The list has changed: reload")

    # when: the clinician does nothing for twelve more minutes
    time_passes(clinician, "12:30")

    # then: a bar says when the session ends
    sees_soon(clinician, "You will be signed out at")

    # when: the clinician stays
    clinician.presses("Stay signed in")

    # then: the bar is gone
    does_not_see_soon(clinician, "You will be signed out at")


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


def digit_of(clinician: Window, outcome: str) -> str:
    """Return the place of an outcome among the buttons, as a person counts them."""
    values = clinician.page.eval_on_selector_all(
        "#decide [name=outcome]", "all => all.map(each => each.value)"
    )
    return str(values.index(outcome) + 1)


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


def the_clock_is_ours(clinician: Window) -> None:
    clinician.page.clock.install()


def time_passes(clinician: Window, minutes_and_seconds: str) -> None:
    clinician.page.clock.fast_forward(minutes_and_seconds)


def sees_preview(clinician: Window, words: str) -> None:
    expect(clinician.page.locator(".peek-row")).to_contain_text(words)


def sees_soon(clinician: Window, words: str) -> None:
    expect(clinician.page.get_by_text(words)).to_be_visible()


def does_not_see_soon(clinician: Window, words: str) -> None:
    expect(clinician.page.get_by_text(words)).to_have_count(0)
