"""Propose the public holidays of the clinic's country and state as closed days.

The package `holidays` computes them. A proposal closes nothing that a person has not confirmed,
except that promises within the next 60 days count it as closed (intake/calendars.py).
"""

from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import transaction
from django.utils import timezone

from clinic.hours import settings_hours
from intake.models.clinic_time import Holiday

AHEAD = timedelta(days=400)  # how far ahead holidays are proposed
_done: tuple[date, str] | None = None  # the day and region of the last run in this process


def propose(*, ahead: timedelta = AHEAD) -> int:
    """Store the coming holidays of PUBLIC_HOLIDAYS that are not stored. Returns how many they are.

    Runs each minute, works once a day, and may run on several workers at once. Proposals that are
    not among the holidays any more, because the region was changed, are deleted. Days on which the
    clinic is closed every week are left out.
    """
    global _done
    today = timezone.localdate()
    if _done == (today, settings.PUBLIC_HOLIDAYS):
        return 0
    names = _names(today) if settings.PUBLIC_HOLIDAYS else {}
    week = settings_hours().week
    coming = {
        day: name
        for day, name in names.items()
        if today <= day <= today + ahead and week[day.weekday()]
    }
    with transaction.atomic():
        unanswered = Holiday.objects.filter(day__gte=today, is_open=False)
        unanswered.exclude(day__in=coming).delete()
        known = set(Holiday.objects.filter(day__in=coming).values_list("day", flat=True))
        rows = [Holiday(day=day, name=name[:200]) for day, name in coming.items()]
        new = [row for row in rows if row.day not in known]
        Holiday.objects.bulk_create(new, ignore_conflicts=True)
    _done = today, settings.PUBLIC_HOLIDAYS
    return len(new)


def _names(today: date) -> dict[date, str]:
    """Return the holidays of this year and the next two years, with their names.

    Raises NotImplementedError for a region that the package does not know.
    """
    # imported here, because the import takes 0.6 seconds and only the worker needs it
    import holidays

    country, _dash, state = settings.PUBLIC_HOLIDAYS.partition("-")
    years = [today.year, today.year + 1, today.year + 2]
    return dict(
        holidays.country_holidays(country, subdiv=state or None, years=years, language="en_US")
    )


@register(deploy=True)
def region_is_known(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a country or state in PUBLIC_HOLIDAYS whose holidays nobody can propose."""
    if not settings.PUBLIC_HOLIDAYS:
        return []
    try:
        _names(timezone.localdate())
    except NotImplementedError as error:
        hint = "Write a country, or a country and a state, such as US-NY, or off."
        return [Error(f"PUBLIC_HOLIDAYS: {error}.", hint=hint, id="intake.E120")]
    return []
