"""A patient comes back on another device: to read, to write, to add, to withdraw."""

import pytest

from intake.models.submissions import Submission
from tests import builders
from tests.desk import WORKLIST, page_of
from tests.journeys.conftest import (
    MAILBOX,
    Window,
    nobody_touches_the_form_for,
    number_of_the_draft,
    what_the_clinic_received,
)

pytestmark = pytest.mark.journey


def test_a_patient_saves_the_answers_on_one_phone_and_finishes_on_a_tablet(window):
    # given: a patient who stopped at the questions about restless legs
    phone = window("phone", scripts=False)
    phone.starts()
    phone.has_answered_until("rls-3")

    # when: the patient saves the answers
    phone.presses("Save and come back later")
    phone.is_at("/intake/save/")
    phone.writes(MAILBOX, "Your e-mail address")
    phone.presses("Save")

    # then: the phone shows the number with which the patient can come back
    number = number_of_the_draft()
    phone.sees(number)
    phone.needs_no_sideways_scrolling(320)

    # when: the patient comes back on a tablet
    tablet = window("tablet", scripts=False)
    tablet.comes_back_with(number, "/intake/resume/")

    # then: the tablet shows the same questions about restless legs
    tablet.is_at("rls-3")

    # when: the patient answers the other questions and sends the answers
    tablet.fills_in_until("rls-4")
    tablet.has_answered_until("check")
    tablet.sends()

    # then: the clinic has the answers under the number, and the phone can no longer change them
    tablet.sees(number)
    assert what_the_clinic_received().reference == number
    phone.opens("/intake/check/")
    phone.is_at("/intake/")


def test_a_patient_called_away_from_the_own_phone_goes_on_three_hours_later(window):
    # given: a patient who wrote something private, and answered until the questions about veins
    patient = window("phone")
    patient.starts()
    patient.has_answered_until("veins", reason_text="My husband must not read this.")
    patient.sees("you can continue on this device for 24 hours")

    # when: the patient comes back to the phone after three hours
    nobody_touches_the_form_for(hours=3)
    patient.opens("/intake/")
    patient.presses("Continue with my answers")

    # then: the questions go on where the patient stopped
    patient.is_at("veins")

    # when: the page with the private answer is opened
    patient.opens("/intake/legs/p/reason/")

    # then: the page hides the private answer
    patient.sees("We hide your private answers")
    assert "husband" not in all_that_the_page_holds(patient)
    patient.finds_no_barrier()
    patient.needs_no_sideways_scrolling(320)

    # when: the patient leaves the private answer as it is, and goes on to the end
    patient.presses("Continue")
    patient.opens("/intake/legs/p/veins/")
    patient.has_answered_until("check")

    # then: the private answer is hidden on the check page, too
    assert "husband" not in all_that_the_page_holds(patient)
    patient.finds_no_barrier()

    # when: the patient sends the answers
    patient.sends()

    # then: the clinic can read the private answer
    received = what_the_clinic_received()
    assert received.answers["reason_text"] == "My husband must not read this."


def test_a_patient_called_away_in_the_library_leaves_nothing_for_the_next_person(window):
    # given: a patient in the library, who said that others use this computer
    library = window("desk")
    library.starts(device="Start, others use it")
    library.has_answered_until("veins")
    assert forgets_the_answers_when_it_is_closed(library)

    # when: the patient is away for 21 minutes, and the next person presses a button
    nobody_touches_the_form_for(minutes=21)
    library.presses("Continue")

    # then: the answers are gone, and the page says why
    library.sees("You did not use this device for more than 20 minutes")
    library.sees("no code can open your answers")
    library.finds_no_barrier()

    # when: the next person starts
    library.follows("Start again")
    library.does_not_see("You already started answering")
    library.presses("Start, others use it")

    # then: the first questions come
    library.is_at("safety")


def test_a_patient_answers_a_message_of_the_clinic_and_takes_the_request_back(window):
    # given: a patient whose answers the clinic has
    submission = builders.submission()

    # when: a clinician writes to the patient
    clinician = window("desk", "clinician")
    clinician.opens(page_of(submission))
    clinician.selects("we_tried", "Write to the patient")
    clinician.presses("Send the message")
    clinician.sees("To the patient")

    # then: the patient, on a phone, reads the message and the role of the person who wrote it
    patient = window("phone", scripts=False)
    patient.comes_back_with(submission.reference)
    patient.sees("We tried to call you", "A clinician, ")

    # when: the patient answers
    patient.writes("I am home after six.", "Write to us")
    patient.sends()

    # then: the patient sees the answer, and by when the clinic answers
    patient.sees("I am home after six.", "answer by")
    patient.needs_no_sideways_scrolling(320)

    # then: the worklist says that the patient wrote, and the clinician reads the answer
    clinician.opens(WORKLIST)
    clinician.sees("patient wrote")
    clinician.opens(page_of(submission))
    clinician.sees("I am home after six.")

    # when: the clinician finds that no answer is needed
    clinician.presses("Read, needs no answer")

    # then: nobody waits for an answer
    clinician.does_not_see("Answer by")

    # when: the patient takes the request back
    patient.follows("Withdraw this request")
    patient.presses("Withdraw it")

    # then: the page says that the request is taken back
    patient.sees("You withdrew this request.")

    # when: the patient leaves the page
    patient.presses("Leave this page")
    patient.opens("/my/")

    # then: the phone shows nothing of the request
    patient.does_not_see(submission.reference)


def test_a_patient_adds_something_and_staff_see_both(window):
    # given: a patient whose answers the clinic has
    earlier = builders.submission()

    # when: the patient comes back and adds that a leg is swollen now
    patient = window("phone", scripts=False)
    patient.comes_back_with(earlier.reference)
    patient.presses("Add something")
    patient.has_answered_until(
        "check", leg_new=("swelling_one",), clot_risk=("none",), reason_text="New."
    )
    patient.sends()

    # then: the addition has its own number
    added = addition_to(earlier)
    patient.sees(added.reference)

    # then: a clinician comes from the addition to the earlier answers, which name the addition
    clinician = window("desk", "clinician")
    clinician.opens(page_of(added))
    clinician.follows(earlier.reference)
    clinician.sees(f"More was added in {added.reference}")


# --- how it is done in the browser ----------------------------------------------------------------


def all_that_the_page_holds(patient: Window) -> str:
    return patient.page.content()


def forgets_the_answers_when_it_is_closed(browser: Window) -> bool:
    (key,) = [cookie for cookie in browser.context.cookies() if cookie["name"] == "draft"]
    return key["expires"] == -1


def addition_to(earlier: Submission) -> Submission:
    return Submission.objects.get(follows=earlier)
