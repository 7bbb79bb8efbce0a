"""A small run of the part of `make faults` that sends forms; a proof that it detects faults."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import database
from tests.faults.sending import Count, Row, judge

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.django_db
def test_workers_and_database_die_and_what_has_a_receipt_is_there_once(tmp_path):
    database.dump(tmp_path / "schema.sql")
    small = f"--patients 16 --kills 2 --crashes 1 --schema {tmp_path / 'schema.sql'}".split()
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.sending", *small],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=240,
    )

    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    steps, kills, crashes, said = done.stdout.splitlines()
    assert int(steps.split()[0]) > 12
    for line, name in ((kills, "2 kills"), (crashes, "1 crashes")):
        assert line.startswith(f"{name}: acknowledged 16, stored 16, lost 0, twice 0, half 0,")
    assert said.startswith("whole")


A, B = Row("a", "AAAA"), Row("b", "BBBB")
BOTH = [("a", "AAAA"), ("a", "AAAA"), ("b", "BBBB"), ("b", "")]


@pytest.mark.parametrize(
    ("receipts", "rows", "strays", "wrong"),
    [
        (BOTH, [A, B], 0, {}),
        (BOTH, [A], 0, {"lost": 1}),
        (BOTH, [A, Row("b", "CCCC")], 0, {"lost": 1}),
        (BOTH, [A, Row("b", "BBBB", opens=False)], 0, {"lost": 1}),
        (BOTH, [A, B, Row("b", "CCCC")], 0, {"twice": 1}),
        ([*BOTH, ("b", "CCCC")], [A, B, Row("b", "CCCC")], 0, {"twice": 1}),
        (BOTH, [A, Row("b", "BBBB", is_whole=False)], 0, {"half": 1}),
        (BOTH, [A, B], 2, {"half": 2}),
        ([*BOTH, ("c", ""), ("c", "")], [A, B], 0, {"unanswered": 1}),
    ],
)
def test_the_judge_notices_what_is_wrong(receipts, rows, strays, wrong):
    good = {"lost": 0, "twice": 0, "half": 0, "unanswered": 0}
    told = len({pair for pair in receipts if pair[1]})

    found = judge(receipts, rows, strays)

    assert found == Count(acknowledged=told, stored=len(rows), **good | wrong)
    assert found.is_good is not bool(wrong)
