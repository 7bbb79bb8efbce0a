"""Read the calendar that all promises follow: places, closures and holidays of the database.

`clinic.hours` keeps what `read` returns for a minute. A closure of one clinician moves visits
alone, so it is not in the calendar.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from clinic.hours import Calendar, ClosedTime, Shift, settings_hours
from clinic.opening_hours import ClinicHours, Moments, together
from intake.domain import wall_time
from intake.models.clinic_time import Closure, Holiday, Location
from intake.models.rota import Leave, OnCall

EARLIER = timedelta(days=120)  # how long a closure that is over still counts in sums of open time
COMING = timedelta(days=60)  # how far ahead pages name closures, and holidays must be confirmed
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Closed:
    """A closed time. `location` None is every place; `sure` is False for a mere proposal."""

    location: UUID | None
    first_day: date | None
    last_day: date | None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    sure: bool = True

    def moments(self, zone: ZoneInfo) -> Moments:
        """Return from when to when this is closed. Whole days are days of the zone."""
        if self.first_day and self.last_day:
            first, after = (
                wall_time.first_moment(datetime.combine(day, time()), zone)
                for day in (self.first_day, self.last_day + _DAY)
            )
            return first, after
        # a database constraint gives every closure without days a start and an end
        assert self.starts_at
        assert self.ends_at
        return self.starts_at, self.ends_at


def closed_by(row: Closure) -> Closed:
    """Return the closed time of a closure, stored or not."""
    return Closed(row.location_id, row.first_day, row.last_day, row.starts_at, row.ends_at)


def is_closed() -> Exists:
    """Match the holidays on which a closure closes the whole clinic all day."""
    whole = Closure.objects.filter(clinician=None, location=None)
    return Exists(whole.filter(first_day__lte=OuterRef("day"), last_day__gte=OuterRef("day")))


def unconfirmed(now: datetime) -> list[Holiday]:
    """Return the coming holidays that no person has confirmed or refused as closed days."""
    today, last = timezone.localdate(now), timezone.localdate(now + COMING)
    rows = Holiday.objects.filter(~is_closed(), day__gte=today, day__lte=last, is_open=False)
    return list(rows.exclude(day__in=settings_hours().holidays))


def read(
    *,
    instead: Closure | Location | None = None,
    without: Closure | None = None,
    proposals: bool = True,
) -> Calendar:
    """Read the calendar, in five queries, and one more when a person is on call.

    To look at a change before it is stored, give the changed closure or location as `instead`: it
    replaces the stored one. The closure `without` is left out. Without `proposals`, unconfirmed
    holidays do not count.
    """
    now = timezone.now()
    rows = Closure.objects.filter(
        Q(last_day__gte=(now - EARLIER).date()) | Q(ends_at__gt=now - EARLIER), clinician=None
    )
    closures = [row for row in rows.select_related("on_call") if row not in (instead, without)]
    if isinstance(instead, Closure) and instead.clinician_id is None:
        closures.append(instead)
    closed = [closed_by(row) for row in closures]
    proposed = {row.day: row.name for row in unconfirmed(now)} if proposals else {}
    closed += [Closed(None, day, day, sure=False) for day in proposed]
    stored = Location.objects.filter(is_active=True).only("name", "time_zone", "week")
    places = [row for row in stored if row != instead]
    if isinstance(instead, Location) and instead.is_active:
        places.append(instead)
    by_place = {str(row.pk): _hours_of(row, closed) for row in places}
    clinic = settings_hours()
    everywhere = _closing(clinic, None, closed, clinic.zone)
    named = _named(closures, now)
    away = _leaves(named, now)
    return Calendar(
        anywhere=together(by_place.values()) if places else everywhere,
        places=by_place,
        ids={row.name: str(row.pk) for row in places},
        on_call={str(row.pk): _shifts(named, away, row) for row in places}
        | {"": _shifts(named, away, None)},
        coming=_coming(closed, places, now),
        proposed=proposed,
        own_weeks=tuple((row.name, by_place[str(row.pk)]) for row in places if row.week),
    )


def on_call(at: datetime, location: UUID | None) -> list[Shift]:
    """Return the shifts of the persons who are on call at a moment, while the location is closed.

    Without a location, the first place of the clinic that opens counts. The function reads the
    database, because a red flag must not miss a person who was named a minute ago.
    """
    return read().shifts(at, location)


@dataclass(frozen=True)
class _Named:
    """A person who is named for a time on call: in the rota, or for a closure."""

    person: User
    time: Closed
    phone: str = ""
    of_closure: bool = False


def _named(closures: Iterable[Closure], now: datetime) -> list[_Named]:
    """Return who is named for which time. Leaves out persons whom no letter reaches."""
    rota = OnCall.objects.filter(ends_at__gt=now - EARLIER).select_related("person")
    named = [
        _Named(
            row.person, Closed(row.location_id, None, None, row.starts_at, row.ends_at), row.phone
        )
        for row in rota
    ]
    named += [
        _Named(row.on_call, closed_by(row), of_closure=True) for row in closures if row.on_call
    ]
    return [each for each in named if each.person.is_active and each.person.email]


def _leaves(named: Iterable[_Named], now: datetime) -> dict[int, tuple[Moments, ...]]:
    """Map the named persons to their leaves."""
    people = {each.person.pk for each in named}
    since = (now - EARLIER).date()
    found: dict[int, tuple[Moments, ...]] = {}
    for row in Leave.objects.filter(person__in=people, last_day__gte=since) if people else ():
        found[row.person_id] = (*found.get(row.person_id, ()), row.moments)
    return found


def _shifts(
    named: Iterable[_Named], away: Mapping[int, tuple[Moments, ...]], place: Location | None
) -> tuple[Shift, ...]:
    """Return the shifts for a place, or for any place."""
    zone = place.zone if place else settings_hours().zone
    return tuple(
        Shift(
            *each.time.moments(zone),
            address=each.person.email,
            name=each.person.get_full_name() or each.person.get_username(),
            phone=each.phone,
            of_closure=each.of_closure,
            away=away.get(each.person.pk, ()),
        )
        for each in named
        if place is None or each.time.location in (None, place.pk)
    )


def _hours_of(row: Location, closed: Iterable[Closed]) -> ClinicHours:
    clinic = settings_hours()
    week = clinic
    if row.week:
        days = [day.isoformat() for day in clinic.holidays]
        week = ClinicHours.parse(row.week, days, row.time_zone)
    return _closing(week, row.pk, closed, row.zone)


def _closing(
    week: ClinicHours, location: UUID | None, closed: Iterable[Closed], zone: ZoneInfo
) -> ClinicHours:
    return week.without(one.moments(zone) for one in closed if one.location in (None, location))


def _coming(
    closed: Iterable[Closed], places: Iterable[Location], now: datetime
) -> tuple[ClosedTime, ...]:
    known = {row.pk: row for row in places}
    zone = settings_hours().zone
    found = []
    for one in closed:
        if one.location is not None and one.location not in known:
            continue  # a place that is out of use
        # the only place is the clinic itself
        place = known.get(one.location) if one.location and len(known) > 1 else None
        start, end = one.moments(place.zone if place else zone)
        if now < end and start < now + COMING:
            start, end = (at.astimezone(place.zone if place else zone) for at in (start, end))
            found.append(ClosedTime(start, end, place.name if place else "", one.sure))
    found.sort(key=lambda each: (each.start, each.end, each.place))
    return tuple(next(same) for _key, same in groupby(found))
