"""Appointments: many after one slot (G9), and a book of five years beside an empty one."""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intake.models import Appointment, Clinician, OpeningHours
from intake.services import appointments
from tests.bench.goals import Line
from tests.intake import book
from tests.races import booking

CLIENTS, ROUNDS = 50, 20
YEARS, A_YEAR = 5, 10_000
LOOKS = 30


def one_slot() -> Line:
    """G9: 50 at once for one slot, against a bare INSERT into a table with a unique index."""
    slots, patients = booking.fill(CLIENTS, ROUNDS)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare_slot (slot text PRIMARY KEY)")
    ours = booking.race(ROUNDS, CLIENTS, booking.holding(slots, patients))
    bare = booking.race(ROUNDS, CLIENTS, _insert)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bare_slot")
    good = sum(booking.judge(o.told, booking.booked(s)) for o, s in zip(ours, slots, strict=True))
    floor = sum(round_.told.count(booking.WON) == 1 for round_ in bare)
    assert floor == ROUNDS, "the floor itself is wrong"
    taken, least = (statistics.median(r.seconds for r in rounds) for rounds in (ours, bare))
    ratio = taken / least
    told = f"won 1 of {CLIENTS} in {good} of {ROUNDS}; {ratio:.1f} × "
    told += f"({taken * 1000:.0f} ms to {least * 1000:.0f} ms)"
    met = good == ROUNDS and ratio <= 4
    data = {"ours_s": [r.seconds for r in ours], "bare_s": [r.seconds for r in bare]}
    return Line("G9", "50 at once for one slot, all answered", "20 of 20, ≤ 4 ×", told, met, data)


def _insert(turn: int, number: int) -> int:
    try:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO bare_slot VALUES (%s)", [str(turn)])
    except IntegrityError:
        return booking.GONE
    return booking.WON


def five_years() -> Line:
    """The week (visits and free times) and the list of free times to the horizon, with an empty
    book and with 50,000 appointments."""
    Appointment.objects.all().delete()
    OpeningHours.objects.all().delete()
    kind = book.visit_type()
    people = [book.clinician(f"Dr. {n}", starts="08:00", ends="18:00") for n in range(5)]
    monday = timezone.localdate() + timedelta(days=14)
    monday -= timedelta(days=monday.weekday())

    def week() -> Any:
        days = appointments.calendar(first_day=monday, location=place)
        begin, end = days[0].hours[0][0], days[-1].hours[-1][1]
        left = appointments.free_slots(visit_type=kind, start=begin, end=end, location=place)
        return [
            *((free.start, free.end, free.clinician.name) for free in left),
            *(
                (visit.starts, visit.ends, visit.clinician.name, visit.submission_id)
                for day in days
                for visit in day.appointments
            ),
        ]

    def free() -> Any:
        return [
            (slot.key, slot.clinician.name) for slot in appointments.free_slots(visit_type=kind)
        ]

    place = book.location()
    empty = [_look(look) for look in (week, free)]
    stored = _fill_years(people)
    full = [_look(look) for look in (week, free)]
    ratios = [f[0] / e[0] for f, e in zip(full, empty, strict=True)]
    same = [f[1] == e[1] for f, e in zip(full, empty, strict=True)]
    told = "; ".join(
        f"{name} {ratio:.2f} × ({f[0] * 1000:.0f} ms to {e[0] * 1000:.0f}), {f[1]} queries"
        f"{'' if is_same else f' instead of {e[1]}'}, {f[2]} lines instead of {e[2]}"
        for name, ratio, f, e, is_same in zip(
            ("week", "free times"), ratios, full, empty, same, strict=True
        )
    )
    met = all(same) and max(ratios) <= 2
    what = f"{stored} appointments in {YEARS} years, against none"
    return Line("book", what, "≤ 2 ×, same queries", told, met, {"ratios": ratios})


def _look(look: Callable[[], Any]) -> tuple[float, int, int]:
    """The median seconds, the queries and the lines of a look."""
    with CaptureQueriesContext(connection) as queries:
        lines = len(look())
    times = []
    for _n in range(LOOKS):
        begin = time.perf_counter()
        look()
        times.append(time.perf_counter() - begin)
    return statistics.median(times), len(queries), lines


def _fill_years(people: list[Clinician]) -> int:
    """Two years and a half to either side of today: eight visits of each clinician a weekday."""
    today = book.in_days(0, "08:00")
    around = (today + timedelta(days=n) for n in range(-YEARS * 183, YEARS * 183))
    given = {
        "days": [day for day in around if day.weekday() < 5],
        "people": [str(who.pk) for who in people],
        "submission": book.patient(9_999).pk,
        "location": book.location().pk,
        "visit_type": book.visit_type().pk,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(_YEARS, given)
        stored = cursor.rowcount
        cursor.execute("ANALYZE intake_appointment")
    assert stored >= YEARS * A_YEAR
    return stored


_YEARS = """
insert into intake_appointment (id, submission_id, clinician_id, location_id, visit_type_id, during,
  seat, capacity, status, held_until, sequence, cancel_reason, created_at, changed_at)
select gen_random_uuid(), case when start < now() then %(submission)s end, who::uuid,
  %(location)s, %(visit_type)s, tstzrange(start, start + interval '30 minutes'), 0, 1,
  case when start < now() then 'completed' else 'held' end, start + interval '1 day', 0, '',
  now(), now()
from unnest(%(days)s) as day, unnest(%(people)s) as who, generate_series(0, 7) as hour,
  lateral (select day + hour * interval '1 hour' as start) as at
"""
