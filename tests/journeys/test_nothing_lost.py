"""Back, reload, two windows and another language: the patient loses nothing that was typed."""

import pytest

from tests import builders
from tests.journeys.conftest import (
    MAILBOX,
    SAYS,
    Window,
    code_in_the_mailbox,
    number_of_the_draft,
)

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("scripts", [True, False])
def test_back_and_reload_work_after_an_error(window, scripts):
    # given: a patient at the question about the age
    patient = window("phone", scripts=scripts)
    patient.starts()
    patient.has_answered_until("about")
    sent = posts_of(patient)

    # when: the patient writes a word instead of the age
    patient.answers(who="self")
    patient.writes("fourty", "How old")
    patient.presses("Continue")

    # then: the page comes back with the error and the word, and the error has the focus
    patient.sees("There is a problem")
    assert patient.title.startswith("Error: ")
    assert patient.focus() == "problem"
    assert age(patient) == "fourty"

    # when: the patient reloads the page
    assert len(sent) == 1
    patient.reloads()

    # then: the error is still there, and the browser has sent nothing again
    patient.sees("There is a problem")
    assert age(patient) == "fourty"
    assert len(sent) == 1

    # when: the patient corrects the age, goes on, and presses Back in the browser
    patient.fills_in_until("reason")
    back(patient)

    # then: the page is there with the answer, and the browser has not asked to send anything again
    patient.is_at("about")
    assert age(patient) == "44"
    patient.does_not_see("There is a problem", "Hay un problema")
    assert len(sent) == 2


def test_of_two_windows_the_older_one_asks_which_answer_to_keep(window):
    # given: a patient who has the same page open in two windows
    patient = window("phone")
    patient.starts()
    patient.has_answered_until("reason")
    other = patient.in_another_window(reason_text="It creeps at night.")

    # when: the patient answers in one window, and in another way in the older window
    other.answer()
    patient.answers(**SAYS)
    patient.writes("My legs burn.", "In your own words")
    patient.presses("Continue")

    # then: the older window shows both answers and asks
    patient.sees("Which answer do you want to keep?", "This window: My legs burn.")
    patient.sees("The other window: It creeps at night.")
    patient.finds_no_barrier()
    patient.needs_no_sideways_scrolling(320, 360)

    # when: the patient keeps the answer of the other window
    patient.chooses("The other window: It creeps at night.")
    patient.presses("Continue")

    # then: the patient goes on, and the answer is the kept one
    assert patient.step != "reason"
    patient.opens("/intake/legs/p/reason/")
    assert own_words(patient) == "It creeps at night."


@pytest.mark.parametrize("scripts", [True, False])
def test_another_language_keeps_what_is_typed_and_enter_still_means_continue(window, scripts):
    # given: a patient at the question about the age
    patient = window("phone", scripts=scripts)
    patient.starts()
    patient.has_answered_until("about")

    # when: the patient fills in the page and chooses Spanish before pressing Continue
    patient.answers(who="self", age_years="44", sex_at_birth="male")
    patient.presses("Español")

    # then: the page is in Spanish, with everything typed and without an error
    patient.is_at("/es/intake/legs/p/about/")
    assert age(patient) == "44"
    assert answers_alone(patient)
    patient.does_not_see("There is a problem", "Hay un problema")
    if scripts:  # axe needs timers, which stand still without scripts
        patient.finds_no_barrier()
    patient.needs_no_sideways_scrolling(320, 360)

    # when: the patient presses Enter in the box
    press_enter(patient)

    # then: that was Continue, not another language
    patient.is_at("/es/intake/legs/p/reason/")


@pytest.mark.parametrize("scripts", [True, False])
def test_back_and_reload_work_on_the_own_page_after_an_error(window, scripts):
    # given: a patient who has sent a request, and waits for a code
    number = builders.submission().reference
    patient = window("phone", scripts=scripts)
    sent = posts_of(patient)
    patient.opens("/my/")
    patient.writes(number, "Your number")
    patient.writes(MAILBOX, "Your e-mail address")
    patient.presses("Send me a code")

    # when: the patient types a wrong code, and reloads the page
    patient.writes("2222-2222", "Your code")
    patient.presses("Continue")
    patient.sees("This code does not open anything.")
    assert patient.focus() == "problem"
    patient.reloads()

    # then: the page is the same, and the browser has sent nothing again
    patient.sees("This code does not open anything.")
    assert len(sent) == 2

    # when: the patient types the right code, sends an empty message, and reloads
    patient.writes(code_in_the_mailbox(), "Your code")
    patient.presses("Continue")
    patient.presses("Send")
    patient.sees("Write something, or leave this page.")
    patient.reloads()

    # then: the error is still there, and the browser has sent nothing again
    patient.sees("Write something, or leave this page.")
    assert len(sent) == 4
    patient.needs_no_sideways_scrolling(320, 360)

    # when: the patient writes a message, sends it, and presses Back in the browser
    patient.writes("It itches.", "Write to us")
    patient.presses("Send")
    patient.sees("From you")
    back(patient)

    # then: the page is there, the message was sent once, and the box is empty
    patient.is_at("/my/")
    patient.sees("From you")
    assert own_words(patient) == ""
    assert len(sent) == 5


def test_a_code_asks_before_it_replaces_unsent_answers(window):
    # given: a patient who saved answers on a phone, and has begun anew on a tablet
    phone = window("phone")
    phone.starts()
    phone.has_answered_until("reason")
    phone.presses("Save and come back later")
    phone.writes(MAILBOX, "Your e-mail address")
    phone.presses("Save")
    number = number_of_the_draft()
    tablet = window("tablet")
    tablet.starts()
    tablet.has_answered_until("about")

    # when: the patient enters the code on the tablet
    tablet.comes_back_with(number, "/intake/resume/")

    # then: the tablet asks which answers to keep
    tablet.is_at("/my/which/")
    tablet.sees("You have unsent answers here. Which answers do you want to keep?")
    tablet.finds_no_barrier()
    tablet.needs_no_sideways_scrolling(320, 360)

    # when: the patient keeps the answers on the tablet
    tablet.presses("Continue with the answers on this device")

    # then: the questions go on where the patient stopped on the tablet
    tablet.is_at("about")


# --- how it is done in the browser ----------------------------------------------------------------


def posts_of(patient: Window) -> list[str]:
    """Return a list that grows with the address of each form that the browser sends."""
    sent: list[str] = []
    patient.page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    return sent


def age(patient: Window) -> str:
    return patient.page.locator('[name="age_years"]').input_value()


def own_words(patient: Window) -> str:
    return patient.page.locator("textarea").input_value()


def answers_alone(patient: Window) -> bool:
    return patient.page.locator('[name="who"][value="self"]').is_checked()


def press_enter(patient: Window) -> None:
    with patient.page.expect_navigation():
        patient.page.locator('[name="age_years"]').press("Enter")


def back(patient: Window) -> None:
    if patient.scripts:
        patient.goes_back()
    else:
        patient.page.go_back()
