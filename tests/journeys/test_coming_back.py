"""A patient comes back on another device: to read, to write, to add, to withdraw."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Message
from intake.models.submissions import Draft, Submission
from tests import builders
from tests.builders import CONTACT_DETAILS
from tests.desk import page_of

pytestmark = pytest.mark.journey
MAILBOX = CONTACT_DETAILS["email"]


def come_in(phone, number: str, path: str = "/my/", mailbox: str = MAILBOX) -> None:
    """Enter reference, address, and the code from the mailbox."""
    phone.open(path)
    phone.page.get_by_label("Your number").fill(number)
    phone.page.get_by_label("Your e-mail address").fill(mailbox)
    phone.press("Send me a code")
    newest = Message.objects.filter(kind="code").order_by("-created_at").first()
    phone.page.get_by_label("Your code").fill(newest.payload["code"].lower())
    phone.press("Continue")


def test_saved_on_one_phone_finished_on_another(window):
    phone = window(width=360, java_script_enabled=False)
    phone.open("/intake/")
    phone.press("Start, this device is mine")
    phone.walk_to("rls-3")
    phone.press("Save and come back later")
    assert phone.path == "/intake/save/"
    phone.page.get_by_label("Your e-mail address").fill(MAILBOX)
    phone.press("Save")
    number = Draft.objects.get().reference
    assert number in phone.text
    assert phone.sideways(320) == []

    tablet = window(width=800, java_script_enabled=False)
    come_in(tablet, number, "/intake/resume/")
    assert tablet.step == "rls-3"
    tablet.walk_to("check")
    tablet.press("Send")
    assert number in tablet.text
    assert Submission.objects.get().reference == number
    phone.open("/intake/check/")
    assert phone.path == "/intake/"


def left_alone(minutes: float) -> None:
    Draft.objects.update(updated_at=timezone.now() - timedelta(minutes=minutes))


def test_called_away_on_the_own_phone_and_back_three_hours_later(window):
    phone = window(width=360)
    phone.open("/intake/")
    phone.press("Start, this device is mine")
    phone.walk_to("veins", reason_text="My husband must not read this.")
    assert "this device finds your answers for 24 hours" in phone.text
    left_alone(180)
    phone.open("/intake/")
    phone.press("Go on with my answers")
    assert phone.step == "veins"
    phone.open("/intake/legs/p/reason/")
    assert "Private answers are hidden" in phone.text
    assert "husband" not in phone.page.content()
    assert phone.violations() == []
    assert phone.sideways(320) == []
    phone.press("Continue")
    phone.open("/intake/legs/p/veins/")
    phone.walk_to("check")
    assert "husband" not in phone.page.content()
    assert phone.violations() == []
    phone.press("Send")
    assert Submission.objects.get().answers["reason_text"] == "My husband must not read this."


def test_called_away_in_the_library_and_the_next_person_finds_nothing(window):
    desk = window(width=1280)
    desk.open("/intake/")
    desk.press("Start, others use it")
    desk.walk_to("veins")
    (key,) = [c for c in desk.context.cookies() if c["name"] == "draft"]
    assert key["expires"] == -1, "it goes with the browser"
    left_alone(21)
    desk.press("Continue")
    assert "You left this device alone for more than 20 minutes" in desk.text
    assert "no code can open them" in desk.text
    assert desk.violations() == []
    desk.follow("Start again")
    assert "You have begun before" not in desk.text
    desk.press("Start, others use it")
    assert desk.step == "safety"


def test_a_message_of_the_clinic_is_read_and_answered_and_the_request_taken_back(window):
    submission = builders.submission()
    desk = window(builders.member("clinician"), width=1280)
    desk.open(page_of(submission))
    desk.page.get_by_label("Write to the patient").select_option("we_tried")
    desk.press("Send the message")
    assert "To the patient" in desk.text

    phone = window(width=360, java_script_enabled=False)
    come_in(phone, submission.reference)
    assert "We tried to call you" in phone.text
    assert "A clinician, " in phone.text
    phone.page.get_by_label("Write to us").fill("I am home after six.")
    phone.press("Send")
    assert "I am home after six." in phone.text
    assert "answer by" in phone.text
    assert phone.sideways(320) == []

    desk.open("/admin/intake/submission/")
    assert "patient wrote" in desk.text
    desk.open(page_of(submission))
    assert "I am home after six." in desk.text
    desk.press("Read, needs no answer")
    assert "Answer by" not in desk.text

    phone.follow("Take this request back")
    phone.press("Take it back")
    assert "You took this request back." in phone.text
    phone.press("Leave this page")
    phone.open("/my/")
    assert submission.reference not in phone.text


def test_something_is_added_and_staff_see_both(window):
    earlier = builders.submission()
    phone = window(width=360, java_script_enabled=False)
    come_in(phone, earlier.reference)
    phone.press("Add something")
    phone.walk_to("check", leg_new=("swelling_one",), clot_risk=("none",), reason_text="New.")
    phone.press("Send")
    added = Submission.objects.get(follows=earlier)
    assert added.reference in phone.text
    desk = window(builders.member("clinician"), width=1280)
    desk.open(page_of(added))
    desk.follow(earlier.reference)
    assert f"More was added in {added.reference}" in desk.text
