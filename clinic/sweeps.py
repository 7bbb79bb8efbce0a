"""What the worker does each minute besides sending: each app registers its own."""

import logging
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError

from clinic.logs import log

Chore = Callable[[], Any]
_chores: list[Chore] = []


def each_minute(chore: Chore) -> Chore:
    """Register what is to be done each minute. It is safe to do at any time, by any number of
    workers at once, outside of a transaction."""
    _chores.append(chore)
    return chore


def run() -> None:
    """Do all of it; one that fails is logged and leaves the others alone. Raises when the database
    is down, which the worker waits out."""
    for chore in _chores:
        try:
            chore()
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log("chore failed", level=logging.ERROR, exc_info=True)
