"""A patient saves answers and finishes them later, in another browser."""

from datetime import timedelta

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.utils import timezone

from clinic.models import Message
from intake.models.submissions import Draft, Submission
from intake.questionnaire import drafts
from tests import builders
from tests.desk import Trail
from tests.intake.patient import Patient, step_url
from tests.intake.questionnaire.veil import leave_alone
from tests.intake.way_in import MAILBOX, OTHER, asking, code_in, enter, inside, letters, saved

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]


@pytest.mark.parametrize("step", ["safety", "reason", "rls-4", "contact", "appointment"])
def test_answers_saved_in_one_browser_are_finished_in_another(step):
    first, number = saved(step)
    assert number in first.page.text
    (text,) = letters()
    assert number in text
    second = Patient()
    second.get("/intake/resume/")
    second.post("/intake/resume/", {"reference": number.lower(), "address": MAILBOX.upper()})
    page = enter(second, code_in(letters()))
    assert page.step == (drafts.walk_of(Draft.objects.get()).first_open or "check")
    second.walk_to("check")
    second.send()
    assert Submission.objects.get().reference == number
    # the browser that began the draft can no longer reach it
    assert first.get("/intake/check/").path == "/intake/"


def test_who_owns_the_mailbox_hears_that_saved_answers_were_opened():
    _first, number = saved("reason")
    letters()
    second = asking(number)
    enter(second, code_in(letters()))
    (text,) = letters()
    assert MAILBOX in text
    assert "opened just now" in text


def test_what_was_ticked_on_the_unfinished_page_is_saved_too():
    patient = Patient()
    patient.start()
    patient.walk_to("about")
    patient.press("save", {"who": "self", "age_years": "nonsense"})
    assert patient.page.path == "/intake/save/"
    safe = {"em_now": ["none"], "em_past": ["none"]}
    assert patient.draft.content["answers"] == {**safe, "who": "self"}


def test_an_emergency_is_not_saved_for_later():
    patient = Patient()
    patient.start()
    patient.press("save", {"em_now": "chest_or_breath"})
    assert patient.page.red_card


def test_a_contact_half_typed_is_there_again():
    patient = Patient()
    patient.start()
    patient.walk_to("contact")
    patient.press("save", {"name": "Quentin", "callback_phone": "202-555-01"})
    patient.get(step_url("contact"))
    assert patient.page.form.values["name"] == ["Quentin"]
    assert patient.page.form.values["callback_phone"] == ["202-555-01"]
    assert "consent" not in patient.page.form.values
    assert patient.answer().step == "appointment"
    assert "typed" not in patient.draft.content


def test_saving_twice_tells_the_number_once():
    patient, number = saved("about")
    patient.post("/intake/save/", {"address": MAILBOX, "go": "save"})
    assert number in patient.page.text
    assert len(letters()) == 1


@pytest.mark.parametrize("address", ["", "nobody", "a@b", '"x"@example.org', "a@example.org\0"])
def test_an_address_that_takes_no_mail_is_asked_for_again(address):
    patient = Patient()
    patient.start()
    patient.get("/intake/save/")
    page = patient.post("/intake/save/", {"address": address})
    assert page.status in (400, 422)
    assert not Message.objects.exists()
    if page.status == 422:  # it came back by a redirect, and a reload shows the same
        assert patient.requests[-2][2].status_code == 303
        assert patient.get("/intake/save/").text == page.text
        assert patient.get("/intake/save/").form.values["address"] == [address]


def test_a_mistyped_address_is_not_shown_on_a_device_that_was_left_alone():
    patient = Patient()
    patient.start()
    patient.answer()
    patient.post("/intake/save/", {"address": f"{MAILBOX} zq-7f3k"})
    leave_alone()
    assert "zq-7f3k" not in patient.get("/intake/save/").html


def test_a_browser_that_lies_idle_finds_nothing_but_the_way_back():
    patient, _number = saved("about")
    idle = timezone.now() - timedelta(hours=site.DRAFT_OWN_HOURS, seconds=1)
    Draft.objects.update(updated_at=idle)
    page = patient.post(step_url("about"), {"who": "self"})
    assert page.status == 410
    assert [form.action for form in page.forms] == ["/my/back/"]


def test_after_the_time_of_the_device_one_code_to_the_known_address_brings_back_the_answers():
    """No address was saved for later: the contact has one, and that is enough."""
    patient = Patient()
    patient.start()
    patient.walk_to("appointment")
    Draft.objects.update(updated_at=timezone.now() - timedelta(hours=site.DRAFT_OWN_HOURS + 1))
    page = patient.get("/intake/")
    assert MAILBOX not in page.html
    patient.press("send")
    assert patient.page.path == "/my/code/"
    assert enter(patient, code_in(letters())).step == "appointment"
    patient.walk_to("check")
    patient.send()
    assert Submission.objects.count() == 1


def test_saved_answers_come_back_by_the_address_alone():
    _first, _number = saved("about")
    letters()
    other = Patient()
    other.get("/intake/resume/")
    other.post("/intake/resume/", {"address": MAILBOX, "reference": ""})
    assert enter(other, code_in(letters())).step == "about"


def test_the_mailbox_of_a_submission_gets_no_code_for_an_addition_in_a_lost_browser():
    patient = inside(builders.submission())
    patient.post("/my/add/", {})
    letters()
    Draft.objects.update(updated_at=timezone.now() - timedelta(hours=1))
    assert patient.get("/intake/check/").status == 410
    assert patient.page.link("Open my page") == "/my/"
    assert patient.post("/my/back/", {}).path == "/intake/resume/"
    assert letters() == []


@pytest.mark.parametrize("answers", [{}, {"leg_new": ("swelling_one",)}])
@pytest.mark.parametrize("mode", ["requests", "slots"])
def test_every_page_with_answers_offers_to_save_them(settings, mode, answers):
    settings.APPOINTMENT_MODE = mode
    patient = Patient(clot_risk=("none",), slot="call_me", **answers)
    patient.start()
    start = len(patient.seen)
    patient.walk_to("check")
    patient.get("/intake/copy/")
    patient.get("/intake/")
    for page in patient.seen[start:]:
        offers = page.links_to("/intake/save/") or any(
            "save" in form.buttons for form in page.forms
        )
        assert offers, page.path


def test_the_address_is_asked_once_and_then_one_tap_saves():
    patient, number = saved("about")
    assert len(letters()) == 1
    patient.get(step_url("about"))
    patient.answer()
    page = patient.press("save")
    assert (page.path, page.status) == ("/intake/save/", 200)
    assert number in page.text
    assert MAILBOX not in page.html
    assert letters() == []
    other = patient.get(page.link("Send it to another address"))
    patient.post(other.url, {"address": OTHER, "go": "save"})
    assert OTHER in letters()[0]


def test_saved_answers_end_after_their_days_and_no_code_opens_them():
    _patient, number = saved("about")
    letters()
    trail = Trail()
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=site.DRAFT_DAYS, minutes=1))
    call_command("prune")
    assert not Draft.objects.exists()
    (event,) = trail.events(actor="system:prune")
    assert (event.action, event.detail) == ("erase", {"kind": "draft", "count": 1})
    asking(number)
    assert letters() == []


def test_the_way_back_leads_to_the_first_open_page_of_the_route_as_it_is_now():
    _first, number = saved("veins")
    draft = Draft.objects.get()
    content = draft.content
    del content["answers"]["main_reason"]
    draft.content = content
    draft.save(update_fields=["content"])
    letters()
    second = asking(number)
    assert enter(second, code_in(letters())).step == "reason"


def test_answers_that_were_never_saved_are_opened_by_nobody_who_reads_the_mailbox():
    patient = Patient()
    patient.start()
    patient.walk_to("appointment")
    stranger = Patient()
    for url in ("/my/find/", "/intake/resume/"):
        stranger.post(url, {"address": MAILBOX, "reference": "7F3K-92QD"})
    assert letters() == []
    patient.post("/intake/save/", {"address": OTHER})
    letters()
    stranger.post("/my/find/", {"address": MAILBOX})
    assert "Your code" in "".join(letters())
