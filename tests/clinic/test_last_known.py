"""A value of the database that serves while the database is away."""

import pytest
from django.db import OperationalError, transaction

from clinic import last_known
from clinic.last_known import LastKnown


class Source:
    """A function to register, which counts its calls and fails on demand."""

    def __init__(self):
        self.calls, self.fails = 0, False

    def __call__(self):
        self.calls += 1
        if self.fails:
            raise OperationalError("the server is away")
        return self.calls


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def time(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(last_known.time, "monotonic", lambda: now[0])
    return now


def test_a_value_is_read_once_a_minute(source, time):
    kept = LastKnown()
    assert kept.get() is None
    kept.register(source)
    assert [kept.get(), kept.get()] == [1, 1]
    time[0] += 59.9
    assert kept.get() == 1
    time[0] += 0.1
    assert kept.get() == 2
    kept.forget()
    assert kept.get() == 3


def test_without_the_database_the_last_known_value_serves(source, time):
    kept = LastKnown()
    kept.register(source)
    kept.get()
    source.fails = True
    time[0] += 3600
    assert [kept.get(), kept.get(), kept.last] == [1, 1, 1]
    assert source.calls == 2  # not every reader waits for the database
    time[0] += last_known.PAUSE
    source.fails = False
    assert kept.get() == 3


def test_without_any_value_there_is_none(source, time):
    kept = LastKnown()
    kept.register(source)
    source.fails = True
    assert (kept.get(), kept.last) == (None, None)


@pytest.mark.django_db
def test_an_error_inside_a_transaction_is_not_hidden(source):
    kept = LastKnown()
    kept.register(source)
    source.fails = True
    with transaction.atomic(), pytest.raises(OperationalError):
        kept.get()
