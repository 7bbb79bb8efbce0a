"""What a patient sees of a start page on a small phone before scrolling."""

import pytest

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("path", ["/intake/", "/appointments/", "/es/intake/", "/es/appointments/"])
def test_a_start_button_stands_above_the_fold(window, path):
    # given: a patient with a small phone
    patient = window("phone")
    patient.page.set_viewport_size({"width": 360, "height": 640})

    # when: the patient opens the page
    patient.opens(path)

    # then: the whole first start button is on the screen of a clinic that works, whose pages have
    # no notice of a demonstration or draft
    patient.page.evaluate("document.querySelectorAll('.demo, .draft').forEach(e => e.remove())")
    button = patient.page.locator('button[name="device"], button[value="mine"]').first
    box = button.bounding_box()
    assert box["y"] + box["height"] <= 640, (
        f"the button ends {box['y'] + box['height']:.0f} px down"
    )
