"""What is private is hidden on a device that was left alone, and counts all the same."""

import re
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.conf import settings as site
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from intake import documents
from intake.domain.definition import Protocol
from intake.domain.triage import assess, interrupting_rules
from intake.draft_content import CONTACT
from intake.models.submissions import Draft, Submission
from intake.protocols import current
from intake.questionnaire import drafts
from intake.questionnaire.forms.contact import ContactForm
from intake.questionnaire.views.receipt import to_read
from intake.questionnaire.walk import Walk
from tests import builders
from tests.intake.access.test_coming_back import MAILBOX, asking, code_in, enter, letters
from tests.intake.domain.walks import values, walks
from tests.intake.patient import TALKATIVE, Page, Patient, step_url

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy")]
PROTOCOL = current()
SENSITIVE = sorted(PROTOCOL.sensitive - {"lang_help", "callback_phone"})
PRIVATE = "Private answers are hidden"
# hers are all the sensitive questions, and nothing that cannot wait
HERS: dict[str, Any] = {
    **builders.ORDINARY,
    **TALKATIVE,
    "ferritin": Decimal("61.5"),
    "tsat": Decimal(22),
    "hemoglobin": Decimal("13.1"),
    "pregnancy_status": "recent",
    "preg_warning": ("none",),
    "med_link": "no",
}
OWN_WORDS, MEDICINE = HERS["reason_text"], HERS["meds_list"]


def leave_alone(minutes: float = 31) -> None:
    Draft.objects.update(updated_at=timezone.now() - timedelta(minutes=minutes))


@pytest.fixture(autouse=True)
def everything_asked(settings):
    settings.SI_SCREEN = True


def with_draft(content: Any) -> Patient:
    patient = Patient()
    _draft, key = drafts.begin(kind="intake", language="en", device="mine", content=content)
    patient.client.cookies[site.DRAFT_COOKIE_NAME] = key
    return patient


def finished(contact: dict[str, Any] | None = None, **says: Any) -> Patient:
    """She has answered everything on her own phone, and was called away."""
    patient = with_draft(builders.content(contact, **{**HERS, **says}))
    leave_alone()
    return patient


def walk_now() -> Walk:
    return drafts.walk_of(Draft.objects.latest("id"))


def stored() -> dict[str, Any]:
    content = Draft.objects.latest("id").content
    return {name: content[name] for name in ("answers", "contact", "wish")}


def row(page: Page, question: str) -> str:
    """What the check page says of a question, with the words of its link."""
    text = re.escape(question)
    found = re.search(rf"<dt>{text}</dt>(.*?)</div>", page.html, re.S)
    assert found, question
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()).replace(question, "").strip()


def every_page(patient: Patient) -> list[Page]:
    """All she can look at before sending, without answering anything."""
    urls = [step_url(step) for step in walk_now().steps]
    return [patient.get(url) for url in (*urls, "/intake/check/", "/intake/save/", "/intake/")]


# --- what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize("question_id", SENSITIVE)
def test_a_sensitive_answer_shows_as_answered_and_never_its_value(question_id):
    patient = finished()
    question = PROTOCOL.question(question_id)
    page_id = next(p.id for p in PROTOCOL.pages if question in p.questions)
    page = patient.get(step_url(page_id))
    assert PRIVATE in page.text
    assert f'id="id_{question_id}_kept">Answered<' in page.html
    assert page.form.controls[question_id].chosen in ([], [""])
    check = patient.get("/intake/check/")
    assert row(check, question.text) == "Answered Change"


def test_before_the_half_hour_everything_shows():
    patient = finished()
    leave_alone(29)
    assert patient.get(step_url("reason")).form.values["reason_text"] == [OWN_WORDS]
    check = patient.get("/intake/check/")
    assert MEDICINE in check.text
    assert "Quentin Canary" in check.text
    assert PRIVATE not in "".join(page.text for page in every_page(patient))


def test_after_it_nothing_private_is_on_any_page_and_the_rest_is():
    patient = finished()
    contact = ("Quentin", "Canary", MAILBOX, "555-0147", "5550147", "1982", "March 27")
    for page in every_page(patient):
        for told in (OWN_WORDS, MEDICINE, *contact):
            assert told not in page.html, page.url
    page = patient.get(step_url("reason"))
    assert page.form.values["main_reason"] == ["restless"], "harmless answers still show"
    page = patient.get("/intake/check/")
    assert row(page, "What bothers you most?").startswith("Restless legs: I have to move them")
    for label in ("Patient’s name", "Date of birth", "Phone", "E-mail", "Language help"):
        assert row(page, label) == "Answered Change"


def signature(walk: Walk) -> Any:
    """What may be seen of answers: which questions were asked, and what danger there is."""
    asked = tuple(q.id for page in walk.pages for q in page.questions)
    red = tuple(f.id for f in walk.assessment.fired if f.level in ("emergency", "same_day"))
    return asked, red, walk.assessment.urgency


def same_for_everybody(html: str) -> str:
    html = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", html)
    return re.sub(r"[2-9A-Z]{4}-[2-9A-Z]{4}", "", html)


def all_values(question_id: str) -> list[Any]:
    question = PROTOCOL.question(question_id)
    codes = [option.code for option in question.options]
    match question.type:
        case "multi":
            return [(code,) for code in codes] + [tuple(c for c in codes[:2])]
        case "single":
            return codes
        case _:
            return ["It itches at night.", "zzz", "One line\nand another"]


@pytest.mark.usefixtures("clinic_open")
@pytest.mark.parametrize("question_id", SENSITIVE)
def test_whatever_was_answered_the_pages_are_the_same(question_id):
    """No page tells two answers apart, but by the questions that follow and by danger: neither the
    walk, nor the check page, nor the receipt."""
    seen: dict[Any, set[tuple[str, ...]]] = defaultdict(set)
    number: dict[Any, int] = defaultdict(int)
    for value in all_values(question_id):
        patient = finished(**{question_id: value})
        walk = walk_now()
        if walk.interrupting_rules or walk.first_open:
            continue
        pages = every_page(patient)
        patient.get("/intake/check/")
        assert patient.send().step == "sent"
        leave_alone()
        pages.append(patient.get("/intake/sent/"))
        group = signature(walk)
        seen[group].add(tuple(same_for_everybody(page.html) for page in pages))
        number[group] += 1
    if question_id != "preg_warning":  # of which every other answer stops the form
        assert max(number.values()) > 1, "there is something to tell apart"
    for group, variants in seen.items():
        assert len(variants) == 1, group


def test_the_receipt_of_a_device_left_alone_keeps_what_tells_of_danger():
    says = {"pregnancy_status": "pregnant", "mood_2w": "low_most", "si_screen": "passive"}
    for minutes, calm in ((29, True), (31, False)):
        patient = finished(**says)
        patient.get("/intake/check/")
        patient.send()
        leave_alone(minutes)
        page = patient.get("/intake/sent/")
        assert ("Restless legs are common in pregnancy" in page.text) is calm
        assert "Thank you for telling us." in page.text, "the crisis line stays"


def test_pages_to_read_that_rest_on_what_is_veiled_are_left_out():
    sent = builders.submission(**{**HERS, "pregnancy_status": "pregnant"})
    assert "restless-legs/pregnancy" in to_read(PROTOCOL, sent)
    assert "restless-legs/pregnancy" not in to_read(PROTOCOL, sent, PROTOCOL.sensitive)
    of_options = "restless-legs/overview"
    assert of_options in to_read(PROTOCOL, sent)
    assert of_options not in to_read(PROTOCOL, sent, {q.id for q in PROTOCOL.questions})


def test_nothing_but_a_new_answer_lifts_the_veil():
    patient = finished()
    patient.get("/intake/check/")
    patient.get("/es/intake/check/")
    patient.get("/intake/check/")
    patient.get(step_url("life"))
    patient.press("continue")
    patient.get(step_url("reason"))
    patient.press("continue", {"onset": "nonsense"})
    patient.get("/intake/save/")
    patient.press("save")
    patient.get(step_url("appointment"))
    patient.press("continue")
    patient.get("/intake/")
    assert patient.press("continue").step == "check"
    assert row(patient.page, PROTOCOL.question("reason_text").text) == "Answered Change"
    assert row(patient.page, "E-mail") == "Answered Change"


@pytest.mark.usefixtures("fresh_pages")
def test_in_spanish_it_says_the_same():
    patient = finished()
    page = patient.get("/es/intake/p/reason/")
    assert "Las respuestas privadas están ocultas" in page.text
    assert ">Respondida<" in page.html
    assert OWN_WORDS not in page.html
    assert "Respondida" in patient.get("/es/intake/check/").text


# --- what a blank means ---------------------------------------------------------------------------


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
    drafts.save_page(draft=other, page=page, values={"meds_list": "iron"}, kept=("meds_classes",))
    drafts.save_page(draft=draft, page=page, values={}, kept=("meds_classes", "meds_list"))
    assert stored()["answers"]["meds_list"] == "iron"
    assert "iron" in patient.get("/intake/check/").text


# --- danger ---------------------------------------------------------------------------------------


def test_a_veiled_emergency_still_stops_and_a_blank_does_not_take_it_back():
    patient = finished()
    patient.get(step_url("mood"))
    patient.press("continue", {"si_screen": "active_now"})
    assert patient.page.red_card
    leave_alone()
    assert patient.get(step_url("life")).red_card
    patient.press("mistake")
    assert patient.page.step == "mood"
    assert patient.page.form.controls["si_screen"].chosen == []
    assert patient.press("continue").red_card, "left blank, it is what it was"
    patient.press("mistake")
    assert patient.answer(si_screen="none").status == 200
    assert not walk_now().interrupting_rules
    assert walk_now().retracted


def test_words_of_danger_count_when_they_are_hidden():
    patient = finished(reason_text="I have chest pain when I climb stairs")
    assert walk_now().assessment.urgency == "same_day"
    patient.get(step_url("reason"))
    patient.press("continue")
    assert walk_now().assessment.urgency == "same_day"
    patient.get("/intake/check/")
    patient.send()
    assert Submission.objects.get().urgency_code == "same_day"


def test_an_emergency_ticked_on_a_veiled_page_stops_at_once():
    patient = finished()
    assert patient.post(step_url("about-3"), {"preg_warning": "bleeding_fluid"}).red_card


# --- the contact ----------------------------------------------------------------------------------


def test_the_contact_left_blank_stays_and_each_field_is_replaced_alone():
    patient = finished()
    before = stored()["contact"]
    page = patient.get(step_url(CONTACT))
    for name in page.form.asked:
        expected = ["on"] if name in ("consent", "ack") else []
        assert [value for value in page.form.controls[name].chosen if value] == expected
    assert patient.press("continue").step == "appointment"
    after = stored()["contact"]
    assert after.pop("consent")["version"] == before.pop("consent")["version"]
    assert after == before

    patient.get(step_url(CONTACT))
    patient.press("continue", patient.page.form.values | {"callback_phone": "202-555-0199"})
    assert stored()["contact"] | {"consent": 0} == {
        **before,
        "callback_phone": "+12025550199",
        "consent": 0,
    }
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
        ({"name": "A\u202eB"}, "characters we cannot read"),
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
    assert page.errors == ["Enter an e-mail address, or choose another way above."]


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
    drafts.save_contact(draft=Draft.objects.get(), contact=newer, answers={})
    drafts.save_contact(draft=draft, contact=contact, answers={}, kept=["email", "name"])
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
    assert after["contact"] | {"consent": 0} == before["contact"] | {"consent": 0}


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


# --- saving, and coming back by a code ------------------------------------------------------------


def test_the_address_to_save_with_is_hidden_and_used_when_left_blank():
    patient = finished()
    page = patient.get("/intake/save/")
    assert MAILBOX not in page.html
    page = patient.press("save", {"address": ""})
    assert "Your answers are saved" in page.text
    assert Draft.objects.get().content["saved"]["address"] == MAILBOX
    assert MAILBOX not in patient.get("/intake/save/").html, "it was not given again"
    patient.press("save", {"address": "someone@example.org"})
    assert patient.get("/intake/save/").form.values["address"] == ["someone@example.org"]
    leave_alone()
    assert "someone@example.org" not in patient.get("/intake/save/").html
    page = patient.press("save", {"address": "not an address"})
    assert page.errors
    assert "someone@example.org" not in page.html


def test_where_no_address_is_known_a_blank_is_a_mistake():
    patient = finished({"email": ""})
    patient.get("/intake/save/")
    assert patient.press("save", {"address": ""}).errors == ["Enter your e-mail address."]


def test_what_a_code_opens_is_veiled_from_the_first_minute():
    patient = finished()
    leave_alone(1)
    patient.get("/intake/save/")
    patient.press("save")
    number = Draft.objects.get().reference
    letters()
    second = asking(number)
    enter(second, code_in(letters()))
    page = second.get("/intake/check/")
    assert PRIVATE in page.text
    for told in (OWN_WORDS, MEDICINE, MAILBOX, "Quentin"):
        assert told not in page.html
    second.send()
    sent = Submission.objects.get()
    assert (sent.reference, sent.answers["reason_text"]) == (number, OWN_WORDS)
    assert sent.person["email"] == MAILBOX


def test_a_protocol_stored_before_the_marks_is_veiled_by_those_of_today(monkeypatch):
    older = unmarked(PROTOCOL)
    documents.store_protocol(older)
    patient = finished()
    Draft.objects.update(protocol=older.content_hash)
    assert documents.protocol_of(older.content_hash).sensitive == frozenset()
    page = patient.get(step_url("reason"))
    assert OWN_WORDS not in page.html
    assert page.form.values["main_reason"] == ["restless"]
    assert patient.press("continue").step == "rls"
    assert stored()["answers"]["reason_text"] == OWN_WORDS


def unmarked(protocol: Protocol) -> Protocol:
    replace = msgspec.structs.replace
    sections = tuple(
        replace(s, questions=tuple(replace(q, sensitive=False) for q in s.questions))
        for s in protocol.questionnaire.sections
    )
    return replace(protocol, questionnaire=replace(protocol.questionnaire, sections=sections))


def test_every_field_of_the_contact_is_known_to_the_veil():
    """A field that is added to the form is hidden, too: only the ticks are named."""
    form = ContactForm(PROTOCOL, known={"who": "caregiver"}, kind="intake")
    said = dict.fromkeys(form.fields, "x")
    content = builders.content(said).veil(PROTOCOL.sensitive)
    assert set(form.fields) - set(content.veiled_contact) == {"consent", "ack"}


# --- laws -----------------------------------------------------------------------------------------


def may_be_sent(answers: dict[str, Any]) -> bool:
    """Neither an emergency nor a minor alone: these are stopped before."""
    return not interrupting_rules(PROTOCOL, answers) and not assess(PROTOCOL, answers).blocked


anybody = walks(PROTOCOL, begun={"em_now": ("none",)}, asked=frozenset({"em_now"}))
roughly = hypothesis(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.usefixtures("roomy", "everything_asked")
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
            {"birth_date": born, **helper}, **{**dict.fromkeys(builders.ORDINARY), **said}
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
        assert after["contact"] | {"consent": 0} == before["contact"] | {"consent": 0}
        assert walk_now().assessment == judged
        assert set(walk_now().content.veiled) == set(said) & PROTOCOL.sensitive

    @roughly
    @given(st.data())
    def test_a_new_answer_to_any_sensitive_question_replaces_that_one_alone(self, data):
        patient = finished()
        before = stored()["answers"]
        question = PROTOCOL.question(data.draw(st.sampled_from(SENSITIVE)))
        value = data.draw(values(question))
        page = next(p for p in walk_now().pages if question in p.questions)
        draft = Draft.objects.latest("id")
        kept = {q.id for q in page.questions if q.id in PROTOCOL.sensitive}
        rest = {q.id: walk_now().content.answers[q.id] for q in page.questions if q.id not in kept}
        drafts.save_page(draft=draft, page=page, values={**rest, question.id: value}, kept=kept)
        after = walk_now().content
        assert after.answers == {**drafts.walk_of(draft).content.answers, question.id: value}
        assert question.id not in after.veiled
        assert set(after.veiled) == set(before) & PROTOCOL.sensitive - {question.id}
        assert patient.get("/intake/check/").status == 200
