"""A page with errors comes back by a redirect, with what was typed kept, sealed, in the draft."""

from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from intake.draft_content import MOST_RETURNED
from intake.errors import Refused
from intake.models.submissions import Draft
from intake.questionnaire import drafts, sending
from tests.intake import book
from tests.intake.patient import Page, Patient, step_url
from tests.intake.questionnaire.everything import PROTOCOL, at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crisis_question")]

WORD = "zq-7f3k"  # stands in no page of the program
# on each page: what is wrong, and what of the page must come back as it was typed
FAULTS: dict[str, dict[str, Any]] = {
    "about": {"age_years": WORD},
    "reason": {"reason_text": WORD + "x" * 5000},
    PROTOCOL.question("ferritin").page: {"ferritin": WORD},
    "meds": {"meds_list": f"{WORD}\x07"},
    "contact": {"email": f"{WORD}@", "name": "Quentin Canary"},
    "appointment": {"earliest_year": WORD},
}


def post_at(patient: Patient, step: str, data: dict[str, Any]) -> Any:
    """Post a page, and return the response itself."""
    filled = patient.filled(**data)
    patient.post(patient.page.url, filled)
    _method, _url, response = patient.requests[-2]
    return response


def shown(page: Page) -> dict[str, list[str]]:
    return {name: page.form.values.get(name, []) for name in page.form.asked}


@pytest.mark.parametrize("step", FAULTS)
def test_a_page_with_an_error_redirects_to_itself_and_shows_the_error_until_it_is_answered(step):
    patient = at(step)
    response = post_at(patient, step, FAULTS[step])
    assert (response.status_code, response["Location"]) == (303, step_url(step))
    first = patient.page
    assert first.status == 422
    assert first.title.startswith("Error: ")
    assert first.errors
    for name, typed in FAULTS[step].items():
        assert first.form.values[name] == [typed]
    for again in (patient.get(step_url(step)), patient.get(step_url(step))):  # reload, and Back
        assert (again.status, again.errors) == (422, first.errors)
        assert shown(again) == shown(first)
    assert WORD not in str([url for _method, url, _response in patient.requests])
    assert WORD not in str(patient.client.cookies)
    # once the page is answered well, nothing of it is left
    assert patient.answer().step != step
    assert "returned" not in patient.draft.content
    assert patient.get(step_url(step)).status == 200


@pytest.mark.parametrize("step", FAULTS)
def test_save_and_come_back_later_keeps_what_was_not_understood_as_it_was_typed(step):
    patient = at(step)
    typed = patient.filled(**FAULTS[step])
    assert patient.press("save", typed).step == "save"
    page = patient.get(step_url(step))
    assert (page.status, page.errors) == (200, [])  # it was not judged
    for name in page.form.asked:
        said = typed.get(name, [])
        several = said if isinstance(said, list | tuple) else [said]
        assert page.form.values.get(name, [""]) == [str(one) for one in several] or not said
    assert patient.press("continue").status == 422


def test_what_came_back_is_stored_sealed_and_ends_with_the_draft():
    patient = at("check")
    patient.change("reason")
    patient.answer(**FAULTS["reason"])
    with connection.cursor() as cursor:
        cursor.execute("select content from intake_draft")
        assert WORD.encode() not in bytes(cursor.fetchone()[0])
    assert patient.draft.content["returned"]
    patient.get("/intake/check/")
    patient.send()
    assert "returned" not in patient.draft.content


def test_from_the_check_page_a_page_with_an_error_still_leads_back_to_it():
    patient = at("check")
    patient.change("reason")
    patient.answer(**FAULTS["reason"])
    assert patient.page.url == step_url("reason") + "?change=1"
    assert patient.answer().step == "check"


def test_an_emergency_on_a_page_with_an_error_leads_to_its_emergency_page_first():
    patient = at("safety")
    patient.answer(em_now=("none", "chest_or_breath"))
    assert patient.page.step == "emergency"
    assert "returned" not in patient.draft.content
    assert [status for _m, _u, r in patient.requests if (status := r.status_code) == 303] == []


@contextmanager
def database_down():
    def refuse(execute, sql, params, many, context):
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.parametrize(("lost", "status"), [("database", 503), ("draft", 410)])
def test_without_a_draft_the_page_comes_back_at_once_with_what_was_typed(lost, status):
    patient = at("reason")
    typed = patient.filled(reason_text=f"My story {WORD}")
    if lost == "draft":
        Draft.objects.all().delete()
        page = patient.post(step_url("reason"), typed)
    else:
        with database_down():
            page = patient.post(step_url("reason"), typed)
    assert page.status == status
    assert WORD in page.html


def test_a_device_that_was_left_alone_does_not_show_what_came_back():
    """What is typed on a sensitive question, or as contact details, is hidden like an answer."""
    patient = at("contact")
    patient.answer(**FAULTS["contact"])
    Draft.objects.update(updated_at=timezone.now() - timedelta(minutes=31))
    page = patient.get(step_url("contact"))
    assert WORD not in page.html
    assert "Canary" not in page.html
    # the details count unseen: the patient types again only what was not understood
    page = patient.press("continue", {**page.form.values, "email": "q@example.org"})
    assert patient.draft.content["contact"]["name"] == "Quentin Canary", page.errors


def test_a_sensitive_text_that_came_back_is_not_shown_after_the_device_was_left_alone():
    patient = at("reason")
    patient.answer(**FAULTS["reason"])
    Draft.objects.update(updated_at=timezone.now() - timedelta(minutes=31))
    assert WORD not in patient.get(step_url("reason")).html


def test_the_message_about_an_error_is_in_the_language_of_the_page():
    patient = at("about")
    patient.answer(age_years=WORD)
    english = patient.page.errors
    page = patient.get("/es" + step_url("about"))
    assert page.status == 422
    assert page.errors != english
    assert page.form.values["age_years"] == [WORD]


def test_a_draft_holds_only_the_last_pages_that_came_back():
    """A bot that posts errors on every page does not fill the row."""
    patient = at("check")
    for page in drafts.walk_of(patient.draft).pages:
        patient.client.post(step_url(page.id), {"no_such_field": "x"})
    assert len(patient.draft.content["returned"]) == MOST_RETURNED


def test_a_refusal_of_the_check_page_is_shown_by_a_redirect_until_an_answer_changes(monkeypatch):
    def refuse(**_about):
        raise Refused("Please call us about this.")

    patient = at("check")
    monkeypatch.setattr(sending, "submit", refuse)
    patient.send()
    assert patient.requests[-2][2].status_code == 303
    for page in (patient.page, patient.get("/intake/check/")):
        assert (page.status, "Please call us about this." in page.text) == (409, True)
    patient.change("life")
    patient.answer()
    assert patient.get("/intake/check/").status == 200


def test_a_form_by_which_the_clinic_is_told_comes_back_by_a_redirect():
    patient = at("safety")
    patient.answer(em_now="chest_or_breath")
    patient.press("tell", {"phone": WORD, "name": "Quentin"})
    assert patient.requests[-2][2].status_code == 303
    for page in (patient.page, patient.get("/intake/emergency/")):
        assert page.status == 422
        assert page.form.values["phone"] == [WORD]
    # a mistake that is taken back takes the form with it
    patient.press("mistake")
    assert "returned" not in patient.draft.content


def test_one_more_wish_is_added_by_a_redirect_with_everything_typed():
    patient = at("appointment")
    patient.press("add", patient.filled(earliest_year=WORD))
    assert patient.requests[-2][2].status_code == 303
    for page in (patient.page, patient.get(step_url("appointment"))):
        assert (page.status, page.errors) == (200, [])
        assert page.form.values["earliest_year"] == [WORD]
        assert "days_2" in page.form.controls


def test_another_list_of_times_and_a_missing_time_come_by_a_redirect(settings, lee):
    settings.APPOINTMENT_MODE = "slots"
    patient = Patient()
    patient.jump_to("appointment")
    first, kind = patient.page, str(book.visit_type().pk)
    following = (timezone.localdate() + timedelta(days=40)).isoformat()
    later = patient.post(first.url, {"go": "later", "next": following, "visit": kind})
    assert patient.requests[-2][2].status_code == 303
    assert later.text != first.text
    assert patient.get(step_url("appointment")).text == later.text
    patient.post(first.url, {"go": "continue", "visit": kind})
    assert patient.requests[-2][2].status_code == 303
    for page in (patient.page, patient.get(step_url("appointment"))):
        assert (page.status, page.errors) == (422, ["Choose a time."])
