"""A patient keeps a copy of all answers before sending."""

import re

import pytest
from django.conf import settings

from intake.models.submissions import Device, Draft
from tests import builders
from tests.intake.patient import Page, Patient
from tests.intake.questionnaire.veil import leave_alone

pytestmark = pytest.mark.django_db
COPY = "/intake/copy/"


def at_check(**answers) -> Patient:
    patient = Patient()
    _draft, key = builders.draft(**answers)
    Draft.objects.update(device=Device.MINE)
    patient.client.cookies[settings.DRAFT_COOKIE_NAME] = key
    patient.get("/intake/check/")
    return patient


def rows(page: Page) -> list[tuple[str, str]]:
    """Return the labels and values of all answers on a page."""
    found = re.findall(r"<dt[^>]*>(.*?)</dt><dd>(.*?)</dd>", page.html, re.S)
    return [(label, " ".join(re.sub(r"<[^>]+>", " ", value).split())) for label, value in found]


def test_the_copy_has_every_answer_of_the_check_page_and_says_what_was_left_out():
    patient = at_check(reason_text="It creeps.", family_rls=None)
    checked = rows(patient.page)
    page = patient.get(patient.page.link("Keep a copy"))
    copied = rows(page)[3:]  # first come the numbers to call
    said = {"Not provided": "Not answered"}
    assert copied == [(label, said.get(value, value)) for label, value in checked]
    assert "It creeps." in dict(copied).values()
    assert page.response["Cache-Control"] == "no-store"
    assert "not sent to the clinic yet" in page.text
    for number in (settings.CLINIC_PHONE, settings.EMERGENCY_NUMBER, settings.CRISIS_LINE):
        assert number in page.text


def test_no_page_shows_a_copy_after_sending():
    patient = at_check(reason_text="It creeps.")
    patient.send()
    page = patient.get(COPY)
    assert page.path == "/intake/sent/"
    assert "It creeps." not in page.html


def test_the_copy_hides_what_the_veil_hides():
    patient = at_check(reason_text="It creeps.")
    leave_alone()
    page = patient.get(COPY)
    assert "It creeps." not in page.html
    assert "Quentin" not in page.html
    assert "Private answers are hidden" in page.text


@pytest.mark.parametrize(
    ("answers", "path"),
    [({"em_now": ("chest_or_breath",)}, "emergency"), ({"onset": None}, "onset")],
)
def test_a_copy_of_unfinished_answers_leads_to_what_comes_first(answers, path):
    page = at_check(**answers).get(COPY)
    assert (page.step == path) or page.form.controls.keys() & {path}
    assert Draft.objects.filter(submission=None).exists()
