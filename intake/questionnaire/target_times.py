"""Compute the time by which the clinic must contact the patient."""

from datetime import datetime, timedelta

from clinic import hours
from intake.domain.definition import Level


def target_time(level: Level, at: datetime) -> datetime:
    """Return the time by which the clinic must contact a patient who got this level at `at`.

    Only opening hours or business days count, if the level's target is given in these.
    """
    within = level.contact_within
    calendar = hours.current()
    if within.open_hours is not None:
        return (
            calendar.add_open(at, timedelta(hours=within.open_hours)) if within.open_hours else at
        )
    if within.business_days is not None:
        return calendar.add_business_days(at, within.business_days)
    return at + timedelta(days=within.days or 0)
