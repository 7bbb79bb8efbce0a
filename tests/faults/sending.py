"""Kill workers and the database while patients press Send. Each receipt stands for one submission.

    make faults                                    with the mutants
    python -m tests.faults.sending --patients 300 --kills 30 --crashes 10
    python -m tests.faults.sending --mutant early  broken on purpose: exit 0 if noticed

The script starts a gunicorn with two workers and a PostgreSQL that is as durable as in production.
Each patient has a finished draft open in two windows. The patient presses Send in both windows, and
again after every failure, until the receipt appears. There are three parts. First, a worker ends
itself at each step of sending in turn. Then workers are killed by SIGKILL. Then PostgreSQL is
stopped as in a crash ("immediate") and started again.

Prints a line for each part. Exits with 1 in these cases: the number on a receipt is not stored, or
its submission does not open (lost); a draft became two submissions (twice); a submission is without
its history, wish, audit event or messages, or one of these is without its submission (half); a
patient got no receipt; the audit trail is damaged.
"""

import argparse
import contextlib
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from clinic import devdb
from tests.bench import servers
from tests.bench.browser import Browser

# mutant → the part that detects it, and the count in that part that must not be 0
MUTANTS = {
    "early": ("steps", "lost"),  # shows the receipt before COMMIT
    "piecemeal": ("steps", "half"),  # stores without a transaction
    "unguarded": ("kills", "twice"),  # locks no draft, and accepts two submissions of one draft
    "forgetful": ("crashes", "lost"),  # switches synchronous_commit off
}
CHECK, SENT = "/intake/check/", "/intake/sent/"
REFERENCE = re.compile(rb'class="ref"[^>]*>([^<]+)<')
AT_ONCE = 12  # windows that send at once
PATIENCE = 60  # seconds until a patient gives up; with a mutant, many patients give up
UNIQUE = "intake_submission_draft_id_key"
URGENT = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}
ORDERS = {False: {"confirmation"}, True: {"confirmation", "alert"}}


@dataclass(frozen=True)
class Patient:
    """A patient with a finished draft in the browser."""

    draft: str
    key: str
    email: str
    is_urgent: bool


@dataclass(frozen=True)
class Row:
    """A stored submission. `opens` says whether its answers can be opened and are the patient's."""

    draft: str
    reference: str
    opens: bool = True
    is_whole: bool = True


@dataclass
class Count:
    """The results for some patients. All counts except the first two must be 0."""

    acknowledged: int
    stored: int
    lost: int
    twice: int
    half: int
    unanswered: int
    broken: int = 0  # faulty events of the audit trail

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.twice or self.half or self.unanswered or self.broken)

    def __str__(self) -> str:
        return ", ".join(f"{name} {number}" for name, number in asdict(self).items())


def judge(receipts: Iterable[tuple[str, str]], rows: Iterable[Row], strays: int = 0) -> Count:
    """Count the results. `receipts` pairs each draft with the reference on its receipt, or ''."""
    receipts, rows = set(receipts), list(rows)
    told = {pair for pair in receipts if pair[1]}
    there = {(row.draft, row.reference) for row in rows if row.opens}
    sendings = Counter(row.draft for row in rows)
    return Count(
        acknowledged=len(told),
        stored=len(rows),
        lost=len(told - there),
        twice=sum(number > 1 for number in sendings.values()),
        half=sum(not row.is_whole for row in rows) + strays,
        unanswered=len({draft for draft, _none in receipts} - {draft for draft, _told in told}),
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=300, help="in each part")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--crashes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument(
        "--schema", default="", help="SQL that makes the tables; or they are migrated"
    )
    parser.add_argument("--mutant", choices=MUTANTS, default="")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = _database(stack, folder, options.mutant, options.schema)
        site = stack.enter_context(_site())
        kill = partial(_kill_worker, site.pid, chance)
        crash_now = partial(crash, postgres, chance)
        crowd = partial(in_a_crowd, site.port, options.patients, chance)
        parts: dict[str, Callable[[], tuple[Count, int]]] = {
            "steps": at_each_step,
            "kills": partial(crowd, kill, options.kills),
            "crashes": partial(crowd, crash_now, options.crashes),
        }
        wanted, number = MUTANTS.get(options.mutant, (None, ""))
        counts = []
        for name, part in parts.items():
            if wanted not in (None, name):
                continue
            began = time.monotonic()
            found, deaths = part()
            counts.append(found)
            seconds = time.monotonic() - began
            print(f"{deaths} {name}: {found} ({seconds:.0f} s)", flush=True)  # noqa: T201
    if options.mutant:
        good = all(getattr(found, number) for found in counts)
        said = f"mutant {options.mutant} " + ("noticed" if good else "NOT NOTICED")
    else:
        good = all(found.is_good for found in counts)
        said = "whole" if good else "NOT WHOLE"
    print(f"{said} (seed {options.seed})")  # noqa: T201
    return int(not good)


# --- the three parts ------------------------------------------------------------------------------


def at_each_step() -> tuple[Count, int]:
    """Let the worker die at the first step of sending, at the second, and so on to the last.

    There is one patient for each step. Returns the results and the number of deaths.
    """
    order, patients, receipts = Path(os.environ["DIE_AT"]), [], []
    # gunicorn replaces the only worker after each death, and each new worker takes the same steps
    with _site("--workers", "1", "--threads", "1", "-k", "gthread") as site:
        while not order.exists():
            patients += prepare(1)
            order.write_text(str(len(patients)))
            receipts.append(press(site.port, patients[-1]))
    order.unlink(missing_ok=True)  # the mutant "early" may still delete the file after the receipt
    return count(patients, receipts), len(patients) - 1


def in_a_crowd(
    port: int, number: int, chance: random.Random, trouble: Callable[[], None], times: int
) -> tuple[Count, int]:
    """Let `number` patients send at once, and call `trouble` `times` times while they send."""
    patients = prepare(number)
    windows = [patient for patient in patients for _window in range(2)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = [pool.submit(press, port, patient) for patient in windows]
        for turn in range(times):
            enough = len(windows) * (turn + chance.random()) / (times + 1)
            while sum(one.done() for one in told) < enough:
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.02))
            trouble()
    return count(patients, [one.result() for one in told]), times


def press(port: int, patient: Patient) -> tuple[str, str]:
    """Press Send in one window: open the check page, then post its form until the receipt appears.

    Returns the draft and the reference, '' when the patient gave up.
    """
    from django.conf import settings

    cookies = {settings.DRAFT_COOKIE_NAME: patient.key}
    form: list[tuple[str, str]] = []
    end = time.monotonic() + (5 if os.environ["MUTANT"] else PATIENCE)
    while time.monotonic() < end:
        with contextlib.suppress(OSError), Browser(port) as browser:
            browser.cookies = cookies
            page = browser.post(CHECK, form) if form else browser.get(CHECK)
            if page.header("location") == SENT:
                page = browser.get(SENT)
            if number := REFERENCE.search(page.html):
                return patient.draft, number[1].decode()
            if page.status == 200 and not form:
                form = [("csrfmiddlewaretoken", page.token)]
                continue
        time.sleep(0.1)
    return patient.draft, ""


def _site(*options: str) -> contextlib.AbstractContextManager[servers.Gunicorn]:
    quiet = "--preload", "--log-level", "critical"  # gunicorn would log each death
    return servers.gunicorn("tests.faults.dying", *quiet, *options)


def _kill_worker(master: int, chance: random.Random) -> None:
    workers: list[str] = []
    while not workers:  # wait while gunicorn starts new workers
        workers = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    os.kill(int(chance.choice(workers)), signal.SIGKILL)


def crash(postgres: devdb.DevPostgres, chance: random.Random) -> None:
    """Crash PostgreSQL like `pg_ctl stop -m immediate`. The next start recovers the data."""
    assert postgres.process
    pid = int((postgres.data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    postgres.process.wait(20)
    time.sleep(chance.uniform(0, 0.3))
    postgres.start()


# --- before and after -----------------------------------------------------------------------------


def _database(
    stack: contextlib.ExitStack, folder: Path, mutant: str, schema: str
) -> devdb.DevPostgres:
    os.environ |= servers.environment(folder) | {
        "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "DIE_AT": str(folder / "die-at"),
        "MUTANT": mutant,
    }
    postgres = devdb.DevPostgres(folder / "pg")
    postgres.start()
    stack.callback(postgres.stop)
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    if schema:
        psql = [postgres.bin / "psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", schema]
        subprocess.run([*psql, devdb.url(folder / "pg")], check=True, stdout=subprocess.DEVNULL)
    else:
        call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        if mutant == "unguarded":
            cursor.execute("alter table intake_submission drop constraint " + UNIQUE)
        if mutant == "forgetful":
            cursor.execute("alter system set synchronous_commit = off")
            cursor.execute("alter system set wal_writer_delay = '10s'")
            cursor.execute("select pg_reload_conf()")
    return postgres


def prepare(number: int) -> list[Patient]:
    """Make patients who have reached the check page. Every fourth patient is urgent."""
    from django.db import connection

    from tests import builders

    patients = []
    connection.close()  # a restart of PostgreSQL may have ended this connection
    with connection.cursor() as cursor:
        cursor.execute("set synchronous_commit = on")  # so that a crash loses no draft
    for place in range(number):
        email, is_urgent = f"{random.randbytes(8).hex()}@example.org", place % 4 == 3
        answers = URGENT if is_urgent else {}
        draft, key = builders.draft({"email": email}, **answers)
        patients.append(Patient(str(draft.pk), key, email, is_urgent))
    return patients


def count(patients: list[Patient], receipts: list[tuple[str, str]]) -> Count:
    """Compare the patients' receipts with the database."""
    from django.db import connection

    from clinic import audit
    from clinic.models import Event, Message
    from intake.models.appointments import AppointmentRequest
    from intake.models.submissions import Draft, StatusChange, Submission

    connection.close()  # a restart of PostgreSQL may have ended this connection
    stored = {str(row.pk): row for row in Submission.objects.all()}
    events = Counter(Event.objects.filter(action="create").values_list("subject", flat=True))
    orders: dict[str, list[str]] = {}
    for occasion, kind in Message.objects.values_list("occasion", "kind"):
        orders.setdefault(occasion, []).append(kind)
    history = Counter(map(str, StatusChange.objects.values_list("submission", flat=True)))
    wishes = Counter(map(str, AppointmentRequest.objects.values_list("submission", flat=True)))
    drafts = dict(Draft.objects.values_list("pk", "submission"))
    by_draft = {patient.draft: patient for patient in patients}
    rows = [
        Row(
            draft=str(row.draft_id),
            reference=row.reference,
            opens=row.person["email"] == patient.email and row.answers == _answers(patient),
            is_whole=sorted(orders.get(pk, [])) == sorted(ORDERS[patient.is_urgent])
            and events[pk] == history[pk] == wishes[pk] == 1
            and str(drafts.get(row.draft_id)) == pk,
        )
        for pk, row in stored.items()
        if (patient := by_draft.get(str(row.draft_id)))
    ]
    strays = len((events.keys() | orders.keys()) - stored.keys())
    found = judge(receipts, rows, strays)
    found.broken = len(audit.verify())
    return found


def _answers(patient: Patient) -> Any:
    """Return the answers that this patient's submission must have."""
    from intake.domain import answers as domain
    from intake.domain.route import pages_in, route
    from intake.protocols import current
    from tests.builders import ORDINARY

    given, protocol = ORDINARY | (URGENT if patient.is_urgent else {}), current()
    pages = pages_in(protocol.uses, "intake", route(protocol, given, si_screen=False))
    asked = [question.id for page in pages for question in page.questions]
    # an answer counts only if the intake asks its question; some are asked later, before the visit
    return domain.to_json({q: given[q] for q in asked if q in given})


if __name__ == "__main__":
    sys.exit(main())
