"""A small run of `make races`, and a proof that `make races` detects faults."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import database
from tests.races.booking import FAILED, GONE, WON, judge

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def a_database(transactional_db):
    with database.copy("races") as address:
        yield address


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_one_time_one_has_it_and_without_the_guards_several(a_database):
    def race(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tests.races.booking", *options],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": a_database},
            capture_output=True,
            text=True,
            timeout=240,
        )

    done = race("--clients", "16", "--rounds", "3")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("won 1 of 16 in 3 of 3 rounds")
    mutant = race("--clients", "16", "--rounds", "3", "--mutant")
    assert mutant.returncode == 0, mutant.stdout + mutant.stderr
    assert "won 1 of 16 in 3 of 3" not in mutant.stdout


@pytest.mark.parametrize(
    ("told", "booked", "good"),
    [
        ([WON, GONE, GONE], 1, True),
        ([WON, WON, GONE], 2, False),
        ([WON, GONE, GONE], 2, False),
        ([GONE, GONE, GONE], 0, False),
        ([WON, GONE, FAILED], 1, False),
        ([WON, GONE, 0], 1, False),
    ],
)
def test_a_round_is_judged(told, booked, good):
    assert judge(told, booked) == good
