"""Measure appointments: many patients for one slot (G9), and five years of bookings."""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Message
from intake.access import codes
from intake.appointments import free_times
from intake.appointments.holds import release
from intake.appointments.week import calendar
from intake.models.appointments import Appointment
from intake.models.clinic_time import Clinician, OpeningHours
from intake.models.submissions import Submission
from tests.bench import servers
from tests.bench.browser import Answer, Browser
from tests.bench.goals import Line
from tests.bench.servers import Server
from tests.intake import book
from tests.races import booking

CLIENTS, ROUNDS, WARM_UP = 50, 20, 2
HELD, GONE = b"We hold it for you until", b"That time is no longer free. Nothing was booked."
YEARS, A_YEAR = 5, 10_000
LOOKS = 30


def one_slot(folder: Path) -> Line:
    """Measure G9: 50 patients without a booking post the same slot at once.

    The floor is a stock Django view with one INSERT into a table with a unique column. The clinic
    and the floor are measured over HTTP, in rounds that alternate.
    """
    turns = WARM_UP + ROUNDS
    slots, patients = booking.fill(CLIENTS, turns)
    keys = [_way_in(patient) for patient in patients]
    with servers.serving(folder, APPOINTMENT_MODE="slots") as (ours, floor):
        sites = (
            (ours, "/my/times/", _visitors(ours, "/my/times/", keys), _patient_told),
            (floor, "/slot/", _visitors(floor, "/", [""] * CLIENTS), _floor_told),
        )

        def prepare(turn: int, number: int) -> Callable[[], int]:
            server, path, visitors, judge = sites[turn % 2]
            cookies, token, visit = visitors[number]
            slot = slots[turn // 2]
            fields = [("csrfmiddlewaretoken", token), ("slot", slot), ("visit", visit)]
            browser = Browser(server.port)  # connects before the clock of the round starts
            browser.cookies.update(cookies)

            def act() -> int:
                with browser:
                    answer = browser.post(path, [*fields, ("go", "continue")])
                    if answer.status == 303:
                        answer = browser.get(answer.header("location"))
                    return judge(answer, slot)

            return act

        rounds = booking.race(2 * turns, CLIENTS, prepare, between=_give_back)
    mine, bare = rounds[2 * WARM_UP :: 2], rounds[2 * WARM_UP + 1 :: 2]
    wanted = slots[WARM_UP:]
    good = sum(booking.judge(o.told, booking.booked(s)) for o, s in zip(mine, wanted, strict=True))
    assert all(booking.judge(round_.told, 1) for round_ in bare), "the floor itself is wrong"
    taken, least = (statistics.median(r.seconds for r in rounds) for rounds in (mine, bare))
    ratio = taken / least
    told = f"won 1 of {CLIENTS} in {good} of {ROUNDS}; {ratio:.1f} × "
    told += f"({taken * 1000:.0f} ms to {least * 1000:.0f} ms)"
    met = good == ROUNDS and ratio <= 4
    data = {"ours_s": [r.seconds for r in mine], "bare_s": [r.seconds for r in bare]}
    what = "50 at once for one slot over HTTP, all answered"
    return Line("G9", what, "20 of 20, ≤ 4 ×", told, met, data)


def _give_back() -> None:
    """Release every held slot, so that no patient has a slot in the next round."""
    for held in Appointment.objects.filter(status="held").select_related("submission"):
        release(appointment=held, submission=held.submission)


def _way_in(patient: Submission) -> str:
    """Send a code and redeem it. Returns the key that opens the patient's own page."""
    key = codes.send(address=patient.person["email"], reference=patient.reference)
    letter = Message.objects.filter(kind="code").latest("created_at")
    opened = codes.redeem(key=key, code=letter.payload["code"])
    assert opened, "the code opens nothing"
    return opened.key


def _visitors(server: Server, path: str, keys: list[str]) -> list[tuple[dict[str, str], str, str]]:
    """Load the page for each key. Returns each visitor's cookies, form token and visit type."""
    visit, found = str(book.visit_type().pk), []
    for key in keys:
        with Browser(server.port) as browser:
            if key:
                browser.cookies[settings.RETURN_COOKIE_NAME] = key
            page = browser.get(path)
            assert page.status == 200, page.head
            found.append((browser.cookies, page.token, visit))
    return found


def _patient_told(answer: Answer, slot: str) -> int:
    """Return WON if the slot is held, GONE if the page offers other slots instead, else FAILED."""
    page = answer.body
    if answer.status == 200 and HELD in page and f'name="slot" value="{slot}"'.encode() in page:
        return booking.WON
    if answer.status == 409 and GONE in page and b'type="radio" name="slot"' in page:
        return booking.GONE
    return booking.FAILED


def _floor_told(answer: Answer, _slot: str) -> int:
    return {302: booking.WON, 409: booking.GONE}.get(answer.status, booking.FAILED)


def five_years() -> Line:
    """Measure how long the week and the list of free times take, for 0 and 50,000 appointments.

    The tables are vacuumed first, as autovacuum would do within five years.
    """
    Appointment.objects.all().delete()
    OpeningHours.objects.all().delete()
    kind = book.visit_type()
    people = [book.clinician(f"Dr. {n}", starts="08:00", ends="18:00") for n in range(5)]
    monday = timezone.localdate() + timedelta(days=14)
    monday -= timedelta(days=monday.weekday())

    def week() -> Any:
        days = calendar(first_day=monday, location=place)
        begin, end = days[0].hours[0][0], days[-1].hours[-1][1]
        left = free_times.free_slots(visit_type=kind, start=begin, end=end, location=place)
        return [
            *((free.start, free.end, free.clinician.name) for free in left),
            *(
                (visit.starts, visit.ends, visit.clinician.name, visit.submission_id)
                for day in days
                for visit in day.appointments
            ),
        ]

    def free() -> Any:
        return [(slot.key, slot.clinician.name) for slot in free_times.free_slots(visit_type=kind)]

    place = book.location()
    _vacuum()
    empty = [_look(look) for look in (week, free)]
    stored = _fill_years(people)
    _vacuum()
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
    """Call `look` many times. Returns the median seconds, the queries and the lines of one call."""
    with CaptureQueriesContext(connection) as queries:
        lines = len(look())
    times = []
    for _n in range(LOOKS):
        begin = time.perf_counter()
        look()
        times.append(time.perf_counter() - begin)
    return statistics.median(times), len(queries), lines


def _vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM (ANALYZE) intake_appointment, intake_openinghours")


def _fill_years(people: list[Clinician]) -> int:
    """Book eight visits for each clinician and weekday, and return the number of visits.

    The visits lie in the last two and a half years and in the next two and a half.
    """
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
        cursor.execute(_YEARS, given)
        stored = cursor.rowcount
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
