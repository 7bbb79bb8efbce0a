"""A trail that fails at the last moment: for tests of what a commit that fails leaves behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


def sql(statement: str, params: Any = None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else None


@contextmanager
def unchained() -> Iterator[None]:
    """Inside of this block events can be recorded, but the database cannot chain them: every commit
    of a transaction with an event fails."""
    sql("alter table aud.head rename to gone")
    try:
        yield
    finally:
        sql("alter table aud.gone rename to head")


@contextmanager
def recorded() -> Iterator[list[Any]]:
    """The events that are put into the inbox inside of this block, whatever becomes of them."""
    found: list[Any] = []

    def note(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        if "insert into aud.inbox" in statement:
            found.append(params)
        return execute(statement, params, many, context)

    with connection.execute_wrapper(note):
        yield found
