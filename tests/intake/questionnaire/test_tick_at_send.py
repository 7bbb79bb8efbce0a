"""The one tick beside Send: without it, nothing is sent."""

import pytest

from clinic import privacy
from intake.errors import NotReady
from intake.models.submissions import Draft, Submission
from intake.questionnaire import drafts, sending
from tests import builders
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db


def at_check(url: str = "/intake/", **says) -> Patient:
    patient = Patient(**says)
    patient.start(url)
    patient.walk_to("check")
    return patient


@pytest.mark.parametrize("url", ["/intake/", "/appointments/", "/es/intake/"])
def test_without_the_tick_nothing_is_sent_and_nothing_is_lost(url):
    patient = at_check(url)
    assert patient.page.form.asked == ["consent"]
    assert patient.page.form.values.get("consent") is None, "a consent is never ticked beforehand"
    before = patient.draft.content
    page = patient.press("send")
    assert (page.status, len(page.errors)) == (422, 1)
    assert page.title.startswith("Error: ")
    after = patient.draft.content
    assert (after["answers"], after["contact"]) == (before["answers"], before["contact"])
    assert not Submission.objects.exists()
    assert patient.send().step == "sent"
    person = Submission.objects.get().person
    language = "es" if url.startswith("/es/") else "en"
    assert (person["ack"], person["consent"]["version"]) == (True, privacy.version(language))


@pytest.mark.parametrize("kind", ["intake", "appointment"])
def test_the_server_stores_nothing_without_the_tick(kind):
    content = builders.content()
    del content.contact["consent"]
    draft, _key = drafts.begin(kind=kind, language="en", content=content)
    with pytest.raises(NotReady, match="check"):
        sending.submit(draft=draft)
    assert not Submission.objects.exists()


@pytest.mark.parametrize(
    ("who", "agrees", "knows"),
    [
        ("self", "I agree that the clinic stores and reads my answers", "I should not stop"),
        ("caregiver", "I agree for the patient that the clinic", "the patient should not stop"),
        ("parent_guardian", "I agree for the patient that the clinic", "patient should not stop"),
    ],
)
def test_the_tick_is_in_the_words_of_the_person_who_fills_in_the_form(who, agrees, knows):
    text = at_check(who=who).page.text
    assert agrees in text
    assert knows in text


def test_a_patient_who_does_not_agree_is_told_to_call_and_may_come_back():
    patient = at_check()
    page = patient.get(patient.page.link("I do not agree"))
    assert "You can call us instead" in page.text
    assert patient.get(page.link("Back")).step == "check"


def test_a_draft_that_was_agreed_to_on_the_contact_page_is_sent_without_another_tick():
    _draft, key = builders.draft()
    patient = Patient()
    patient.client.cookies["draft"] = key
    page = patient.get("/intake/check/")
    assert "consent" not in page.form.asked
    assert patient.press("send").step == "sent"
    assert Submission.objects.get().person["consent"] == builders.CONTACT_DETAILS["consent"]


def test_a_contact_that_is_changed_after_an_old_consent_is_agreed_to_again():
    _draft, key = builders.draft()
    patient = Patient()
    patient.client.cookies["draft"] = key
    patient.get("/intake/check/")
    patient.change("contact")
    assert patient.answer().step == "check"
    assert Draft.objects.get().content["contact"].get("consent") is None
    assert patient.page.form.asked == ["consent"]
