"""Shared and own devices: how long a browser finds its answers, and what the patient is told."""

from datetime import timedelta

import pytest
from django.conf import settings as site
from django.db import connection
from django.utils import timezone

from clinic.outgoing import outbox
from intake.models.submissions import Device, Draft
from tests import builders
from tests.intake.patient import Patient, step_url
from tests.intake.way_in import MAILBOX, asking, code_in, enter, letters, saved

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "fresh_pages")]
HOUR = 60
MOMENTS = (19, 21, 29, 31, 24 * HOUR - 1, 24 * HOUR + 1)
OLD_COLUMNS = (
    "id, key_hash, kind, protocol_hash, language, content, reference, address_keys, follows_id,"
    " revision, created_at, updated_at, submission_id"
)


def leave_alone(minutes: float) -> None:
    """Let the patient's last click be `minutes` ago."""
    Draft.objects.update(updated_at=timezone.now() - timedelta(minutes=minutes))


def begun(button: str, url: str = "/intake/", **says) -> Patient:
    patient = Patient(**says)
    patient.get(url)
    patient.press(button)
    patient.answer()
    assert patient.page.step in ("about", "reason")
    return patient


def begun_by_the_release_before() -> Patient:
    """Begin a draft as the previous release stores it: without a value in the new column."""
    patient = begun("mine")
    with connection.cursor() as cursor:
        cursor.execute(
            f"create temporary table kept on commit drop as select {OLD_COLUMNS} from intake_draft"
        )
        cursor.execute("delete from intake_draft")
        cursor.execute(f"insert into intake_draft ({OLD_COLUMNS}) select {OLD_COLUMNS} from kept")
    return patient


@pytest.mark.parametrize(
    ("device", "last"),
    [("mine", 24 * HOUR - 1), ("shared", 19), ("kiosk", 19), ("before", 29)],
)
def test_a_device_finds_its_answers_for_as_long_as_was_said(device, last, settings):
    settings.SHARED_DEVICE = device == "kiosk"
    if device == "before":
        patient = begun_by_the_release_before()
    else:
        patient = begun("mine" if device == "mine" else "shared")
    for minutes in MOMENTS:
        leave_alone(minutes)
        looked = patient.get(step_url("about")).status
        assert looked == (200 if minutes <= last else 410), minutes
    leave_alone(last)
    patient.get(step_url("about"))
    assert patient.answer().step == "reason", "and a page that is answered counts anew"
    assert patient.get(step_url("about")).status == 200


def test_a_post_that_does_not_say_whose_device_it_is_begins_the_safer_way():
    for data in ({}, {"go": "start"}, {"device": "nobody's"}, {"device": ""}):
        patient = Patient()
        assert patient.post("/intake/", data).step == "safety"
        assert Draft.objects.latest("id").device == Device.SHARED


@pytest.mark.parametrize("url", ["/intake/", "/appointments/", "/es/intake/", "/es/appointments/"])
def test_the_start_says_what_each_button_means_and_both_begin(url):
    for button in ("mine", "shared"):
        begun(button, url)
        assert Draft.objects.latest("id").device == button
    page = Patient().get(url)
    for told in ("24 h", "20 min", "30 min", "7 d"):
        assert told in page.text
    (form,) = (form for form in page.forms if "mine" in form.buttons)
    assert form.buttons == ["mine", "shared"]
    assert page.html.count('class="button" name="device"') == 2, "of one size and colour"


def test_a_kiosk_has_one_button_and_knows_no_own_device(settings):
    patient = Patient()
    patient.post("/intake/", {"device": "mine"})
    settings.SHARED_DEVICE = True
    assert patient.get(step_url("safety")).status == 200
    leave_alone(21)
    assert patient.get(step_url("safety")).status == 410, "begun before it became a kiosk"
    page = Patient().get("/intake/")
    assert page.form.buttons == ["shared"]
    assert "this device is mine" not in page.text
    assert "24 hours" not in page.text
    Patient().post("/intake/", {"device": "mine"})
    assert Draft.objects.latest("id").device == Device.SHARED


def test_the_key_goes_with_the_window_where_others_use_the_device():
    for button, lasts in (("mine", site.DRAFT_DAYS * 24 * HOUR * 60), ("shared", "")):
        patient = begun(button)
        cookies = [response.cookies for _method, _url, response in patient.requests]
        name = site.DRAFT_COOKIE_NAME
        set_by = [c[name] for c in cookies if name in c]
        assert len(set_by) == 2, "at the start, and with the page answered"
        assert {morsel["max-age"] for morsel in set_by} == {lasts}
        assert {(m["httponly"], m["samesite"], m["path"]) for m in set_by} == {(True, "Lax", "/")}


def test_every_page_says_how_long_the_device_finds_the_answers():
    for button, told in (("mine", "24 hours"), ("shared", "20 minutes")):
        patient = begun(button)
        sentence = f"If you stop here, you can continue on this device for {told}."
        for step in ("about", "contact", "appointment", "check"):
            assert sentence in patient.walk_to(step).text, step
    patient = begun_by_the_release_before()
    assert "for 30 minutes." in patient.get(step_url("about")).text


def test_when_time_has_run_out_the_page_says_so_and_leads_back_by_a_code():
    patient, _number = saved("about", MAILBOX)
    Draft.objects.update(device=Device.SHARED)
    leave_alone(21)
    for page in (patient.get(step_url("rls")), patient.get("/intake/check/")):
        assert page.status == 410
        assert "You did not use this device for more than 20 minutes." in page.text
        assert "We can send you a code that opens them until " in page.text
        assert [form.action for form in page.forms] == ["/my/back/"]
        assert MAILBOX not in page.html
    page = patient.post(step_url("about"), {"age_years": "44"})
    assert (page.status, "What you just typed" in page.text) == (410, True)
    assert [form.action for form in page.forms] == ["/my/back/"]


def test_answers_without_an_address_are_not_promised_a_code():
    patient = begun("mine")
    patient.walk_to("reason")
    leave_alone(24 * HOUR + 1)
    page = patient.get(step_url("reason"))
    assert page.status == 410
    assert "for more than 24 hours" in page.text
    assert "no code can open your answers" in page.text
    assert not page.links_to("/intake/resume/")


def test_a_browser_without_a_key_is_told_nothing_of_anybody():
    begun("shared")
    leave_alone(21)
    assert Patient().get(step_url("about")).path == "/intake/"
    page = Patient().post(step_url("about"), {"age_years": "44"})
    assert page.status == 410
    assert (
        "24 hours, and a shared device for 20 minutes or until you close the browser" in page.text
    )
    stranger = Patient()
    stranger.client.cookies[site.DRAFT_COOKIE_NAME] = "x" * 43
    assert stranger.get(step_url("about")).path == "/intake/"


def test_going_on_from_an_old_page_never_begins_a_new_draft_unasked():
    patient = begun("shared")
    patient.get("/intake/")
    leave_alone(21)
    page = patient.press("continue")
    assert page.status == 410
    assert Draft.objects.count() == 1
    patient = Patient()
    patient.whole_journey()
    assert patient.post("/intake/", {"go": "continue"}).path == "/intake/sent/"


def test_start_new_asks_again_whose_device_it_is():
    patient = begun("mine")
    page = patient.get("/intake/")
    assert "Or start over" in page.text
    assert "20 minutes" in page.text
    asked = patient.press("shared")
    patient.post("/intake/", asked.forms[1].values)
    assert Draft.objects.get().device == Device.SHARED
    assert Draft.objects.get().content["answers"] == {}


def test_a_code_and_an_addition_open_as_on_a_device_that_others_use():
    _first, number = saved("about")
    assert Draft.objects.get().device == Device.MINE
    letters()
    second = asking(number)
    enter(second, code_in(letters()))
    assert Draft.objects.get().device == Device.SHARED
    assert second.client.cookies[site.DRAFT_COOKIE_NAME]["max-age"] == ""
    leave_alone(21)
    page = second.get(step_url("about"))
    assert page.status == 410
    assert [form.action for form in page.forms] == ["/my/back/"], "a code, as before"

    submission = builders.submission()
    outbox.deliver_due()
    patient = asking(submission.reference)
    enter(patient, code_in(letters()))
    patient.post("/my/add/", {})
    assert Draft.objects.get(follows=submission).device == Device.SHARED


def test_saving_says_for_how_long_this_device_finds_the_answers():
    for button, told in (
        ("mine", "You can continue on this device for 24 hours."),
        ("shared", "After 20 minutes this device can no longer open your answers."),
    ):
        patient = begun(button)
        patient.get("/intake/save/")
        page = patient.press("save", {"address": MAILBOX})
        assert told in page.text


def test_the_papers_for_patients_tell_the_same_times(settings):
    settings.DRAFT_OWN_HOURS, settings.DRAFT_SHARED_MINUTES = 12, 15
    for url in ("/privacy/", "/accessibility/"):
        page = Patient().get(url)
        assert "12 hours" in page.text
        assert "15 minutes" in page.text
