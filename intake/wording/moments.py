"""Write the times of visits in words, by the clock of the location, with its time zone."""

from datetime import date, datetime

from django.utils.dateformat import format as date_format
from django.utils.dateformat import time_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def day_words(day: date) -> str:
    """Return a day with its year in words: 'Monday, November 30, 2026'."""
    # translators: how a day with its year is written, in the letters of Django's date filter, such
    # as l j F Y
    return date_format(day, pgettext("day and year", "l, F j, Y"))


def time_words(at: datetime) -> str:
    """Return a time of day in words: '9:30 am'."""
    return time_format(at, pgettext("time of day", "g:i A")).lower()


def clock_words(at: datetime) -> str:
    """Return a time of day with the abbreviation of its zone, because 1:30 may occur twice."""
    return f"{time_words(at)} {at.tzname()}"


def until_words(at: datetime) -> str:
    """Return day and time in words, for a text that names the time zone elsewhere."""
    return _("%(day)s at %(time)s") % {"day": day_words(at), "time": clock_words(at)}


def moment_words(at: datetime, zone: str) -> str:
    """Return day and time in words, with the name of the time zone. `at` must be in this zone."""
    return _("%(day)s at %(time)s (%(zone)s)") % {
        "day": day_words(at),
        "time": clock_words(at),
        "zone": zone,
    }
