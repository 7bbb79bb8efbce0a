"""Many patients want one slot at the same moment: one gets it, the others hear that it is gone.

    make races                                          50 clients on one slot, 200 rounds
    python -m tests.races.booking --clients 8 --rounds 5
    python -m tests.races.booking --mutant              the same without constraint and lock

Each client is a thread with its own connection, in a few processes. A barrier starts all clients
together, in each round for another slot. The clients call the real service on a real PostgreSQL.
The script prints "won 1 of 50 in 200 of 200 rounds", and exits with 1 when a round went
differently. The mutant proves that the clients really race: without constraint and lock, several
clients win, and then the script exits with 0.
"""

import argparse
import contextlib
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WON, GONE, FAILED = 1, 2, 3
PROCESSES = 5
PATIENCE = 60  # seconds that one round may take


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--mutant", action="store_true")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        _environment(stack)
        import django

        django.setup()
        slots, patients = fill(options.clients, options.rounds)
        _guard(wanted=not options.mutant)
        began = time.monotonic()
        rounds = race(len(slots), options.clients, holding(slots, patients))
        seconds = time.monotonic() - began
        good = [judge(one.told, booked(slot)) for slot, one in zip(slots, rounds, strict=True)]
    odd = [Counter(one.told) for one, is_good in zip(rounds, good, strict=True) if not is_good]
    print(  # noqa: T201
        f"won 1 of {options.clients} in {sum(good)} of {options.rounds} rounds ({seconds:.0f} s)"
        + (f"; otherwise (1 won, 2 told that it has gone, 3 failed): {odd[:3]}" if odd else "")
    )
    return int(all(good) if options.mutant else not all(good))


def judge(told: list[int], booked: int) -> bool:
    """Return whether one client won, all others heard that the slot is gone, and one row exists."""
    return (told.count(WON), told.count(GONE), booked) == (1, len(told) - 1, 1)


@dataclass(frozen=True)
class Round:
    """What each client was told, and the seconds from the first start to the last answer."""

    told: list[int]
    seconds: float


def race(
    rounds: int,
    clients: int,
    prepare: Callable[[int, int], Callable[[], int]],
    between: Callable[[], None] | None = None,
) -> list[Round]:
    """Let all clients, which run in a few processes, act at once in each round.

    `prepare(round, client)` prepares a client and returns the act, which returns WON, GONE or
    FAILED. `between` is called once in each round, when all clients are ready.
    """
    from django.db import connections

    connections.close_all()  # child processes must not share connections
    context = get_context("fork")
    ready = context.Barrier(clients, between)
    told = context.Array("b", rounds * clients, lock=False)
    times = context.Array("d", 2 * rounds * clients, lock=False)

    def client(number: int) -> None:
        from django.db import connection

        for turn in range(rounds):
            act = prepare(turn, number)
            ready.wait(PATIENCE)
            place = turn * clients + number
            times[2 * place] = time.monotonic()
            told[place] = act()
            times[2 * place + 1] = time.monotonic()
        connection.close()

    def crowd(numbers: range) -> None:
        threads = [threading.Thread(target=client, args=(number,)) for number in numbers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    shares = filter(None, (range(clients)[part::PROCESSES] for part in range(PROCESSES)))
    processes = [context.Process(target=crowd, args=(share,)) for share in shares]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = []
    for turn in range(rounds):
        mine = slice(turn * clients, (turn + 1) * clients)
        moments = times[2 * mine.start : 2 * mine.stop]
        seconds = max(moments[1::2]) - min(moments[0::2])
        found.append(Round(list(told[mine]), seconds))
    return found


def holding(slots: list[str], patients: list[Any]) -> Callable[[int, int], Callable[[], int]]:
    """Let every patient hold the slot of the round, through the service."""
    from django.db import connection

    from intake.appointments import holds
    from intake.appointments.slot_gone import SlotGone
    from intake.models.clinic_time import VisitType

    visit_type = VisitType.objects.get()

    def act(turn: int, number: int) -> int:
        try:
            holds.hold(
                submission=patients[number],
                slot=slots[turn],
                visit_type=visit_type,
                urgency=patients[number].urgency,
                person=patients[number].person,
            )
        except SlotGone:
            return GONE
        except Exception as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201
            return FAILED
        return WON

    def prepare(turn: int, number: int) -> Callable[[], int]:
        connection.ensure_connection()
        return partial(act, turn, number)

    return prepare


def booked(slot: str) -> int:
    """Return how many stored appointments begin when this slot begins."""
    from datetime import UTC, datetime

    from intake.models.appointments import Appointment

    start = datetime.strptime(slot.partition("_")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    return Appointment.objects.filter(during__startswith=start).count()


def _environment(stack: contextlib.ExitStack) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "DEMO": "on",
        "MIN_FILL_SECONDS": "0",
        "APPOINTMENT_HOLD_MINUTES": "120",
    }
    if not os.environ.get("DATABASE_URL"):
        from clinic import devdb

        folder = ROOT / ".local" / "pg-races"
        stack.enter_context(devdb.running(folder))
        os.environ["DATABASE_URL"] = devdb.url(folder)


def fill(clients: int, rounds: int) -> tuple[list[str], list[Any]]:
    """Store a clinician's hours, and patients with requests. Returns slots' keys, and patients."""
    from django.core.management import call_command

    from intake.appointments import free_times
    from intake.models.appointments import Appointment, AppointmentRequest
    from intake.models.clinic_time import OpeningHours, VisitType
    from intake.models.submissions import Submission
    from tests.intake import book

    call_command("migrate", verbosity=0)
    for model in (Appointment, OpeningHours, VisitType, AppointmentRequest, Submission):
        model.objects.all().delete()
    book.clinician()
    patients = [book.patient(number) for number in range(clients)]
    free = free_times.free_slots(visit_type=book.visit_type(), start=book.in_days(2))
    return [slot.key for slot in free[:rounds]], patients


def _guard(*, wanted: bool) -> None:
    """If `wanted`, make sure that the exclusion constraint exists.

    If not `wanted`, drop the constraint and switch the lock off.
    """
    from django.db import connection

    from intake.appointments import claims
    from intake.models.appointments import Appointment

    if not wanted:
        claims.lock = lambda spans: None
    (guard,) = (c for c in Appointment._meta.constraints if c.name == "appointment_once")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [guard.name])
        is_there = cursor.fetchone() is not None
    if wanted != is_there:
        with connection.schema_editor() as editor:
            (editor.add_constraint if wanted else editor.remove_constraint)(Appointment, guard)


if __name__ == "__main__":
    sys.exit(main())
