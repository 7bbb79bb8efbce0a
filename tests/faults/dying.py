"""The clinic as a WSGI application that dies on command, for tests/faults/sending.py.

The file DIE_AT contains a number n. At the n-th step of answering a POST the process deletes the
file and ends, as suddenly as by kill -9. A step is a statement, the moment before or after COMMIT,
or the moment when the answer is made but not sent. The variable MUTANT names a way to break the
program (MUTANTS in sending.py). No code of the program reads DIE_AT or MUTANT.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from clinic.wsgi import application as clinic  # first, because it makes Django ready

from django.core.signals import request_finished, request_started  # isort: skip
from django.db import close_old_connections, connection, transaction  # isort: skip
from django.db.backends.base.base import BaseDatabaseWrapper  # isort: skip
from intake.models.submissions import Draft  # isort: skip
from intake.questionnaire import sending  # isort: skip

DIE_AT = Path(os.environ["DIE_AT"])
MUTANT = os.environ.get("MUTANT", "")
_here = threading.local()
_commit = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer gunicorn's requests."""
    if environ["REQUEST_METHOD"] != "POST":
        return clinic(environ, start_response)
    return (_early if MUTANT == "early" else _send)(environ, start_response)


def _send(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    with _counting():
        answer = _whole(environ, start_response)
        _step()
    yield answer


def _early(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
    """Break the program as the mutant "early": send the receipt before COMMIT."""
    receipt = {**environ, "REQUEST_METHOD": "GET", "PATH_INFO": "/intake/sent/"}
    with _counting(), transaction.atomic():
        _whole(environ, lambda *_head: None)
        yield _whole(receipt, start_response)


def _whole(environ: dict[str, Any], start_response: Callable[..., Any]) -> bytes:
    with contextlib.closing(clinic(environ, start_response)) as answer:  # type: ignore[type-var]
        return b"".join(answer)


@contextlib.contextmanager
def _counting() -> Iterator[None]:
    _here.left = int(DIE_AT.read_text()) if DIE_AT.exists() else 0
    with connection.execute_wrapper(_statement):
        yield
    _here.left = 0


def _statement(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    _step()
    result = execute(sql, params, many, context)
    inside = connection.savepoint_ids or sql.startswith("SAVEPOINT")
    if MUTANT == "piecemeal" and connection.in_atomic_block and not inside:
        connection.connection.commit()
    return result


def _dying_commit(self: BaseDatabaseWrapper) -> None:
    _step()
    _commit(self)
    _step()


def _step() -> None:
    left = _here.left = getattr(_here, "left", 0) - 1
    if not left:
        DIE_AT.unlink()
        os._exit(9)


BaseDatabaseWrapper._commit = _dying_commit  # type: ignore[attr-defined]
if MUTANT == "early":
    for signal in (request_started, request_finished):  # both would end the open transaction
        signal.disconnect(close_old_connections)
if MUTANT == "unguarded":
    sending._locked = lambda draft: Draft.objects.get(pk=draft.pk)
