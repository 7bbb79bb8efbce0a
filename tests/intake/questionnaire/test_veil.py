"""When a device was left alone, private answers are hidden, but the answers still count."""

import re
from collections import defaultdict
from typing import Any

import msgspec
import pytest

from intake import documents
from intake.domain.definition import Protocol
from intake.domain.wording import Wording
from intake.models.submissions import Draft, Submission
from intake.questionnaire.forms.contact import ContactForm
from intake.questionnaire.views.receipt import to_read
from intake.questionnaire.walk import Walk
from tests import builders
from tests.intake.patient import step_url
from tests.intake.questionnaire.veil import (
    HERS,
    MEDICINE,
    OWN_WORDS,
    PRIVATE,
    PROTOCOL,
    SENSITIVE,
    every_page,
    finished,
    leave_alone,
    row,
    stored,
    walk_now,
)
from tests.intake.way_in import MAILBOX, asking, code_in, enter, letters

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "crisis_question")]


# --- what is hidden ------------------------------------------------------------------------------


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
    """Return the facts that pages may reveal: the asked questions, the urgent rules that fired."""
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
    """The walk, the check page and the receipt do not reveal the hidden answers.

    These pages may differ only when an answer leads to other questions or to an urgent rule. The
    first two answers with the same route are compared on all pages of the walk, further answers on
    the page that asks and on the pages after the walk.
    """
    asks = next(p.id for p in PROTOCOL.pages if PROTOCOL.question(question_id) in p.questions)
    seen: dict[Any, set[str]] = defaultdict(set)
    number: dict[Any, int] = defaultdict(int)
    for value in all_values(question_id):
        patient = finished(**{question_id: value})
        walk = walk_now()
        if walk.interrupting_rules or walk.first_open:
            continue
        group = signature(walk)
        pages = every_page(patient, asks if number[group] > 1 else "")
        patient.get("/intake/check/")
        assert patient.send().step == "sent"
        leave_alone()
        pages.append(patient.get("/intake/sent/"))
        for page in pages:
            seen[group, page.path].add(same_for_everybody(page.html))
        number[group] += 1
    # every answer except 'none' stops the form, so there is nothing to compare
    if question_id != "preg_warning":
        assert max(number.values()) > 1, "there is something to tell apart"
    for group, variants in seen.items():
        assert len(variants) == 1, group


def test_the_receipt_of_a_device_left_alone_keeps_what_tells_of_danger():
    says = {"pregnancy_status": "pregnant", "phq2_down": "nearly_every_day", "si_screen": "passive"}
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
    page = patient.get("/es/intake/legs/p/reason/")
    assert "Ocultamos sus respuestas privadas" in page.text
    assert ">Respondida<" in page.html
    assert OWN_WORDS not in page.html
    assert "Respondida" in patient.get("/es/intake/check/").text


# --- danger --------------------------------------------------------------------------------------


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
    assert walk_now().assessment.urgency == "emergency"
    patient.get(step_url("reason"))
    patient.press("continue")
    assert walk_now().assessment.urgency == "emergency"
    patient.get("/intake/check/")
    patient.send()
    assert Submission.objects.get().urgency_code == "emergency"


def test_an_emergency_ticked_on_a_veiled_page_stops_at_once():
    patient = finished()
    assert patient.post(step_url("about-3"), {"preg_warning": "bleeding_fluid"}).red_card


# --- saving, and coming back by a code -----------------------------------------------------------


def test_the_address_to_save_with_is_hidden_and_used_when_left_blank():
    patient = finished()
    page = patient.get("/intake/save/")
    assert MAILBOX not in page.html
    page = patient.press("save", {"address": ""})
    assert "Your answers are saved" in page.text
    assert Draft.objects.get().content["saved"]["address"] == MAILBOX
    assert MAILBOX not in patient.get("/intake/save/?change=1").html, "it was not given again"
    patient.press("save", {"address": "someone@example.org"})
    again = "/intake/save/?change=1"
    assert patient.get(again).form.values["address"] == ["someone@example.org"]
    leave_alone()
    assert "someone@example.org" not in patient.get("/intake/save/").html
    assert "someone@example.org" not in patient.get(again).html
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
    """The veil hides every contact field that CONTACT_OPEN does not list, even a new field."""
    form = ContactForm(Wording(PROTOCOL), known={"who": "caregiver"}, kind="intake")
    said = dict.fromkeys(form.fields, "x")
    content = builders.content(said).veil(PROTOCOL.sensitive)
    assert set(form.fields) <= set(content.veiled_contact)
