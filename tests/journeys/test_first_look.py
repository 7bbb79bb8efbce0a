"""What a patient sees of a start page on a small phone before scrolling."""

import pytest

from tests.journeys.conftest import Window

pytestmark = pytest.mark.journey


HEIGHT = 640


@pytest.mark.parametrize("path", ["/intake/", "/appointments/", "/es/intake/", "/es/appointments/"])
def test_a_start_button_stands_above_the_fold(window, path):
    # given: a patient with a small phone
    patient = window("phone")

    # when: the patient opens the start page of a clinic that works
    patient.opens(path)

    # then: the whole first start button is on the screen
    assert end_of_first_button(patient) <= HEIGHT


# --- how it is done in the browser ----------------------------------------------------------------


def end_of_first_button(patient: Window) -> float:
    """Return how far down the first start button ends, without the notices of a demonstration."""
    page = patient.page
    page.set_viewport_size({"width": 360, "height": HEIGHT})
    page.evaluate("document.querySelectorAll('.demo, .draft').forEach(each => each.remove())")
    box = page.locator('button[value="mine"]').first.bounding_box()
    assert box
    return box["y"] + box["height"]
