"""Measure the staff's pages with a million submissions, and the server itself.

G7 and G8 compare the worklist with a stock changelist of a thousand records. G7b opens each other
list, filter and page in two databases: with a million submissions, and with a thousand. G10
compares the server with a bare server that has the same packages.

One client with one connection opens all pages in turn, at all sites in the same run. The time of a
search is the whole wait of a person: for sending the form and for loading the list.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.db import connection
from django.test import Client

from clinic import devdb
from intake.models.submissions import Submission
from intake.staff.filters import NotClosedFilter, ProgressFilter, SentFilter, UrgencyFilter
from tests import builders, database
from tests.bench import goals, patients, records, servers
from tests.bench.browser import Answer, Browser
from tests.bench.floor import packages
from tests.bench.goals import RUNS, Line
from tests.bench.servers import Gunicorn
from tests.desk import FRONT_DESK, WORKLIST, desk_page_of, page_of

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
FEW = 1_000
LOOKS = 30  # how often one run opens each page
LOOKS_AT_EACH = 5  # how often one run opens each page of G7b, which has many pages
STARTS = 5
PAGES = {
    "first page": WORKLIST,
    "closed": f"{WORKLIST}?status=closed",
    "deepest page": f"{WORKLIST}?status=all&p=40",
}
SEARCHES = {
    "rare name": records.RARE,
    "common name": records.COMMON,
    "two common names": f"Maria {records.COMMON}",
    "nobody's name": records.NOBODY,
}
Look = Callable[[], Any]
Start = Callable[[], AbstractContextManager[Gunicorn]]
Cookies = dict[str, str]
OPTIONS = {
    "progress": ProgressFilter,
    "status": NotClosedFilter,
    "urgency": UrgencyFilter,
    "sent": SentFilter,
}
LISTS = {"patient wrote": f"{WORKLIST}?status=replies"}
DESK_LISTS = {
    "front desk": FRONT_DESK,
    **{
        f"front desk, {name} {code}": f"{FRONT_DESK}?{name}={code}"
        for name, options in OPTIONS.items()
        for code, _words in options.options
    },
}


@dataclass(frozen=True)
class Filled:
    """A database with submissions, two signed-in members of staff, and two submissions to open."""

    clinician: Cookies
    desk: Cookies
    pages: dict[str, str]
    desk_pages: dict[str, str]


def measure(folder: Path) -> list[Line]:
    """Measure all goals of this module. The bench's database must run, with empty tables."""
    connection.close()
    host = str(devdb.socket_dir(folder / "pg"))
    with closing(psycopg2.connect(host=host, user=devdb.USER, dbname="postgres")) as made:
        made.autocommit = True
        made.cursor().execute("create database few template postgres")
    few = devdb.url(folder / "pg").removesuffix("postgres") + "few"
    with database.using("few"):
        of_few = _filled(FEW)
    of_many = _filled(ROWS)
    floor_key = {"sessionid": _floor_filled()}
    counts = _statements()
    connection.close()
    with (
        servers.serving(folder) as (ours, floor),
        servers.gunicorn("clinic.wsgi", DATABASE_URL=few) as ours_of_few,
    ):
        looks = {
            "stock": partial(_changelist, _browser(floor.port, floor_key)),
            **_looks(_browser(ours.port, of_many.clinician)),
            **{
                f"few: {name}": look
                for name, look in _looks(_browser(ours_of_few.port, of_few.clinician)).items()
                if name in PAGES
            },
        }
        runs = _runs(looks, LOOKS)
        each = _each(ours.port, of_many)
        each |= {f"few: {name}": look for name, look in _each(ours_of_few.port, of_few).items()}
        rows = {name: look() for name, look in each.items()}
        every = _every(_runs(each, LOOKS_AT_EACH), rows)
    server = _server(of_many.clinician)
    stock = statistics.median(run["stock"] for run in runs)
    firsts = _first_looks(folder, of_many.clinician)  # measured last, because it stops PostgreSQL
    search = _search(runs, {name: taken / stock for name, taken in firsts.items()})
    return [_worklist(runs, counts), every, search, server]


def _filled(rows: int) -> Filled:
    """Store `rows` submissions, and sign a clinician and the front desk in."""
    staff = [builders.member("clinician", f"dr-{number}") for number in range(5)]
    began = time.monotonic()
    records.fill(rows, staff, records.FULL_LISTS if rows == FEW else records.REAL)
    sys.stdout.write(f"{rows:,} submissions stored in {time.monotonic() - began:.0f} s\n")
    wished = Submission.objects.filter(appointment_request__isnull=False)
    waiting, closed = (wished.filter(status=status)[0] for status in ("new", "closed"))
    shown = {"waiting": waiting, "closed": closed}
    return Filled(
        clinician=_signed_in(staff[0]),
        desk=_signed_in(builders.member("front desk", "desk")),
        pages={f"submission page, {name}": page_of(row) for name, row in shown.items()},
        desk_pages={f"front desk's page, {name}": desk_page_of(row) for name, row in shown.items()},
    )


def _signed_in(user: Any) -> Cookies:
    cookies = builders.sign_in(Client(), user).cookies
    return {settings.SESSION_COOKIE_NAME: cookies[settings.SESSION_COOKIE_NAME].value}


def _floor_filled() -> str:
    command = [sys.executable, "-m", "tests.bench.floor.fill"]
    done = subprocess.run(command, cwd=servers.ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _statements() -> dict[str, int]:
    """Return the number of database statements of each page, when connected and signed in."""
    browser = goals.InProcess()
    builders.sign_in(browser.client, builders.member("clinician", "dr-0"))
    for path in PAGES.values():
        browser.get(path)
    browser.counts.clear()
    for path in PAGES.values():
        assert browser.get(path).status == 200
    return dict(zip(PAGES, (count for *_, count in browser.counts), strict=True))


# --- requests -----------------------------------------------------------------------------------
def _browser(port: int, cookies: Cookies) -> Browser:
    browser = Browser(port)
    browser.cookies.update(cookies)
    return browser


def _looks(browser: Browser) -> dict[str, Look]:
    token = browser.get(WORKLIST).token
    pages = {name: partial(_page, browser, path) for name, path in PAGES.items()}
    return pages | {name: partial(_find, browser, token, term) for name, term in SEARCHES.items()}


def _page(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert (answer.status, _rows(answer)) == (200, 25), (path, answer.status, _rows(answer))


def _find(browser: Browser, token: str, term: str) -> None:
    sent = browser.post(WORKLIST, [("csrfmiddlewaretoken", token), ("q", term)])
    answer = browser.get(sent.header("location"))
    found = _rows(answer)
    right = found == _FOUND[term] if term in _FOUND else found
    assert right, (term, answer.status, found)


_FOUND = {records.RARE: records.ALIKE, records.NOBODY: 0, records.COMMON: 25}


def _rows(answer: Answer) -> int:
    return answer.body.count(b'class="field-opens"')


def _changelist(browser: Browser) -> None:
    answer = browser.get("/admin/floor/record/")
    assert answer.body.count(b'name="_selected_action"') == 100, answer.status


def _each(port: int, filled: Filled) -> dict[str, Look]:
    """Return functions that open every list, filter and page of G7b at one site, by their names."""
    doctor, desk = _browser(port, filled.clinician), _browser(port, filled.desk)
    return {
        **{name: partial(_seen, doctor, path) for name, path in (LISTS | filled.pages).items()},
        **{
            name: partial(_seen, desk, path)
            for name, path in (DESK_LISTS | filled.desk_pages).items()
        },
    }


def _seen(browser: Browser, path: str) -> int:
    """Open a page. Returns the number of rows that the page shows."""
    answer = browser.get(path)
    assert answer.status == 200, (path, answer.status)
    return _rows(answer)


def _runs(looks: dict[str, Look], rounds: int) -> list[dict[str, float]]:
    """Repeat `_run` after every worker has served each page once. Returns the runs' results."""
    for look in list(looks.values()) * 8:
        look()
    return [_run(looks, rounds) for _ in range(RUNS)]


def _run(looks: dict[str, Look], rounds: int) -> dict[str, float]:
    """Return the median milliseconds of each look. The looks take turns, in several rounds."""
    taken: dict[str, list[float]] = {name: [] for name in looks}
    for _round in range(rounds):
        for name, look in looks.items():
            taken[name].append(_timed(look))
    return {name: statistics.median(times) for name, times in taken.items()}


def _timed(look: Look) -> float:
    begin = time.perf_counter()
    look()
    return (time.perf_counter() - begin) * 1000


def _first_looks(folder: Path, cookies: Cookies) -> dict[str, float]:
    """Return the milliseconds of each page when it is the first page after a restart.

    PostgreSQL and the server are restarted before each page. In between, the server answers only
    /healthz.
    """
    with servers.gunicorn("clinic.wsgi") as ours:
        browser = _browser(ours.port, cookies)
        token = browser.get(WORKLIST).token
    taken: dict[str, list[float]] = {name: [] for name in (*PAGES, *SEARCHES)}
    postgres = devdb.DevPostgres(folder / "pg")
    for name in list(taken) * RUNS:
        postgres.stop()
        postgres.start()
        with servers.gunicorn("clinic.wsgi") as ours, _browser(ours.port, browser.cookies) as again:
            assert again.get("/healthz").status == 200
            if name in PAGES:
                look = partial(_page, again, PAGES[name])
            else:
                look = partial(_find, again, token, SEARCHES[name])
            taken[name].append(_timed(look))
    postgres.stop()
    return {name: statistics.median(times) for name, times in taken.items()}


# --- results ------------------------------------------------------------------------------------
def _worklist(runs: list[dict[str, float]], counts: dict[str, int]) -> Line:
    """Measure G7: the worklist's first page and a filter.

    Both are compared with the stock list, and with our worklist of a thousand submissions.
    """
    names = ("first page", "closed")
    to_stock = {name: _ratio(runs, name, "stock") for name in names}
    to_few = {name: _ratio(runs, name, f"few: {name}") for name in names}
    told = "; ".join(
        f"{name} {to_stock[name]:.2f} × {_middle(runs, name, 'stock')}, {to_few[name]:.2f} × our "
        f"own of {FEW:,}, {counts[name]} statements"
        for name in names
    )
    met = max(to_stock.values()) <= 1 and max(to_few.values()) <= 1.15
    met = met and max(counts[name] for name in names) <= 10
    what = f"worklist of {ROWS:,} to a stock changelist of 1,000: first page, a status filter"
    data = {"runs_ms": runs, "statements": counts, "load": os.getloadavg()}
    return Line("G7", what, "≤ 1 ×, 1.15 ×, 10", told, met, data)


def _every(runs: list[dict[str, float]], rows: dict[str, int]) -> Line:
    """Measure G7b: each list, filter and page, against itself with a thousand submissions.

    `rows` says how many rows each list shows, because a list with fewer rows takes less time for
    that reason alone.
    """
    names = [name for name in runs[0] if not name.startswith("few: ")]
    ratios = {name: _ratio(runs, name, f"few: {name}") for name in names}
    for name, ratio in ratios.items():
        many, few = (statistics.median(run[one] for run in runs) for one in (name, f"few: {name}"))
        shown = f"{rows[f'few: {name}']} and {rows[name]} rows"
        sys.stdout.write(f"{name:36}{few:8.0f} ms{many:8.0f} ms{ratio:8.2f} ×  {shown}\n")
    worst = max(ratios, key=lambda name: ratios[name])
    told = f"{sum(ratio <= 1.3 for ratio in ratios.values())} of {len(ratios)}; the slowest: "
    told += f"{worst} {ratios[worst]:.2f} × {_middle(runs, worst, f'few: {worst}')}"
    what = f"every list, filter and page of {ROWS:,} submissions to itself with {FEW:,}"
    return Line("G7b", what, "≤ 1.3 ×", told, ratios[worst] <= 1.3, {"runs_ms": runs})


def _search(runs: list[dict[str, float]], firsts: dict[str, float]) -> Line:
    """Measure G8: searches and the deepest page, against the stock list.

    `firsts` are the times of each page and search right after a restart, as a multiple of the stock
    list's time.
    """
    ratios = {name: _ratio(runs, name, "stock") for name in ("deepest page", *SEARCHES)}
    told = ", ".join(f"{name} {ratio:.2f} ×" for name, ratio in ratios.items())
    told += "; first after a restart "
    told += ", ".join(f"{name} {ratio:.1f} ×" for name, ratio in firsts.items())
    met = max(ratios.values()) <= 1.5 and max(firsts.values()) <= 10
    what = f"the deepest page and searches of {ROWS:,} to a stock changelist of 1,000"
    data = {"ratios": ratios, "firsts": firsts}
    return Line("G8", what, "≤ 1.5 ×, first 10 ×", told, met, data)


def _ratio(runs: list[dict[str, float]], name: str, other: str) -> float:
    return statistics.median(run[name] / run[other] for run in runs)


def _middle(runs: list[dict[str, float]], *names: str) -> str:
    told = (f"{statistics.median(run[name] for run in runs):.0f}" for name in names)
    return f"({' ÷ '.join(told)} ms)"


# --- the server ---------------------------------------------------------------------------------
VISITED = ["/", "/intake/", *PAGES.values()]
VISITS, INTAKES, REQUESTS_OF_AN_INTAKE = 64, 32, 43


def _server(cookies: Cookies) -> Line:
    """Measure G10, against a bare server: memory after many requests, time to the first answer."""
    _assert_same_packages()
    bare = partial(
        servers.gunicorn,
        "tests.bench.floor.wsgi",
        DJANGO_SETTINGS_MODULE="tests.bench.floor.packages",
    )
    ours = partial(servers.gunicorn, "clinic.wsgi")
    starts = [(_start(ours), _start(bare)) for _ in range(STARTS)]
    start, least = (statistics.median(times) for times in zip(*starts, strict=True))
    memory, floor = _memory_of_both(ours, bare, cookies)
    shared = _memory_of_both(partial(ours, "--preload"), partial(bare, "--preload"), cookies)
    told = f"memory {memory / floor:.2f} × ({memory:.0f} ÷ {floor:.0f} MB), "
    told += f"start {start / least:.2f} × ({start:.0f} ÷ {least:.0f} ms); "
    told += "memory where workers share what was loaded before them, as in production, "
    told += "{:.2f} × ({:.0f} ÷ {:.0f} MB)".format(shared[0] / shared[1], *shared)
    data = {"starts_ms": starts, "memory_mb": (memory, floor), "preloaded_mb": shared}
    what = "all processes after as many requests, exec to first answer; to a bare server"
    met = memory / floor <= 1.3 and start / least <= 1.5
    return Line("G10", what, "≤ 1.3 ×, 1.5 ×", told, met, data)


def _memory_of_both(ours: Start, bare: Start, cookies: Cookies) -> tuple[float, float]:
    """Return the memory of each server in MB, after the same number of requests for each."""

    def walk(browser: Browser) -> Iterator[Answer]:
        browser.cookies.update(cookies)
        for path in VISITED:
            yield browser.get(path)

    with ours() as server:
        goals.crowd(server, walk, VISITS)
        goals.crowd(server, patients.intake, INTAKES)
        memory = _memory(server.pid)
    with bare() as server:
        goals.crowd(server, walk, VISITS + INTAKES * REQUESTS_OF_AN_INTAKE // len(VISITED))
        return memory, _memory(server.pid)


def _assert_same_packages() -> None:
    ours = {"clinic", "intake", "education"}
    for name in ("INSTALLED_APPS", "MIDDLEWARE"):
        kept = [one for one in getattr(settings, name) if one.partition(".")[0] not in ours]
        bare = [one for one in getattr(packages, name) if one != "django.contrib.admin"]
        assert kept == bare, name  # the clinic has an admin of its own, not django.contrib.admin


def _start(server: Start) -> float:
    begin = time.perf_counter()
    with server() as started, Browser(started.port) as browser:
        assert browser.get("/intake/").status == 200
        return (time.perf_counter() - begin) * 1000


def _memory(pid: int) -> float:
    """Return the proportional share of memory (PSS) of a process and its children, in MB."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for process in (str(pid), *children):
        rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
        total += int(rollup.partition("\nPss:")[2].split()[0])
    return total / 1000
