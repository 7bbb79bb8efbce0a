"""One answer of a page is wrong: the page comes back with a sentence, and nothing is stored."""

import pytest

from intake.draft_content import Content
from intake.forms.base import is_scale
from intake.models.submissions import Submission
from intake.questionnaire.walk import Walk
from tests import builders
from tests.intake.patient import Patient
from tests.intake.questionnaire.everything import EVERYTHING, PROTOCOL, at, refused

# all questions for one adult who answers for herself; part 2 has its own tests
WALK = Walk(PROTOCOL, Content(answers={**builders.ORDINARY, **EVERYTHING}), si_screen=True)
ASKED = [q for page in WALK.pages for q in page.questions]


def of_type(*types: str) -> list[str]:
    return [q.id for q in ASKED if q.type in types]


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crisis_question")]


def test_this_walk_is_asked_everything():
    patient = Patient(**EVERYTHING)
    patient.start()
    patient.walk_to("contact")
    asked = {name for page in patient.seen for form in page.forms for name in form.asked}
    assert {q.id for q in ASKED} <= asked


@pytest.mark.parametrize("question_id", of_type("single"))
def test_of_one_answer_only_those_offered_are_taken(question_id):
    patient = at(PROTOCOL.question(question_id).page)
    for typed in ("no_such_answer", "None", " ", "0", ("self", "self"), ["x", "y"], "a" * 5000):
        if typed == " " and not PROTOCOL.question(question_id).required:
            continue
        refused(patient, question_id, typed)
    assert patient.answer().status == 200


@pytest.mark.parametrize("question_id", of_type("multi"))
def test_of_several_answers_only_those_offered_are_taken(question_id):
    question = PROTOCOL.question(question_id)
    patient = at(question.page)
    said = patient.says.get(question_id) or ("none",)
    refused(patient, question_id, ("no_such_answer",))
    refused(patient, question_id, (*said, "no_such_answer"))
    shared = [o.code for o in question.options if o.code not in question.exclusive]
    if question.exclusive and not question.interrupts and question_id != "foot_signs":
        page = refused(patient, question_id, (shared[-1], question.exclusive[0]))
        assert set(page.form.values[question_id]) == {shared[-1], question.exclusive[0]}
    if question.required:
        refused(patient, question_id, None)


@pytest.mark.parametrize("question_id", of_type("integer", "decimal"))
@pytest.mark.parametrize(
    "typed",
    [
        "-1",
        "99999",
        "1e3",
        "NaN",
        "Infinity",
        "5²",
        "0x10",
        "1,234",
        "forty",
        "9" * 400,
        "4 4",
        "--3",
    ],
)
def test_of_numbers_only_those_within_their_limits_are_taken(question_id, typed):
    page = refused(at(PROTOCOL.question(question_id).page), question_id, typed)
    # a scale of buttons cannot show what an older page posted; a box keeps it
    kept = [] if is_scale(PROTOCOL.question(question_id)) else [typed]
    assert page.form.values.get(question_id, []) == kept


@pytest.mark.parametrize("question_id", of_type("integer", "decimal"))
def test_the_limits_themselves_are_taken(question_id):
    question = PROTOCOL.question(question_id)
    for value in (question.min, question.max):
        patient = at(question.page, **{question_id: str(value), "who": "parent_guardian"})
        patient.answer()
        assert patient.insist().status == 200  # the value may contradict another answer


@pytest.mark.parametrize("question_id", of_type("text"))
@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ("x" * 601, "Use at most 600 characters. You have 601."),
        ("a\x07b", "This has characters we cannot read."),
        (("one", "two"), "Give one answer only."),
    ],
    ids=["too long", "bell", "twice"],
)
def test_of_text_only_readable_text_of_its_length_is_taken(question_id, typed, complaint):
    page = refused(at(PROTOCOL.question(question_id).page), question_id, typed)
    assert any(complaint in error for error in page.errors)


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "{{ settings.SECRET_KEY }}{% debug %}",
        "'; DROP TABLE intake_draft; --",
        "=HYPERLINK(1)",
        "Ünïcödé 🦵 العربية 中文",
        "line one\r\nline two",
        "  spaces around  ",
        "\ttab",
    ],
)
def test_text_of_any_kind_is_stored_as_it_was_written_and_shown_without_harm(text):
    patient = at("reason", reason_text=text)
    patient.walk_to("check")
    assert "<script>" not in patient.page.html
    patient.send()
    stored = Submission.objects.get().answers["reason_text"]
    assert stored == text.replace("\r\n", "\n").strip()


def test_required_questions_left_blank_are_asked_again_in_words():
    patient = at("rls-4")
    page = patient.press("continue", {})
    assert page.status == 422
    assert page.errors.count("Enter a number.") == 3
    assert "Choose one answer." in page.errors
