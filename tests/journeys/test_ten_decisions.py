"""A clinician's hour: ten patients decided with the mouse, three clicks each, without scrolling."""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator

from intake.models.submissions import Submission, Urgency
from tests import builders
from tests.desk import WORKLIST, waiting
from tests.journeys.conftest import Window

pytestmark = pytest.mark.journey

SCREEN = {"width": 1280, "height": 900}
CLICKS = 3


def test_ten_patients_are_decided_with_three_clicks_each_and_without_scrolling(window, settings):
    # given: ten patients of all kinds wait, and a decision can be undone for a minute
    settings.UNDO_SECONDS = 60
    ten_patients_wait()
    clinician = Mouse(window("desk", "clinician"))
    clinician.opens_the_worklist()

    # when: the clinician opens the first patient, and stores what happens now
    clinician.opens_the_first_patient()
    clinician.decides("Book a visit soon")

    # then: the page says for whom the decision is stored, and that it can be undone
    clinician.window.sees("Stored for Patient Number", "Book a visit soon", "Undo")

    # when: the clinician does the same for the other nine, whom the page offers next
    for outcome in NINE_OUTCOMES:
        clinician.opens_the_next_patient()
        clinician.decides(outcome)

    # then: all ten are decided, with three clicks each and without scrolling
    assert clinician.scrolled == []
    assert clinician.clicks == 10 * CLICKS

    # when: the clinician goes back to the worklist
    clinician.opens_the_worklist()

    # then: each decision has taken effect
    assert decided_patients() == 10


NINE_OUTCOMES = (
    *("Call the patient today", "Book an urgent visit", "Book a regular visit"),
    *("Refer to another service", "Advice only, no visit", "Need more information"),
    *("Book a visit soon", "Book a regular visit", "Book an urgent visit"),
)


# --- how it is done in the browser ----------------------------------------------------------------


def ten_patients_wait() -> None:
    """Store a patient whose vein bled in the last days, and nine patients of the other levels."""
    bled = {"vein_look": ("varicose",), "vein_bleed": "last_7d", "vein_sx": ("none",)}
    builders.submission({"name": "Patient Number 0"}, **bled)
    for number in range(1, 10):
        urgency = (Urgency.SAME_DAY, Urgency.URGENT, Urgency.SOON, Urgency.ROUTINE)[number % 4]
        waiting(f"Patient Number {number}", urgency)


def decided_patients() -> int:
    return Submission.objects.filter(decisions__isnull=False).count()


@dataclass
class Mouse:
    """A clinician who works with the mouse alone: each click is counted, and nothing is scrolled.

    `scrolled` names what was not on the screen when the clinician wanted to click it.
    """

    window: Window
    clicks: int = 0

    def __post_init__(self) -> None:
        self.scrolled: list[str] = []
        self.window.page.set_viewport_size(SCREEN)

    def opens_the_worklist(self) -> None:
        self.window.opens(WORKLIST)

    def opens_the_first_patient(self) -> None:
        self._goes_on_by(self.window.page.locator("#result_list tbody tr a").first)

    def opens_the_next_patient(self) -> None:
        self._goes_on_by(self.window.page.get_by_role("link", name="Open next:"))

    def decides(self, outcome: str) -> None:
        """Click what happens now, then the button that stores the decision."""
        self._clicks(self.window.page.locator("#decide label", has_text=outcome).first)
        self._goes_on_by(self.window.page.locator("#decide > .button"))

    def _goes_on_by(self, target: Locator) -> None:
        with self.window.page.expect_navigation():
            self._clicks(target)

    def _clicks(self, target: Locator) -> None:
        """Click on the middle of `target` where it is on the screen, and scroll only if need be."""
        page, (x, y) = self.window.page, middle(target)
        on_screen = 0 < x < SCREEN["width"] and 0 < y < SCREEN["height"]
        if page.evaluate("scrollY") or not on_screen:
            self.scrolled.append(f"{self.window.path}: {target} at {x:.0f}, {y:.0f}")
            target.scroll_into_view_if_needed()
            x, y = middle(target)
        self.clicks += 1
        page.mouse.click(x, y)


def middle(target: Locator) -> tuple[float, float]:
    box = target.bounding_box()
    assert box, target
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
