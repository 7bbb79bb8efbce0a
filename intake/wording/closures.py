"""Tell a patient that the clinic is closed: until when nobody reads, and how a promise moves."""

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from clinic import hours
from intake.models.submissions import Urgency


def unread_words(at: datetime, place: object = None, *, ask: bool = True) -> str:
    """Return until when no person at the clinic reads what a patient writes at `at`.

    Returns '' unless a closure begins before the next usual opening, and '' when a person is on
    call. `ask=False` asks no database.
    """
    calendar = hours.current(place, ask=ask)
    if not calendar.is_delayed(at) or hours.is_on_call(at, place, ask=ask):
        return ""
    opening = hours.day_words(calendar.next_opening(at), at)
    return _("Nobody here reads this before %(opening)s.") % {"opening": opening}


def red_flag_words(at: datetime, place: object) -> str:
    """Return what happens next with a same-day submission that is sent while a closure lasts."""
    if unread := unread_words(at, place):
        where = _("Go to urgent care or an emergency room today. Do not wait for us.")
        return f"{unread} {where}"
    opening = hours.day_words(hours.current(place).next_opening(at), at)
    return _(
        "We are closed until %(opening)s. A person on call is told of your answers. Please do not "
        "wait for that."
    ) % {"opening": opening}


def moved_words(column: str, urgency: int, moved: datetime, now: datetime) -> str:
    """Say that a closure breaks a promise, and which promise replaces it.

    `column` is the column of the submission that holds the promise.
    """
    if urgency >= Urgency.SAME_DAY:
        return _(
            "We are closed at the time by which we wanted to contact you. Go to urgent care or an "
            "emergency room today. Do not wait for us."
        )
    if column == "reply_due_at":
        return _("We are closed when we wanted to answer you. We now answer by %(by)s.") % {
            "by": hours.day_words(moved, now)
        }
    if urgency == Urgency.URGENT:
        return _("We are closed when we wanted to contact you. We now contact you by %(by)s.") % {
            "by": hours.day_words(moved, now)
        }
    return _("We are closed when we planned the visit. We now aim for a visit by %(day)s.") % {
        "day": hours.date_words(moved, now)
    }


def worse_words() -> str:
    """Say what to do if it gets worse before the clinic makes contact."""
    words = _("If it gets worse, do not wait for us. In an emergency call %(number)s.")
    return words % {"number": settings.EMERGENCY_NUMBER}
