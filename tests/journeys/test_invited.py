"""A patient is invited to answer the questions, and the front desk sees them complete."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from intake.models.appointments import Appointment, during
from tests.desk import VISITS, visit_page
from tests.intake import book
from tests.intake.clock import make_it_noon
from tests.intake.invitations.invited import PERSON, request_for_a_visit
from tests.intake.patient import born
from tests.intake.way_in import letters

pytestmark = pytest.mark.journey


def test_an_invited_patient_answers_on_a_phone_and_the_day_shows_it(window, settings):
    # given: a patient who asked for a visit only, and has one this afternoon
    book.clinician()
    make_it_noon(settings)
    visit = visit_this_afternoon()
    phone, desk = window("phone"), window("desk", "front desk")

    # when: the front desk looks at the day, opens the visit and invites the patient
    desk.opens(VISITS)
    desk.sees("Not invited")
    desk.opens(visit_page(visit))
    desk.follows("Invite the patient to answer")
    desk.finds_no_barrier()
    desk.presses("Invite")

    # then: the front desk reads how the patient hears of it
    desk.sees("Invited. By: E-mail.", "Invitation being sent")
    desk.finds_no_barrier()

    # when: the patient types the code of the letter with a wrong date of birth
    code = code_in_the_letter()
    phone.opens("/i/")
    phone.writes(code.lower(), "The code in our message")
    phone.answers(birth_date_month="1", birth_date_day="2", birth_date_year="1950")
    phone.presses("Start, this device is mine")

    # then: the page opens nothing and says nothing of the patient
    phone.sees("This code and this date of birth do not open anything.")
    phone.does_not_see("Canary", "Restless")
    phone.finds_no_barrier()
    phone.needs_no_sideways_scrolling(320)

    # when: the patient types the right date and begins
    phone.answers(**born(44))
    phone.presses("Start, this device is mine")
    phone.has_answered_until("contact")
    desk.opens(VISITS)

    # then: the contact step shows nothing that the clinic knows, and the day shows the progress
    phone.does_not_see("Canary", "555-0147", "example.org")
    desk.sees("In progress, page")

    # when: the patient goes on without typing the details again, and sends
    phone.presses("Continue")
    phone.sends()
    phone.is_at("/intake/sent/")
    desk.opens(VISITS)

    # then: the day shows that the questions are answered
    desk.sees("Questions answered")
    desk.does_not_see("In progress, page")


def visit_this_afternoon() -> Appointment:
    visit = book.booked(request_for_a_visit())
    start = timezone.now() + timedelta(hours=2)
    when = during(start, start + timedelta(minutes=20))
    Appointment.objects.filter(pk=visit.pk).update(during=when)
    assert visit.submission.person["birth_date"] == PERSON["birth_date"]
    return Appointment.objects.for_reading().get(pk=visit.pk)


def code_in_the_letter() -> str:
    (code,) = re.findall(r"Enter this code: (\S+)", "\n".join(letters()))
    return str(code)
