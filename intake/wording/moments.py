"""When a visit is, in words: always by the clocks of the place where it is, whose zone is named."""

from datetime import date, datetime

from django.utils.dateformat import format as date_format
from django.utils.dateformat import time_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext


def day_words(day: date) -> str:
    """A day with its year: 'Monday, November 30, 2026'."""
    # translators: a day with its year in the letters of Django's date filter, such as l j F Y
    return date_format(day, pgettext("day and year", "l, F j, Y"))


def time_words(at: datetime) -> str:
    """A time of day alone: '9:30 am'."""
    return time_format(at, pgettext("time of day", "g:i A")).lower()


def clock_words(at: datetime) -> str:
    """A time of day with the clock's name, which tells apart the two of an autumn night."""
    return f"{time_words(at)} {at.tzname()}"


def until_words(at: datetime) -> str:
    """Day and time, where the zone is named beside it already."""
    return _("%(day)s at %(time)s") % {"day": day_words(at), "time": clock_words(at)}


def moment_words(at: datetime, zone: str) -> str:
    """Day and time of a moment that is given in its zone; `zone` is that zone's name."""
    return _("%(day)s at %(time)s (%(zone)s)") % {
        "day": day_words(at),
        "time": clock_words(at),
        "zone": zone,
    }
