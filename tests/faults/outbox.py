"""Kill workers again and again while messages wait. Every message is still delivered.

    make faults                                    25 × kill -9 over 500 messages
    python -m tests.faults.outbox --kills 3 --messages 30

The services send real submissions, and some are rolled back. The real `manage.py worker` delivers
the confirmations to a mail server on loopback, and is killed at random moments.

Prints one line with the numbers. Exits with 1 when a message is missing, when a rolled-back
submission caused a message, when there are more duplicates than kills, when a duplicate has another
Message-ID or other words, or when a message is neither sent nor failed.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.faults.sink import Mail, Sink

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds without any progress, until the run gives up


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--messages", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(Sink(pause=0.005))
        _environment(stack, sink)
        import django

        django.setup()
        kept, undone = _fill(options.messages)
        started = time.monotonic()
        kills = _kill_and_drain(sink, random.Random(options.seed), options.kills, options.messages)
        seconds = time.monotonic() - started
        faults = judge(sink.mails, kept=kept, undone=undone, kills=kills) + _left_over()
    ids = Counter(mail.message_id for mail in sink.mails)
    print(  # noqa: T201
        f"{len(kept)} messages, {len(undone)} rolled back, {kills} kills in {seconds:.0f} s:"
        f" {len(ids)} delivered, {sum(ids.values()) - len(ids)} doubles, seed {options.seed}:",
        "; ".join(faults) or "whole",
    )
    return 1 if faults else 0


def judge(
    mails: Iterable[Mail], *, kept: Iterable[str], undone: Iterable[str], kills: int
) -> list[str]:
    """Return the faults of these mails.

    `kept` are references of stored submissions, `undone` of submissions that were rolled back.
    """
    mails, kept, undone = list(mails), list(kept), list(undone)
    faults = []
    by_reference = {reference: [m for m in mails if reference in m.body] for reference in kept}
    if lost := sum(not found for found in by_reference.values()):
        faults.append(f"{lost} lost")
    if told := sum(any(reference in m.body for m in mails) for reference in undone):
        faults.append(f"{told} of what never happened")
    doubles = sum(len(found) - 1 for found in by_reference.values() if found)
    if doubles > kills:
        faults.append(f"{doubles} doubles, more than kills")
    if other := sum(len(set(found)) > 1 for found in by_reference.values()):
        faults.append(f"{other} doubles with another Message-ID or other words")
    if strange := len(mails) - sum(map(len, by_reference.values())):
        faults.append(f"{strange} that nobody knows")
    return faults


def _environment(stack: contextlib.ExitStack, sink: Sink) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "DEMO": "on",
        "EMAIL_URL": f"smtp://127.0.0.1:{sink.port}",
    }
    if not os.environ.get("DATABASE_URL"):
        from clinic import devdb

        folder = ROOT / ".local" / "pg-faults"
        stack.enter_context(devdb.running(folder))
        os.environ["DATABASE_URL"] = devdb.url(folder)


def _fill(count: int) -> tuple[list[str], list[str]]:
    """Send `count` submissions, and a tenth as many that are rolled back.

    Returns the references of the stored and of the rolled-back submissions.
    """
    from django.core.management import call_command
    from django.db import transaction

    from clinic.models import Message
    from tests import builders

    call_command("migrate", verbosity=0)
    Message.objects.all().delete()
    kept = [builders.submission().reference for _number in range(count)]
    undone = []
    for _number in range(max(1, count // 10)):
        with transaction.atomic():
            undone.append(builders.submission().reference)
            transaction.set_rollback(True)
    return kept, undone


def _kill_and_drain(sink: Sink, chance: random.Random, kills: int, messages: int) -> int:
    """Start and kill one worker after another, and let the last worker finish its work.

    Returns the number of killed workers.
    """
    share = messages / (kills + 1)
    done = 0
    for _kill in range(kills):
        worker = _worker()
        enough = len(sink.mails) + max(1, round(share * chance.uniform(0.3, 1.2)))
        if not sink.wait_for(lambda enough=enough: len(sink.mails) >= enough, PATIENCE):
            break
        time.sleep(chance.uniform(0, 0.02))
        worker.kill()
        worker.wait()
        done += 1
        _end_leases()
    worker = _worker()
    end = time.monotonic() + PATIENCE
    while _waiting() and time.monotonic() < end:
        time.sleep(0.1)
    worker.terminate()
    worker.wait(30)
    return done


def _worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "worker"], cwd=ROOT, stdout=subprocess.DEVNULL
    )


def _end_leases() -> None:
    """Free the killed worker's messages, because waiting for its leases to end takes a minute."""
    from django.db.models.functions import Now

    from clinic.models import Message

    Message.objects.filter(state="waiting").update(claimed_until=Now())


def _waiting() -> int:
    from clinic.models import Message

    return Message.objects.filter(state="waiting").count()


def _left_over() -> list[str]:
    from clinic.models import Message

    faults = []
    if left := Message.objects.exclude(state="sent").count():
        faults.append(f"{left} rows not sent")
    if bodies := Message.objects.filter(payload__isnull=False).count():
        faults.append(f"{bodies} rows not blanked")
    return faults


if __name__ == "__main__":
    sys.exit(main())
