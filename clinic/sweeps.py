"""Chores that the worker does each minute, besides sending messages. Each app registers its own."""

import logging
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError

from clinic.logs import log

Chore = Callable[[], Any]
_chores: list[Chore] = []


def each_minute(chore: Chore) -> Chore:
    """Register a chore. It must be safe at any time, outside a transaction, and in several workers
    at once."""
    _chores.append(chore)
    return chore


def run() -> None:
    """Run all chores. A chore that fails is logged, and the others still run.

    Raises when the database is down: the worker waits until it is back.
    """
    for chore in _chores:
        try:
            chore()
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log("chore failed", level=logging.ERROR, exc_info=True)
