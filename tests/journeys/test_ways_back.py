"""A patient loses no answer by a slip, by time, or by pressing a button again."""

import pytest

from intake.models.submissions import Draft
from tests import builders
from tests.journeys.conftest import (
    MAILBOX,
    code_in_the_mailbox,
    nobody_touches_the_form_for,
    number_of_the_draft,
)

pytestmark = pytest.mark.journey


def test_a_patient_who_presses_start_new_by_mistake_keeps_the_answers(window):
    # given: a patient who answered until the questions about veins
    patient = window("phone")
    patient.starts()
    patient.has_answered_until("veins")

    # when: the patient opens the start page and presses a start button
    patient.opens("/intake/")
    patient.presses("Start, this device is mine")

    # then: the page names what would be lost
    patient.sees("Start over and delete these answers?", "Restless legs and leg trouble", "answers")
    patient.finds_no_barrier()
    patient.needs_no_sideways_scrolling(320)

    # when: the patient goes on instead
    patient.presses("Continue with my answers")

    # then: the questions go on where the patient stopped
    patient.is_at("veins")


def test_a_patient_whose_phone_has_closed_the_answers_comes_back_with_one_code(window):
    # given: a patient who gave an address on the contact page, and stopped there for a day
    patient = window("phone")
    patient.starts()
    patient.has_answered_until("appointment")
    nobody_touches_the_form_for(hours=25)

    # when: the patient opens the start page and asks for a code
    patient.opens("/intake/")
    patient.sees("We kept your answers")
    patient.finds_no_barrier()
    patient.presses("Send me a code")
    patient.writes(code_in_the_mailbox(), "Your code")
    patient.presses("Continue")

    # then: the patient goes on with the wish
    patient.is_at("appointment")


def test_a_patient_gives_the_address_once_and_then_saves_with_one_tap(window):
    # given: a patient who saved the answers with an address
    patient = window("phone")
    patient.starts()
    patient.has_answered_until("reason")
    patient.presses("Save and come back later")
    patient.writes(MAILBOX, "Your e-mail address")
    patient.presses("Save")
    patient.follows("Continue now")

    # when: the patient saves again
    patient.presses("Save and come back later")

    # then: the number is shown at once
    patient.sees(
        "Your answers are saved", number_of_the_draft(), "We are sending you this number by e-mail"
    )
    patient.finds_no_barrier()
    patient.needs_no_sideways_scrolling(320)


def test_a_patient_presses_add_something_three_times_and_begins_one_addition(window):
    # given: a patient on the own page
    patient = window("phone")
    patient.comes_back_with(builders.submission().reference)

    # when: the patient presses the button, goes back and presses it again, twice
    patient.presses("Add something")
    for _time in range(2):
        patient.goes_back()
        patient.presses("Add something")

    # then: there is one addition, and it begins with the safety questions
    patient.is_at("safety")
    assert begun_additions() == 1


def test_a_patient_with_enough_requests_reads_so_before_the_first_question(window):
    # given: a patient with as many open requests as the clinic keeps
    sent = [builders.submission() for _n in range(3)]
    patient = window("phone")
    patient.comes_back_with(sent[0].reference)

    # when: the patient opens the form for another one
    patient.opens("/appointments/")

    # then: the start page says so, and what to do
    patient.sees("You have 3 open requests", "Please call us about another visit.")
    patient.finds_no_barrier()
    patient.needs_no_sideways_scrolling(320)


def test_a_patient_reads_the_privacy_notice_before_the_first_question(window):
    # given: a patient on the start page
    patient = window("phone")
    patient.opens("/intake/legs/")

    # when: the patient follows the one line about consent
    patient.sees("until you check one box at the end")
    patient.follows("privacy notice")

    # then: the notice says which version it is
    patient.is_at("/privacy/")
    patient.sees("Version of this notice:")


def test_a_patient_keeps_a_copy_before_sending(window):
    # given: a patient at the check page
    patient = window("phone")
    patient.starts()
    patient.has_answered_until("check")

    # when: the patient opens the copy
    patient.follows("Keep a copy")

    # then: the copy has the answers, the numbers to call and the time
    patient.sees("What you told us", "These are your answers as of", "988", "Quentin Canary")
    patient.finds_no_barrier()
    patient.needs_no_sideways_scrolling(320)


# --- what is left of machinery -------------------------------------------------------------------


def begun_additions() -> int:
    return Draft.objects.filter(kind="addition", submission=None).count()
