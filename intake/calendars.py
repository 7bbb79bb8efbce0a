"""Read the calendar that all promises follow: places, closures and holidays of the database.

`clinic.hours` keeps what `read` returns for a minute. A closure of one clinician moves visits
alone, so it is not in the calendar.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from clinic.hours import Calendar, ClosedTime, settings_hours
from clinic.opening_hours import ClinicHours, Moments, together
from intake.domain import wall_time
from intake.models.clinic_time import Closure, Holiday, Location

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
    is_covered: bool = False  # a person is on call
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
    user = row.on_call
    return Closed(
        row.location_id,
        row.first_day,
        row.last_day,
        row.starts_at,
        row.ends_at,
        is_covered=bool(user and user.is_active and user.email),
    )


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
    """Read the calendar, in four queries.

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
    on_call = {str(row.pk): _covered(closed, row) for row in places}
    return Calendar(
        anywhere=together(by_place.values()) if places else everywhere,
        places=by_place,
        ids={row.name: str(row.pk) for row in places},
        on_call=on_call | {"": _covered(closed, None)},
        coming=_coming(closed, places, now),
        proposed=proposed,
        own_weeks=tuple((row.name, by_place[str(row.pk)]) for row in places if row.week),
    )


def on_call(at: datetime, location: UUID | None) -> set[str]:
    """Return the e-mail addresses of the persons on call until the location opens.

    Without a location, the first place of the clinic that opens counts. The function reads the
    database, because a red flag must not miss a person who was named a minute ago.
    """
    calendar = read()
    until = calendar.places.get(str(location), calendar.anywhere).next_opening(at)
    rows = Closure.objects.filter(clinician=None, on_call__is_active=True)
    if location:
        rows = rows.filter(Q(location=None) | Q(location=location))
    place = Location.objects.filter(pk=location).first() if location else None
    found = set()
    for row in rows.exclude(on_call__email="").select_related("on_call", "location"):
        where = row.location or place
        start, end = closed_by(row).moments(where.zone if where else settings_hours().zone)
        if row.on_call and at < until and start < until and at < end:
            found.add(row.on_call.email)
    return found


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


def _covered(closed: Iterable[Closed], place: Location | None) -> tuple[Moments, ...]:
    """Return the times in which a person is on call: for a place, or for any place."""
    zone = place.zone if place else settings_hours().zone
    return tuple(
        one.moments(zone)
        for one in closed
        if one.is_covered and (place is None or one.location in (None, place.pk))
    )


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
