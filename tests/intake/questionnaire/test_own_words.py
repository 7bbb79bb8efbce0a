"""A danger in own words: what the patient sees next, and what staff see."""

import pytest

from intake.models.submissions import Submission, Urgency
from intake.protocols import current
from tests import builders
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db
WORDS = "I wanted to ask about iron. My left foot went ice cold an hour ago, no chest pain."


@pytest.mark.usefixtures("clinic_open")
def test_an_emergency_in_own_words_is_told_and_does_not_stop_the_form() -> None:
    patient = Patient(reason_text=WORDS)
    patient.start()
    check = patient.walk_to("check")
    assert current().rule("DE1").advice in check.text
    page = Patient(reason_text=WORDS).whole_journey()
    assert current().rule("DE1").advice in page.text
    assert Submission.objects.get().urgency == Urgency.EMERGENCY


def test_staff_see_the_words_marked_and_why() -> None:
    Patient(reason_text=WORDS).whole_journey()
    stored = Submission.objects.get()
    (fired,) = [rule for rule in stored.result.fired if rule.id == "DE1"]
    assert ("cold_limb", "foot … ice") in [(h["frame"], h["words"]) for h in fired.inputs["danger"]]
    assert [flag.id for flag in stored.result.flags if flag.id.startswith("FD")] == ["FD1"]
    page = builders.staff_client().get(f"/admin/intake/submission/{stored.pk}/change/").text
    assert '<mark class="heard now">foot</mark>' in page
    assert '<mark class="heard denied">pain</mark>' in page
