"""A value that one app reads from the database and others use: kept for a minute.

While the database is away, the last known value serves.
"""

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from django.db import Error, connection

T = TypeVar("T")
SECONDS = 60  # how long a value is kept in the process
PAUSE = 10  # seconds without another try after the database did not answer


class LastKnown(Generic[T]):
    """A value, the function that reads it, and until when the value is fresh."""

    def __init__(self) -> None:
        self._read: Callable[[], T] | None = None
        self._until = 0.0
        self.last: T | None = None
        """The value as it was read last, however long ago. None if it was never read."""

    def register(self, read: Callable[[], T] | None) -> None:
        """Set the function that reads the value. None: there is no value."""
        self._read, self._until, self.last = read, 0.0, None

    def get(self) -> T | None:
        """Return the value, read at most a minute ago; the last known one without a database.

        Raises the database's error inside a transaction, which the error has ended.
        """
        if self._read is not None and time.monotonic() >= self._until:
            try:
                self.last = self._read()
            except Error:
                if connection.in_atomic_block:
                    raise
                self._until = time.monotonic() + PAUSE
            else:
                self._until = time.monotonic() + SECONDS
        return self.last

    def forget(self) -> None:
        """Read the value again when it is used next."""
        self._until = 0.0
