"""A small run of the part of `make faults` that sends messages; a proof that it detects faults."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import database
from tests.faults.outbox import Got, judge

ROOT = Path(__file__).resolve().parents[2]
ONE = Got("<one@x>", "Your number is AAAA-AAAA")
TWO = Got("<two@x>", "Your number is BBBB-BBBB")
WHAT = {"kept": ["AAAA-AAAA", "BBBB-BBBB"], "undone": ["CCCC-CCCC"]}


@pytest.fixture
def a_database(transactional_db):
    with database.copy("faults") as address:
        yield address


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_workers_die_and_every_message_is_delivered(a_database):
    small = ["--kills", "3", "--messages", "10", "--seed", "5"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.outbox", *small],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": a_database},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "10 mails and 10 text messages, 2 rolled back, 3 kills" in done.stdout
    assert "20 delivered" in done.stdout


@pytest.mark.parametrize(
    ("got", "excused", "faults"),
    [
        ([ONE, TWO], (), []),
        ([ONE, TWO, TWO], {TWO.message_id}, []),
        ([ONE], (), ["1 lost"]),
        ([ONE, TWO, TWO], {ONE.message_id}, ["1 doubles without an excuse"]),
        (
            [ONE, TWO, Got("<new@x>", TWO.body)],
            {TWO.message_id},
            ["1 doubles with another id or other words"],
        ),
        (
            [ONE, TWO, Got("<three@x>", "Your number is CCCC-CCCC")],
            (),
            ["1 of what never happened", "1 that nobody knows"],
        ),
    ],
)
def test_the_judge_notices_what_is_wrong(got, excused, faults):
    assert judge(got, **WHAT, excused=excused) == faults
