"""Find free slots: opening hours, minus closures, minus bookings.

The functions read no clock: the caller passes the time. Opening hours are wall times in the time
zone of a location, and are turned into moments day by day. So days of 23 or 25 hours come out
right: a wall time that the clock skips is never offered, a wall time that occurs twice is offered
for both moments, and a slot always lasts its real minutes. The end of a span does not belong to the
span, because the next span can begin at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from intake.domain.wall_time import first_moment, moments

_DAY: Final = timedelta(days=1)
_MINUTE: Final = timedelta(minutes=1)
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

TIMES_OF_DAY: Final[Mapping[str, tuple[time, time]]] = {
    "morning": (time(0), time(11)),
    "midday": (time(11), time(14)),
    "afternoon": (time(14), time.max),
}
"""Time of day → the wall times between which a visit may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Weekly opening hours of a clinician at a location.

    If `ends` is 00:00, the hours end with the day. `valid_from` and `valid_until` are the first and
    the last day on which the hours hold. The clinician sees up to `capacity` patients at once.
    """

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
class ClosedSpan:
    """A time without visits.

    It lasts from `starts` to `ends`, or from `first_day` to the end of `last_day` in the time zone
    of each location. If `clinician` or `location` is None, all clinicians or locations are meant.
    """

    clinician: str | None = None
    location: str | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """A clinician's seat that is held or booked.

    `overbooked` marks a visit that staff booked beyond the capacity. An overbooked visit does not
    count against the capacity.
    """

    clinician: str
    start: datetime
    end: datetime
    seat: int = 0
    overbooked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A free time in the time zone of its location. `seats` are the free seats, lowest first.

    Sort and compare slots by `moment`, not by `start`: Python compares two times of one zone by
    their wall time, and 1:30 occurs twice on a night when the clock is set back.
    """

    start: datetime
    end: datetime
    clinician: str
    location: str
    seats: tuple[int, ...] = (0,)
    capacity: int = 1

    @property
    def moment(self) -> datetime:
        """The time in UTC when the slot begins."""
        return self.start.astimezone(UTC)

    @property
    def key(self) -> str:
        """The text that stands for the slot in a form; see `slot_key`."""
        return slot_key(self.start, self.clinician, self.location)


def is_plausible_day(day: date) -> bool:
    """Whether the year of this day is possible for a visit.

    A mistyped or invented day, such as a day in the year 1 or 9999, must be refused, because
    computing with the days before and after it would overflow.
    """
    return 2000 < day.year < 3000


def slot_key(start: datetime, clinician: str, location: str) -> str:
    """Return the key of a slot: its beginning in UTC and the ids of clinician and location."""
    return f"{start.astimezone(UTC):%Y%m%dT%H%M%S}_{clinician}_{location}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A patient's wish: weekdays, times of day, location, clinician. Empty or None: any will do."""

    days: frozenset[str] = field(default_factory=frozenset)
    times: frozenset[str] = field(default_factory=frozenset)
    location: str | None = None
    clinician: str | None = None


# --- free slots -----------------------------------------------------------------------------------


def free_slots(
    hours: Iterable[Hours],
    closures: Iterable[ClosedSpan],
    busy: Iterable[Busy],
    *,
    minutes: int,
    start: datetime,
    end: datetime,
) -> list[Slot]:
    """Return the free slots of a clinic between `start` and `end`, sorted by time.

    Each slot lasts `minutes`, lies within opening hours and between `start` and `end`, overlaps no
    closure and has a free seat. If overlapping opening hours give the same slot twice, the slot
    with the larger capacity is returned. Raises ValueError for a `start` or `end` without a time
    zone and for less than one minute.
    """
    if minutes < 1:
        raise ValueError("a slot has a length")
    if start.utcoffset() is None or end.utcoffset() is None:
        raise ValueError("a window of time has a zone")
    bookings = _bookings_by_day(busy)
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    closures = tuple(closures)
    found: dict[tuple[datetime, str, str], Slot] = {}
    for opening in hours:
        relevant = [closure for closure in closures if _concerns(closure, opening)]
        for begins, ends in _possible_times(opening, timedelta(minutes=minutes), start, end):
            near = {begins.date(), ends.date()}
            booked = [b for day in near for b in bookings.get((opening.clinician, day), ())]
            slot = _slot(opening, begins, ends, relevant, booked)
            key = (begins, opening.clinician, opening.location)
            if slot is not None and (key not in found or found[key].capacity < slot.capacity):
                found[key] = slot
    return [found[key] for key in sorted(found)]


def _possible_times(
    hours: Hours, length: timedelta, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield begin and end, in UTC, of each slot within the hours and between `start` and `end`."""
    for opens, closes in open_spans(hours, start, end):
        begins = opens
        # The steps are made in UTC, so that a slot lasts real minutes even across a clock change.
        while begins + length <= closes:
            if start <= begins and begins + length <= end:
                yield begins, begins + length
            begins += length


def open_spans(hours: Hours, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield, in UTC, the spans of these hours that overlap the time from `start` to `end`.

    Closures are ignored. A day normally has one span. It has two spans if the clock is set back
    across the opening time: then the clock shows a time before the opening again, and the hours
    begin a second time.
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
    """Yield a pair for each moment at which the wall clock shows this opening time.

    Normally there is one pair: the moment and None. If the clock is set back across the opening
    time, there are two pairs. Then the first pair has, in place of None, the moment when the clock
    again shows a time before the opening.
    """
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
    closures: Iterable[ClosedSpan],
    *,
    clinician: str,
    location: str,
    start: datetime,
    end: datetime,
) -> int:
    """Return how many patients the hours allow at once; 0 outside the hours and in a closure."""
    closures = tuple(closures)
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    largest = 0
    for opening in hours:
        if (opening.clinician, opening.location) != (clinician, location):
            continue
        if any(_concerns(c, opening) and _closed(c, start, end, opening.zone) for c in closures):
            continue
        spans = open_spans(opening, start, end)
        if any(opens <= start and end <= closes for opens, closes in spans):
            largest = max(largest, opening.capacity)
    return largest


def free_seats(
    busy: Iterable[Busy], *, clinician: str, start: datetime, end: datetime, capacity: int
) -> tuple[int, ...]:
    """Return the seats with a number below `capacity` that are free from `start` to `end`.

    No seat is free once `capacity` seats are booked, even if some of these have higher numbers. A
    booked seat has a higher number if the capacity was larger when it was booked.
    """
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    near = [b for b in busy if b.clinician == clinician and b.start < end and start < b.end]
    if len({b.seat for b in near if not b.overbooked}) >= capacity:
        return ()
    taken = {b.seat for b in near}
    return tuple(seat for seat in range(capacity) if seat not in taken)


def _slot(
    hours: Hours,
    start: datetime,
    end: datetime,
    closures: Sequence[ClosedSpan],
    busy: Sequence[Busy],
) -> Slot | None:
    if any(_closed(closure, start, end, hours.zone) for closure in closures):
        return None
    seats = tuple(range(hours.capacity))
    if busy:  # on most days nothing is booked
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


def _concerns(closure: ClosedSpan, hours: Hours) -> bool:
    return closure.clinician in (None, hours.clinician) and closure.location in (
        None,
        hours.location,
    )


def _closed(closure: ClosedSpan, start: datetime, end: datetime, zone: tzinfo) -> bool:
    if closure.first_day is not None and closure.last_day is not None:
        first = start.astimezone(zone).date()
        last = (end.astimezone(UTC) - timedelta.resolution).astimezone(zone).date()
        return closure.first_day <= last and first <= closure.last_day
    if closure.starts is not None and closure.ends is not None:
        return closure.starts < end and start < closure.ends
    return False


def _bookings_by_day(busy: Iterable[Busy]) -> dict[tuple[str, date], list[Busy]]:
    """Index bookings by clinician and UTC day, so that a slot is compared with few bookings."""
    found: dict[tuple[str, date], list[Busy]] = {}
    for booking in busy:
        day = booking.start.astimezone(UTC).date()
        while day <= booking.end.astimezone(UTC).date():
            found.setdefault((booking.clinician, day), []).append(booking)
            day += _DAY
    return found


# --- wishes and urgency ---------------------------------------------------------------------------


def unmet_parts(slot: Slot, wish: Wish) -> int | None:
    """Count the parts of one wish (weekday, time of day) that a slot does not meet.

    Returns None if the wish names another location or another clinician than the slot has.
    """
    if wish.location is not None and wish.location != slot.location:
        return None
    if wish.clinician is not None and wish.clinician != slot.clinician:
        return None
    unmet = 0
    if wish.days and _WEEKDAYS[slot.start.weekday()] not in wish.days:
        unmet += 1
    if wish.times and not any(_begins_in(slot.start.time(), part) for part in wish.times):
        unmet += 1
    return unmet


def wish_rank(slot: Slot, wishes: Sequence[Wish], earliest: date | None = None) -> int | None:
    """Rank a slot by the wish that it fits best. 0 is the best rank.

    An earlier wish counts more than a later wish. Without wishes every slot has rank 0. Returns
    None if the slot is before the day `earliest`, or if no wish allows its location and clinician.
    """
    if earliest is not None and slot.start.date() < earliest:
        return None
    if not wishes:
        return 0
    ranks = [
        unmet * len(wishes) + place
        for place, wish in enumerate(wishes)
        if (unmet := unmet_parts(slot, wish)) is not None
    ]
    return min(ranks, default=None)


def offer_window(
    urgency: str, *, at: datetime, horizon_days: int, urgent_days: int
) -> tuple[datetime, datetime] | None:
    """Return the start and end of the span in which a patient of this urgency may be offered slots.

    Returns None for emergency and same day, because these patients are helped or called today. An
    urgent patient is offered only the next `urgent_days` days, even if the clinic books further
    ahead.
    """
    if urgency in ("emergency", "same_day"):
        return None
    days = min(horizon_days, urgent_days) if urgency == "urgent" else horizon_days
    return at, at + timedelta(days=days)


def _begins_in(at: time, part: str) -> bool:
    begin, end = TIMES_OF_DAY.get(part, (time.max, time.min))
    return begin <= at.replace(tzinfo=None) < end
