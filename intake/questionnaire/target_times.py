"""Compute the time by which the clinic must contact the patient."""

from datetime import datetime, timedelta

from clinic import hours
from intake.domain.definition import Level
from intake.domain.levels import RANKS


def target_time(level: Level, at: datetime, place: object = None) -> datetime:
    """Return the time by which the clinic must contact a patient who got this level at `at`.

    Only opening hours or business days of the place count, if the level's target is given in these.
    No target lies in closed time, except a red flag's: the usual week counts for a red flag.
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
