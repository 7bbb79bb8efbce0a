"""The store of rendered pages, shared by all processes: a folder of this machine, or Redis.

Entries belong to a *generation*. One generation is current. When a text that readers see changes, a
new, empty generation becomes current in one step. A process that began to render before the change
writes into the old generation, from which no page is served while the database answers. So an older
text never replaces a newer text, and no versions need to be compared. The old generation is kept
until the new generation is complete.
"""

import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Protocol

BEFORE = "before"
"""The key of the entry in which a generation names the previous generation."""

NONE = ""
"""The name that stands for "no generation"."""


class StoreError(Exception):
    """The store did not answer, or could not be written."""


class Store(Protocol):
    """The methods of a store. All methods except `current` and `read` can raise StoreError."""

    def current(self) -> str:
        """Return the name of the current generation, or NONE."""

    def read(self, generation: str, key: str) -> bytes | None:
        """Return an entry of a generation, or None if the store does not have it."""

    def write(self, generation: str, key: str, entry: bytes) -> None:
        """Store an entry, whole or not at all. Does nothing if the generation was deleted."""

    def _lock(self) -> AbstractContextManager[Any]: ...

    def _swap(self, new: str, before: str) -> None:
        """Make the empty generation `new` current, and delete all others except `before`."""


def begin(store: Store, complete: str) -> str:
    """Make a new, empty generation current. Returns its name.

    `complete` is the key of an entry that only a completely rendered generation has. The last
    complete generation is kept as the previous one; an incomplete generation is deleted.
    """
    new = uuid.uuid4().hex
    with store._lock():
        before = store.current()
        if before and store.read(before, complete) is None:
            before = (store.read(before, BEFORE) or b"").decode() or before
        store._swap(new, before)
    return new


class Folder:
    """A store with a folder for each generation, a file for each entry, and a link to the current
    generation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.link = path / "current"

    def current(self) -> str:
        try:
            return os.readlink(self.link)
        except OSError:
            return NONE

    def read(self, generation: str, key: str) -> bytes | None:
        try:
            return (self.path / generation / key).read_bytes()
        except OSError:
            return None

    def write(self, generation: str, key: str, entry: bytes) -> None:
        folder = self.path / generation
        try:
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                file.write(entry)
            Path(file.name).replace(folder / key)
        except FileNotFoundError:
            return  # the generation was deleted meanwhile
        except OSError as error:
            raise StoreError from error

    @contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / "lock").open("w")
        except OSError as error:
            raise StoreError from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _swap(self, new: str, before: str) -> None:
        try:
            folder = self.path / new
            folder.mkdir()
            (folder / BEFORE).write_text(before)
            link = self.path / f"{new}.link"
            link.symlink_to(new)
            link.replace(self.link)
        except OSError as error:
            raise StoreError from error
        for old in self.path.iterdir():
            if old.is_dir() and not old.is_symlink() and old.name not in (new, before):
                shutil.rmtree(old, ignore_errors=True)


class Redis:
    """A store with a Redis hash for each generation, and a key that names the current generation.

    If Redis loses pages or does not answer, the pages are rendered again, which costs only time.
    The timeouts are short, so that no reader waits for Redis.
    """

    CURRENT = "clinic:pages:current"
    ALL = "clinic:pages:all"

    def __init__(self, url: str) -> None:
        import redis

        self.errors = redis.RedisError
        # Any: redis annotates its answers as bytes or text, but without decode_responses they are
        # bytes
        self.redis: Any = redis.Redis.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5)

    @staticmethod
    def _name(generation: str) -> str:
        return f"clinic:pages:{generation}"

    def current(self) -> str:
        with suppress(self.errors):
            name: bytes = self.redis.get(self.CURRENT) or b""
            return name.decode()
        return NONE

    def read(self, generation: str, key: str) -> bytes | None:
        with suppress(self.errors):
            entry: bytes | None = self.redis.hget(self._name(generation), key)
            return entry
        return None

    def write(self, generation: str, key: str, entry: bytes) -> None:
        try:
            # a generation that was deleted meanwhile must not come back
            if self.redis.hexists(self._name(generation), BEFORE):
                self.redis.hset(self._name(generation), key, entry)
        except self.errors as error:
            raise StoreError from error

    @contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            with self.redis.lock("clinic:pages:lock", timeout=10, blocking_timeout=5):
                yield
        except self.errors as error:
            raise StoreError from error

    def _swap(self, new: str, before: str) -> None:
        with self.redis.pipeline(transaction=True) as steps:
            steps.hset(self._name(new), BEFORE, before)
            steps.set(self.CURRENT, new)
            steps.sadd(self.ALL, new)
            steps.execute()
        for old in {name.decode() for name in self.redis.smembers(self.ALL)} - {new, before}:
            self.redis.delete(self._name(old))
            self.redis.srem(self.ALL, old)


@cache
def opened(address: str) -> Store | None:
    """Return the store of a PAGE_STORE setting: a folder or `redis://…`; None for `off`."""
    if address == "off":
        return None
    if address.partition("://")[0] in ("redis", "rediss"):
        return Redis(address)
    return Folder(Path(address))
