"""A patient answers the questions: on a small phone, without scripts, with the keyboard alone."""

import re
from typing import Any

import pytest

from intake.models.submissions import Submission
from tests.journeys.conftest import SAYS, Window

pytestmark = pytest.mark.journey

REFERENCE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")


def test_a_patient_with_restless_legs_answers_everything_and_gets_a_number(window):
    # the phone shows its own colours and moves nothing, as its owner asked
    phone = window(
        width=360, java_script_enabled=False, forced_colors="active", reduced_motion="reduce"
    )
    phone.open("/")
    phone.follow("Questions")
    phone.press("Start, this device is mine")
    phone.walk_to("check")
    assert "Restless legs" in phone.text
    assert "Quentin Canary" in phone.text
    phone.press("Send")

    assert phone.step == "sent"
    submission = Submission.objects.get()
    assert REFERENCE.search(phone.text)[0] == submission.reference
    assert submission.person["name"] == "Quentin Canary"
    assert submission.answers["rls_urge"] == "yes"
    assert phone.sideways(320) == []


def test_a_patient_changes_an_answer_from_the_check_page(window):
    phone = window(width=360, java_script_enabled=False)
    phone.open("/intake/")
    phone.press("Start, this device is mine")
    phone.skip_to("check")
    phone.page.get_by_role("link", name=re.compile("Change Do you smoke")).click()
    phone.page.locator('[name="tobacco"][value="current"]').check()
    phone.press("Continue")

    assert phone.step == "check"
    phone.press("Send")
    assert Submission.objects.get().answers["tobacco"] == "current"


def test_a_patient_asks_for_an_appointment_and_nothing_else(window):
    phone = window(width=360, java_script_enabled=False)
    phone.open("/")
    phone.follow("Appointment")
    phone.press("Start, this device is mine")
    phone.walk_to("check")
    phone.press("Send")

    assert phone.step == "sent"
    assert Submission.objects.get().kind == "appointment"


def test_a_patient_leaves_and_nothing_stays_on_the_device(window):
    phone = window(width=360, java_script_enabled=False)
    phone.open("/intake/")
    phone.press("Start, this device is mine")
    phone.walk_to("about")
    phone.follow("Leave and clear this device")
    phone.press("Clear and leave")

    assert phone.path == "/"
    assert [cookie["name"] for cookie in phone.context.cookies()] in ([], ["form"])


# --- the keyboard alone -----------------------------------------------------------------------


def tab_to(desk: Window, wanted: str, most: int = 60) -> dict[str, Any]:
    """Press Tab until the focused element matches `wanted`. Returns its type, value and name."""
    script = """wanted => { const e = document.activeElement; return {
        fits: e.matches(wanted), type: e.type, value: e.value, name: e.name } }"""
    for _press in range(most):
        desk.page.keyboard.press("Tab")
        found = desk.page.evaluate(script, wanted)
        if found["fits"]:
            return found
    raise AssertionError(f"Tab never came to {wanted} on {desk.path}")


def answer_by_keyboard(desk: Window) -> None:
    """Fill in the page with Tab, Space, arrows and letters, and press Enter on Continue."""
    keyboard = desk.page.keyboard
    for name in desk.asked():
        value = SAYS.get(name)
        if value is None:
            continue
        wanted = value if isinstance(value, tuple) else (value,)
        box = tab_to(desk, f'[name="{name}"]')
        if box["type"] == "checkbox":
            for each in wanted:
                if desk.page.evaluate("document.activeElement.value") != str(each):
                    tab_to(desk, f'[name="{name}"][value="{each}"]')
                keyboard.press("Space")
        elif box["type"] == "radio":
            keyboard.press("Space")
            for _press in range(20):
                if desk.page.evaluate("document.activeElement.value") == str(value):
                    break
                keyboard.press("ArrowDown")
        else:
            keyboard.press("Control+a")
            keyboard.type(str(value))
    tab_to(desk, 'button[value="continue"]')
    with desk.page.expect_navigation():
        keyboard.press("Enter")


def test_a_patient_who_uses_no_mouse_answers_everything(window):
    desk = window(width=1280)
    keyboard = desk.page.keyboard
    desk.open("/intake/")
    keyboard.press("Tab")
    assert "skip" in desk.focus()
    keyboard.press("Enter")
    assert desk.focus() == "main"
    tab_to(desk, 'main button[value="mine"]')
    with desk.page.expect_navigation():
        keyboard.press("Enter")
    for _page in range(50):
        if desk.step == "check":
            break
        before = desk.step
        answer_by_keyboard(desk)
        assert desk.step != before, desk.text[:400]
    tab_to(desk, 'button[value="send"]', most=200)
    with desk.page.expect_navigation():
        keyboard.press("Enter")

    assert desk.step == "sent"
    assert Submission.objects.count() == 1


def test_after_an_error_the_keyboard_is_at_the_summary_and_one_key_from_the_box(window):
    desk = window(width=1280)
    desk.open("/intake/")
    desk.press("Start, this device is mine")
    desk.press("Continue")

    assert desk.page.title().startswith("Error:")
    assert desk.focus() == "problem"
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Enter")
    assert desk.page.evaluate("document.activeElement.name") == desk.asked()[0]
