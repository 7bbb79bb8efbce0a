"""A young person does not fill in the form alone, and first reads where to get help."""

import pytest
from django.conf import settings
from django.utils import timezone

from intake.models.submissions import Draft, RuleCount, Submission
from intake.protocols import current
from tests.intake.patient import Patient, born, step_url

pytestmark = pytest.mark.django_db


def alone(age: int, who: str = "self") -> Patient:
    patient = Patient(age_years=age, who=who)
    patient.start()
    patient.walk_to("about")
    patient.answer()
    return patient


@pytest.mark.parametrize("who", ["self", "caregiver"])
@pytest.mark.parametrize("age", [12, 17])
def test_a_minor_without_a_guardian_is_stopped_and_nothing_is_stored(age, who):
    patient = alone(age, who)
    page = patient.page
    assert page.status == 200
    assert current().rule("M01").advice in page.text
    assert "We did not keep your answers." in page.text
    assert page.links_to("tel:988")
    assert page.links_to("tel:911")
    assert not Draft.objects.exists()
    assert not Submission.objects.exists()
    assert not RuleCount.objects.exists()
    assert not patient.client.cookies[settings.DRAFT_COOKIE_NAME].value


def test_after_that_every_page_leads_to_the_start():
    patient = alone(15)
    for url in (step_url("about"), step_url("reason"), "/intake/check/", "/intake/sent/"):
        assert patient.get(url).path == "/intake/"


def test_at_eighteen_nobody_is_stopped():
    assert alone(18).page.step == "reason"


def test_a_minor_with_a_guardian_goes_on_and_is_seen_soon():
    patient = Patient(age_years=15, who="parent_guardian")
    page = patient.whole_journey()
    assert page.path == "/intake/sent/"
    submission = Submission.objects.get()
    assert submission.urgency_code == "soon"
    assert "M02" in [fired.id for fired in submission.result.fired]
    assert submission.person["proxy_name"] == "Petra Canary"


def test_the_safety_page_comes_first_for_the_young_as_well():
    patient = Patient(age_years=12)
    assert patient.start().step == "safety"
    page = patient.answer(em_now=("chest_or_breath",))
    assert page.red_card
    assert page.links_to("tel:911")


@pytest.mark.parametrize(("age", "asked"), [(8, False), (11, False), (12, True), (16, True)])
def test_below_twelve_nobody_is_asked_about_mood_or_suicide(age, asked, settings):
    settings.SI_SCREEN = True
    patient = Patient(age_years=age, who="parent_guardian")
    patient.whole_journey()
    names = [name for page in patient.seen for form in page.forms for name in form.asked]
    assert ("mood_2w" in names) == ("si_screen" in names) == asked


def test_who_grows_younger_on_a_change_is_stopped_as_well():
    patient = Patient()
    patient.start()
    patient.walk_to("check")
    patient.change("about")
    page = patient.answer(age_years=15)
    assert current().rule("M01").advice in page.text
    assert not Draft.objects.exists()


def test_a_slip_beside_the_age_is_mended_before_anybody_is_stopped():
    patient = Patient(age_years=15)
    patient.start()
    patient.walk_to("about")
    page = patient.answer(sex_at_birth=None)
    assert page.status == 422
    assert Draft.objects.exists()


# --- asking for an appointment alone -------------------------------------------------------------


def at_contact(age: int, who: str) -> Patient:
    patient = Patient(**born(age), who=who)
    patient.start("/appointments/")
    patient.walk_to("contact")
    patient.answer()
    return patient


def test_a_minor_who_asks_for_an_appointment_alone_is_stopped_too():
    page = at_contact(15, "self").page
    assert current().rule("M01").advice in page.text
    assert not Draft.objects.exists()


def test_a_guardian_may_ask_for_an_appointment():
    patient = at_contact(15, "parent_guardian")
    patient.walk_to("check")
    patient.send()
    submission = Submission.objects.get()
    assert submission.urgency_code == "soon"
    assert submission.answers["age_years"] == 15
    assert submission.person["birth_date"] == f"{timezone.localdate().year - 15}-01-01"


def test_who_comes_of_age_today_is_of_age():
    today = timezone.localdate()
    day = min(today.day, 28)
    patient = Patient(
        birth_date_month=str(today.month),
        birth_date_day=str(day),
        birth_date_year=str(today.year - 18),
    )
    patient.start("/appointments/")
    patient.walk_to("contact")
    assert patient.answer().step == "appointment"
