"""Write the times of visits in words, by the clock of the location, and name its zone."""

from datetime import date, datetime

from django.utils.dateformat import format as date_format
from django.utils.dateformat import time_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def day_words(day: date) -> str:
    """Write a day with its year: 'Monday, November 30, 2026'."""
    # translators: a day with its year in the letters of Django's date filter, such as l j F Y
    return date_format(day, pgettext("day and year", "l, F j, Y"))


def time_words(at: datetime) -> str:
    """Write a time of day: '9:30 am'."""
    return time_format(at, pgettext("time of day", "g:i A")).lower()


def clock_words(at: datetime) -> str:
    """Write a time of day with its zone's abbreviation, since 1:30 occurs twice in autumn."""
    return f"{time_words(at)} {at.tzname()}"


def until_words(at: datetime) -> str:
    """Write day and time, for places that already name the zone."""
    return _("%(day)s at %(time)s") % {"day": day_words(at), "time": clock_words(at)}


def moment_words(at: datetime, zone: str) -> str:
    """Write day and time with the zone's name. `at` is in that zone."""
    return _("%(day)s at %(time)s (%(zone)s)") % {
        "day": day_words(at),
        "time": clock_words(at),
        "zone": zone,
    }
