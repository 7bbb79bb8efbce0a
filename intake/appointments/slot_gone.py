"""The error for a slot that a patient or the front desk cannot have any more."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from intake.appointments.book import FreeTime
from intake.errors import Conflict


class SlotGone(Conflict):
    """The slot is taken, past, outside of hours, for another visit type, or made up.

    `nearest` holds the free times that are nearest to the slot; the list may be empty.
    """

    def __init__(self, message: str = "", nearest: Sequence[FreeTime] = ()) -> None:
        super().__init__(message or _gone_words(are_others_free=bool(nearest)))
        self.nearest = list(nearest)


def _gone_words(*, are_others_free: bool) -> str:
    if are_others_free:
        return _(
            "That time is no longer free. Nothing was booked. Here are the nearest free times."
        )
    return _(
        "That time is no longer free. Nothing was booked. Please choose another time, or call us."
    )
