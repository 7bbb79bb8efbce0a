"""The cache behind the sign-in: JSON that only this program can write."""

import ast
import base64
import inspect
import json
import pickle
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from enum import Enum
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings as conf
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.module_loading import import_string
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from clinic.models import CacheEntry
from clinic.people.cache import SignedCache, prune
from clinic.secrets import sealing
from tests import builders
from tests import test_architecture as architecture
from tests.examples import examples

pytestmark = pytest.mark.django_db
PASSWORD = "seven green bicycles at noon"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STOCK = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "old"}}


# --- an attacker who can write one row -----------------------------------------------------------

RAN: list[str] = []


def strike() -> list[float]:
    RAN.append("foreign code")
    return []


class Hostile:
    def __reduce__(self) -> Any:
        return strike, ()


PICKLED = pickle.dumps(Hostile())
FOREIGN = {
    "pickled": PICKLED,
    "pickled as Django does it": base64.b64encode(PICKLED),
    "JSON without a mark": json.dumps([None, [1.0]]).encode(),
    "pickled behind a mark of nought": bytes(32) + PICKLED,
    "no byte": b"",
    "half a mark": b"\0" * 16,
}


@pytest.fixture
def account() -> User:
    user = User.objects.create_user("ada", password=PASSWORD, is_staff=True)
    TOTP.activate(user, SECRET)
    return user


def sign_in() -> list[int]:
    """Sign in with a new browser. Returns the HTTP statuses of the password and of the code."""
    client = Client()
    first = client.post("/account/login/", {"login": "ada", "password": PASSWORD})
    second = client.post("/account/2fa/authenticate/", {"code": builders.totp(SECRET)})
    return [first.status_code, second.status_code]


@pytest.fixture
def asked(monkeypatch) -> dict[str, str]:
    """The keys for which the program has asked the cache: key → key of the stored row."""
    keys: dict[str, str] = {}
    written = BaseCache.make_key

    def make_key(self: Any, key: str, version: Any = None) -> str:
        keys[key] = written(self, key, version)
        return keys[key]

    monkeypatch.setattr(BaseCache, "make_key", make_key)
    return keys


def test_the_stock_cache_runs_what_one_row_says(account, asked, settings):
    """Show why we have our own cache: Django's cache runs the code in a row that a stranger wrote.

    The next test gives the same row to our cache.
    """
    settings.CACHES = STOCK
    call_command("createcachetable", verbosity=0)
    RAN.clear()
    assert sign_in() == [302, 302]
    with connection.cursor() as cursor:
        for key in [written for key, written in asked.items() if not key.endswith(":lock")]:
            cursor.execute(
                "insert into old (cache_key, value, expires) values (%s, %s, 'infinity')"
                " on conflict (cache_key) do update set value = excluded.value",
                [key, FOREIGN["pickled as Django does it"].decode()],
            )
    Client().post("/account/login/", {"login": "nobody", "password": "x"})

    assert RAN


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_row_runs_nothing_and_stops_nobody(account, asked, foreign):
    RAN.clear()
    assert sign_in() == [302, 302]
    assert len(asked) >= 5
    for key in list(asked):
        row = {"entry": foreign, "expires": None}
        CacheEntry.objects.update_or_create(key=row_of(key), defaults=row)

    Client().post("/account/login/", {"login": "nobody", "password": "x"})
    assert sign_in() == [302, 302]
    assert RAN == []


def configured() -> list[str]:
    """Return every class that the settings name for storing or passing on the program's data."""
    return [
        *(backend["BACKEND"] for backend in conf.CACHES.values()),
        *(backend["BACKEND"] for backend in conf.TASKS.values()),
        *(backend["BACKEND"] for backend in conf.STORAGES.values()),
        f"{conf.SESSION_ENGINE}.SessionStore",
        conf.SESSION_SERIALIZER,
        conf.MESSAGE_STORAGE,
        "clinic.pagecache.store.Folder",
        "clinic.pagecache.store.Redis",
    ]


def test_no_configured_backend_knows_how_to_unpickle():
    for path in configured():
        for ancestor in import_string(path).__mro__:
            imported = imports_of(sys.modules[ancestor.__module__])
            assert not imported & architecture.PICKLES, (path, ancestor)
    assert imports_of(import_module("django.core.cache.backends.db")) & architecture.PICKLES


def test_no_package_between_a_request_and_the_database_knows_how_to_unpickle(account):
    sign_in()
    packages = {app.partition(".")[0] for app in conf.INSTALLED_APPS} - {"django"}
    loaded = [
        module
        for name, module in sys.modules.items()
        if name.partition(".")[0] in packages
        or name.startswith(("django.contrib.sessions.", "django.contrib.messages."))
    ]

    assert {"allauth", "axes", "django_tasks_db"} <= packages
    assert len(loaded) > 100
    for module in loaded:
        assert not imports_of(module) & architecture.PICKLES, module.__name__


def imports_of(module: ModuleType) -> set[str]:
    """Return the packages that a module imports, also inside its functions."""
    try:
        nodes = list(ast.walk(ast.parse(inspect.getsource(module))))
    except (OSError, TypeError):  # a built-in module, or a folder without a file
        return set()
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_nothing_at_the_sign_in_unpickles(account, monkeypatch):
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("unpickled")

    for name in ("loads", "load", "Unpickler"):
        monkeypatch.setattr(pickle, name, refuse)

    assert sign_in() == [302, 302]


def test_the_table_tells_no_key_that_staff_typed(account, asked):
    sign_in()
    table = str(list(CacheEntry.objects.values_list("key", "entry")))

    assert any("totp" in key for key in asked)
    for key, written in asked.items():
        assert key not in table
        assert written not in table


# --- rows ----------------------------------------------------------------------------------------


def row_of(key: str) -> str:
    return SignedCache("", {})._row(key, None)


def entry_of(key: str) -> bytes:
    return bytes(CacheEntry.objects.get(key=row_of(key)).entry)


def put(key: str, entry: bytes) -> None:
    CacheEntry.objects.filter(key=row_of(key)).update(entry=entry)


SAYABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)  # fmt: skip


@given(SAYABLE)
@tries(
    max_examples=examples(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_what_json_can_say_comes_back_as_it_was(db, value):
    cache.set("a", value)
    assert repr(cache.get("a")) == repr(value)


class Colour(Enum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: "a"}, {"a": [(1,)]}, {1, 2}, b"x", Decimal(1), Colour.RED, float("nan"),
     float("inf"), object(), Hostile(), [None, {"a": b""}]],
)  # fmt: skip
@pytest.mark.parametrize("way", ["set", "add", "get_or_set"])
def test_what_json_cannot_say_is_refused_and_not_kept(way, value):
    with pytest.raises(TypeError):
        getattr(cache, way)("a", value)
    assert not cache.has_key("a")


def test_a_list_within_itself_is_refused():
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(TypeError):
        cache.set("a", endless)


@given(at=st.integers(0, 10_000), change=st.integers(1, 255))
@tries(
    max_examples=examples(30),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
def test_one_changed_byte_makes_a_row_missing(db, at, change):
    cache.set("a", [1.5, 2.5], 60)
    whole = bytearray(entry_of("a"))
    whole[at % len(whole)] ^= change
    put("a", bytes(whole))

    assert cache.get("a", "missing") == "missing"
    assert cache.add("a", "anew", 60)
    assert cache.get("a") == "anew"


def test_a_row_counts_at_its_own_key_alone():
    cache.set("a", 1)
    cache.set("b", 2)
    put("b", entry_of("a"))

    assert cache.get("b") is None
    assert not cache.has_key("b")
    assert not cache.touch("b")
    with pytest.raises(ValueError, match="no such key"):
        cache.incr("b")
    assert cache.get_many(["a", "b", "c"]) == {"a": 1}


def test_the_expiry_that_counts_is_the_signed_one():
    cache.set("a", 1, 0)
    CacheEntry.objects.update(expires=None)

    assert cache.get("a") is None
    assert cache.add("a", 2, 60)


def test_another_index_key_knows_none_of_the_rows(settings, tmp_path):
    cache.set("a", 1)
    row = CacheEntry.objects.get()
    settings.INDEX_KEY_FILE = tmp_path / "other"
    sealing.write_key_file(settings.INDEX_KEY_FILE, sealing.new_index_key())
    CacheEntry.objects.create(key=row_of("a"), entry=row.entry)

    assert cache.get("a") is None


def test_a_row_lives_as_long_as_it_was_given(monkeypatch):
    cache.set("minute", 1, 60)
    cache.set("ever", 1, None)
    cache.set("touched", 1, 60)
    cache.touch("touched", 180)
    cache.add("counted", 1, 60)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 59)
    assert cache.incr("counted", 2) == 3
    assert not cache.add("minute", 2)
    monkeypatch.setattr(time, "time", lambda: now + 61)

    assert cache.get_many(["minute", "ever", "touched", "counted"]) == {"ever": 1, "touched": 1}
    assert prune() == 2
    assert CacheEntry.objects.count() == 2
    assert cache.delete("ever")
    assert not cache.delete("ever")
    cache.clear()
    assert not CacheEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("before", ["nothing", "an expired row", "a foreign row"])
def test_of_many_who_add_one_wins_and_no_step_of_a_count_is_lost(before):
    if before != "nothing":
        cache.set("used", "x", 0)
    if before == "a foreign row":
        put("used", FOREIGN["pickled"])
    cache.set("count", 0)

    def take(number: int) -> bool:
        won = cache.add("used", number)
        cache.incr("count")
        connection.close()
        return won

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(take, range(24)))

    assert won.count(True) == 1
    assert cache.get("used") == won.index(True)
    assert cache.get("count") == 24


def test_reading_adding_and_setting_are_one_statement(django_assert_num_queries):
    for act in (lambda: cache.get("a"), lambda: cache.add("a", 1), lambda: cache.set("a", 1)):
        with django_assert_num_queries(1):
            act()
