"""Make the audit trail fail at the commit, for tests of the state after that failure."""

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
    """Make every commit with an audit event fail during this block, because chaining fails."""
    sql("alter table aud.head rename to gone")
    try:
        yield
    finally:
        sql("alter table aud.gone rename to head")


@contextmanager
def recorded() -> Iterator[list[Any]]:
    """Yield a list of the events that are recorded during this block, committed or not."""
    found: list[Any] = []

    def note(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        if "insert into aud.inbox" in statement:
            found.append(params)
        return execute(statement, params, many, context)

    with connection.execute_wrapper(note):
        yield found
