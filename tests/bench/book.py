"""Appointments: many after one slot (G9), and a book of five years beside an empty one."""

import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
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
    """The week and the list of free times, empty and with 50,000 appointments."""
    Appointment.objects.all().delete()
    OpeningHours.objects.all().delete()
    kind = book.visit_type()
    people = [book.clinician(f"Dr. {n}", starts="08:00", ends="18:00") for n in range(5)]
    monday = timezone.localdate() + timedelta(days=14)
    monday -= timedelta(days=monday.weekday())

    def week() -> Any:
        days = appointments.calendar(first_day=monday, location=book.location())
        return [(v.starts, v.ends, v.clinician.name) for day in days for v in day.appointments]

    def free() -> Any:
        return [
            (slot.key, slot.clinician.name) for slot in appointments.free_slots(visit_type=kind)
        ]

    book.location()
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
    """Two years and a half to either side of today, evenly over weekdays and clinicians."""
    given = {
        "submission": book.patient(9_999),
        "location": book.location(),
        "visit_type": book.visit_type(),
    }
    today = book.in_days(0, "08:00")
    around = (today + timedelta(days=n) for n in range(-YEARS * 183, YEARS * 183))
    days = [day for day in around if day.weekday() < 5]
    each, rows = YEARS * A_YEAR / len(days) / len(people), []
    for number, day in enumerate(days):
        count = round((number + 1) * each) - round(number * each)
        for who in people:
            for n in range(count):
                rows.append(_row(who, day + timedelta(minutes=60 * n), given))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    Appointment.objects.bulk_create(rows, batch_size=2_000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE intake_appointment")
    return len(rows)


def _row(who: Clinician, start: datetime, given: dict[str, Any]) -> Appointment:
    now = timezone.now()
    past = start < now
    return Appointment(
        clinician=who,
        **given | ({} if past else {"submission": None}),
        status="completed" if past else "held",
        held_until=None if past else start + timedelta(days=1),
        during=appointments.booking.during(start, start + timedelta(minutes=30)),
        created_at=now,
        changed_at=now,
    )
