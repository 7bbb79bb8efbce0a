"""Compute the time by which the clinic must contact the patient."""

from datetime import datetime, timedelta

from clinic import hours
from intake.domain.definition import Level
from intake.domain.levels import RANKS


def target_time(level: Level, at: datetime, place: object = None) -> datetime:
    """Return the time by which the clinic must contact a patient who got this level at `at`.

    If the level gives its target in opening hours or business days, time while the place is closed
    does not count. No target lies in closed time, except that of a red flag, for which closures and
    holidays do not count.
    """
    within = level.contact_within
    calendar = hours.current(place)
    if RANKS[level.code] >= RANKS["same_day"]:
        calendar = hours.usual()
    if within.open_hours is not None:
        return (
            calendar.add_open(at, timedelta(hours=within.open_hours)) if within.open_hours else at
        )
    if within.business_days is not None:
        return calendar.add_business_days(at, within.business_days)
    return calendar.keepable(at + timedelta(days=within.days or 0))
