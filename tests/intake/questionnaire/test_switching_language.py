"""The buttons that change the language keep what is typed on the page, and judge emergencies."""

from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connection

from intake.models.submissions import Communication, Submission
from tests import builders
from tests.intake.patient import Patient, step_url
from tests.intake.questionnaire.everything import at
from tests.intake.questionnaire.stops import Down, stopped
from tests.intake.way_in import inside

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crisis_question")]

WORD = "zq-7f3k"
TYPED: dict[str, dict[str, Any]] = {
    "about": {"age_years": WORD},
    "reason": {"reason_text": f"{WORD} It creeps."},
    "meds": {"meds_list": WORD},
    "contact": {"name": "", "email": f"{WORD}@", "birth_date_month": WORD},
    "appointment": {"earliest_year": WORD, "days": ["mon", "wed"]},
}


@pytest.mark.parametrize("step", TYPED)
def test_another_language_shows_what_is_typed_and_judges_nothing(step):
    patient = at(step)
    before = patient.counted
    page = patient.press("es", patient.filled(**TYPED[step]))
    assert (page.url, page.status, page.errors) == ("/es" + step_url(step), 200, [])
    assert patient.requests[-2][2].status_code == 303
    for name, typed in TYPED[step].items():
        said = typed if isinstance(typed, list) else [typed]
        assert page.form.values.get(name) == said, name
    assert patient.counted == before
    assert patient.draft.language == "es"
    # and back again
    page = patient.press("en")
    assert page.url == step_url(step)
    for name, typed in TYPED[step].items():
        assert page.form.values.get(name) == (typed if isinstance(typed, list) else [typed])
    assert WORD not in str([url for _method, url, _response in patient.requests])


def test_the_errors_of_a_page_are_there_in_the_other_language():
    patient = at("about")
    english = patient.answer(age_years=WORD)
    page = patient.press("es")
    assert (page.status, page.path) == (422, "/es" + step_url("about"))
    assert page.errors
    assert page.errors != english.errors


@pytest.mark.parametrize("answers", [["chest_or_breath"], ["none", "chest_or_breath"]])
def test_an_emergency_that_is_ticked_is_heard_in_the_other_language(answers):
    patient = at("safety")
    page = patient.press("es", patient.filled(em_now=answers))
    assert page.path == "/es/intake/emergency/"
    assert page.red_card
    assert patient.draft.content["stops"]


def test_an_emergency_that_only_earlier_answers_make_is_heard_in_the_other_language():
    """The page alone does not fire the rule: the rule reads an answer of an earlier page, too."""
    patient = Patient()
    patient.jump_to("safety")
    patient.answer(em_now=("chest_or_breath",))
    patient.press("mistake")
    page = patient.press("es", patient.filled(em_now=("chest_or_breath",)))
    assert page.path == "/es/intake/emergency/"


def test_the_choice_between_two_windows_is_asked_in_the_other_language():
    patient = at("life")
    old = patient.page
    patient.answer(tobacco="former")
    patient.seen.append(old)
    patient.answer(tobacco="current")
    page = patient.press("es", {"keep_tobacco": "this", "choose": "tobacco"})
    assert page.path == "/es" + step_url("life")
    assert page.form.values["keep_tobacco"] == ["this"]


def test_a_language_that_the_site_does_not_have_changes_nothing():
    patient = at("life")
    response = patient.client.post(step_url("life"), {"language": "xx", "tobacco": "current"})
    assert response.status_code == 303
    assert response["Location"] == step_url("life")


@pytest.mark.parametrize("database", ["up", "down"])
def test_the_emergency_page_in_another_language_keeps_the_number_that_is_typed(database):
    patient = stopped()
    button = 'form="tell" formaction="/es/intake/emergency/" name="language" value="es"'
    assert button in patient.page.html
    typed = {"phone": f"{WORD} 0147", "name": "Quentin", "language": "es"}
    with connection.execute_wrapper(Down()) if database == "down" else nullcontext():
        page = patient.post("/es/intake/emergency/", typed)
    assert (page.path, page.red_card, page.errors) == ("/es/intake/emergency/", True, [])
    assert page.status == (503 if database == "down" else 200)
    assert page.form.values["phone"] == [typed["phone"]]
    assert page.form.values["name"] == ["Quentin"]
    assert not Submission.objects.exists()
    assert WORD not in str([url for _method, url, _response in patient.requests])


def test_the_page_of_a_request_in_another_language_keeps_the_message_and_does_not_send_it():
    patient = inside(builders.submission())
    page = patient.get("/my/")
    assert 'form="reply" formaction="/es/my/reply/" name="language" value="es"' in page.html
    page = patient.post("/es/my/reply/", {"text": WORD, "language": "es"})
    assert (page.status, page.errors) == (200, [])
    assert page.form.values["text"] == [WORD]
    assert 'lang="es"' in page.html
    assert not Communication.objects.exists()
