"""A patient who asked for an appointment only goes on to the whole questionnaire."""

import pytest

from intake.domain.stored import PHONE
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Draft, Kind, Submission
from intake.questionnaire import all_questions, drafts
from tests import builders
from tests.intake.patient import CONTACT, Patient, step_url
from tests.intake.way_in import MAILBOX, inside, letters

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]

HIDDEN = ("Quentin", "555-0147", "5550147", MAILBOX)


def asked_for_a_visit() -> tuple[Patient, Submission]:
    patient = Patient(reason_text="My first words.")
    patient.whole_journey("/appointments/")
    return patient, Submission.objects.get()


@pytest.mark.parametrize("way", ["receipt", "own page"])
def test_name_birth_date_and_phone_are_carried_over_unseen_and_nothing_else(way):
    patient, request = asked_for_a_visit()
    if way == "own page":
        letters()
        patient = inside(request)
    begun = len(patient.seen)
    patient.press("questions")
    content = drafts.walk_of(Draft.objects.get(submission=None)).content
    assert set(content.contact) == {"name", "birth_date", PHONE}
    assert not content.answers
    assert not content.wish
    patient.says |= dict.fromkeys(("name", "callback_phone"), "")
    patient.says |= {"birth_date_month": "", "birth_date_day": "", "birth_date_year": ""}
    patient.walk_to("contact")
    values = patient.page.form.values
    assert [values[name] for name in ("name", "callback_phone", "email")] == [[""]] * 3
    patient.answer()
    assert patient.page.step == "check", "the wish is with the request"
    shown = "".join(page.html for page in patient.seen[begun:-1])
    assert not [word for word in HIDDEN[:3] if word in shown]
    assert "My first words." not in shown
    patient.send()
    sent = Submission.objects.get(kind=Kind.INTAKE)
    assert sent.follows == request
    kept = {name: request.person[name] for name in ("name", "birth_date", PHONE)}
    assert kept.items() <= sent.person.items()
    assert not AppointmentRequest.objects.filter(submission=sent).exists()


def test_a_carried_detail_may_be_replaced():
    patient, _request = asked_for_a_visit()
    patient.press("questions")
    patient.walk_to("contact")
    patient.answer(callback_phone="202-555-0199", name="")
    patient.send()
    person = Submission.objects.get(kind=Kind.INTAKE).person
    assert (person["name"], person[PHONE]) == (CONTACT["name"], "+12025550199")


def test_an_age_that_does_not_fit_reveals_no_birth_date():
    patient, _request = asked_for_a_visit()
    patient.press("questions")
    patient.says |= {"age_years": 30, "name": "", "callback_phone": ""}
    patient.walk_to("contact")
    born = dict.fromkeys(("birth_date_month", "birth_date_day", "birth_date_year"), "")
    page = patient.answer(**born)
    assert page.status == 422
    assert "do not fit together" in page.text
    assert "44" not in page.text


def test_the_questions_are_begun_and_answered_once():
    patient, request = asked_for_a_visit()
    patient.press("questions")
    patient.walk_to("reason")
    assert patient.post("/intake/questions/", {}).step == "reason"
    own = inside(request)
    assert own.press("questions").step == "reason"
    assert Draft.objects.filter(submission=None).count() == 1
    own.walk_to("check")
    own.send()
    assert not all_questions.is_offered(request)
    assert "questions" not in [b for f in inside(request).page.forms for b in f.buttons]


@pytest.mark.parametrize("status", ["closed", "withdrawn"])
def test_a_finished_request_and_a_questionnaire_offer_no_more_questions(status):
    request = asked_for_a_visit()[1]
    assert all_questions.is_offered(request)
    assert not all_questions.is_offered(builders.submission())
    request.status = status
    assert not all_questions.is_offered(request)


def test_staff_find_the_request_beside_the_questionnaire():
    patient, request = asked_for_a_visit()
    patient.press("questions")
    patient.walk_to("check")
    patient.send()
    sent = Submission.objects.get(kind=Kind.INTAKE)
    shown = builders.staff_client().get(f"/admin/intake/submission/{sent.pk}/change/").text
    assert f">{request.reference}</a>" in shown
    assert patient.get(step_url("contact")).path == "/intake/sent/"
