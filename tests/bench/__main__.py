"""Run `python -m tests.bench`: start servers, print a table, write bench-results/*.json.

Everything runs on loopback. The program exits with status 1 when a goal is missed. `python -m
tests.bench book` measures only appointments, `python -m tests.bench together` only patients who
send forms while staff read pages, `python -m tests.bench export` only an export of 10,000
submissions. `python -m tests.bench staff` measures the staff's pages, which the other runs leave
out. The run for staff first stores a million submissions; BENCH_ROWS sets a smaller number.
"""

import datetime
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench import servers


def main() -> int:
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ.update(servers.environment(folder), DJANGO_SETTINGS_MODULE="clinic.settings")
        import django

        django.setup()
        lines, stored = _measure(folder)
        for line in lines:
            say(f"{line.goal:5}{MARK[line.met]:8}{line.wanted:24}{line.measured}\n")
            say(f"{'':37}{line.what}\n")
        say(f"\nStored: {stored}. {time.monotonic() - begin:.0f} seconds.\n")
        _keep(lines, stored)
    return 0 if all(line.met for line in lines) else 1


MARK = {True: "met", False: "MISSED"}
say = sys.stdout.write


def _measure(folder: Path) -> tuple[list[Any], str]:
    from tests.bench import book, export, staff, together

    with servers.database(folder):
        if sys.argv[1:] == ["staff"]:
            return staff.measure(folder), "the staff's side alone"
        if sys.argv[1:] == ["export"]:
            return export.measure(), "submissions to export alone"
        if sys.argv[1:] == ["together"]:
            return [together.measure()], "staff and patients alone"
        lines, stored = ([], "the book alone") if sys.argv[1:] == ["book"] else _intakes(folder)
        # these three run last, because `one_slot` and `five_years` empty tables
        return [*lines, together.measure(), book.one_slot(folder), book.five_years()], stored


def _intakes(folder: Path) -> tuple[list[Any], str]:
    from django.core.management import call_command
    from django.db import connection

    from tests.bench import goals, readers

    with servers.serving(folder) as (ours, floor):
        goals.warm_up(ours, floor)
        call_command("load_pages", verbosity=0)
        path, text = readers.page_nearest(20_000)
        Path(os.environ["FLOOR_PAGE"]).write_bytes(text)
        with servers.bare() as bare:
            public = [readers.public_pages(ours, bare, path), readers.queries(path)]
        lines = [
            *public,
            goals.one_after_the_other(ours, floor),
            goals.statements(),
            goals.many_at_once(ours, floor),
            goals.weight(ours),
            goals.strangers(ours),
        ]
        connection.close()
        rounds, crowds = goals.RUNS * goals.ROUNDS, goals.RUNS * goals.EACH + 4 * goals.PATIENTS
        more = 2 + goals.PAIRS  # one intake for G4, one for G6, and the submissions of T05
        assert ours.stored() == rounds + crowds + more, "an intake is missing"
        assert floor.stored() == 2 * rounds + crowds, "a floor form is missing"
        return lines, f"all {ours.stored()} intakes and {floor.stored()} floor forms"


def _keep(lines: list, stored: str) -> None:
    folder = servers.ROOT / "bench-results"
    folder.mkdir(exist_ok=True)
    at = datetime.datetime.now().astimezone()
    data = {
        "at": at.isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "stored": stored,
        "goals": {
            line.goal: {
                "what": line.what,
                "wanted": line.wanted,
                "measured": line.measured,
                "met": line.met,
                **line.data,
            }
            for line in lines
        },
    }
    path = folder / f"{at:%Y-%m-%d-%H%M%S}.json"
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


sys.exit(main())
