"""Double clicks, reloads, two windows, old forms, no database: nothing is lost or sent twice."""

from contextlib import contextmanager

import psycopg2
import pytest
from django.conf import settings as site
from django.db import DatabaseError, OperationalError, connection
from django.test import Client

from clinic.models import Message
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Draft, StatusChange, Submission
from intake.protocols import current
from intake.questionnaire import sending
from intake.questionnaire.forms.send import SendForm
from tests.desk import Trail
from tests.intake.patient import FORM, TALKATIVE, Page, Patient, step_url, urlencoded

pytestmark = pytest.mark.django_db
SEND = {"go": "send", "consent": "on"}
STEPS = ["safety", "about", "reason", "rls-4", "veins", "meds-4", "life"]


def at(step: str, **says) -> Patient:
    patient = Patient(**{**TALKATIVE, **says})
    patient.jump_to(step)
    return patient


@contextmanager
def database_down():
    def refuse(execute, sql, params, many, context):
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        yield


def kept(page: Page, typed: dict) -> None:
    """Check that the page that came back shows everything that was typed."""
    shown = page.form.values
    for name, value in typed.items():
        if name in ("go", "csrfmiddlewaretoken", "change"):
            continue
        said = [str(v) for v in value] if isinstance(value, tuple | list) else [str(value)]
        assert shown.get(name, [""]) == said, name


# --- twice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [*STEPS, "contact", "appointment"])
def test_a_page_sent_twice_is_stored_once(step):
    patient = at(step)
    page, typed = patient.page, patient.filled()
    patient.post(page.url, typed)
    first = patient.page
    before = patient.draft.content
    patient.post(page.url, typed)
    assert patient.page.url == first.url
    after = patient.draft.content
    assert after["visited"] == before["visited"]
    assert after["answers"] == before["answers"]
    assert after["contact"] == before["contact"]
    assert after["wish"] == before["wish"]


def test_sent_twice_is_one_submission_with_one_of_everything():
    trail = Trail()
    patient = at("check")
    patient.client.post("/intake/check/", SEND)
    page = patient.post("/intake/check/", SEND)
    assert page.path == "/intake/sent/"
    for model in (Submission, AppointmentRequest, StatusChange):
        assert model.objects.count() == 1, model
    assert [event.action for event in trail.events()] == ["create"]
    assert Submission.objects.get().reference in page.text


def test_sending_one_draft_again_gives_the_same_submission():
    draft, consent = at("check").draft, SendForm.consent_given()
    first = sending.submit(draft=Draft.objects.get(pk=draft.pk), consent=consent)
    again = sending.submit(draft=Draft.objects.get(pk=draft.pk), consent=consent)
    assert first == again
    assert first.reference == again.reference


def test_reloading_the_receipt_shows_the_same_receipt():
    patient = at("check")
    first = patient.send()
    again = patient.get("/intake/sent/")
    assert again.text == first.text


def test_beginning_twice_leaves_one_draft():
    patient = Patient()
    patient.get("/intake/")
    start = patient.page
    for _click in range(2):
        patient.post("/intake/", start.form.values | {"device": "mine"})
    assert Draft.objects.count() == 1


def test_leaving_twice_is_leaving():
    patient = at("life")
    patient.get("/intake/leave/")
    patient.press("leave")
    assert patient.post("/intake/leave/", {"go": "leave"}).path == "/"


def test_after_sending_every_old_page_leads_to_the_receipt():
    patient = at("check")
    old = patient.page
    reference = patient.send().text
    for step in ("safety", "about", "contact", "appointment", "life"):
        assert patient.get(step_url(step)).path == "/intake/sent/"
        assert patient.post(step_url(step), {"tobacco": "current"}).path == "/intake/sent/"
    assert patient.get("/intake/check/").path == "/intake/sent/"
    assert patient.post(old.url, {"go": "send"}).text == reference
    assert Submission.objects.count() == 1


def test_after_sending_one_may_begin_anew():
    patient = at("check")
    patient.send()
    page = patient.get("/intake/")
    assert page.form.buttons == ["mine", "shared"]
    assert patient.press("shared").step == "safety"
    assert Submission.objects.count() == 1


def test_the_draft_holds_no_answers_once_it_was_sent():
    patient = at("check")
    patient.send()
    content = patient.draft.content
    assert content["answers"] == content["contact"] == content["wish"] == {}


# --- two windows ---------------------------------------------------------------------------------


def test_two_windows_save_two_pages():
    patient = at("life")
    one = patient.get(step_url("reason"))
    typed_one = patient.filled(reason_text="from window one")
    other = patient.get(step_url("meds"))
    typed_other = patient.filled(meds_list="from window two")
    patient.post(one.url, typed_one)
    patient.post(other.url, typed_other)
    answers = patient.draft.content["answers"]
    assert answers["reason_text"] == "from window one"
    assert answers["meds_list"] == "from window two"


def test_a_window_whose_page_is_gone_says_so_and_loses_nothing():
    patient = at("life")
    old = patient.get(step_url("veins-3"))
    typed = patient.filled(vein_bleed="over_7d")
    patient.get(step_url("veins"))
    patient.answer(vein_look=("none",))
    before = patient.draft.content
    page = patient.post(old.url, typed)
    assert page.status in (409, 422)
    assert patient.draft.content == before


def test_a_window_left_open_while_the_other_cleared_the_device_keeps_what_was_typed():
    patient = at("reason")
    page, typed = patient.page, patient.filled(reason_text="my long story")
    patient.get("/intake/leave/")
    patient.press("leave")
    page = patient.post(page.url, typed)
    assert page.status == 410
    assert "my long story" in page.text


def test_a_draft_cleared_in_the_very_moment_of_saving_keeps_what_was_typed():
    patient = at("reason")
    typed = patient.filled(reason_text="my long story")

    def clear(execute, sql, params, many, context):
        if "update intake_draft" in sql.lower():
            with connection.cursor() as cursor:
                cursor.cursor.execute("DELETE FROM intake_draft")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(clear):
        page = patient.post(step_url("reason"), typed)
    assert page.status == 409
    kept(page, typed)


def test_a_draft_cleared_in_the_very_moment_of_sending_is_said_to_be_gone():
    patient = at("check")

    def clear(execute, sql, params, many, context):
        if "FOR NO KEY UPDATE" in sql:
            with connection.cursor() as cursor:
                cursor.cursor.execute("DELETE FROM intake_draft")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(clear):
        page = patient.post("/intake/check/", SEND)
    assert page.status == 410
    assert not Submission.objects.exists()


# --- an old form ---------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [*STEPS, "contact", "appointment"])
def test_an_expired_form_comes_back_with_what_was_typed(step):
    patient = at(step)
    patient.client.handler.enforce_csrf_checks = True
    typed = {**patient.filled(), "csrfmiddlewaretoken": "x" * 64}
    before = patient.draft.content
    page = patient.post(step_url(step), typed)
    assert page.status == 403
    assert "had been open for too long, so nothing was saved" in page.text
    kept(page, typed)
    assert patient.draft.content == before
    page = patient.press("continue")  # the form of this page has a fresh token
    assert page.status == 200
    assert patient.draft.content != before


def test_an_expired_check_page_can_be_sent_again():
    patient = at("check")
    patient.client.handler.enforce_csrf_checks = True
    page = patient.post("/intake/check/", SEND | {"csrfmiddlewaretoken": "x" * 64})
    assert page.status == 403
    assert "We kept your answers." in page.text
    assert patient.press("send").path == "/intake/sent/"


def test_a_form_that_another_site_filled_in_is_not_shown_with_its_words():
    patient = at("reason")
    patient.client.handler.enforce_csrf_checks = True
    data = {"reason_text": "words of another site"}
    response = patient.client.post(
        step_url("reason"), urlencoded(data), **FORM, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert response.status_code == 403
    assert b"words of another site" not in response.content


# --- a lost database -----------------------------------------------------------------------------


@pytest.mark.parametrize("step", [*STEPS, "contact", "appointment"])
def test_without_a_database_the_page_comes_back_with_what_was_typed(step):
    patient = at(step)
    typed = patient.filled()
    before = patient.draft.content
    with database_down():
        page = patient.post(step_url(step), typed)
    assert page.status == 503
    assert page.response["Retry-After"] == "30"
    assert "Your answers are still here: please send again." in page.text
    kept(page, typed)
    assert patient.draft.content == before
    assert patient.press("continue").status == 200
    assert patient.draft.content != before


def test_without_a_database_the_check_page_offers_to_send_again():
    patient = at("check")
    with database_down():
        page = patient.send()
    assert page.status == 503
    assert page.response["Retry-After"] == "30"
    assert patient.press("send").path == "/intake/sent/"
    assert Submission.objects.count() == 1


def test_a_database_that_dies_in_the_midst_of_answering_is_down_too():
    patient = at("life")
    typed = patient.filled()

    def die(execute, sql, params, many, context):
        # when the connection breaks, psycopg2 raises its base class, without an error code
        raise DatabaseError("server closed the connection") from psycopg2.DatabaseError()

    with connection.execute_wrapper(die):
        page = patient.post(step_url("life"), typed)
        other = patient.client.get("/intake/check/")
    assert (page.status, other.status_code) == (503, 503)
    kept(page, typed)


@pytest.mark.parametrize("url", ["/intake/legs/p/life/", "/intake/check/", "/intake/sent/"])
def test_without_a_database_other_pages_say_so_and_whom_to_call(url):
    patient = at("life")
    with database_down():
        page = patient.get(url)
    assert page.status == 503
    assert page.links_to("tel:911")


def fail_late(execute, sql, params, many, context):
    """Let the last database statement of sending fail."""
    if "aud.inbox" in sql:
        raise OperationalError("the disk is full")
    return execute(sql, params, many, context)


def test_a_submission_is_stored_whole_or_not_at_all():
    patient = at("check")
    with connection.execute_wrapper(fail_late):
        assert patient.send().status == 503
    for model in (Submission, AppointmentRequest, StatusChange):
        assert not model.objects.exists()
    assert patient.draft.submission is None
    assert patient.draft.content["answers"]
    assert patient.press("send").path == "/intake/sent/"


def test_who_had_to_send_often_until_it_went_is_written_to_all_the_same():
    patient = at("check")
    with connection.execute_wrapper(fail_late):
        for _try in range(5):
            assert patient.send().status == 503
    assert patient.press("send").path == "/intake/sent/"
    assert Message.objects.filter(kind="confirmation").count() == 1


def test_who_is_still_typing_is_never_cut_off():
    patient = at("life")
    for page in (step_url("life"), "/intake/legs/p/no-such-page/"):
        response = patient.client.post(page, {})
        assert response.cookies[site.DRAFT_COOKIE_NAME].value == patient.key
        assert response.cookies[site.DRAFT_COOKIE_NAME]["max-age"]
    assert site.DRAFT_COOKIE_NAME not in patient.client.get(step_url("life")).cookies


# --- too often -----------------------------------------------------------------------------------


def test_who_begins_too_often_waits_and_keeps_what_is_there(settings):
    patient = at("life")
    settings.LIMIT_INTAKE_STARTS = 1
    Patient().start()
    patient.get("/intake/")
    page = patient.press("mine")
    assert page.status == 429
    assert page.response["Retry-After"]
    assert page.links_to("tel:911")
    assert patient.get(step_url("life")).step == "life"


def test_who_sends_too_often_keeps_the_answers_and_can_send_later(settings):
    settings.LIMIT_INTAKE_SENDS = 1
    at("check").send()
    patient = Patient(**TALKATIVE)
    patient.jump_to("check")
    page = patient.send()
    assert page.status == 429
    assert "Your answers are kept." in page.text
    assert TALKATIVE["reason_text"] in page.text
    settings.LIMIT_INTAKE_SENDS = 1_000_000
    assert patient.press("send").path == "/intake/sent/"
    assert Submission.objects.count() == 2


def test_another_network_is_not_held_up(settings):
    settings.LIMIT_INTAKE_STARTS = 1
    Patient().start()
    assert Client().post("/intake/", REMOTE_ADDR="198.51.100.7").status_code == 302
    assert Client().post("/intake/").status_code == 429


def test_the_protocol_of_a_draft_stays_the_one_it_was_begun_with():
    draft = at("life").draft
    assert draft.protocol_id == current().content_hash
