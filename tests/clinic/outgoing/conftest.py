"""Fixtures for messages: a composer whose letters a test chooses, and a mail server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clinic.outgoing import outbox, results
from clinic.outgoing.outbox import Letter
from tests.faults.sink import Sink


@pytest.fixture
def say(monkeypatch) -> Callable[[Any], None]:
    """Choose the letter that the composer of the kind 'note' returns; at first, a letter to Ana."""
    letters: dict[str, Any] = {"note": lambda message: Letter(("ana@example.org",), "Hi", "Words")}
    monkeypatch.setattr(outbox, "_composers", {"note": lambda m: letters["note"](m)})
    monkeypatch.setattr(outbox, "_lanes", {})
    monkeypatch.setattr(results, "unsents", {})
    outbox._stopping.clear()
    return lambda compose: letters.update(note=compose)


@pytest.fixture
def sink(settings) -> Iterator[Sink]:
    """A mail server to which the program sends its mail."""
    with Sink() as server:
        settings.EMAIL_BACKEND = "clinic.outgoing.mail.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 0.5
        yield server
