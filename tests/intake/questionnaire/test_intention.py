"""A patient who is not calling may say what he or she will do, and is answered."""

import pytest

from intake.models.submissions import Draft, Submission
from intake.wording.intentions import INTENTIONS, NO_NUMBER
from tests import builders
from tests.desk import page_of
from tests.intake.patient import Patient
from tests.intake.questionnaire.stops import at_safety, is_stop_page, stopped, tell

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crisis_question")]
URL = "/intake/emergency/"
QUESTION = "If you are not calling now, what will you do?"


def says(patient: Patient, intention: str):
    return patient.post(URL, {"intention": intention})


def test_it_is_asked_below_the_call_button_and_nobody_has_to_answer():
    page = stopped().page
    assert page.text.index("Call 911") < page.text.index(QUESTION)
    assert page.text.index(QUESTION) < page.text.index("Also tell the clinic")
    tell(stopped())
    assert Submission.objects.get().assessment["stops"][-1].get("intention") is None


@pytest.mark.parametrize("intention", INTENTIONS)
def test_each_answer_has_its_reply_on_the_same_page_with_the_number_to_call(intention):
    patient = stopped()
    page = says(patient, intention)

    assert page.path == URL
    assert is_stop_page(patient)
    assert str(INTENTIONS[intention].reply) % {"tel": "911"} in page.text
    assert (str(NO_NUMBER) in page.text) is (intention == "wait")
    says(patient, "go")
    assert patient.page.text.count(QUESTION) == 1, "the answer may be changed"


@pytest.mark.parametrize("intention", INTENTIONS)
def test_staff_read_it_if_the_stop_was_told(intention):
    patient = stopped()
    says(patient, intention)
    tell(patient)
    html = builders.staff_client("clinician").get(page_of(Submission.objects.get())).text
    assert f"The patient {INTENTIONS[intention].note}." in html


def test_it_belongs_to_the_stop_at_which_it_was_said():
    patient = stopped()
    says(patient, "wait")
    patient.press("mistake")
    patient.answer(em_now=("bleeding_now",))
    assert str(NO_NUMBER) not in patient.page.text
    tell(patient)
    first, second = Submission.objects.get().assessment["stops"]
    assert (first.get("intention"), second.get("intention")) == ("wait", None)


def test_it_is_not_asked_of_a_patient_with_thoughts_of_suicide():
    patient = at_safety()
    patient.walk_to("mood")
    patient.answer(phq2_down="nearly_every_day", si_screen="active")
    assert is_stop_page(patient) or "988" in patient.page.text
    assert QUESTION not in patient.page.text


@pytest.mark.parametrize("odd", ["", "fly", "GO", "x" * 5000])
def test_an_unknown_answer_stores_nothing(odd):
    patient = stopped()
    page = says(patient, odd)
    assert page.status in (200, 422)
    assert is_stop_page(patient)
    assert not Submission.objects.exists()


def test_after_the_draft_is_gone_the_page_still_says_whom_to_call():
    patient = stopped()
    Draft.objects.all().delete()
    page = says(patient, "wait")
    assert page.status < 500
    assert page.links_to("tel:911")
