"""A form whose hidden box is filled in waits until a person has looked at it. No form is lost."""

import pytest

from intake.models.submissions import Submission
from tests import builders
from tests.intake.patient import Patient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]


def filled_trap(**says) -> Submission:
    patient = Patient(**says)
    patient.start()
    patient.walk_to("contact")
    patient.answer(website="https://example.org")
    patient.walk_to("check")
    patient.send()
    return Submission.objects.get()


def test_what_fills_in_the_hidden_box_waits_for_a_person_and_is_never_dropped():
    submission = filled_trap()
    assert submission.suspect
    clinician = builders.staff_client()
    assert submission.reference not in clinician.get("/admin/intake/submission/").text
    assert "1 possible bot waits" in clinician.get("/admin/intake/submission/").text
    assert submission.reference in clinician.get("/admin/intake/submission/?status=suspect").text
    url = f"/admin/intake/submission/{submission.pk}"
    assert "A person sent this" in clinician.get(f"{url}/change/").text
    clinician.post(f"{url}/trust/", {"revision": submission.revision})
    assert submission.reference in clinician.get("/admin/intake/submission/").text


def test_nobody_with_a_red_flag_waits_as_a_bot():
    assert not filled_trap(leg_new=("swelling_one",), clot_risk=("none",)).suspect


def test_quicker_than_a_person_is_looked_at_first(settings):
    settings.MIN_FILL_SECONDS = 15
    Patient().whole_journey()
    assert Submission.objects.get().suspect
