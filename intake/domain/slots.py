"""Clinic time: opening hours − closures − busy → free slots. Pure; the caller says what time it is.

Opening hours are wall times of a location's zone. They become moments day by day, so that a day of
23 or 25 hours counts for what it is: a wall time that the clock skips is never offered, one that
occurs twice is two moments, each offered once, and a slot lasts real minutes. All spans are
half-open: the end of one is the beginning of the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

TIMES_OF_DAY: Final[Mapping[str, tuple[time, time]]] = {
    "morning": (time(0), time(11)),
    "midday": (time(11), time(14)),
    "afternoon": (time(14), time.max),
}
"""Time of day → the wall times at which a visit of it begins."""

URGENT_DAYS: Final = 14
"""So many days ahead somebody urgent is shown times (and the phone number beside them)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Weekly hours of a clinician at a location; `ends` at 00:00 is the end of the day. Valid from
    and until the given days, both included. `capacity` patients are seen at once."""

    clinician: str
    location: str
    zone: tzinfo
    weekday: int
    starts: time
    ends: time
    valid_from: date | None = None
    valid_until: date | None = None
    capacity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """No visits from `starts` to `ends`, or on the days from `first_day` to `last_day` (included)
    of each location's zone; of all clinicians or locations where none is named."""

    clinician: str | None = None
    location: str | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """A seat of a clinician that is taken, held or booked. `overbooked`: on purpose, beside what
    the hours allow; it takes nobody's room."""

    clinician: str
    start: datetime
    end: datetime
    seat: int = 0
    overbooked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A bookable time, in the location's zone; `seats` are the free ones, the lowest first.

    Sort and compare by `moment`: of two times in one zone Python compares what the clock shows,
    and there are two of 1:30 when it is set back.
    """

    start: datetime
    end: datetime
    clinician: str
    location: str
    seats: tuple[int, ...] = (0,)
    capacity: int = 1

    @property
    def moment(self) -> datetime:
        """When it begins, in UTC."""
        return self.start.astimezone(UTC)

    @property
    def key(self) -> str:
        """What stands for it in a form; see `slot_key`."""
        return slot_key(self.start, self.clinician, self.location)


def in_reach(day: date) -> bool:
    """Whether any book can reach to this day. One that was made up or mistyped (the year 1, the
    year 9999) has no days around it to count with."""
    return 2000 < day.year < 3000


def slot_key(start: datetime, clinician: str, location: str) -> str:
    """The key of the time that begins then, there, with them: the moment in UTC and two ids."""
    return f"{start.astimezone(UTC):%Y%m%dT%H%M%S}_{clinician}_{location}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a patient would like: days of the week, times of day, where, with whom; none: any."""

    days: frozenset[str] = field(default_factory=frozenset)
    times: frozenset[str] = field(default_factory=frozenset)
    location: str | None = None
    clinician: str | None = None


class NoSuchTime(Exception):
    """A wall time that does not exist on its day, or exists twice: the clock changes there.

    `choices` are the moments that can be meant, earliest first; `message` says so in a sentence.
    """

    def __init__(self, message: str, choices: tuple[datetime, ...]) -> None:
        super().__init__(message)
        self.message = message
        self.choices = choices


# --- free slots -----------------------------------------------------------------------------------


def free_slots(
    hours: Iterable[Hours],
    closures: Iterable[Closure],
    busy: Iterable[Busy],
    *,
    minutes: int,
    start: datetime,
    end: datetime,
) -> list[Slot]:
    """The slots of `minutes` that begin at `start` or later and end at `end` or earlier and have a
    free seat, by time. Of equal slots (hours that overlap) one remains, with the larger capacity.

    Raises ValueError for a time without zone or a length below a minute.
    """
    if minutes < 1:
        raise ValueError("a slot has a length")
    if start.utcoffset() is None or end.utcoffset() is None:
        raise ValueError("a window of time has a zone")
    taken = _by_day(busy)
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    shut = tuple(closures)
    found: dict[tuple[datetime, str, str], Slot] = {}
    length = timedelta(minutes=minutes)
    for these in hours:
        mine = [closure for closure in shut if _concerns(closure, these)]
        for opens, closes in open_spans(these, start, end):
            at = opens
            # in UTC: across a clock change a slot lasts real minutes
            while at + length <= closes:
                near = {at.date(), (at + length).date()}
                booked = [b for day in near for b in taken.get((these.clinician, day), ())]
                slot = _slot(these, at, at + length, mine, booked)
                if slot is not None and at >= start and at + length <= end:
                    key = (at, these.clinician, these.location)
                    if key not in found or found[key].capacity < slot.capacity:
                        found[key] = slot
                at += length
    return [found[key] for key in sorted(found)]


def open_spans(hours: Hours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the spans of these hours that touch the window, in UTC, without regard to closures.

    A day has one span. It has two when the clock is set back across the opening time: the clock
    then shows an earlier time once more, and the hours begin anew.
    """
    day = start.astimezone(hours.zone).date() - _DAY
    last = end.astimezone(hours.zone).date()
    day += timedelta(days=(hours.weekday - day.weekday()) % 7)
    while day <= last:
        valid = (hours.valid_from is None or hours.valid_from <= day) and (
            hours.valid_until is None or day <= hours.valid_until
        )
        if valid:
            until = day + _DAY if hours.ends == time(0) else day
            closes = first_moment(datetime.combine(until, hours.ends), hours.zone)
            for opens, pauses in _openings(datetime.combine(day, hours.starts), hours.zone):
                ends = min(closes, pauses or closes)
                if opens < ends and opens < end and ends > start:
                    yield opens, ends
        day += 7 * _DAY


def _openings(wall: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime | None]]:
    """Yield each moment at which hours that start at this wall time open, with the moment at which
    the clock is set back to before it, or None."""
    first, *second = moments(wall, zone) or (first_moment(wall, zone),)
    if not second:
        yield first, None
        return
    set_back = first
    while set_back.astimezone(zone).replace(tzinfo=None) >= wall:
        set_back += _MINUTE
    yield first, set_back
    yield second[0], None


def capacity_at(
    hours: Iterable[Hours],
    closures: Iterable[Closure],
    *,
    clinician: str,
    location: str,
    start: datetime,
    end: datetime,
) -> int:
    """How many patients at once the hours allow then; 0 outside of hours and when closed."""
    shut = tuple(closures)
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    most = 0
    for these in hours:
        if (these.clinician, these.location) != (clinician, location):
            continue
        if any(_concerns(c, these) and _closed(c, start, end, these.zone) for c in shut):
            continue
        spans = open_spans(these, start, end)
        if any(opens <= start and end <= closes for opens, closes in spans):
            most = max(most, these.capacity)
    return most


def free_seats(
    busy: Iterable[Busy], *, clinician: str, start: datetime, end: datetime, capacity: int
) -> tuple[int, ...]:
    """The seats below `capacity` that nobody has at any moment of this time; none when as many are
    booked as there are now, in whatever seats (the hours had more then, or are others)."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    near = [b for b in busy if b.clinician == clinician and b.start < end and start < b.end]
    if len({b.seat for b in near if not b.overbooked}) >= capacity:
        return ()
    taken = {b.seat for b in near}
    return tuple(seat for seat in range(capacity) if seat not in taken)


def _slot(
    hours: Hours, start: datetime, end: datetime, closures: Sequence[Closure], busy: Sequence[Busy]
) -> Slot | None:
    if any(_closed(closure, start, end, hours.zone) for closure in closures):
        return None
    seats = free_seats(
        busy, clinician=hours.clinician, start=start, end=end, capacity=hours.capacity
    )
    if not seats:
        return None
    return Slot(
        start=start.astimezone(hours.zone),
        end=end.astimezone(hours.zone),
        clinician=hours.clinician,
        location=hours.location,
        seats=seats,
        capacity=hours.capacity,
    )


def _concerns(closure: Closure, hours: Hours) -> bool:
    return closure.clinician in (None, hours.clinician) and closure.location in (
        None,
        hours.location,
    )


def _closed(closure: Closure, start: datetime, end: datetime, zone: tzinfo) -> bool:
    if closure.first_day is not None and closure.last_day is not None:
        first = start.astimezone(zone).date()
        last = (end.astimezone(UTC) - timedelta.resolution).astimezone(zone).date()
        return closure.first_day <= last and first <= closure.last_day
    if closure.starts is not None and closure.ends is not None:
        return closure.starts < end and start < closure.ends
    return False


def _by_day(busy: Iterable[Busy]) -> dict[tuple[str, date], list[Busy]]:
    """What is taken, by clinician and each day of UTC it touches: a slot looks at its own alone."""
    found: dict[tuple[str, date], list[Busy]] = {}
    for one in busy:
        day = one.start.astimezone(UTC).date()
        while day <= one.end.astimezone(UTC).date():
            found.setdefault((one.clinician, day), []).append(one)
            day += _DAY
    return found


# --- wall times -----------------------------------------------------------------------------------


def moments(wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """The moments, in UTC, at which the zone's clocks show this wall time: none, one or two."""
    found = []
    for fold in (0, 1):
        moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
            found.append(moment)
    return tuple(sorted(set(found)))


def first_moment(wall: datetime, zone: tzinfo) -> datetime:
    """The moment of a wall time; of two the first, and for one that is skipped the change."""
    while not (found := moments(wall, zone)):
        wall += _MINUTE
    return found[0]


def resolve_wall(wall: datetime, zone: tzinfo, *, name: str = "") -> datetime:
    """The moment of a wall time that somebody typed. `name` is the zone's, for the sentence.

    Raises NoSuchTime when the clock skips it (the choices: as much before the change and after it
    as the gap is long), or shows it twice (both).
    """
    found = moments(wall, zone)
    if len(found) == 1:
        return found[0].astimezone(zone)
    where = f" ({name})" if name else ""
    if found:
        choices = tuple(moment.astimezone(zone) for moment in found)
        named = " or ".join(f"{at:%H:%M} {at.tzname()}" for at in choices)
        raise NoSuchTime(
            f"The clock is set back on this day{where}, so {wall:%H:%M} comes twice."
            f" Choose which one: {named}.",
            choices,
        )
    # read once with the offset after the change and once with the one before it
    earlier, later = sorted(
        wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone) for fold in (0, 1)
    )
    raise NoSuchTime(
        f"The clock is set forward on this day{where}, so {wall:%H:%M} does not exist."
        f" Choose {earlier:%H:%M} or {later:%H:%M}.",
        (earlier, later),
    )


# --- wishes and urgency ---------------------------------------------------------------------------


def fits(slot: Slot, wish: Wish) -> int | None:
    """How well a slot fits one wish: 0 in everything, more for each thing that differs; None when
    it is at another place or with somebody else than asked for."""
    if wish.location is not None and wish.location != slot.location:
        return None
    if wish.clinician is not None and wish.clinician != slot.clinician:
        return None
    misses = 0
    if wish.days and _WEEKDAYS[slot.start.weekday()] not in wish.days:
        misses += 1
    if wish.times and not any(_begins_in(slot.start.time(), part) for part in wish.times):
        misses += 1
    return misses


def rank(slot: Slot, wishes: Sequence[Wish], earliest: date | None = None) -> int | None:
    """How well a slot fits the best of the wishes, a dearer one before a later one; 0 is best and
    no wish at all is "the first free". None: before the earliest day, or no wish allows it."""
    if earliest is not None and slot.start.date() < earliest:
        return None
    if not wishes:
        return 0
    ranks = [
        misses * len(wishes) + place
        for place, wish in enumerate(wishes)
        if (misses := fits(slot, wish)) is not None
    ]
    return min(ranks, default=None)


def bounds(urgency: str, *, at: datetime, horizon_days: int) -> tuple[datetime, datetime] | None:
    """From when until when a patient may be offered times; None: never, somebody calls or helps
    today. Urgent: the next URGENT_DAYS and no later, however far the clinic's book reaches."""
    if urgency in ("emergency", "same_day"):
        return None
    days = min(horizon_days, URGENT_DAYS) if urgency == "urgent" else horizon_days
    return at, at + timedelta(days=days)


def _begins_in(at: time, part: str) -> bool:
    begin, end = TIMES_OF_DAY.get(part, (time.max, time.min))
    return begin <= at.replace(tzinfo=None) < end
