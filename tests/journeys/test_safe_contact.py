"""A patient whom nobody may leave a message, in a real browser: from the form to the call."""

import pytest
from django.utils import timezone

from intake.models.submissions import Submission
from tests.desk import desk_page_of
from tests.intake import book
from tests.journeys.conftest import SAYS, what_the_clinic_received

pytestmark = pytest.mark.journey


def test_a_patient_with_voicemail_forbidden_whose_visit_is_moved(window):
    # given: a patient on a phone, who gives no e-mail address
    book.clinician()
    patient = window("phone")
    patient.starts()
    patient.has_answered_until("contact")

    # when: the patient says when to call, and that nobody may leave a message, and sends the form
    patient.answers(**SAYS | {"email": None, "calls": "then", "voicemail": "no"})
    patient.chooses("Morning")
    patient.finds_no_barrier()
    patient.needs_no_sideways_scrolling(360, 320)
    patient.presses("Continue")
    patient.fills_in_until("check")
    patient.sees("Voice message", "Yes, but only at that time")
    patient.sends()
    request = what_the_clinic_received()

    # when: the front desk books a visit by phone, and moves it later
    desk = window("desk", "front desk")
    desk.opens(desk_page_of(request))
    desk.sees("Reach: call, only morning; no voicemail")
    desk.ticks_time(2, "the times that fit the wish")
    desk.presses_first("Book: agreed on the phone")
    desk.follows("Open: move or cancel it")
    desk.follows("Move to another time")
    desk.follows("Week after")
    desk.ticks_time(1, "the calendar")
    desk.presses_first("Move it to the chosen time")

    # then: the page says that the patient does not know, and that no message may be left
    desk.sees("The appointment is moved. Nobody has told the patient: call.")
    desk.sees("Leave no message: this patient does not allow it.")
    desk.does_not_see("Left word")

    # when: the front desk calls, and nobody answers
    desk.opens("/admin/intake/calltask/")
    desk.sees("The appointment is moved", "call, only morning; no voicemail")
    desk.does_not_see("Left word")
    desk.finds_no_barrier()
    desk.presses("Not reached")

    # then: the call stays on the list, and the next one is in the morning
    desk.sees("Noted: not reached. The call stays on the list.")
    assert hour_of_the_next_call(request) < 11

    # when: the front desk calls again and reaches the patient
    desk.presses("Reached")

    # then: nothing is left to tell
    desk.sees("Noted: the patient was reached.", "No calls to make.")


# --- how it is done in the browser ----------------------------------------------------------------


def hour_of_the_next_call(request: Submission) -> int:
    return timezone.localtime(request.call_tasks.get().due_at).hour
