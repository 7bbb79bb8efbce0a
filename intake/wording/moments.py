"""Write the times of visits in words, by the clock of the location."""

from datetime import date, datetime

from django.utils.dateformat import format as date_format
from django.utils.dateformat import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

_ZONES = {
    "America/New_York": gettext_lazy("Eastern time"),
    "America/Detroit": gettext_lazy("Eastern time"),
    "America/Chicago": gettext_lazy("Central time"),
    "America/Denver": gettext_lazy("Mountain time"),
    "America/Phoenix": gettext_lazy("Arizona time"),
    "America/Los_Angeles": gettext_lazy("Pacific time"),
    "America/Anchorage": gettext_lazy("Alaska time"),
    "Pacific/Honolulu": gettext_lazy("Hawaii time"),
    "America/Puerto_Rico": gettext_lazy("Atlantic time"),
}
"""The time zones of the United States, as people call them. Others are named by their city."""


def day_words(day: date) -> str:
    """Return a day with its year in words: 'Monday, November 30, 2026'."""
    # translators: how a day with its year is written, in the letters of Django's date filter, such
    # as l j F Y
    return date_format(day, pgettext("day and year", "l, F j, Y"))


def time_words(at: datetime) -> str:
    """Return a time of day in words: '9:30 am'."""
    return time_format(at, pgettext("time of day", "g:i A")).lower()


def clock_words(at: datetime) -> str:
    """Return a time of day. An hour that comes twice says which of the two is meant."""
    words = {"time": time_words(at)}
    if at.replace(fold=0).utcoffset() == at.replace(fold=1).utcoffset():
        return words["time"]
    if at.fold:
        return _("%(time)s, after the clocks go back") % words
    return _("%(time)s, before the clocks go back") % words


def until_words(at: datetime) -> str:
    """Return day and time in words, for a text that names the time zone elsewhere."""
    return _("%(day)s at %(time)s") % {"day": day_words(at), "time": clock_words(at)}


def moment_words(at: datetime, zone: str) -> str:
    """Return day and time in words, with the time zone in words. `at` must be in this zone."""
    return _("%(day)s at %(time)s %(zone)s") % {
        "day": day_words(at),
        "time": clock_words(at),
        "zone": zone_words(zone),
    }


def zone_words(zone: str) -> str:
    """Return a time zone in words: 'Eastern time', or by its city: 'Berlin time'."""
    if zone in _ZONES:
        return str(_ZONES[zone])
    return _("%(city)s time") % {"city": zone.rpartition("/")[2].replace("_", " ")}
