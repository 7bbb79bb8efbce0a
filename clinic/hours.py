"""This clinic's opening hours, without closures and holidays, and times in words.

`current` asks the calendar that another app registers. The calculations are in
clinic/opening_hours.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from clinic.last_known import LastKnown
from clinic.opening_hours import ClinicHours, Moments, wall_words

_TICK = timedelta.resolution


@dataclass(frozen=True)
class ClosedTime:
    """A coming closure, for the public pages.

    The closure is of a place, or of all places where `place` is ''. `sure` is False for a public
    holiday that nobody has confirmed. Both moments are in the zone of the place.
    """

    start: datetime
    end: datetime
    place: str = ""
    sure: bool = True

    @property
    def is_whole_days(self) -> bool:
        return self.start.time() == self.end.time() == time()

    @property
    def last_day(self) -> date:
        return (self.end - _TICK).date()

    @property
    def words(self) -> str:
        """The closure in the current language: days, or a day with times."""
        from django.utils.translation import gettext as _

        if self.is_whole_days:
            last = self.end - _TICK
            given = {"first": date_words(self.start), "last": date_words(last, self.start)}
            days = _("%(first)s to %(last)s") % given
            return given["first"] if self.start.date() == self.last_day else days
        return _("%(start)s to %(end)s") % {
            "start": day_words(self.start),
            "end": day_words(self.end, self.start),
        }


@dataclass(frozen=True)
class Shift:
    """A time in which a person is on call while the clinic is closed.

    The shift of a closure begins at the last closing before the closure. Other shifts begin at
    `start`. The person's leaves (`away`) do not count.
    """

    start: datetime
    end: datetime
    address: str
    name: str = ""
    phone: str = ""
    of_closure: bool = False
    away: tuple[Moments, ...] = ()

    def covers(self, at: datetime, opening: datetime) -> bool:
        """Return whether the person is on call at a moment before the next `opening`."""
        begun = self.start < opening if self.of_closure else self.start <= at
        is_away = any(start <= at < end for start, end in self.away)
        return at < opening and begun and at < self.end and not is_away


@dataclass(frozen=True)
class Calendar:
    """What an app knows of the clinic's hours besides the settings."""

    anywhere: ClinicHours  # open when at least one place is open
    places: Mapping[str, ClinicHours] = field(default_factory=dict)  # by the id of the place
    on_call: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)  # '': everywhere
    coming: tuple[ClosedTime, ...] = ()
    ids: Mapping[str, str] = field(default_factory=dict)  # the name of each place → its id
    # coming public holidays that nobody has confirmed, with their names
    proposed: Mapping[date, str] = field(default_factory=dict)
    own_weeks: tuple[tuple[str, ClinicHours], ...] = ()  # names of places with hours of their own

    def shifts(self, at: datetime, place: object = None) -> list[Shift]:
        """Return the shifts of the persons who are on call for a place at a moment."""
        shifts = self.on_call.get(str(place), self.on_call.get("", ()))
        opening = self.places.get(str(place), self.anywhere).next_opening(at)
        return [shift for shift in shifts if shift.covers(at, opening)]


calendar: LastKnown[Calendar] = LastKnown()
"""The calendar of the app that keeps closures. The app registers how to read it."""


def current(place: object = None, *, ask: bool = True) -> ClinicHours:
    """Return the opening hours of a place, or the time in which at least one place is open.

    `place` is the id of a place. Closures and holidays count. Without a calendar in the database,
    these are the hours of the setting CLINIC_HOURS. `ask=False` asks no database.
    """
    known = calendar.get() if ask else calendar.last
    if known is None:
        return settings_hours()
    return known.places.get(str(place), known.anywhere)


def place_id(name: str) -> str | None:
    """Return the id of the place with this name. None for a place that is not in use."""
    known = calendar.get()
    return known.ids.get(name) if known else None


def settings_hours() -> ClinicHours:
    """Return the hours of the settings CLINIC_HOURS and CLINIC_HOLIDAYS."""
    from django.conf import settings  # the settings themselves import this module

    hours: ClinicHours = settings.CLINIC_HOURS
    return hours


def coming_closures() -> tuple[ClosedTime, ...]:
    """Return the closures of the next weeks, for the public pages."""
    known = calendar.get()
    return known.coming if known else ()


def own_weeks() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the places with opening hours of their own, with these hours in words."""
    known = calendar.get()
    return [(name, week.describe()) for name, week in known.own_weeks] if known else []


def proposed_holidays() -> Mapping[date, str]:
    """Return the coming public holidays that nobody has confirmed, with their names."""
    known = calendar.get()
    return known.proposed if known else {}


def closed_days() -> frozenset[date]:
    """Return the holidays of the settings, and the public holidays that nobody has confirmed."""
    return settings_hours().holidays.union(proposed_holidays())


def usual() -> ClinicHours:
    """Return the usual week, which counts the time of red flags.

    No closure, holiday or hours of a place delay a red flag.
    """
    return settings_hours().usual


def is_on_call(at: datetime, place: object = None, *, ask: bool = True) -> bool:
    """Return whether a person is on call at a moment at which the clinic is closed."""
    known = calendar.get() if ask else calendar.last
    return bool(known and known.shifts(at, place))


def clock_words(at: datetime) -> str:
    """Return the time of day in the current language and this clinic's time zone: '8:30 am'."""
    at = at.astimezone(settings_hours().zone)
    return wall_words(at.hour * 60 + at.minute)


def day_words(at: datetime, now: datetime | None = None) -> str:
    """Return the day and the time in the current language and this clinic's time zone.

    The day has its year if it is far from `now`.
    """
    from django.utils.translation import gettext as _

    return _("%(day)s at %(time)s") % {"day": date_words(at, now), "time": clock_words(at)}


def date_words(at: datetime, now: datetime | None = None) -> str:
    """Return the day in the current language, with its year if it is far from `now`."""
    from django.utils.dateformat import format as date_format
    from django.utils.translation import pgettext

    # translators: how a day is written, in the letters of Django's date filter, such as l j F
    near = pgettext("day", "l, F j")
    far = pgettext("day and year", "l, F j, Y")
    is_far = now is not None and at - now > timedelta(days=300)
    return date_format(at.astimezone(settings_hours().zone), far if is_far else near)


def lasting_words(time: timedelta) -> str:
    """Return a duration in words, in whole hours if possible: '24 hours', '20 minutes'."""
    from django.utils.translation import ngettext

    minutes = int(time.total_seconds()) // 60
    if minutes and minutes % 60 == 0:
        return ngettext("%(n)s hour", "%(n)s hours", minutes // 60) % {"n": minutes // 60}
    return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}


def period_words(*, open_hours: int = 0, business_days: int = 0, days: int = 0) -> str:
    """Return a period in words, in whole weeks if possible: '2 clinic hours', '6 weeks'."""
    from django.utils.translation import ngettext

    if open_hours:
        # translators: a clinic hour is an hour in which the clinic is open
        words = ngettext("%(n)s clinic hour", "%(n)s clinic hours", open_hours)
        return words % {"n": open_hours}
    if business_days:
        words = ngettext("%(n)s business day", "%(n)s business days", business_days)
        return words % {"n": business_days}
    if days and days % 7 == 0:
        return ngettext("%(n)s week", "%(n)s weeks", days // 7) % {"n": days // 7}
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
