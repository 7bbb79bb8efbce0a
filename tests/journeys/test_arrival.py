"""A patient comes to the clinic, and another patient does not come."""

from datetime import timedelta

import pytest
from django.utils import timezone

from intake.models.appointments import Appointment, during
from intake.models.submissions import Submission
from tests.desk import VISITS
from tests.intake import book
from tests.intake.clock import make_it_noon

pytestmark = pytest.mark.journey


def test_a_patient_says_here_and_is_asked_in_and_another_does_not_come(window, settings):
    # given: two patients with visits around noon today
    book.clinician()
    make_it_noon(settings)
    quentin, late = patient_with_a_visit(in_minutes=15), patient_with_a_visit(in_minutes=-40)
    phone, desk = window("phone"), window("desk", "front desk")

    # when: the first patient opens the own page in the waiting room and says so
    phone.comes_back_with(quentin.reference, mailbox=quentin.person["email"])
    phone.presses("I am here")

    # then: the page says that the clinic knows
    phone.sees("You are checked in", "Please take a seat.")
    phone.finds_no_barrier()
    phone.needs_no_sideways_scrolling(360)

    # when: the front desk looks at the list of today
    desk.opens(VISITS)

    # then: the front desk reads who is here and who is late
    desk.sees("Here since", "Not here, 40 min late")
    desk.finds_no_barrier()

    # when: the front desk asks the first patient in
    desk.presses("Please come in")
    phone.follows("Look again")

    # then: the patient's page says it
    desk.sees("The patient’s page says: please come in.", "In since")
    phone.sees("Please come in", "We are ready for you now.")

    # when: the front desk notes that the other patient did not come
    desk.presses("Did not come")

    # then: the patient is told, and the front desk can book again
    desk.sees(
        "Stored: the patient did not come. An e-mail goes out to the patient now.", "Book again"
    )

    # when: the other patient opens the own page and asks for another time
    phone.opens("/my/")
    phone.presses("Leave this page")
    phone.comes_back_with(late.reference, mailbox=late.person["email"])
    phone.presses("Ask for another time")

    # then: the request is open again
    phone.sees("Our front desk has your request for a visit.")
    assert book.progress(late) == "requested"


def patient_with_a_visit(*, in_minutes: int) -> Submission:
    submission = book.patient(abs(in_minutes))
    visit = book.booked(submission, book.free(days=abs(in_minutes) // 10))
    start = timezone.now() + timedelta(minutes=in_minutes)
    when = during(start, start + timedelta(minutes=20))
    Appointment.objects.filter(pk=visit.pk).update(during=when)
    return submission
