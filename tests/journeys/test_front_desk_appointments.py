"""The front desk at work, in a real browser and without scripts: from a wish to a visit."""

import pytest

from intake.models.appointments import Appointment, AppointmentRequest, Offer
from tests import builders
from tests.intake import book

pytestmark = pytest.mark.journey


@pytest.fixture
def desk(window):
    return window(builders.member("front desk"), width=1280, java_script_enabled=False)


def tick(desk, number):
    desk.page.locator("#times .slots input").nth(number).check()


def test_a_wish_becomes_an_offer_and_the_offer_is_taken_back(desk):
    book.clinician()
    submission = book.patient(wish={"days": ["tue"], "times": [], "place": "", "clinician": ""})
    desk.open("/admin/")
    desk.follow(submission.reference)
    assert "Tuesday; any time" in desk.text
    tick(desk, 0)
    # the last free time in the calendar
    desk.page.locator(".week .free input").last.check()
    desk.page.get_by_label("Held for the patient for").select_option("48")
    desk.page.get_by_role("button", name="Offer the chosen times").first.click()

    assert "2 times are offered." in desk.text
    assert "Offered to the patient" in desk.text
    assert Offer.objects.filter(state="open").count() == 2
    desk.press("Take the offers back")
    assert "The offers are taken back." in desk.text
    assert AppointmentRequest.objects.get().progress == "requested"


def test_a_call_books_moves_and_cancels_and_the_next_one_gets_the_time(desk):
    book.clinician()
    submission, waits = (
        book.patient(n, wish={"days": [], "times": [], "place": "", "clinician": ""})
        for n in (1, 2)
    )
    desk.open(f"/admin/intake/frontdesk/{waits.pk}/change/")
    desk.press("Put on the waiting list")
    assert "On the waiting list" in desk.text

    desk.open(f"/admin/intake/frontdesk/{submission.pk}/change/")
    tick(desk, 1)
    desk.page.get_by_role("button", name="Book: agreed on the phone").first.click()
    assert "The appointment is booked." in desk.text
    desk.follow("Open: move or cancel it")
    desk.follow("Move to another time")
    desk.follow("Week after")
    desk.page.locator(".week .free input").first.check()
    desk.page.get_by_role("button", name="Move it to the chosen time").first.click()
    assert "The appointment is moved. An e-mail tells the patient." in desk.text
    desk.page.get_by_label("Why?").select_option("patient")
    desk.press("Cancel the appointment")
    assert "The appointment is cancelled." in desk.text

    desk.follow("Waiting list")
    assert waits.reference in desk.text
    desk.follow("Offer a time")
    assert "from the waiting list" in desk.text
    assert Appointment.objects.get(submission=submission).status == "cancelled"


def test_a_time_that_has_just_gone_is_said_and_nothing_chosen_is_lost(window):
    book.clinician()
    rows = [book.patient(n, wish={}) for n in range(2)]
    one, two = (
        window(builders.member("front desk", name), width=width)
        for name, width in (("desk-one", 1280), ("desk-two", 360))
    )
    for desk, row in zip((one, two), rows, strict=True):
        desk.open(f"/admin/intake/frontdesk/{row.pk}/change/")
        tick(desk, 0)
    tick(two, 3)
    kept = two.page.locator("#times .slots input").nth(3).get_attribute("value")
    one.page.get_by_role("button", name="Book: agreed on the phone").first.click()
    two.page.get_by_role("button", name="Offer the chosen times").first.click()

    assert "That time has just gone. Nothing was booked." in two.text
    assert "The nearest free times" in two.text
    assert two.page.locator(f'input[value="{kept}"]:checked').count() >= 1
    assert two.focus() == "problem"
    assert not two.violations()
    assert not two.sideways(360)
    two.page.get_by_role("button", name="Offer the chosen times").first.click()
    assert "1 time is offered." in two.text
