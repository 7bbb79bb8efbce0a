"""Chores that the worker does each minute besides sending messages. The apps register them."""

import logging
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError

from clinic.logs import log

Chore = Callable[[], Any]
_chores: list[Chore] = []


def each_minute(chore: Chore) -> Chore:
    """Register a chore that the worker runs each minute, outside a transaction.

    Several workers may run the chore at the same time.
    """
    _chores.append(chore)
    return chore


def run() -> None:
    """Run all chores. If a chore fails, the failure is logged and the other chores still run.

    Raises OperationalError or InterfaceError when the database is down, so that the worker waits.
    """
    for chore in _chores:
        try:
            chore()
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log("chore failed", level=logging.ERROR, exc_info=True)
