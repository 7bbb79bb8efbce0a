"""Staff at work in a real browser."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.utils import timezone

from clinic.models import Message
from intake.models.appointments import AppointmentRequest
from intake.models.submissions import Decision, Submission, Urgency
from tests import builders
from tests.desk import waiting

pytestmark = pytest.mark.journey

PASSWORD = "seven green bicycles at noon"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_a_clinician_signs_in_reads_why_decides_and_it_leaves_the_list(window, live_server):
    user = builders.member("clinician", "dr-lee")
    user.set_password(PASSWORD)
    user.save()
    TOTP.activate(user, SECRET)
    cache.clear()
    later = waiting("Rita Routine", Urgency.ROUTINE)
    first = builders.submission(vein_look=("varicose",), vein_bleed="last_7d", vein_sx=("none",))

    desk = window(width=1280)
    desk.open("/admin/")
    desk.page.get_by_label("Username").fill("dr-lee")
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.press("Sign in")
    assert "Your second factor" in desk.text
    desk.page.get_by_role("textbox").fill(builders.totp(SECRET))
    desk.press("Sign in")

    assert "Worklist" in desk.page.title()
    rows = desk.page.locator("#result_list tbody tr")
    assert first.reference in rows.nth(0).inner_text()
    assert "Rita Routine" in rows.nth(1).inner_text()
    desk.follow(first.reference)
    assert "Red flags" in desk.text
    assert "Yes, in the last 7 days" in desk.text or "last 7 days" in desk.text
    desk.press("Take it")
    assert "Give it back" in desk.text
    # the form starts with the urgency that the rules found
    chosen = desk.page.locator("[name=urgency]:checked")
    assert chosen.get_attribute("value") == str(first.urgency)
    desk.page.get_by_label("What happens now").select_option("call_today")
    desk.page.get_by_label("Note").fill("Compression, call at noon.")
    desk.press("Store the decision")

    assert f"Decision on {first.reference} stored." in desk.text
    assert desk.page.locator("h1").inner_text() == first.reference
    desk.follow(f"Open next: {later.reference} (Routine)")
    assert desk.page.locator("h1").inner_text() == later.reference
    desk.follow("Worklist")
    assert first.reference not in desk.text
    assert later.reference in desk.text
    assert Decision.objects.get().words["note"] == "Compression, call at noon."
    desk.press("Sign out")
    desk.open("/admin/intake/submission/")
    assert "Staff sign-in" in desk.text


def test_a_clinician_who_comes_second_reads_it_again_and_loses_no_word(window):
    submission = waiting("Quentin Canary", Urgency.SOON)
    one = window(builders.member("clinician", "dr-one"), width=1280)
    two = window(builders.member("clinician", "dr-two"), width=1280)
    for desk in (one, two):
        desk.open(f"/admin/intake/submission/{submission.pk}/change/")
    two.page.get_by_label("Note").fill("Written with care.")
    two.page.get_by_label("What happens now").select_option("book_soon")
    one.press("Take it")
    two.press("Store the decision")

    assert "Somebody changed this submission while you were reading." in two.text
    assert two.focus() == "problem"
    assert two.page.get_by_label("Note").input_value() == "Written with care."
    two.press("Store the decision")
    assert Submission.objects.get().status == "decided"


def test_the_front_desk_finds_the_patient_and_notes_the_call(window):
    waiting("Otto Other")
    wanted = builders.submission({"name": "Beatriz Hansen"})
    desk = window(builders.member("front desk"), width=1280)
    desk.open("/admin/")
    desk.page.get_by_label("Find").fill("beatris hanson")
    desk.press("Search")
    assert "1 match" in desk.text
    desk.follow(wanted.reference)
    assert desk.page.get_by_role("link", name="(202) 555-0147").count() == 1
    desk.page.get_by_label("Note").select_option("called")
    desk.press("Store")

    request = AppointmentRequest.objects.get(submission=wanted)
    assert request.progress == "called"
    desk.follow("Contacts and appointments")
    assert "Patient called" in desk.text


def test_the_filters_work_without_scripts(window):
    waiting("Sam Sameday", Urgency.SAME_DAY)
    waiting("Rita Routine", Urgency.ROUTINE)
    desk = window(builders.member("clinician"), width=360, java_script_enabled=False)
    desk.open("/admin/intake/submission/")
    desk.page.get_by_text("Urgency: All").click()
    desk.follow("Same day")

    assert "Sam Sameday" in desk.text
    assert "Rita Routine" not in desk.text
    desk.follow("Clear filters")
    assert "Rita Routine" in desk.text


def test_a_message_that_failed_is_seen_and_tried_again_by_its_button(window):
    submission = waiting("Otto Other")
    Message.objects.update(state="failed", error="smtp 550", finished_at=timezone.now())
    desk = window(builders.member("front desk"), width=1280)
    desk.open("/admin/intake/frontdesk/")
    assert "A message could not be sent." in desk.text
    assert not desk.violations()
    desk.follow("See which, and tell the person in another way.")
    assert submission.reference in desk.text
    assert "smtp 550" in desk.text
    assert not desk.violations()
    desk.press("Try again")

    assert "Done." in desk.text
    assert "A message could not be sent." not in desk.text
    assert Message.objects.get().state == "waiting"
