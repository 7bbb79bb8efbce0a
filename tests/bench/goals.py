"""One function measures each goal. Both sites are measured on the same machine in the same run."""

import gzip
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.db import connection
from django.test import Client

from tests import builders
from tests.bench import patients
from tests.bench.browser import Answer, Browser
from tests.bench.servers import Server

RUNS = 3
# rounds in one run of G3; a round is one intake, one floor form and one wide floor form
ROUNDS = 30
PATIENTS = 8  # patients at once, in G5
PAIRS = 200  # requests with a known address in T05, and as many with an unknown address
EACH = 64  # intakes in one run of G5, and as many floor forms
Walk = Callable[[Browser], Iterator[Answer]]


@dataclass(frozen=True)
class Line:
    """One row of the table of results."""

    goal: str
    what: str
    wanted: str
    measured: str
    met: bool
    data: dict[str, Any]


def visit(server: Server, walk: Walk) -> float:
    """Return the seconds that one visitor took, including the connection."""
    begin = time.perf_counter()
    with Browser(server.port) as browser:
        for _answer in walk(browser):
            pass
    return time.perf_counter() - begin


def warm_up(ours: Server, floor: Server) -> None:
    """Send many visitors to both servers before measuring, so that every worker is warm."""
    for server, walk in ((ours, patients.intake), (floor, patients.form)):
        crowd(server, walk, 4 * PATIENTS)


def one_after_the_other(ours: Server, floor: Server) -> Line:
    """Measure G3: the time of one whole intake against the time of one floor form."""
    runs = []
    for _run in range(RUNS):
        rounds = [
            (
                visit(ours, patients.intake),
                visit(floor, patients.form),
                visit(floor, patients.wide_form),
            )
            for _ in range(ROUNDS)
        ]
        intake, form, wide = (statistics.median(times) for times in zip(*rounds, strict=True))
        runs.append(
            {
                "intake_ms": intake * 1000,
                "floor_ms": form * 1000,
                "ratio": intake / form,
                "wide_floor_ms": wide * 1000,
                "wide_ratio": intake / wide,
            }
        )
    middle = sorted(runs, key=lambda run: run["ratio"])[RUNS // 2]
    told = "{ratio:.2f} × ({intake_ms:.1f} ms to {floor_ms:.1f} ms)".format(**middle)
    told += "; {wide_ratio:.2f} × a floor with as many controls as ours".format(**middle)
    met = middle["ratio"] <= 1.25
    return Line("G3", "one whole intake to one floor form", "≤ 1.25 ×", told, met, {"runs": runs})


def crowd(server: Server, walk: Walk, visits: int) -> float:
    """Let eight visitors make `visits` visits at once. Returns the visits per second."""
    tickets, errors = count(), []

    def visitor() -> None:
        try:
            while next(tickets) < visits:
                visit(server, walk)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=visitor) for _ in range(PATIENTS)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return visits / (time.perf_counter() - begin)


def many_at_once(ours: Server, floor: Server) -> Line:
    """Measure G5: intakes per second of eight patients at once, against floor forms per second."""
    runs = []
    for _run in range(RUNS):
        intakes, forms = crowd(ours, patients.intake, EACH), crowd(floor, patients.form, EACH)
        runs.append({"intakes_s": intakes, "floor_s": forms, "ratio": intakes / forms})
    middle = sorted(runs, key=lambda run: run["ratio"])[RUNS // 2]
    told = "{ratio:.2f} × ({intakes_s:.1f} to {floor_s:.1f} a second)".format(**middle)
    what, met = f"intakes a second, {PATIENTS} patients at once", middle["ratio"] >= 0.80
    return Line("G5", what, "≥ 0.80 ×", told, met, {"runs": runs})


class InProcess:
    """A patient's browser without a server in between, to count database statements."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True, SERVER_NAME="127.0.0.1")
        self.counts: list[tuple[str, str, int]] = []

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, fields: patients.Fields) -> Answer:
        data: dict[str, list[str]] = {}
        for name, value in fields:
            data.setdefault(name, []).append(value)
        return self._ask("POST", path, data)

    def _ask(self, method: str, path: str, data: dict[str, list[str]] | None = None) -> Answer:
        statements: list[str] = []

        def note(execute, sql, params, many, context):
            statements.append(sql)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(note):
            response = self.client.generic(method, path, **_encoded(data))
        of_data = [sql for sql in statements if not re.match(r"(RELEASE )?SAVEPOINT", sql)]
        self.counts.append((method, path, len(of_data)))
        head = "".join(f"\r\n{name}: {value}" for name, value in response.items())
        return Answer(response.status_code, head.encode(), response.content)


def _encoded(data: dict[str, list[str]] | None) -> dict[str, Any]:
    if data is None:
        return {}
    form = "application/x-www-form-urlencoded"
    return {"data": urlencode(data, doseq=True), "content_type": form}


def statements() -> Line:
    """Measure G4: the database statements of each request, and the requests of each page.

    Statements about savepoints do not count.
    """
    browser = InProcess()
    for _answer in patients.intake(browser):
        pass
    steps = [path for path in browser.counts if "/p/" in path[1]]
    shown = max(n for method, _path, n in steps if method == "GET")
    answered = max(n for method, _path, n in steps if method == "POST")
    sent = next(n for m, path, n in browser.counts if (m, path) == ("POST", "/intake/check/"))
    per_page = len(steps) / len({path for _method, path, _n in steps})
    told = f"{shown} / {answered} / {sent} / {per_page:.0f}"
    met = shown <= 1 and answered <= 2 and sent <= 12 and per_page <= 2
    what = "statements: page shown / answered / sending; requests a page"
    whole = f"{sum(n for *_, n in browser.counts)} in {len(browser.counts)} requests"
    data = {"requests": browser.counts, "whole_intake": whole}
    return Line("G4", what, "≤ 1 / 2 / 12 / 2", f"{told} (in all {whole})", met, data)


def strangers(ours: Server) -> Line:
    """Measure T05: how long an answer takes must not reveal whether reference and address match."""
    known = [
        (builders.submission({"email": f"p{n}@example.org"}).reference, n) for n in range(PAIRS)
    ]
    times: dict[str, list[float]] = {"p": [], "q": []}
    with Browser(ours.port) as browser:
        token = browser.get("/my/").token
        for reference, n in known:
            for whose, taken in times.items():
                fields = [("reference", reference), ("address", f"{whose}{n}@example.org")]
                begin = time.perf_counter()
                answer = browser.post("/my/", [("csrfmiddlewaretoken", token), *fields])
                taken.append((time.perf_counter() - begin) * 1000)
                assert answer.header("location") == "/my/code/", answer.status
    fits, strange = (statistics.median(taken) for taken in times.values())
    told = f"{abs(fits - strange):.1f} ms ({fits:.1f} known, {strange:.1f} unknown)"
    what = f"medians of {PAIRS} known and {PAIRS} unknown pairs of number and address"
    data = {"known_ms": fits, "unknown_ms": strange}
    return Line("T05", what, "< 20 ms apart", told, abs(fits - strange) < 20, data)


def weight(ours: Server) -> Line:
    """Measure G6: the bytes that a phone loads for the whole intake. Each file counts once."""
    with Browser(ours.port, "Accept-Encoding: gzip\r\n") as browser:
        pages = [answer for answer in patients.intake(browser) if answer.status == 200]
    linked = {found.decode() for page in pages for found in re.findall(LINKED, page.html)}
    files = {path: _file(ours, path) for path in sorted(linked)}
    allowed = 25_000 + 2_000 * max(0, len(pages) - PROTOTYPE_PAGES)
    of_pages = sum(compressed(page) for page in pages)
    of_files = sum(files.values())
    total = of_pages + of_files
    itself = all(page.header("content-encoding") == "gzip" for page in pages)
    told = f"{total / 1000:.1f} KB: {len(pages)} pages {of_pages / 1000:.1f}, "
    told += f"{len(files)} files {of_files / 1000:.1f}"
    data = {
        "pages": len(pages),
        "pages_bytes": of_pages,
        "files": files,
        "server_compresses": itself,
    }
    what = "gzip a phone loads" + ("" if itself else "; the server itself does not compress")
    return Line("G6", what, f"≤ {allowed / 1000:.0f} KB", told, total <= allowed, data)


PROTOTYPE_PAGES = 8  # pages of the prototype for which the goal was set
LINKED = re.compile(rb'(?:href|src)="(/static/[^"]+)"')


def _file(server: Server, path: str) -> int:
    url = f"http://127.0.0.1:{server.port}{path}"
    with urlopen(Request(url, headers={"Accept-Encoding": "gzip"})) as response:
        body = response.read()
        packed = response.headers["Content-Encoding"] == "gzip"
    return len(body if packed else gzip.compress(body, 6))


def compressed(answer: Answer) -> int:
    """Return the body's size after gzip. A body that is not compressed yet is compressed here."""
    if answer.header("content-encoding") == "gzip":
        return len(answer.body)
    return len(gzip.compress(answer.body, 6))
