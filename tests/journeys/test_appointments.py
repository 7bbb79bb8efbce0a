"""A visit in a browser: the patient asks, accepts an offer, moves the visit and cancels it."""

import pytest

from intake.models.appointments import Appointment, Offer
from intake.models.submissions import Submission
from tests import builders
from tests.intake import book
from tests.journeys.test_coming_back import come_in

pytestmark = pytest.mark.journey


def judged(phone) -> None:
    """Check that the page needs no sideways scrolling, and that axe finds no fault."""
    assert phone.sideways(360) == []
    assert phone.sideways(320) == []
    assert phone.violations() == []


def visit() -> Appointment:
    return Appointment.objects.for_reading().get(status="confirmed")


@pytest.mark.parametrize("script", [True, False])
def test_asked_offered_accepted_moved_cancelled_and_the_next_one_gets_it(window, script):
    book.clinician()
    phone = window(width=360, java_script_enabled=script)
    phone.open("/appointments/")
    phone.press("Start, this device is mine")
    phone.walk_to("appointment")
    phone.page.get_by_label("By video").check()
    phone.press("Add another wish")
    assert phone.page.get_by_label("By video").is_checked(), "nothing ticked is lost"
    phone.page.locator('[name="days_2"][value="fri"]').check()
    if script:
        judged(phone)
    phone.page.get_by_label("In person").check()
    phone.press("Continue")
    assert "Second wish" in phone.text
    phone.press("Send")
    mine = Submission.objects.get()

    waiting = book.patient(1)
    next_phone = window(width=360, java_script_enabled=script)
    come_in(next_phone, waiting.reference, mailbox=waiting.person["email"])
    next_phone.press("Put me on the waiting list")
    assert "You are on the waiting list" in next_phone.text
    if script:
        judged(next_phone)

    desk = window(builders.member("front desk"), width=1280, java_script_enabled=script)
    desk.open("/admin/")
    desk.follow(mine.reference)
    assert "Friday" in desk.text
    desk.follow("Week after")
    desk.follow("Week after")
    free = desk.page.locator(".week .free input")
    free.nth(0).check()
    free.nth(3).check()
    desk.page.get_by_role("button", name="Offer the chosen times").first.click()
    assert "2 times are offered." in desk.text
    rows = Offer.objects.filter(request__submission=mine).select_related("appointment")
    _first, second = sorted(row.appointment.starts for row in rows)
    come_in(phone, mine.reference)
    assert "We hold these times for you" in phone.text
    if script:
        judged(phone)
    phone.page.locator('[name="offer"]').nth(1).check()
    phone.press("Take this time")
    assert "Your appointment" in phone.text
    assert visit().starts == second
    if script:
        judged(phone)
        with phone.page.expect_download() as download:
            phone.follow("Put it into my calendar")
        assert download.value.suggested_filename == "appointment.ics"

    phone.follow("Choose another time")
    if script:
        judged(phone)
    third = book.free(0)
    key = phone.page.locator('[name="slot"]').last.get_attribute("value")
    phone.page.locator(f'[name="slot"][value="{key}"]').check()
    phone.press("Continue")
    assert visit().starts == second
    if script:
        judged(phone)
    phone.press("Move my appointment")
    moved = visit()
    assert moved.starts != second
    assert moved.sequence == 1
    assert third.start <= moved.starts

    phone.follow("Cancel the appointment")
    if script:
        judged(phone)
    phone.press("Cancel it, I need no visit")
    assert "was cancelled" in phone.text
    assert not Appointment.objects.filter(status="confirmed").exists()

    # the freed time goes to the patient who waits
    freed = Offer.objects.get(request__submission=waiting, state="open")
    next_phone.open("/my/")
    assert "You are on the waiting list" in next_phone.text
    if script:
        judged(next_phone)
    next_phone.press("Take this time")
    assert visit().submission == waiting
    assert visit().starts == freed.appointment.starts


@pytest.mark.parametrize("script", [True, False])
def test_a_free_time_is_chosen_while_filling_in(window, settings, script):
    settings.APPOINTMENT_MODE = "slots"
    book.clinician()
    phone = window(width=360, java_script_enabled=script)
    phone.open("/appointments/")
    phone.press("Start, this device is mine")
    phone.walk_to("appointment")
    if script:
        judged(phone)
    phone.press("Later days")
    phone.press("The first free days")
    phone.page.locator('[name="slot"]').nth(3).check()
    phone.press("Continue")
    assert "We hold your time until" in phone.text
    phone.press("Send")
    assert visit().submission == Submission.objects.get()
    come_in(phone, visit().submission.reference)
    assert "Your appointment" in phone.text
