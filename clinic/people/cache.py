"""A cache in the database whose rows only this program can write.

Django's own table cache unpickles its rows, so that an attacker who inserts a row can run code in
the web server. Here a row is JSON, signed with a keyed hash of value, expiry and key. A row with a
wrong signature counts as missing, and the next writer replaces it. The table stores only a keyed
hash of each key, because keys contain network addresses and codes that staff typed.

Only expired rows are deleted. If other rows were deleted to make room, the program would forget
which codes were used and how many attempts were made.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.db import connection, transaction

from clinic.models import CacheEntry
from clinic.people import sql
from clinic.secrets.sealing import keyed, sign, signed


class SignedCache(BaseCache):
    """Store JSON values. `add`, `incr` and `touch` are atomic across all processes.

    Raises TypeError for a value that changes when it is written as JSON and read again, such as a
    tuple.
    """

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self.get_many([key], version).get(key, default)

    def get_many(self, keys: Any, version: int | None = None) -> dict[str, Any]:
        names = {self._row(key, version): key for key in keys}
        found = CacheEntry.objects.filter(key__in=names).values_list("key", "entry")
        opened = {names[row]: _open(row, entry) for row, entry in found}
        return {key: kept[0] for key, kept in opened.items() if kept}

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        self._put(sql.SET_ENTRY, self._row(key, version), value, self.get_backend_timeout(timeout))

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        row, expires = self._row(key, version), self.get_backend_timeout(timeout)
        while not self._put(sql.ADD_ENTRY, row, value, expires):
            with transaction.atomic():
                entry = _locked(row)
                if entry is not None:  # None: another process has deleted the row meanwhile
                    missing = _open(row, entry) is None
                    return missing and self._put(sql.SET_ENTRY, row, value, expires)
        return True

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        expires = self.get_backend_timeout(timeout)
        return self._change(key, version, lambda value, _expires: (value, expires)) is not None

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> Any:
        kept = self._change(key, version, lambda value, expires: (value + delta, expires))
        if kept is None:
            raise ValueError("the cache has no such key")
        return kept[0]

    def delete(self, key: str, version: int | None = None) -> bool:
        deleted, _by = CacheEntry.objects.filter(key=self._row(key, version)).delete()
        return bool(deleted)

    def clear(self) -> None:
        CacheEntry.objects.all().delete()

    def _row(self, key: str, version: int | None) -> str:
        return keyed("cache key", self.make_key(key, version).encode()).hex()

    def _put(self, statement: str, row: str, value: Any, expires: float | None) -> bool:
        entry = sign(_place(row), _written([expires, value]))
        with connection.cursor() as cursor:
            cursor.execute(statement, {"row": row, "entry": entry, "expires": expires})
            return cursor.fetchone() is not None

    def _change(
        self, key: str, version: int | None, change: Callable[[Any, float | None], Any]
    ) -> tuple[Any, float | None] | None:
        """Replace value and expiry by the result of `change`, and return that result.

        Returns None if the row is missing, has expired, or has a wrong signature.
        """
        row = self._row(key, version)
        with transaction.atomic():
            entry = _locked(row)
            kept = None if entry is None else _open(row, entry)
            if kept is not None:
                kept = change(*kept)
                self._put(sql.SET_ENTRY, row, *kept)
        return kept


def prune() -> int:
    """Delete the expired rows. Returns how many were deleted."""
    now = datetime.fromtimestamp(time.time(), UTC)
    deleted, _by = CacheEntry.objects.filter(expires__lte=now).delete()
    return deleted


def _place(row: str) -> str:
    return f"cache\0{row}"


def _written(entry: list[Any]) -> bytes:
    try:
        text = json.dumps(entry, allow_nan=False)
    except ValueError as error:  # NaN, an infinite number, or a list that contains itself
        raise TypeError("the cache keeps what JSON can say") from error
    if json.loads(text) != entry:
        raise TypeError("the cache keeps what JSON can say: no tuple, and texts as keys")
    return text.encode()


def _open(row: str, whole: Any) -> tuple[Any, float | None] | None:
    """Return value and expiry of a row; None if the row has expired or has a wrong signature."""
    entry = signed(_place(row), bytes(whole))
    if entry is None:
        return None
    expires, value = json.loads(entry)
    return None if expires is not None and expires <= time.time() else (value, expires)


def _locked(row: str) -> Any:
    """Lock a row until the transaction ends and return its entry; None if the row is missing."""
    entries = CacheEntry.objects.select_for_update().filter(key=row)
    return next(iter(entries.values_list("entry", flat=True)), None)
