"""Kill workers and the database again and again while messages wait. Every message is delivered.

    make faults                                    25 × kill -9, 6 × a crash; 500 of each channel
    python -m tests.faults.outbox --kills 3 --crashes 0 --messages 30

The services send real submissions with an e-mail address or a phone for text messages, and some are
rolled back. The real `manage.py worker` delivers the confirmations to a mail server and a Twilio on
loopback. These two answer late, cut the connection after they accepted a message, never answer, or
refuse for now. Half of the messages are reported as delivered, twice and at once, so that a report
may overtake the answer.

Prints one line with the numbers. Exits with 1 when a message is missing, when a rolled-back
submission caused a message, when a message came twice whose answer reached the worker, when a
duplicate has another id or other words, or when a message is neither sent nor failed.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.sink import Sink
from tests.faults.twilio import Twilio

if TYPE_CHECKING:
    from clinic.devdb import DevPostgres

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds without any progress, until the run gives up
SHORT = 3.0  # seconds of a round in which the providers misbehave
# how the mail server and Twilio behave in a round
MODES = (
    *(("ok", "ok"),) * 3,
    *(("cut", "cut"), ("late", "late"), ("hang", "never"), ("451", "503")),
)
UNANSWERED = ("cut", "late")


@dataclass(frozen=True)
class Got:
    """A message that a provider accepted."""

    message_id: str
    body: str


@dataclass
class Providers:
    """The mail server and Twilio, and the ids of messages that may have come twice."""

    mail: Sink
    twilio: Twilio
    excused: set[str] = field(default_factory=set)

    def got(self) -> list[Got]:
        mails = [Got(each.message_id, each.body) for each in self.mail.mails]
        return mails + [Got(each.message_id, each.body) for each in self.twilio.texts]

    def behave(self, mode: tuple[str, str]) -> None:
        self.mail.mode, self.twilio.mode = mode

    def excuse(self, before: tuple[int, int], mode: tuple[str, str]) -> None:
        """Note the messages of a round whose answer the worker may not have got, or not stored.

        These are all messages if the provider cut the connection or was late, else the last one.
        """
        for accepted, first in zip((self.mail.mails, self.twilio.texts), before, strict=True):
            new = [each.message_id for each in accepted[first:]]
            self.excused |= set(new if mode[0] in UNANSWERED else new[-1:])

    def counts(self) -> tuple[int, int]:
        return len(self.mail.mails), len(self.twilio.texts)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--crashes", type=int, default=6, help="of the database; 0 with another's")
    parser.add_argument("--messages", type=int, default=500, help="of each channel")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with contextlib.ExitStack() as stack:
        mail = stack.enter_context(Sink(pause=0.005))
        twilio = stack.enter_context(Twilio(pause=0.005, seconds=2.0))
        providers = Providers(mail, twilio)
        postgres = _environment(stack, providers)
        import django

        django.setup()
        kept, undone = _fill(options.messages)
        started = time.monotonic()
        with _reports(providers):
            for number in range(options.kills):
                crashes = postgres if number < options.crashes else None
                mode = chance.choice(MODES) if number else MODES[0]
                _round(providers, chance, mode, len(kept) / (options.kills + 1), crashes)
            providers.behave(MODES[0])
            _drain()
        seconds = time.monotonic() - started
        got = providers.got()
        faults = judge(got, kept=kept, undone=undone, excused=providers.excused) + _left_over()
    texts = {each.message_id for each in twilio.texts}
    counts = Counter(each.message_id for each in got)
    doubles = {key: count - 1 for key, count in counts.items() if count > 1}
    print(  # noqa: T201
        f"{options.messages} mails and {options.messages} text messages, {len(undone)} rolled back,"
        f" {options.kills} kills and {options.crashes if postgres else 0} crashes in {seconds:.0f}"
        f" s: {len(counts)} delivered; doubles, each cut after the provider took the message:"
        f" {sum(n for key, n in doubles.items() if key not in texts)} mails and"
        f" {sum(n for key, n in doubles.items() if key in texts)} text messages of"
        f" {len(providers.excused)} that were cut; seed {options.seed}:",
        "; ".join(faults) or "whole",
    )
    return 1 if faults else 0


def judge(
    got: Iterable[Got], *, kept: Iterable[str], undone: Iterable[str], excused: Iterable[str] = ()
) -> list[str]:
    """Return the faults of these messages.

    `kept` are references of stored submissions, `undone` of submissions that were rolled back.
    `excused` are the ids of messages that may come twice, because the worker was cut off.
    """
    got, kept, undone = list(got), list(kept), list(undone)
    by_reference = {reference: [m for m in got if reference in m.body] for reference in kept}
    twice = [found for found in by_reference.values() if len(found) > 1]
    counted = {
        "lost": sum(not found for found in by_reference.values()),
        "of what never happened": sum(any(ref in m.body for m in got) for ref in undone),
        "doubles without an excuse": sum(found[0].message_id not in excused for found in twice),
        "doubles with another id or other words": sum(len(set(found)) > 1 for found in twice),
        "that nobody knows": len(got) - sum(map(len, by_reference.values())),
    }
    return [f"{count} {fault}" for fault, count in counted.items() if count]


def _environment(stack: contextlib.ExitStack, providers: Providers) -> "DevPostgres | None":
    """Set the environment of the workers. Returns our own database, unless there is another."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "clinic.settings",
        "DEMO": "on",
        "EMAIL_URL": f"smtp://127.0.0.1:{providers.mail.port}",
        "SMS_URL": providers.twilio.url,
        "TEXT_HOURS": "0-24",
        "OUTBOX_LEASE_SECONDS": "10",
    }
    if os.environ.get("DATABASE_URL"):
        return None
    from clinic import devdb

    folder = ROOT / ".local" / "pg-faults"
    postgres = devdb.DevPostgres(folder)
    postgres.start()
    stack.callback(postgres.stop)
    os.environ["DATABASE_URL"] = devdb.url(folder)
    return postgres


def _fill(count: int) -> tuple[list[str], list[str]]:
    """Send `count` submissions for each channel, and a tenth as many that are rolled back.

    Returns the references of the stored and of the rolled-back submissions.
    """
    from django.core.management import call_command
    from django.db import transaction

    from clinic.models import Message
    from intake.domain.stored import PHONE
    from tests import builders

    call_command("migrate", verbosity=0)
    Message.objects.all().delete()

    def send(number: int) -> list[str]:
        by_text = {"email": "", PHONE: f"+1202555{number:04}", "prefer": "text"}
        return [builders.submission(contact).reference for contact in (None, by_text)]

    kept = [reference for number in range(count) for reference in send(number)]
    undone = []
    for number in range(max(1, count // 10)):
        with transaction.atomic():
            undone += send(number)
            transaction.set_rollback(True)
    return kept, undone


def _round(
    providers: Providers,
    chance: random.Random,
    mode: tuple[str, str],
    share: float,
    postgres: "DevPostgres | None",
) -> None:
    """Start a worker, let it work for a while, crash the database if there is one, and kill it."""
    providers.behave(mode)
    before = providers.counts()
    enough = sum(before) + max(1, round(share * chance.uniform(0.3, 1.2)))
    worker = _worker()
    end = time.monotonic() + (PATIENCE if mode == MODES[0] else chance.uniform(1, SHORT) + 2)
    while sum(providers.counts()) < enough and time.monotonic() < end:
        time.sleep(0.005)
    if postgres:
        from tests.faults.sending import crash

        crash(postgres, chance)
        time.sleep(chance.uniform(0, 2))
    time.sleep(chance.uniform(0, 0.02))
    worker.kill()
    worker.wait()
    time.sleep(0.1)  # the providers take what was under way
    providers.excuse(before, mode)
    _end_leases()


def _drain() -> None:
    """Let a last worker finish its work."""
    worker = _worker()
    left, end = _waiting(), time.monotonic() + PATIENCE
    while left and time.monotonic() < end:
        time.sleep(0.2)
        before, left = left, _waiting()
        if left < before:
            end = time.monotonic() + PATIENCE
    worker.terminate()
    worker.wait(30)


@contextlib.contextmanager
def _reports(providers: Providers) -> Iterator[None]:
    """Report every second message as delivered, as soon as its provider accepts it, and twice."""
    from django.db import DatabaseError, close_old_connections, connection

    from clinic.outgoing import deliveries

    over = threading.Event()
    told: set[str] = set()

    def tell() -> None:
        for each in providers.got():
            key = each.message_id.strip("<>").partition("@")[0]
            if key not in told and int(key[-1], 16) % 2:
                for _twice in range(2):
                    report = deliveries.Report(names=(key,), delivery=deliveries.Delivery.DELIVERED)
                    deliveries.record_all([report])
                told.add(key)

    def go() -> None:
        while not over.wait(0.05):
            try:
                close_old_connections()
                tell()
            except DatabaseError:  # the provider repeats a report that was answered with 503
                connection.close()
                time.sleep(0.5)
        connection.close()

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "worker"], cwd=ROOT, stdout=subprocess.DEVNULL
    )


def _end_leases() -> None:
    """Free the killed worker's messages and make all due, because waiting would take hours."""
    from django.db import connection
    from django.db.models.functions import Now

    from clinic.models import Message

    connection.close()  # the database may have crashed
    rows = Message.objects.filter(state="waiting")
    rows.update(claimed_until=None, next_at=Now(), attempts=0)


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
