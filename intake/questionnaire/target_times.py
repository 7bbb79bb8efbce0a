"""Work out until when the clinic must have contacted the patient."""

from datetime import datetime, timedelta

from clinic import hours
from intake.domain.definition import Level


def target_time(level: Level, at: datetime) -> datetime:
    """Return until when the clinic must contact the patient for an urgency `level` given at `at`.

    Opening hours and business days are counted where the level says so.
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
