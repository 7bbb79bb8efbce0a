"""An answer that cannot wait stops the form at once."""

import pytest

from intake.models.submissions import Draft, Submission

pytestmark = pytest.mark.journey


@pytest.fixture
def phone(window):
    """A phone on which the safety page was just answered: one leg is suddenly cold."""
    phone = window(width=360, java_script_enabled=False)
    phone.open("/intake/")
    phone.press("Start, this device is mine")
    phone.page.locator('[value="cold_leg_sudden"]').check()
    phone.press("Continue")
    return phone


def test_a_sudden_cold_leg_stops_the_form_and_says_whom_to_call(phone):
    assert phone.path in ("/intake/emergency/", "/intake/legs/p/safety/")
    call = phone.page.get_by_role("link", name="Call 911", exact=True)
    assert call.get_attribute("href") == "tel:911"
    assert "No one at the clinic is watching this page." in phone.text
    # the link to 911 is large enough for a finger, and visible without scrolling
    box = call.bounding_box()
    assert box["height"] >= 44
    assert box["y"] + box["height"] < 740
    phone.open("/intake/legs/p/about/")
    assert phone.path == "/intake/emergency/"


def test_who_also_tells_the_clinic_leaves_a_number(phone):
    phone.page.get_by_role("textbox").first.wait_for()
    for name in phone.asked():
        phone.page.locator(f'[name="{name}"]').fill(
            "(202) 555-0147" if "phone" in name else "Carl Canary"
        )
    phone.press("Tell the clinic")

    submission = Submission.objects.get()
    assert submission.kind == "stopped"
    assert submission.urgency_code == "emergency"
    assert submission.person["callback_phone"] == "+12025550147"
    assert "Your number is left for the clinic." in phone.text
    assert submission.reference in phone.text
    assert phone.page.get_by_role("link", name="Call 911", exact=True).count() == 1


def test_a_number_that_cannot_be_one_is_asked_for_again(phone):
    phone.press("Tell the clinic")

    assert "There is a problem" in phone.text
    assert phone.page.get_by_role("link", name="Call 911", exact=True).count() == 1
    assert not Submission.objects.exists()


def test_who_picked_it_by_mistake_goes_on(phone):
    phone.press("I picked this by mistake, go back")
    assert phone.step == "safety"
    phone.page.locator('[value="cold_leg_sudden"]').uncheck()
    phone.page.locator('[name="em_now"][value="none"]').check()
    phone.press("Continue")

    assert phone.step == "about"
    assert Draft.objects.count() == 1
    phone.skip_to("check")
    phone.press("Send")
    # an answer that was taken back is not forgotten
    (stop,) = Submission.objects.get().assessment["stops"]
    assert stop["retracted"]
