"""A small run of the part of `make faults` that sends messages; a proof that it detects faults."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import database
from tests.faults.outbox import judge
from tests.faults.sink import Mail

ROOT = Path(__file__).resolve().parents[2]
ONE = Mail("<one@x>", ("ana@example.org",), "Your number is AAAA-AAAA")
TWO = Mail("<two@x>", ("bo@example.org",), "Your number is BBBB-BBBB")
WHAT = {"kept": ["AAAA-AAAA", "BBBB-BBBB"], "undone": ["CCCC-CCCC"]}


@pytest.fixture
def a_database(transactional_db):
    with database.copy("faults") as address:
        yield address


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_workers_die_and_every_message_is_delivered(a_database):
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.outbox", "--kills", "2", "--messages", "20"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": a_database},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "20 messages, 2 rolled back, 2 kills" in done.stdout
    assert "20 delivered" in done.stdout


@pytest.mark.parametrize(
    ("mails", "kills", "faults"),
    [
        ([ONE, TWO], 0, []),
        ([ONE, TWO, TWO], 1, []),
        ([ONE], 9, ["1 lost"]),
        ([ONE, TWO, TWO], 0, ["1 doubles, more than kills"]),
        (
            [ONE, TWO, Mail("<new@x>", TWO.to, TWO.body)],
            1,
            ["1 doubles with another Message-ID or other words"],
        ),
        (
            [ONE, TWO, Mail("<three@x>", ONE.to, "Your number is CCCC-CCCC")],
            1,
            ["1 of what never happened", "1 that nobody knows"],
        ),
    ],
)
def test_the_judge_notices_what_is_wrong(mails, kills, faults):
    assert judge(mails, **WHAT, kills=kills) == faults
