"""A patient who was stopped can leave a phone number, and the clinic calls."""

from contextlib import ExitStack

import pytest
from django.db import connection

from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Kind, Submission, Urgency
from intake.protocols import current
from tests.desk import Trail
from tests.intake.patient import FORM, step_url, urlencoded
from tests.intake.questionnaire.stops import Down, advice_of, at_safety, stopped, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crisis_question")]


def test_telling_the_clinic_leaves_the_number_and_what_was_said_so_far():
    patient, trail = stopped(), Trail()
    page = tell(patient, name="Quentin Canary")
    submission = Submission.objects.get()
    assert page.path == "/intake/emergency/"
    assert page.red_card
    assert advice_of("E02") in page.text
    assert submission.reference in page.text
    assert (submission.kind, submission.urgency) == (Kind.STOPPED, Urgency.EMERGENCY)
    assert submission.person["callback_phone"] == "+12025550147"
    assert submission.person["name"] == "Quentin Canary"
    assert "lang_help" not in submission.person  # the patient was not asked
    assert submission.answers == {"em_now": ["chest_or_breath"], "em_past": ["none"]}
    assert submission.target_at == submission.submitted_at
    assert [fired.id for fired in submission.result.fired] == ["E02"]
    assert not AppointmentRequest.objects.exists()
    assert [event.action for event in trail.events()] == ["create"]


def test_the_name_is_optional():
    tell(stopped())
    assert Submission.objects.get().person["name"] == ""


@pytest.mark.parametrize("phone", ["", "12", "call me", "+1 202 555", "202-555-0147-99999-1234"])
def test_a_number_that_cannot_be_called_is_asked_for_again_with_what_was_typed(phone):
    patient = stopped()
    page = tell(patient, phone=phone, name="Quentin")
    assert page.status == 422
    assert page.red_card
    assert page.form.values.get("phone", [""]) == [phone]
    assert page.form.values["name"] == ["Quentin"]
    assert not Submission.objects.exists()
    tell(patient)
    assert Submission.objects.count() == 1


def test_told_twice_is_stored_once():
    patient, trail = stopped(), Trail()
    stop_page = patient.page
    tell(patient)
    patient.seen.append(stop_page)
    page = tell(patient)
    assert Submission.objects.count() == 1
    assert Submission.objects.get().reference in page.text
    assert [event.action for event in trail.events()] == ["create"]


def test_after_telling_every_page_leads_to_the_stop_page():
    patient = stopped()
    tell(patient)
    for url in (step_url("safety"), "/intake/check/", "/intake/sent/"):
        assert patient.get(url).path == "/intake/emergency/"
    # the patient can no longer say that the emergency answer was a mistake
    assert not any("mistake" in form.buttons for form in patient.page.forms)


def test_who_stops_at_the_end_keeps_the_contact_given_before():
    patient = at_safety(lang_help="spanish")
    patient.walk_to("check")
    patient.change("safety")
    patient.answer(em_now=("bleeding_now",))
    tell(patient, phone="202-555-0199")
    person = Submission.objects.get().person
    assert person["callback_phone"] == "+12025550199"
    assert person["name"] == "Quentin Canary"
    assert person["lang_help"] == "spanish"
    assert person["email"] == "quentin.canary@example.org"


def test_too_many_sends_keep_the_stop_page_and_what_was_typed(settings):
    settings.LIMIT_INTAKE_SENDS = 1
    tell(stopped())
    patient = stopped()
    page = tell(patient, name="Quentin")
    assert page.status == 429
    assert page.links_to("tel:911")
    assert page.red_card
    assert page.form.values["name"] == ["Quentin"]


@pytest.mark.parametrize("fault", ["database", "token"])
def test_a_number_left_in_a_bad_moment_is_still_there(fault):
    patient = stopped()
    with ExitStack() as stack:
        if fault == "database":
            stack.enter_context(connection.execute_wrapper(Down()))
            page = tell(patient, name="Quentin")
        else:
            patient.client.handler.enforce_csrf_checks = True
            data = {"phone": "202-555-0147", "name": "Quentin", "go": "tell"}
            page = patient._follow(
                "POST",
                "/intake/emergency/",
                patient.client.post("/intake/emergency/", urlencoded(data), **FORM),
            )
    assert page.status == (503 if fault == "database" else 403)
    assert page.links_to("tel:911")
    assert page.form.values["phone"] == ["202-555-0147"]
    assert page.form.values["name"] == ["Quentin"]


@pytest.mark.usefixtures("clinic_open")
def test_a_call_is_promised_only_after_a_number_was_left():
    patient = at_safety()
    patient.walk_to("mood")
    patient.answer(si_screen="active")
    promise = current().rule("E09").promise
    assert promise not in patient.page.text
    tell(patient)
    assert promise in patient.page.text


@pytest.mark.usefixtures("clinic_closed")
def test_when_closed_the_crisis_line_leads_and_no_call_is_promised():
    patient = at_safety()
    patient.walk_to("mood")
    patient.answer(si_screen="active")
    rule = current().rule("E09")
    assert patient.page.text.index(rule.closed) < patient.page.text.index(rule.advice)
    tell(patient)
    assert rule.promise not in patient.page.text
