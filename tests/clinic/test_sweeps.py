"""The chores of each minute: when one chore fails, the others still run."""

import pytest
from django.db import OperationalError

from clinic import sweeps
from intake.appointments import offers


@pytest.fixture
def chores(monkeypatch):
    """An empty list of chores for this test alone."""
    mine = []
    monkeypatch.setattr(sweeps, "_chores", mine)
    return mine


def test_offers_that_nobody_answered_end_each_minute():
    assert offers.lapse in sweeps._chores


def test_a_chore_that_fails_is_logged_and_the_next_is_done(chores, written_log):
    done = []

    def break_down():
        raise ValueError("secret of a patient")

    sweeps.each_minute(break_down)
    sweeps.each_minute(lambda: done.append(1))
    sweeps.run()
    assert done == [1]
    assert "chore failed" in written_log.getvalue()
    assert "secret" not in written_log.getvalue()


def test_without_a_database_the_worker_waits(chores):
    def look():
        raise OperationalError

    sweeps.each_minute(look)
    with pytest.raises(OperationalError):
        sweeps.run()
