import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic import hours
from clinic.opening_hours import ClinicHours, together

NEW_YORK = "America/New_York"
ZONES = [NEW_YORK, "Europe/London", "Australia/Lord_Howe", "Africa/Cairo", "Atlantic/Azores"]
WEEKS = [
    "Mon-Fri 08:30-17:00",
    "Mon-Fri 08:00-12:00 13:00-17:00, Sat 09:00-12:00",
    "Mon-Sun 00:00-24:00",
    "Sun 01:30-03:30",
    "Fri-Sun 00:15-00:45 01:10-02:20 02:40-05:00 23:15-24:00",
]


def make(text="Mon-Fri 08:30-17:00", holidays=(), zone=NEW_YORK):
    return ClinicHours.parse(text, list(holidays), zone)


def wall(*parts, zone=NEW_YORK, fold=0):
    return datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold)


def h(hours_):
    return timedelta(hours=hours_)


# --- reading the setting ------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no opening hours"),
        (" , ", "no opening hours"),
        ("Mon-Fri", "'Mon-Fri' has no times"),
        ("Monday 08:00-12:00", "'Monday'"),
        ("Mon-Fry 08:00-12:00", "'Mon-Fry'"),
        ("Mon-Tue-Wed 08:00-12:00", "'Mon-Tue-Wed'"),
        ("Mon 8-12", "'8-12'"),
        ("Mon 12:00-08:00", "'12:00-08:00'"),
        ("Mon 08:00-08:00", "'08:00-08:00'"),
        ("Mon 08:00-24:01", "'08:00-24:01'"),
        ("Mon 25:00-26:00", "'25:00-26:00'"),
        ("Mon 08:00-12:60", "'08:00-12:60'"),
        ("Mon ٠٨:00-12:00", "'٠٨:00-12:00'"),
        ("Mon-Fri 08:00-12:00, Wed 11:00-13:00", "Wed has hours that overlap"),
    ],
)
def test_a_wrong_part_of_the_hours_is_named(text, named):
    with pytest.raises(ValueError, match=named):
        make(text)


def test_a_wrong_holiday_or_time_zone_is_named():
    with pytest.raises(ValueError, match="'2026-02-30'"):
        make(holidays=["2026-12-25", "2026-02-30"])
    for zone in ("Mars/Olympus", "", "../etc/passwd"):
        with pytest.raises(ValueError, match="is no time zone"):
            make(zone=zone)


def test_a_range_of_days_goes_round_the_end_of_the_week():
    week = make("Sun-Thu 8:00-12:00").week
    assert [bool(day) for day in week] == [True, True, True, True, False, False, True]


def test_hours_are_values():
    assert make() == make()
    assert len({make(), make(), make(zone="Europe/London")}) == 2


# --- open or closed -----------------------------------------------------------------------------
def test_the_opening_minute_is_open_and_the_closing_minute_is_not():
    calendar = make()
    assert not calendar.is_open(wall(2026, 11, 23, 8, 29, 59))
    assert calendar.is_open(wall(2026, 11, 23, 8, 30))
    assert calendar.is_open(wall(2026, 11, 23, 16, 59, 59))
    assert not calendar.is_open(wall(2026, 11, 23, 17, 0))
    assert not calendar.is_open(wall(2026, 11, 22, 12, 0))  # a Sunday
    assert calendar.is_open(datetime(2026, 11, 23, 13, 30, tzinfo=UTC))


def test_a_holiday_is_closed_and_is_no_business_day():
    calendar = make(holidays=["2026-11-26"])  # a Thursday
    assert not calendar.is_open(wall(2026, 11, 26, 12, 0))
    assert calendar.next_opening(wall(2026, 11, 25, 17, 0)) == wall(2026, 11, 27, 8, 30)
    assert calendar.add_business_days(wall(2026, 11, 25, 9, 0), 1) == wall(2026, 11, 27, 17, 0)


def test_the_next_opening_of_an_open_clinic_is_now():
    at = wall(2026, 11, 23, 9, 15)
    assert make().next_opening(at) == at
    assert make().next_opening(wall(2026, 11, 20, 17, 0)) == wall(2026, 11, 23, 8, 30)
    split = make("Mon-Fri 08:00-12:00 13:00-17:00")
    assert split.next_opening(wall(2026, 11, 23, 12, 0)) == wall(2026, 11, 23, 13, 0)


def test_a_clinic_open_round_the_clock_is_always_open():
    for zone in ZONES:
        calendar = make("Mon-Sun 00:00-24:00", zone=zone)
        start = datetime(2026, 1, 1, tzinfo=UTC)
        assert calendar.open_time_between(start, start + timedelta(days=365)) == timedelta(days=365)


# --- opening time -------------------------------------------------------------------------------
def test_opening_time_runs_over_the_weekend_and_lunch():
    calendar = make("Mon-Fri 08:00-12:00 13:00-17:00")
    friday = wall(2026, 11, 20, 11, 0)
    assert calendar.add_open(friday, h(1)) == wall(2026, 11, 20, 12, 0)
    assert calendar.add_open(friday, h(2)) == wall(2026, 11, 20, 14, 0)
    assert calendar.add_open(friday, h(5)) == wall(2026, 11, 20, 17, 0)
    assert calendar.add_open(friday, h(6)) == wall(2026, 11, 23, 9, 0)
    assert calendar.add_open(friday, h(0)) == friday


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        (NEW_YORK, date(2026, 3, 8), 23),
        (NEW_YORK, date(2026, 11, 1), 25),
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Africa/Cairo", date(2026, 4, 24), 23),  # the clock change skips midnight itself
        ("Africa/Cairo", date(2026, 10, 29), 25),
        ("America/St_Johns", date(2010, 11, 6), 24),  # the hour before midnight occurs twice
        ("Pacific/Apia", date(2011, 12, 30), 0),  # Samoa skipped this day
    ],
)
def test_a_day_of_a_clock_change_has_the_hours_it_has(zone, day, length):
    calendar = make("Mon-Sun 00:00-24:00", zone=zone)
    quiet = ClinicHours(
        tuple(spans if n == day.weekday() else () for n, spans in enumerate(calendar.week)),
        frozenset(),
        calendar.zone,
    )
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZoneInfo(zone))
    assert quiet.open_time_between(noon - h(60), noon + h(60)) == h(length)


def test_the_hours_after_a_clock_change_are_wall_times():
    calendar = make("Sat-Mon 09:00-17:00")
    # the clocks go forward in the night to Sunday, 8 March 2026
    saturday, sunday = wall(2026, 3, 7, 16, 0), wall(2026, 3, 8, 10, 0)
    assert calendar.add_open(saturday, h(2)) == sunday
    assert calendar.open_time_between(saturday, sunday) == h(2)
    assert calendar.next_opening(wall(2026, 3, 7, 17, 0)) == wall(2026, 3, 8, 9, 0)


def test_hours_that_a_clock_change_skips_or_repeats():
    night = make("Sun 01:30-03:30")
    assert night.next_opening(wall(2026, 3, 8)) == wall(2026, 3, 8, 1, 30)
    assert night.add_open(wall(2026, 3, 8), h(1)) == wall(2026, 3, 8, 3, 30)
    assert night.add_open(wall(2026, 11, 1), h(3)) == wall(2026, 11, 1, 3, 30)
    skipped = make("Sun 02:10-02:50, Mon 09:00-10:00")
    assert skipped.next_opening(wall(2026, 3, 8)) == wall(2026, 3, 9, 9, 0)
    assert not skipped.is_open(wall(2026, 3, 8, 3, 30))
    # a wall time that occurs twice means its first occurrence
    twice = make("Sun 00:00-01:30")
    assert twice.is_open(wall(2026, 11, 1, 1, 15, fold=0))
    assert not twice.is_open(wall(2026, 11, 1, 1, 15, fold=1))


def test_the_leap_day_is_a_day():
    calendar = make("Mon-Sun 09:00-10:00")
    assert calendar.add_open(wall(2028, 2, 28, 9, 0), h(2)) == wall(2028, 2, 29, 10, 0)
    assert calendar.add_business_days(wall(2028, 2, 28), 2) == wall(2028, 3, 1, 10, 0)
    closed = make("Mon-Sun 09:00-10:00", holidays=["2028-02-29"])
    assert closed.add_open(wall(2028, 2, 28, 9, 0), h(2)) == wall(2028, 3, 1, 10, 0)


moments = st.datetimes(
    datetime(2025, 12, 1),
    datetime(2028, 4, 1),
    timezones=st.sampled_from([UTC, ZoneInfo("Asia/Tokyo")]),
)
holidays = st.sets(st.dates(date(2025, 12, 1), date(2028, 4, 1)).map(date.isoformat), max_size=30)
calendars = st.builds(make, st.sampled_from(WEEKS), holidays, st.sampled_from(ZONES))
spans = st.timedeltas(timedelta(0), timedelta(days=4))


@settings(deadline=None)
@given(calendars, moments, spans)
def test_adding_opening_time_and_measuring_it_undo_each_other(calendar, at, duration):
    end = calendar.add_open(at, duration)
    assert calendar.open_time_between(at, end) == duration
    assert end >= at
    if duration:  # a microsecond before `end`, the clinic was not open long enough
        earlier = end - timedelta(microseconds=1)
        assert calendar.open_time_between(at, earlier) < duration


@settings(deadline=None)
@given(calendars, moments, spans, spans)
def test_opening_time_adds_up(calendar, at, first, second):
    middle = at + first
    end = middle + second
    parts = calendar.open_time_between(at, middle) + calendar.open_time_between(middle, end)
    assert calendar.open_time_between(at, end) == parts
    assert timedelta(0) <= parts <= end - at
    assert calendar.add_open(calendar.add_open(at, first), second) == calendar.add_open(
        at, first + second
    )


@settings(deadline=None)
@given(calendars, moments)
def test_open_is_where_opening_time_passes(calendar, at):
    tick = timedelta(microseconds=1)
    assert calendar.is_open(at) == (calendar.open_time_between(at, at + tick) == tick)
    opening = calendar.next_opening(at)
    assert calendar.is_open(opening)
    assert calendar.open_time_between(at, opening) == timedelta(0)
    assert (opening == at) == calendar.is_open(at)


@settings(deadline=None)
@given(st.sampled_from(WEEKS[:2]), holidays, st.sampled_from(ZONES[:3]), moments)
def test_away_from_clock_changes_open_is_what_the_wall_clock_says(text, closed, zone, at):
    calendar = make(text, closed, zone)
    there = at.astimezone(ZoneInfo(zone))
    minute = there.hour * 60 + there.minute
    reads = any(a <= minute < b for a, b in calendar.week[there.weekday()])
    assert calendar.is_open(at) == (reads and there.date().isoformat() not in closed)


@settings(deadline=None)
@given(calendars, moments, st.integers(1, 12))
def test_the_nth_business_day_ends_n_days_of_opening_later(calendar, at, days):
    end = calendar.add_business_days(at, days)
    tick = timedelta(microseconds=1)
    assert calendar.is_open(end - tick)
    closings = [calendar.add_business_days(at, n) for n in range(1, days)]
    assert [*closings, end] == sorted({*closings, end})
    assert closings == [] or calendar.open_time_between(closings[-1], end) > timedelta(0)


# --- closures -------------------------------------------------------------------------------------

TICK = timedelta(microseconds=1)
closures = st.lists(
    st.tuples(
        moments.map(lambda at: at.astimezone(UTC)),
        st.one_of(
            st.timedeltas(timedelta(minutes=1), timedelta(days=20)),
            st.sampled_from([timedelta(days=365 * years) for years in (1, 30, 900)]),
        ),
    ).map(lambda given: (given[0], given[0] + given[1])),
    max_size=6,
)


def covered(spans, at):
    return any(start <= at < end for start, end in spans)


@settings(deadline=None)
@given(calendars, closures, moments, spans, st.integers(1, 5))
def test_nothing_falls_into_closed_time(calendar, closed, at, duration, days):
    shut = calendar.without(closed)
    assert shut.is_open(at) == (calendar.is_open(at) and not covered(closed, at))
    opening = shut.next_opening(at)
    assert calendar.is_open(opening)
    assert not covered(closed, opening)
    for end in (
        shut.closing(at),
        shut.add_business_days(at, days),
        shut.add_open(at, duration + TICK),
        shut.keepable(at),
    ):
        assert calendar.is_open(end - TICK)
        assert not covered(closed, end - TICK)
    between = [shut.add_open(at, duration), at]
    assert shut.open_time_between(at, between[0]) == duration


@settings(deadline=None)
@given(calendars, closures, closures, moments)
def test_closures_add_up_in_any_order(calendar, some, more, at):
    one = calendar.without(some).without(more)
    assert one == calendar.without([*more, *some]) == calendar.without([*some, *more, *some])
    assert calendar.without([]) == calendar
    assert one.next_opening(at) >= calendar.next_opening(at)


@settings(deadline=None)
@given(st.lists(st.tuples(calendars, closures), min_size=2, max_size=3), moments)
def test_several_places_are_open_when_one_of_them_is(given, at):
    places = [calendar.without(closed) for calendar, closed in given]
    anywhere = together(places)
    assert anywhere.is_open(at) == any(place.is_open(at) for place in places)
    assert anywhere.next_opening(at) == min(place.next_opening(at) for place in places)
    assert anywhere.closing(at) >= min(place.closing(at) for place in places)
    assert anywhere.is_open(anywhere.add_business_days(at, 1) - TICK)
    assert anywhere.is_open(anywhere.keepable(at) - TICK)
    assert anywhere.usual.next_opening(at) <= anywhere.next_opening(at)


@settings(deadline=None)
@given(calendars, closures, moments)
def test_the_usual_week_knows_no_closure_and_no_holiday(calendar, closed, at):
    shut = calendar.without(closed)
    assert shut.usual == calendar.usual
    assert shut.is_delayed(at) == (shut.usual.next_opening(at) < shut.next_opening(at)) or (
        shut.is_open(at)
    )


def test_a_promise_keeps_its_day_where_that_day_is_open_before():
    calendar = make("Mon-Fri 09:00-12:00 13:00-17:00")
    evening = wall(2026, 11, 23, 20, 0)
    assert calendar.keepable(evening) == wall(2026, 11, 23, 17, 0)
    assert calendar.keepable(wall(2026, 11, 23, 12, 30)) == wall(2026, 11, 23, 12, 0)
    assert calendar.keepable(wall(2026, 11, 23, 10, 0)) == wall(2026, 11, 23, 10, 0)
    assert calendar.keepable(wall(2026, 11, 22, 10, 0)) == wall(2026, 11, 23, 12, 0)
    shut = calendar.without([(wall(2026, 11, 23, 11, 0), wall(2026, 11, 25))])
    assert shut.keepable(evening) == wall(2026, 11, 23, 11, 0)
    assert shut.keepable(wall(2026, 11, 24, 20, 0)) == wall(2026, 11, 25, 12, 0)


def test_a_closure_of_centuries_is_no_loop():
    always = [(wall(2026, 1, 1), datetime.max.replace(tzinfo=UTC))]
    shut = make("Mon-Fri 09:00-17:00").without(always)
    began = time.monotonic()
    assert shut.next_opening(wall(2026, 11, 23)).year >= 3000
    assert together([shut, shut]).add_business_days(wall(2026, 11, 23), 2).year >= 3000
    assert time.monotonic() - began < 0.2


def test_the_end_before_the_start_is_no_opening_time():
    assert make().open_time_between(wall(2026, 11, 24), wall(2026, 11, 23)) == timedelta(0)
    assert make().open_time_between(wall(2026, 11, 23, 12), wall(2026, 11, 23, 11)) == timedelta(0)


def test_business_days_count_from_the_day_after():
    calendar = make()
    friday_night = wall(2026, 11, 20, 23, 30)
    assert calendar.add_business_days(friday_night, 1) == wall(2026, 11, 23, 17, 0)
    assert calendar.add_business_days(friday_night, 6) == wall(2026, 11, 30, 17, 0)
    # business days count from the clinic's Friday, although in UTC it is already Saturday
    assert calendar.add_business_days(friday_night.astimezone(UTC), 1).day == 23


def test_a_naive_time_negative_duration_or_no_day_is_refused():
    calendar, naive, aware = make(), datetime(2026, 11, 23, 9), wall(2026, 11, 23, 9)
    for call in (
        lambda: calendar.is_open(naive),
        lambda: calendar.next_opening(naive),
        lambda: calendar.add_open(naive, h(1)),
        lambda: calendar.open_time_between(naive, aware),
        lambda: calendar.open_time_between(aware, naive),
        lambda: calendar.add_business_days(naive, 1),
        lambda: calendar.add_open(aware, h(-1)),
        lambda: calendar.add_business_days(aware, 0),
    ):
        with pytest.raises(ValueError):
            call()


# --- words --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Mon-Fri 08:30-17:00", [("Monday to Friday", "8:30 am to 5:00 pm")]),
        (
            "Mon-Thu 08:00-12:00 13:00-17:00, Fri 08:00-12:00, Sat-Sun 00:00-24:00",
            [
                ("Monday to Thursday", "8:00 am to noon, 1:00 pm to 5:00 pm"),
                ("Friday", "8:00 am to noon"),
                ("Saturday and Sunday", "all day"),
            ],
        ),
        (
            "Mon 09:00-10:00, Wed 09:00-10:00",
            [("Monday", "9:00 am to 10:00 am"), ("Wednesday", "9:00 am to 10:00 am")],
        ),
    ],
)
def test_the_week_in_words(text, lines):
    with translation.override("en"):
        assert make(text).describe() == lines


def test_this_clinics_hours_come_from_the_settings(settings):
    settings.CLINIC_HOURS = make("Sat 10:00-11:00")
    assert hours.current() is settings.CLINIC_HOURS
    assert hours.current().is_open(wall(2026, 11, 21, 10, 30))
    assert not hours.current().is_open(wall(2026, 11, 20, 10, 30))
