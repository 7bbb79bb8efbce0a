"""Free slots: hours − closures − bookings, on ordinary days and when the clock changes."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from intake.domain.slots import (
    Busy,
    ClosedSpan,
    Hours,
    Slot,
    Wish,
    capacity_at,
    free_seats,
    free_slots,
    offer_window,
    unmet_parts,
    wish_rank,
)
from intake.domain.wall_time import NoSuchTime, moments, resolve_wall
from tests.examples import examples

NEW_YORK = ZoneInfo("America/New_York")
BERLIN = ZoneInfo("Europe/Berlin")
SYDNEY = ZoneInfo("Australia/Sydney")
# zone → the day when the clock is set forward, the day when it is set back
CHANGES = {
    NEW_YORK: (date(2027, 3, 14), date(2027, 11, 7)),
    BERLIN: (date(2027, 3, 28), date(2027, 10, 31)),
    SYDNEY: (date(2027, 10, 3), date(2027, 4, 4)),
}
ZONES = list(CHANGES)
DAY = timedelta(days=1)


def hours(day: date, starts: str, ends: str, zone: ZoneInfo = NEW_YORK, **more) -> Hours:
    return Hours(
        **{"clinician": "c1", "location": "l1", "capacity": 1} | more,
        zone=zone,
        weekday=day.weekday(),
        starts=time.fromisoformat(starts),
        ends=time.fromisoformat(ends),
    )


def day_of(day: date, zone: ZoneInfo) -> dict[str, datetime]:
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    return {"start": start, "end": datetime.combine(day + DAY, time(), zone).astimezone(UTC)}


def walls(slots: list[Slot]) -> list[str]:
    return [f"{slot.start:%H:%M}" for slot in slots]


# --- ordinary days --------------------------------------------------------------------------------
MONDAY = date(2027, 1, 11)


def test_a_morning_is_cut_into_visits_that_fit():
    slots = free_slots([hours(MONDAY, "09:00", "10:40")], [], [], minutes=30,
                       **day_of(MONDAY, NEW_YORK))  # fmt: skip
    assert walls(slots) == ["09:00", "09:30", "10:00"]
    assert all(slot.start.tzinfo is NEW_YORK for slot in slots)


def test_a_slot_that_fills_the_window_is_found():
    nine = datetime(2027, 1, 11, 9, tzinfo=NEW_YORK)
    window = {"start": nine, "end": nine + timedelta(minutes=30)}
    slots = free_slots([hours(MONDAY, "09:00", "17:00")], [], [], minutes=30, **window)
    assert walls(slots) == ["09:00"]


def test_a_visit_leaves_its_neighbours_free():
    nine = datetime(2027, 1, 11, 9, 30, tzinfo=NEW_YORK)
    busy = [Busy(clinician="c1", start=nine, end=nine + timedelta(minutes=30))]
    slots = free_slots([hours(MONDAY, "09:00", "10:30")], [], busy, minutes=30,
                       **day_of(MONDAY, NEW_YORK))  # fmt: skip
    assert walls(slots) == ["09:00", "10:00"]


def test_a_visit_of_somebody_else_takes_nothing():
    nine = datetime(2027, 1, 11, 9, 0, tzinfo=NEW_YORK)
    busy = [Busy(clinician="c2", start=nine, end=nine + timedelta(minutes=30))]
    slots = free_slots([hours(MONDAY, "09:00", "09:30")], [], busy, minutes=30,
                       **day_of(MONDAY, NEW_YORK))  # fmt: skip
    assert walls(slots) == ["09:00"]


def test_a_group_has_seats_until_all_are_taken():
    nine = datetime(2027, 1, 11, 9, 0, tzinfo=NEW_YORK)
    group = [hours(MONDAY, "09:00", "10:00", capacity=3)]
    taken = [
        Busy(clinician="c1", seat=n, start=nine, end=nine + timedelta(hours=1)) for n in (0, 2)
    ]
    (slot,) = free_slots(group, [], taken, minutes=60, **day_of(MONDAY, NEW_YORK))
    assert slot.seats == (1,)
    taken.append(Busy(clinician="c1", seat=1, start=nine, end=nine + timedelta(hours=1)))
    assert free_slots(group, [], taken, minutes=60, **day_of(MONDAY, NEW_YORK)) == []


def test_one_booked_beyond_the_hours_on_purpose_takes_no_ordinary_seat():
    nine = datetime(2027, 1, 11, 9, 0, tzinfo=NEW_YORK)
    end = nine + timedelta(minutes=30)
    extra = [Busy(clinician="c1", seat=1, start=nine, end=end, overbooked=True)]
    slots = free_slots([hours(MONDAY, "09:00", "09:30")], [], extra, minutes=30,
                       **day_of(MONDAY, NEW_YORK))  # fmt: skip
    assert walls(slots) == ["09:00"]


@pytest.mark.parametrize(
    ("closure", "left"),
    [
        (ClosedSpan(first_day=MONDAY, last_day=MONDAY), []),
        (ClosedSpan(first_day=MONDAY - DAY, last_day=MONDAY - DAY), ["09:00", "09:30"]),
        (ClosedSpan(first_day=MONDAY, last_day=MONDAY, clinician="c2"), ["09:00", "09:30"]),
        (ClosedSpan(first_day=MONDAY, last_day=MONDAY, location="l1"), []),
        (
            ClosedSpan(
                starts=datetime(2027, 1, 11, 9, 15, tzinfo=NEW_YORK),
                ends=datetime(2027, 1, 11, 9, 30, tzinfo=NEW_YORK),
            ),
            ["09:30"],
        ),
    ],
)
def test_a_closure_closes_what_it_names(closure, left):
    slots = free_slots([hours(MONDAY, "09:00", "10:00")], [closure], [], minutes=30,
                       **day_of(MONDAY, NEW_YORK))  # fmt: skip
    assert walls(slots) == left


def test_hours_hold_from_their_first_day_to_their_last():
    these = hours(MONDAY, "09:00", "09:30", valid_from=MONDAY, valid_until=MONDAY + 7 * DAY)
    start = datetime(2026, 12, 1, tzinfo=UTC)
    slots = free_slots([these], [], [], minutes=30, start=start, end=start + 90 * DAY)
    assert [slot.start.date() for slot in slots] == [MONDAY, MONDAY + 7 * DAY]


def test_leap_day_is_a_day_like_any_other():
    leap = date(2028, 2, 29)
    slots = free_slots([hours(leap, "09:00", "10:00")], [], [], minutes=30, **day_of(leap, BERLIN))
    assert [slot.start.date() for slot in slots] == [leap, leap]


def test_hours_until_midnight_end_with_the_day():
    slots = free_slots([hours(MONDAY, "23:00", "00:00")], [], [], minutes=30,
                       **day_of(MONDAY, NEW_YORK))  # fmt: skip
    assert walls(slots) == ["23:00", "23:30"]
    assert slots[-1].end == datetime(2027, 1, 12, tzinfo=NEW_YORK)


def test_a_window_is_half_open_and_takes_only_whole_slots():
    start = datetime(2027, 1, 11, 9, 10, tzinfo=NEW_YORK)
    slots = free_slots([hours(MONDAY, "09:00", "12:00")], [], [], minutes=30,
                       start=start, end=start + timedelta(minutes=80))  # fmt: skip
    assert walls(slots) == ["09:30", "10:00"]


def test_nonsense_is_refused():
    at = datetime(2027, 1, 11)
    with pytest.raises(ValueError):
        free_slots([], [], [], minutes=30, start=at, end=at)
    with pytest.raises(ValueError):
        free_slots([], [], [], minutes=0, start=at.replace(tzinfo=UTC), end=at.replace(tzinfo=UTC))


# --- the clock changes ----------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_an_hour_that_the_clock_skips_is_not_offered(zone):
    forward, _back = CHANGES[zone]
    slots = free_slots([hours(forward, "00:30", "05:30", zone)], [], [], minutes=30,
                       **day_of(forward, zone))  # fmt: skip
    assert len(slots) == 8  # ten hours by the clock, less the skipped hour
    for slot in slots:
        assert moments(slot.start.replace(tzinfo=None), zone)
        assert slot.end.astimezone(UTC) - slot.start.astimezone(UTC) == timedelta(minutes=30)
    gap = [wall for wall in walls(slots) if wall.startswith("02")]
    assert gap == []


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_an_hour_that_comes_twice_gives_each_moment_once(zone):
    _forward, back = CHANGES[zone]
    slots = free_slots([hours(back, "00:30", "05:30", zone)], [], [], minutes=30,
                       **day_of(back, zone))  # fmt: skip
    assert len(slots) == 12
    assert len({slot.start.astimezone(UTC) for slot in slots}) == 12
    assert len({slot.key for slot in slots}) == 12
    assert len(walls(slots)) - len(set(walls(slots))) == 2
    for one, next_one in pairwise(slots):
        assert one.end.astimezone(UTC) == next_one.start.astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_morning_keeps_its_wall_time_on_both_sides_of_a_change(zone):
    for change in CHANGES[zone]:
        for day in (change - DAY, change, change + DAY):
            slots = free_slots([hours(day, "09:00", "10:00", zone)], [], [], minutes=30,
                               **day_of(day, zone))  # fmt: skip
            assert walls(slots) == ["09:00", "09:30"], day


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_a_typed_time_that_does_not_exist_or_comes_twice_is_asked_about(zone):
    forward, back = CHANGES[zone]
    with pytest.raises(NoSuchTime, match="does not exist") as caught:
        resolve_wall(datetime.combine(forward, time(2, 30)), zone)
    assert [f"{at:%H:%M}" for at in caught.value.choices] == ["01:30", "03:30"]
    twice = time(1, 30) if zone is NEW_YORK else time(2, 30)
    with pytest.raises(NoSuchTime, match="comes twice") as caught:
        resolve_wall(datetime.combine(back, twice), zone, name="Main clinic")
    first, second = (at.astimezone(UTC) for at in caught.value.choices)
    assert second - first == timedelta(hours=1)
    assert "Main clinic" in caught.value.message
    noon = datetime.combine(back, time(12))
    assert resolve_wall(noon, zone).replace(tzinfo=None) == noon


# --- laws for any hours ---------------------------------------------------------------------------
QUARTERS = st.integers(0, 95)
WINDOW = {"start": datetime(2027, 10, 25, tzinfo=UTC), "end": datetime(2027, 11, 10, tzinfo=UTC)}


def _wall(quarter: int) -> time:
    return time(quarter // 4, quarter % 4 * 15)


@st.composite
def any_hours(draw) -> Hours:
    starts = draw(st.integers(0, 92))
    ends = draw(st.integers(starts + 1, 96))
    return Hours(
        clinician=draw(st.sampled_from(["c1", "c2"])),
        location=draw(st.sampled_from(["l1", "l2"])),
        zone=draw(st.sampled_from(ZONES)),
        weekday=draw(st.integers(0, 6)),
        starts=_wall(starts),
        ends=_wall(ends % 96),
        valid_from=draw(st.none() | st.dates(date(2027, 10, 20), date(2027, 11, 5))),
        valid_until=draw(st.none() | st.dates(date(2027, 10, 28), date(2027, 11, 12))),
        capacity=draw(st.integers(1, 3)),
    )


@st.composite
def any_closure(draw) -> ClosedSpan:
    who = draw(st.none() | st.sampled_from(["c1", "c2"]))
    if draw(st.booleans()):
        first = draw(st.dates(date(2027, 10, 24), date(2027, 11, 10)))
        return ClosedSpan(
            clinician=who, first_day=first, last_day=first + draw(st.integers(0, 2)) * DAY
        )
    start = WINDOW["start"] + draw(st.integers(0, 16 * 96)) * timedelta(minutes=15)
    return ClosedSpan(clinician=who, starts=start, ends=start + timedelta(hours=3))


HOURS = st.lists(any_hours(), max_size=5)
CLOSURES = st.lists(any_closure(), max_size=3)
MINUTES = st.sampled_from([15, 20, 40, 60, 90])


def book(slot: Slot) -> Busy:
    return busy(slot, slot.seats[0])


def busy(slot: Slot, seat: int) -> Busy:
    start, end = slot.start.astimezone(UTC), slot.end.astimezone(UTC)
    return Busy(clinician=slot.clinician, start=start, end=end, seat=seat)


MIDNIGHT = Hours(
    clinician="c1", location="l1", zone=NEW_YORK, weekday=0, starts=time(0), ends=time(0)
)


# opening hours from 02:45, on a Sunday on which 02:45 comes twice: at 03:00 it is again 02:00
OPENS_TWICE = Hours(
    clinician="c1", location="l1", zone=BERLIN, weekday=6, starts=time(2, 45), ends=time(4)
)


@settings(max_examples=examples(30), deadline=None)
@given(HOURS, CLOSURES, MINUTES)
@example([MIDNIGHT], [], 15)
@example([OPENS_TWICE], [], 15)
def test_no_slot_lies_outside_of_hours_or_in_a_closure(all_hours, closures, minutes):
    for slot in free_slots(all_hours, closures, [], minutes=minutes, **WINDOW):
        assert slot.end.astimezone(UTC) - slot.start.astimezone(UTC) == timedelta(minutes=minutes)
        assert 1 <= slot.capacity <= capacity_at(
            all_hours, closures, clinician=slot.clinician, location=slot.location,
            start=slot.start, end=slot.end,
        )  # fmt: skip
        mine = [
            h for h in all_hours if (h.clinician, h.location) == (slot.clinician, slot.location)
        ]
        assert any(_within(slot, these) for these in mine)
        for closure in closures:
            if closure.clinician in (None, slot.clinician) and closure.starts:
                start, end = slot.start.astimezone(UTC), slot.end.astimezone(UTC)
                assert end <= closure.starts or closure.ends <= start


def _within(slot: Slot, these: Hours) -> bool:
    """Return whether the slot lies within these hours, when only wall times are compared."""
    start = slot.start.astimezone(these.zone)
    end = slot.end.astimezone(these.zone)
    last = (end - timedelta.resolution).time()
    before_end = these.ends == time(0) or last < these.ends
    return start.weekday() == these.weekday and these.starts <= start.time() and before_end


@settings(max_examples=examples(25), deadline=None)
@given(HOURS, CLOSURES, MINUTES, st.randoms(use_true_random=False))
def test_whoever_books_what_is_free_never_meets_more_than_there_are_seats(
    all_hours, closures, minutes, rng: Random
):
    booked: list[Busy] = []
    for _n in range(12):
        free = free_slots(all_hours, closures, booked, minutes=rng.choice([minutes, 30]), **WINDOW)
        if not free:
            break
        booked.append(book(rng.choice(free)))
    for one in booked:
        same = [b for b in booked if b.clinician == one.clinician and b.seat == one.seat]
        assert [b for b in same if b.start < one.end and one.start < b.end] == [one]
    most = max((these.capacity for these in all_hours), default=0)
    for one in booked:
        at_once = {
            b.seat for b in booked if b.clinician == one.clinician
            and b.start <= one.start < b.end
        }  # fmt: skip
        assert len(at_once) <= most


def test_a_seat_that_the_hours_no_longer_have_takes_room_too():
    """The hours allowed two patients at once, and one patient is booked on the second seat.

    When the hours then allow only one patient, this booking takes the only place.
    """
    one, two = ([hours(MONDAY, "09:00", "10:00", capacity=most)] for most in (1, 2))
    day = day_of(MONDAY, NEW_YORK)
    (slot,) = free_slots(one, [], [], minutes=60, **day)
    late = [busy(slot, 1)]
    assert free_slots(one, [], late, minutes=60, **day) == []
    (left,) = free_slots(two, [], late, minutes=60, **day)
    assert left.seats == (0,)


@settings(max_examples=examples(25), deadline=None)
@given(HOURS, MINUTES, st.integers(1, 3), st.randoms(use_true_random=False))
def test_no_more_are_booked_at_once_than_the_hours_allow_when_they_allow_fewer_than_before(
    all_hours, minutes, fewer, rng: Random
):
    free = free_slots(all_hours, [], [], minutes=minutes, **WINDOW)
    booked = [busy(slot, rng.randrange(4)) for slot in rng.sample(free, min(len(free), 6))]
    now = [replace(these, capacity=min(these.capacity, fewer)) for these in all_hours]
    for slot in free_slots(now, [], booked, minutes=minutes, **WINDOW):
        met = {
            b.seat for b in booked if b.clinician == slot.clinician
            and b.start < slot.end and slot.start < b.end
        }  # fmt: skip
        assert len(met) < slot.capacity


@settings(max_examples=examples(25), deadline=None)
@given(HOURS, CLOSURES, MINUTES, st.randoms(use_true_random=False))
def test_what_is_left_does_not_depend_on_who_came_first(all_hours, closures, minutes, rng: Random):
    free = free_slots(all_hours, closures, [], minutes=minutes, **WINDOW)
    booked: list[Busy] = []
    for slot in rng.sample(free, min(len(free), 8)):
        seats = free_seats(booked, clinician=slot.clinician, start=slot.start, end=slot.end,
                           capacity=slot.capacity)  # fmt: skip
        if seats:
            booked.append(Busy(clinician=slot.clinician, start=slot.start, end=slot.end,
                               seat=seats[0]))  # fmt: skip
    left = free_slots(all_hours, closures, booked, minutes=minutes, **WINDOW)
    for _n in range(3):
        rng.shuffle(booked)
        shuffled = rng.sample(all_hours, len(all_hours))
        again = free_slots(shuffled, closures, booked, minutes=minutes, **WINDOW)
        assert [(s.key, s.seats) for s in again] == [(s.key, s.seats) for s in left]
    assert {slot.key for slot in left} <= {slot.key for slot in free}


# --- wishes and urgency ---------------------------------------------------------------------------
SLOT = Slot(
    start=datetime(2027, 1, 11, 9, tzinfo=NEW_YORK),
    end=datetime(2027, 1, 11, 9, 30, tzinfo=NEW_YORK),
    clinician="c1",
    location="l1",
)


@pytest.mark.parametrize(
    ("wish", "misses"),
    [
        (Wish(), 0),
        (Wish(days=frozenset({"mon"}), times=frozenset({"morning"})), 0),
        (Wish(days=frozenset({"tue"}), times=frozenset({"morning"})), 1),
        (Wish(days=frozenset({"tue"}), times=frozenset({"afternoon"})), 2),
        (Wish(location="l1", clinician="c1"), 0),
        (Wish(location="l2"), None),
        (Wish(clinician="c2"), None),
    ],
)
def test_a_slot_fits_a_wish_or_misses_it(wish, misses):
    assert unmet_parts(SLOT, wish) == misses


def test_the_dearest_wish_counts_first_and_no_wish_is_the_first_free():
    tuesday, monday = Wish(days=frozenset({"tue"})), Wish(days=frozenset({"mon"}))
    assert wish_rank(SLOT, []) == 0
    assert wish_rank(SLOT, [monday, tuesday]) == 0
    assert wish_rank(SLOT, [tuesday, monday]) == 1
    assert wish_rank(SLOT, [tuesday]) == 1
    assert wish_rank(SLOT, [], date(2027, 1, 12)) is None
    assert wish_rank(SLOT, [Wish(location="l2")]) is None


@pytest.mark.parametrize("clock", range(24))
def test_every_time_of_day_is_one_of_three(clock):
    slot = Slot(
        start=datetime(2027, 1, 11, clock, 59, tzinfo=NEW_YORK),
        end=datetime(2027, 1, 12, tzinfo=NEW_YORK),
        clinician="c1",
        location="l1",
    )
    parts = ("morning", "midday", "afternoon")
    assert sum(unmet_parts(slot, Wish(times=frozenset({part}))) == 0 for part in parts) == 1


def test_urgency_bounds_what_is_offered():
    now = datetime(2027, 1, 11, 9, tzinfo=UTC)
    for never in ("emergency", "same_day"):
        assert offer_window(never, at=now, horizon_days=90, urgent_days=14) is None
    assert offer_window("urgent", at=now, horizon_days=90, urgent_days=14) == (
        now,
        now + timedelta(days=14),
    )
    for urgency in ("soon", "routine"):
        assert offer_window(urgency, at=now, horizon_days=90, urgent_days=14) == (
            now,
            now + timedelta(days=90),
        )
