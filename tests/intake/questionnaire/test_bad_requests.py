"""Requests that do not come from our pages never cause an error and are never half stored."""

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from intake.models.submissions import Draft
from tests.intake.patient import Patient, step_url
from tests.intake.questionnaire.everything import at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("crisis_question")]


def test_an_unknown_field_saves_nothing_and_says_so():
    patient = at("life")
    before = patient.counted
    page = patient.answer(is_admin="1")
    assert page.status == 422
    assert "did not come from our form" in page.text
    assert page.form.values["tobacco"] == ["never"]
    assert patient.counted == before


@pytest.mark.parametrize("step", ["contact", "appointment"])
def test_an_unknown_field_beside_the_contact_or_the_wish_saves_nothing(step):
    patient = at(step)
    page = patient.answer(is_staff="1")
    assert page.status == 422
    assert "did not come from our form" in page.text
    assert step not in patient.draft.content["visited"]


def test_a_value_for_a_hidden_question_saves_nothing():
    patient = Patient(vein_look=("varicose",), vein_bleed="never")
    patient.start()
    patient.walk_to("veins-3")
    page = patient.answer(wound_time="lt_2w")
    assert page.status == 422
    assert "vein_bleed" not in patient.draft.content["answers"]


def test_answers_of_another_page_do_not_slip_in():
    patient = at("life")
    assert patient.answer(age_years="15").status == 422
    assert patient.draft.content["answers"]["age_years"] == 44


def test_a_page_that_is_not_next_yet_is_not_opened():
    patient = at("reason")
    assert patient.get(step_url("life")).step == "reason"
    before = patient.counted
    page = patient.post(step_url("life"), {"tobacco": "current"})
    assert page.status == 409
    assert "We kept your other answers." in page.text
    assert patient.get(page.link("Continue with my answers")).step == "reason"
    assert patient.counted == before


def test_a_page_that_is_not_on_the_way_is_not_opened():
    patient = Patient()
    patient.start()
    patient.walk_to("reason")
    assert patient.get(step_url("about-2")).step == "reason"
    assert patient.post(step_url("about-2"), {"pregnancy_status": "no"}).status == 409


@pytest.mark.parametrize("step", ["nonsense", "contact-2", "admin", "x" * 300, "em_now", "-"])
def test_a_page_that_does_not_exist_is_not_found(step):
    patient = at("reason")
    assert patient.get(f"/intake/legs/p/{step}/").status == 404
    assert patient.post(f"/intake/legs/p/{step}/", {"a": "b"}).status == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace", "options"])
def test_other_methods_are_refused(method):
    client = Client()
    for url in ("/intake/", step_url("safety"), "/intake/check/", "/intake/emergency/"):
        assert getattr(client, method)(url).status_code == 405


@pytest.mark.parametrize("url", ["/intake/sent/", "/intake/refused/"])
def test_pages_to_read_take_no_form(url):
    assert Client().post(url, {}).status_code == 405


@pytest.mark.parametrize(
    "key", ["", "nonsense", "é" * 50, "a" * 4000, "\x01", "../../etc/passwd", "0" * 43]
)
def test_a_foreign_or_broken_cookie_is_nobodys(key):
    at("reason")
    stranger = Patient()
    stranger.client.cookies[settings.DRAFT_COOKIE_NAME] = key
    assert stranger.get(step_url("reason")).path == "/intake/"
    assert stranger.get("/intake/check/").path == "/intake/"
    page = stranger.post(step_url("reason"), {"main_reason": "veins", "reason_text": "typed words"})
    assert page.status == 410
    assert "typed words" in page.text
    assert "Varicose or spider veins" in page.text
    assert stranger.post("/intake/check/", {}).status == 410
    assert stranger.post("/intake/emergency/", {"go": "tell"}).status == 410


def test_a_contact_typed_without_a_draft_can_be_copied():
    page = Patient().post(
        step_url("contact"), {"name": "Quentin Canary", "callback_phone": "202-555-0147"}
    )
    assert page.status == 410
    assert "Quentin Canary" in page.text
    assert "202-555-0147" in page.text


def test_a_key_of_a_cleared_draft_opens_nothing():
    patient = at("reason")
    key = patient.key
    patient.get("/intake/leave/")
    patient.press("leave")
    patient.client.cookies[settings.DRAFT_COOKIE_NAME] = key
    assert patient.get(step_url("reason")).path == "/intake/"


def test_two_patients_never_meet():
    one, other = at("life"), at("life")
    assert one.key != other.key
    one.answer(tobacco="current")
    other.answer(tobacco="never")
    said = {d.content["answers"]["tobacco"] for d in Draft.objects.all()}
    assert said == {"current", "never"}


@pytest.mark.parametrize(
    "body",
    [
        b"tobacco=%00",
        b"tobacco=%ff%fe",
        b"tobacco=%zz",
        b"\x00" * 50,
        b"&&&===",
        b"tobacco=" + b"x" * 150_000,
        b"&".join(b"a%d=1" % n for n in range(500)),
    ],
)
def test_bytes_that_no_browser_sends_are_refused(body):
    patient = at("life")
    before = patient.counted
    response = patient.client.post(
        step_url("life"), body, content_type="application/x-www-form-urlencoded"
    )
    assert response.status_code in (400, 413, 303)
    assert patient.counted == before


def test_json_and_files_are_no_answers():
    patient = at("life")
    before = patient.counted
    url = step_url("life")
    assert patient.client.post(url, '{"tobacco": "never"}', content_type="application/json")
    file = SimpleUploadedFile("x.txt", b"never")
    response = patient.client.post(url, {"tobacco": "never", "habits": file})
    assert response.status_code < 500
    nul = patient.client.post(step_url("life"), {"tobacco": "never\x00"})
    assert nul.status_code in (400, 303)
    assert patient.draft.content["answers"].get("si_screen") == before["answers"].get("si_screen")
