"""The page asks back once about answers that contradict each other. The patient may keep them."""

import pytest

from intake.domain.asked_back import asked_back
from intake.models.submissions import Submission
from intake.protocols import current
from tests.intake.questionnaire.everything import PROTOCOL, at, refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crisis_question")]

STEP = PROTOCOL.page_of("lr7_nights").id
SENTENCE = "You gave 0 for days and 7 for nights. Is that right? If so, press Continue again."


def test_more_nights_than_days_are_asked_back_and_accepted_the_second_time():
    patient = at(STEP, lr7_days="0", lr7_nights="7")
    page = refused(patient, "lr7_nights", "7")
    assert page.errors == [SENTENCE]
    assert page.form.values["lr7_nights"] == ["7"]
    page = patient.press("continue")
    assert page.step != STEP
    assert patient.draft.content["answers"]["lr7_nights"] == 7
    patient.get(patient.page.link("Back"))
    assert patient.answer().step != STEP  # accepted answers are not asked about again
    patient.walk_to("check")
    patient.send()
    assert "F07" in [fired.id for fired in Submission.objects.get().result.flags]


def test_other_answers_are_asked_back_anew_and_fitting_ones_are_not():
    patient = at(STEP, lr7_days="0", lr7_nights="7")
    patient.answer()
    assert patient.answer(lr7_days="1").errors == [SENTENCE.replace("0 for", "1 for")]
    assert patient.answer(lr7_days="7").step != STEP


def test_an_error_beside_it_comes_first():
    patient = at(STEP, lr7_days="0", lr7_nights="7")
    page = patient.answer(lr7_strength="11")
    assert page.errors == ["Enter a whole number from 0 to 10."]


def test_the_question_is_asked_in_spanish():
    patient = at(STEP, lr7_days="0", lr7_nights="7")
    page = patient.post(f"/es{patient.page.path}", patient.filled() | {"go": "continue"})
    assert page.status == 422
    assert "Usted puso 0 en días y 7 en noches." in page.text


def test_hidden_answers_are_not_given_away_by_a_question():
    rule = current().rule("F07")
    page, answers = PROTOCOL.page(STEP), {"lr7_days": 0, "lr7_nights": 7}
    assert list(asked_back(PROTOCOL, page, answers)) == [("lr7_nights", rule)]
    assert not list(asked_back(PROTOCOL, page, answers, hidden=["lr7_days"]))
    assert not list(asked_back(PROTOCOL, page, {"lr7_days": 0}))
