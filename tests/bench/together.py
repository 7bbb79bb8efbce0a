"""Measure G11: the time to send a form while nobody reads pages, and while eight staff read pages.

In production another server renders the staff's pages, so rendering does not slow a patient down.
Here only the transactions of these pages run, one after another without a pause. Each transaction
records an event, waits as long as the page takes to render, and chains the event at the commit.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from statistics import median
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from intake.models.submissions import Submission
from intake.staff import reads
from tests import builders
from tests.bench import servers
from tests.bench.browser import Browser
from tests.bench.goals import RUNS, Line

STAFF = 8
SENDS = 40  # forms that one run sends while nobody reads, and again while staff read
WARM_UP = 16
SHOWN = 25  # patients that one staff page shows
DRAWING = 0.025  # seconds that the worklist takes to render


def measure() -> Line:
    """Measure G11. The bench's database must run. The submissions stay in the database."""
    shown = [builders.submission() for _number in range(SHOWN)]
    staff = [builders.member("clinician", f"dr-{number}") for number in range(STAFF)]
    keys = [builders.draft()[1] for _number in range(WARM_UP + RUNS * 2 * SENDS)]
    connection.close()
    runs = []
    with servers.gunicorn("clinic.wsgi") as server:
        sends = (_send(server.port, key) for key in keys)
        list(islice(sends, WARM_UP))
        for _run in range(RUNS):
            alone = list(islice(sends, SENDS))
            with _reading(staff, shown) as pages:
                beside = list(islice(sends, SENDS))
            runs.append({"alone_ms": alone, "beside_ms": beside, "pages": len(pages)})
    return _judged(runs)


def _send(port: int, key: str) -> float:
    """Send one patient's form. Returns the milliseconds that the server took."""
    with Browser(port) as browser:
        browser.cookies[settings.DRAFT_COOKIE_NAME] = key
        token = browser.get("/intake/check/").token
        begin = time.perf_counter()
        answer = browser.post("/intake/check/", [("csrfmiddlewaretoken", token), ("go", "send")])
        taken = (time.perf_counter() - begin) * 1000
    assert answer.header("location") == "/intake/sent/", answer.status
    return taken


@contextmanager
def _reading(staff: list[Any], shown: list[Submission]) -> Iterator[list[str]]:
    """Let all members of staff read pages during this block.

    Yields a list that gets the reader's name for each page read.
    """
    over = threading.Event()
    pages: list[str] = []

    def read(by: Any) -> None:
        try:
            while not over.is_set():
                with transaction.atomic():
                    reads.record_list(submissions=shown, by=by, request_id="bench")
                    time.sleep(DRAWING)
                pages.append(by.username)
        finally:
            connection.close()

    threads = [threading.Thread(target=read, args=[by]) for by in staff]
    for thread in threads:
        thread.start()
    try:
        yield pages
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _judged(runs: list[dict[str, Any]]) -> Line:
    ratio = median(median(run["beside_ms"]) / median(run["alone_ms"]) for run in runs)
    worst = median(max(run["beside_ms"]) / max(run["alone_ms"]) for run in runs)
    alone = [ms for run in runs for ms in run["alone_ms"]]
    beside = [ms for run in runs for ms in run["beside_ms"]]
    told = f"{ratio:.2f} × ({median(beside):.1f} ÷ {median(alone):.1f} ms), "
    told += f"the slowest {worst:.2f} × ({max(beside):.0f} ÷ {max(alone):.0f} ms), "
    told += f"{sum(run['pages'] for run in runs)} pages read meanwhile"
    data = {"runs": runs, "load": os.getloadavg()}
    met = ratio <= 1.5 and worst <= 3
    what = f"a patient's send while {STAFF} members of staff read, to one alone"
    return Line("G11", what, "≤ 1.5 ×, max 3 ×", told, met, data)
