"""The tests' database: migrated once, copied for each worker, emptied after a test that commits."""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

from clinic import devdb

ROOT = Path(settings.BASE_DIR)


# --- migrated once -------------------------------------------------------------------------------


def template() -> str:
    """Return the name of a database that has all current migrations.

    Migrating takes many CPU seconds, copying the database less than one. The name holds the hash of
    the migrations; older templates are dropped.
    """
    name = f"template_{_migrations()}"
    with open(ROOT / ".local" / "template.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with connection._nodb_cursor() as cursor:
            cursor.execute("select datname from pg_database where datname like 'template\\_%'")
            there = {row[0] for row in cursor.fetchall()} - {"template0", "template1"}
            for old in there - {name}:
                cursor.execute(f'drop database if exists "{old}"')
            if name in there:
                return name
            cursor.execute(f'create database "{name}_new"')
        with using(f"{name}_new"):
            call_command("migrate", verbosity=0, interactive=False)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'alter database "{name}_new" rename to "{name}"')
    return name


def _migrations() -> str:
    told = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for config in apps.get_app_configs():
        for path in sorted(Path(config.path).glob("migrations/*.py")):
            if ROOT in path.parents:
                told.update(path.read_bytes())
    return told.hexdigest()[:16]


@contextmanager
def using(name: str) -> Iterator[None]:
    """Connect Django to another database of the same server."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@contextmanager
def copy(name: str) -> Iterator[str]:
    """Provide the address of a migrated database of this name, for other processes."""
    name = f"{name}_{os.getpid()}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'create database "{name}" template "{template()}"')
    try:
        yield os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'drop database "{name}" with (force)')


def dump(path: Path) -> None:
    """Write a file of SQL that turns an empty database into a migrated database.

    A test can use the file on a server of its own. Migrating an empty database takes 7 CPU seconds;
    running this SQL takes less than one.
    """
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    command = [devdb._binaries() / "pg_dump", "--no-owner", f"{server}/{template()}"]
    with open(path, "wb") as out:
        subprocess.run(command, stdout=out, check=True)


# --- emptied after a test that commits -----------------------------------------------------------
# tables whose rows migrations store and no test changes
KEPT = [
    model._meta.db_table for model in (ContentType, Permission, Group, Group.permissions.through)
]
EMPTY = """
do $$
declare
    name text;
    filled text[] := '{{}}';
    has_rows boolean;
begin
    foreach name in array '{{{tables}}}'::text[] loop
        execute format('select exists (select from %I)', name) into has_rows;
        if has_rows then
            filled := filled || quote_ident(name);
        end if;
    end loop;
    if filled <> '{{}}' then
        execute 'truncate ' || array_to_string(filled, ', ') || ' cascade';
    end if;
end $$
"""


def fixture_teardown() -> Callable[[TransactionTestCase], None]:
    """Return a teardown that empties the database after a test that commits.

    Django's teardown empties every table and creates permissions, roles and content types anew.
    This teardown empties only tables that have rows, and keeps permissions, roles and content
    types. If a test added or deleted a row of these three kinds, Django's teardown is called.
    """
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    empty = EMPTY.format(tables=",".join(sorted({*tables} - {*KEPT})))
    kept, whole = _kept_rows(), TransactionTestCase._fixture_teardown

    def teardown(case: TransactionTestCase) -> None:
        if _kept_rows() != kept:
            return whole(case)
        with connection.cursor() as cursor:
            cursor.execute(empty)
        return None

    return teardown


def _kept_rows() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(" union all ".join(f"select count(*) from {table}" for table in KEPT))
        return cursor.fetchall()
