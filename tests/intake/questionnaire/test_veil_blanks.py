"""On a veiled page an empty field keeps the earlier answer, and a typed answer replaces it."""

from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from intake.domain.triage import assess, interrupting_rules
from intake.draft_content import CONTACT
from intake.models.submissions import Draft
from intake.questionnaire import answering, drafts
from tests import builders
from tests.examples import examples
from tests.intake.domain.walks import values, walks
from tests.intake.patient import Patient, step_url
from tests.intake.questionnaire.veil import (
    MEDICINE,
    OWN_WORDS,
    PROTOCOL,
    SAFE,
    SENSITIVE,
    finished,
    leave_alone,
    row,
    stored,
    walk_now,
    with_draft,
)
from tests.intake.way_in import MAILBOX

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "crisis_question")]


# --- what a blank field means --------------------------------------------------------------------


def test_a_step_left_blank_keeps_what_was_said_and_something_typed_replaces_it():
    patient = finished()
    before = stored()
    patient.get(step_url("reason"))
    assert patient.press("continue").step == "rls"
    assert stored() == before
    patient.get(step_url("reason"))
    patient.press("continue", patient.page.form.values | {"reason_text": "Something else."})
    assert stored()["answers"]["reason_text"] == "Something else."
    page = patient.get("/intake/check/")
    assert "Something else." in page.text, "a new answer shows"
    assert MEDICINE not in page.text, "the others do not, though the device is in use again"
    assert patient.get(step_url("reason")).form.values["reason_text"] == ["Something else."]
    leave_alone()
    assert "Something else." not in patient.get("/intake/check/").text


@pytest.mark.parametrize("question_id", [q for q in SENSITIVE if PROTOCOL.question(q).required])
def test_a_required_one_left_blank_is_not_missing(question_id):
    patient = finished()
    before = stored()
    page = next(p for p in PROTOCOL.pages if PROTOCOL.question(question_id) in p.questions)
    patient.get(step_url(page.id))
    assert patient.press("continue").status == 200
    assert stored() == before


def test_ticking_replaces_all_that_was_ticked():
    patient = finished()
    patient.get(step_url("meds"))
    patient.press("continue", {"meds_classes": ["none"]})
    answers = stored()["answers"]
    assert (answers["meds_classes"], answers["meds_list"]) == (["none"], MEDICINE)


def test_a_clash_is_told_as_ever_and_nothing_is_lost():
    patient = finished()
    before = stored()
    page = patient.get(step_url("meds"))
    page = patient.press("continue", {"meds_classes": ["none", "opioid"]})
    assert page.status == 422
    assert 'id="id_meds_list_kept">Answered<' in page.html
    assert MEDICINE not in page.html
    assert stored() == before
    page = patient.press("continue", {"meds_classes": ["opioid"]})
    assert stored()["answers"]["meds_list"] == MEDICINE


def test_a_harmless_question_beside_it_is_asked_as_ever():
    patient = finished()
    page = patient.post(step_url("reason"), {"onset": "today"})
    assert page.errors == ["Choose one answer."]
    assert OWN_WORDS not in page.html


def test_a_text_deleted_on_a_page_that_lay_open_is_gone():
    patient = finished()
    leave_alone(29)
    page = patient.get(step_url("reason"))
    sent = {**page.form.values, "reason_text": ""}
    leave_alone(31)
    patient.press("continue", {**sent, "onset": "nonsense"})
    assert patient.page.status == 422
    patient.press("continue", {**patient.page.form.values, "onset": "today"})
    assert "reason_text" not in stored()["answers"]
    assert row(patient.get("/intake/check/"), PROTOCOL.question("reason_text").text) == (
        "Not provided Change"
    )


def test_saving_for_later_in_the_middle_keeps_and_hides_as_well():
    patient = finished()
    before = stored()
    patient.get(step_url("meds"))
    page = patient.press("save")
    assert page.path == "/intake/save/"
    assert stored() == before
    assert MEDICINE not in patient.get(step_url("meds")).html


def test_an_answer_of_another_tab_is_not_overwritten_by_what_was_kept():
    patient = finished()
    draft = Draft.objects.get()
    other = Draft.objects.get()
    page = walk_now().page("meds")
    answering.save_page(
        draft=other, page=page, values={"meds_list": "iron"}, kept=("meds_classes",)
    )
    answering.save_page(draft=draft, page=page, values={}, kept=("meds_classes", "meds_list"))
    assert stored()["answers"]["meds_list"] == "iron"
    assert "iron" in patient.get("/intake/check/").text


def details(contact: dict[str, Any]) -> dict[str, Any]:
    """Return the contact without the tick beside Send, which the contact page does not store."""
    return {name: value for name, value in contact.items() if name not in ("ack", "consent")}


# --- the contact ---------------------------------------------------------------------------------


def test_the_contact_left_blank_stays_and_each_field_is_replaced_alone():
    patient = finished()
    before = details(stored()["contact"])
    page = patient.get(step_url(CONTACT))
    for name in page.form.asked:
        assert [value for value in page.form.controls[name].chosen if value] == []
    assert "<details open>" in page.html, "a kept answer is not replaced by a default out of sight"
    assert patient.press("continue").step == "appointment"
    assert stored()["contact"] == before

    patient.get(step_url(CONTACT))
    patient.press("continue", patient.page.form.values | {"callback_phone": "202-555-0199"})
    assert stored()["contact"] == {**before, "callback_phone": "+12025550199"}
    page = patient.get("/intake/check/")
    assert "(202) 555-0199" in page.text
    assert row(page, "Patient’s name") == "Answered Change"


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"callback_phone": "12"}, "Check the phone number."),
        ({"email": "nobody"}, "Check the e-mail address."),
        ({"birth_date_month": "2"}, "Fill in all three boxes"),
        ({"birth_date_month": "1", "birth_date_day": "2", "birth_date_year": "1990"}, "44 years"),
        ({"name": "A\x1bB"}, "characters we cannot read"),
    ],
)
def test_what_is_typed_is_judged_beside_what_is_kept_and_nothing_kept_is_shown(typed, complaint):
    patient = finished()
    before = stored()
    page = patient.get(step_url(CONTACT))
    page = patient.press("continue", {**page.form.values, **typed})
    assert page.status == 422
    assert len(page.errors) == 1
    assert complaint in page.errors[0]
    for told in ("Quentin", MAILBOX, "0147", "1982"):
        assert told not in page.html
    for name, text in typed.items():
        assert page.form.values[name] == [text]
    assert stored() == before


def test_the_wish_for_an_email_is_judged_with_the_address_that_is_kept():
    patient = finished()
    page = patient.get(step_url(CONTACT))
    assert patient.press("continue", {**page.form.values, "prefer": "email"}).status == 200
    assert stored()["contact"]["prefer"] == "email"
    patient = finished({"email": ""})
    page = patient.get(step_url(CONTACT))
    page = patient.press("continue", {**page.form.values, "prefer": "email"})
    assert page.errors == ["Enter an e-mail address, or choose another way to reach you."]


def test_an_address_deleted_on_a_page_that_lay_open_is_gone():
    patient = finished()
    leave_alone(29)
    page = patient.get(step_url(CONTACT))
    sent = {**page.form.values, "email": ""}
    leave_alone(31)
    patient.press("continue", sent)
    assert "email" not in stored()["contact"]


def test_a_contact_half_typed_is_hidden_and_kept():
    patient = Patient()
    patient.start()
    patient.walk_to(CONTACT)
    patient.press("save", {"name": "Quentin", "callback_phone": "202-555-01"})
    leave_alone()
    page = patient.get(step_url(CONTACT))
    assert "Quentin" not in page.html
    assert 'value="202-555-01' not in page.html
    page = patient.answer(name="", callback_phone="")
    assert page.errors == [
        "Check the phone number. Write it with the area code, for example 202-555-0123."
    ]
    assert 'value="202-555-01' not in page.html
    patient.press("save", patient.page.form.values)
    assert Draft.objects.get().content["typed"][CONTACT]["callback_phone"] == "202-555-01"
    patient.get(step_url(CONTACT))
    assert patient.answer(name="", callback_phone="202-555-0147").step == "appointment"
    assert stored()["contact"]["name"] == "Quentin"


def test_a_contact_changed_in_another_tab_is_not_overwritten_by_what_was_kept():
    finished()
    draft, contact = Draft.objects.get(), builders.CONTACT_DETAILS
    newer = {**contact, "email": "newer@example.org"}
    answering.save_contact(draft=Draft.objects.get(), contact=newer, answers={})
    answering.save_contact(draft=draft, contact=contact, answers={}, kept=["email", "name"])
    assert stored()["contact"]["email"] == "newer@example.org"


@pytest.mark.parametrize("who", ["parent_guardian", "caregiver"])
def test_who_answers_for_somebody_else_is_hidden_too(who):
    patient = finished({"proxy_name": "Petra Canary"}, who=who)
    assert "Petra" not in patient.get("/intake/check/").html
    patient.get(step_url(CONTACT))
    assert "Petra" not in patient.page.html
    patient.press("continue")
    assert stored()["contact"]["proxy_name"] == "Petra Canary"


def test_a_request_without_the_questionnaire_hides_the_contact_and_shows_who_fills_it_in():
    patient = Patient()
    patient.start("/appointments/")
    patient.walk_to("check")
    leave_alone()
    before = stored()
    page = patient.get(step_url(CONTACT))
    assert page.form.values["who"] == ["self"]
    assert "Quentin" not in page.html
    assert patient.press("continue").step == "appointment"
    after = stored()
    assert after["answers"] == before["answers"]
    assert after["contact"] == {**SAFE, **details(before["contact"])}


def test_the_longest_phone_number_with_an_extension_stays_too():
    patient = Patient(callback_phone="2025550147 x123456789")
    patient.start()
    patient.walk_to("check")
    number = stored()["contact"]["callback_phone"]
    patient.change(CONTACT)
    assert patient.press("continue").step == "check", patient.page.errors
    leave_alone()
    patient.change(CONTACT)
    assert patient.press("continue").step == "check", patient.page.errors
    assert stored()["contact"]["callback_phone"] == number


# --- laws ----------------------------------------------------------------------------------------


def may_be_sent(answers: dict[str, Any]) -> bool:
    """Return whether the form can be sent: no emergency answer, and no minor who is alone."""
    return not interrupting_rules(PROTOCOL, answers) and not assess(PROTOCOL, answers).blocked


anybody = walks(PROTOCOL, begun={"em_now": ("none",)}, asked=frozenset({"em_now"}))
roughly = hypothesis(
    max_examples=examples(5),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.usefixtures("roomy", "crisis_question")
class TestWhateverWasAnswered(TestCase):
    @roughly
    @given(anybody.filter(may_be_sent))
    def test_posting_every_page_blank_changes_neither_answers_nor_assessment(self, answers):
        said = {
            q: value
            for q, value in answers.items()
            if q not in ("lang_help", "callback_phone", "ack")
        }
        born = f"{timezone.localdate().year - said['age_years']}-01-01"
        helper = {"proxy_name": "Petra Canary"} if said["who"] != "self" else {}
        content = builders.content(
            {"birth_date": born, **SAFE, **helper}, **{**dict.fromkeys(builders.ORDINARY), **said}
        )
        patient = with_draft(content)
        walk = walk_now()
        assert walk.first_open is None
        before, judged = stored(), walk.assessment
        leave_alone()
        for step in walk.steps:
            page = patient.get(step_url(step))
            veiled = [name for name in page.form.asked if name in SENSITIVE and name in said]
            for name in veiled:
                assert page.form.controls[name].chosen in ([], [""]), name
            patient.press("continue")
            assert patient.page.status == 200, (step, patient.page.errors)
        after = stored()
        assert after["answers"] == before["answers"]
        assert after["contact"] == details(before["contact"])
        assert walk_now().assessment == judged
        assert set(walk_now().content.veiled) == set(said) & PROTOCOL.sensitive

    @roughly
    @given(st.data())
    def test_a_new_answer_to_any_sensitive_question_replaces_that_one_alone(self, data):
        patient = finished()
        before = stored()["answers"]
        asked = [q for page in walk_now().pages for q in page.questions if q.id in SENSITIVE]
        question = data.draw(st.sampled_from(asked))
        value = data.draw(values(question))
        page = next(p for p in walk_now().pages if question in p.questions)
        draft = Draft.objects.latest("id")
        kept = {q.id for q in page.questions if q.id in PROTOCOL.sensitive}
        rest = {q.id: walk_now().content.answers[q.id] for q in page.questions if q.id not in kept}
        answering.save_page(draft=draft, page=page, values={**rest, question.id: value}, kept=kept)
        after = walk_now().content
        assert after.answers == {**drafts.walk_of(draft).content.answers, question.id: value}
        assert question.id not in after.veiled
        assert set(after.veiled) == set(before) & PROTOCOL.sensitive - {question.id}
        assert patient.get("/intake/check/").status == 200
