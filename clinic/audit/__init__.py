"""The audit trail: which person read or changed which record, and why.

The trail contains no answers and no names. A service calls `record` in the transaction of the
change. The view of a page that shows records calls `record` before it builds the page, and the page
is sent after the commit. If the event cannot be stored, the change is not made and the page is not
sent. The database numbers the events and chains them by hash at commit (clinic/migrations), so that
a long transaction does not block other transactions.
"""

import json
import logging
import re
from collections.abc import Mapping, Sequence

from django.contrib.auth.models import AnonymousUser, User
from django.db import OperationalError, ProgrammingError, connection
from django.http import HttpRequest

from clinic.audit import sql
from clinic.logs import log
from clinic.requests import request_id as request_id_of

# fmt: off
ACTIONS = frozenset({
    "read", "list", "search", "print", "export",
    "create", "update", "state", "assign", "decide", "resume", "withdraw", "erase",
    "login", "login-fail", "logout", "mfa", "deny", "role", "config",
})
# the keys that the `detail` of an event may have; the values are codes, counts and ids
DETAILS = frozenset({
    "ids", "count", "fields", "from", "to", "status", "urgency", "outcome", "rule", "kind",
    "term", "page", "revision", "reason_given", "roles", "step", "job", "ground", "format", "fit",
})
# fmt: on
Detail = str | int | None | Sequence[str | int]
"""The type of a value in the `detail` of an event."""

ANONYMOUS = "anonymous"
_LONGEST = 64
_ACTOR = re.compile(r"anonymous|(?:staff|patient|system):[\w.:-]{1,48}", re.ASCII)
_PURPOSE = re.compile(r"[A-Z]{0,16}")
_NUMBER = re.compile(r"-?\d+", re.ASCII)


def staff(user: User | AnonymousUser) -> str:
    """Return a user as the actor of an event; `anonymous` for a user who is not signed in."""
    return ANONYMOUS if user.pk is None else f"staff:{user.pk}"


def patient(reference: str) -> str:
    """Return a patient as the actor of an event, named only by the reference of a submission."""
    return f"patient:{reference}"


def system(job: str) -> str:
    """Return the actor of an event for a job that no person runs."""
    return f"system:{job}"


def record(
    *,
    actor: str,
    action: str,
    subject: str = "-",
    purpose: str = "",
    request_id: str = "",
    detail: Mapping[str, Detail] | None = None,
    besides: Sequence[str] = (),
) -> None:
    """Add one event to the current transaction, with one SQL statement.

    `besides` are more records of which the same is true: each gets an event of its own, in the same
    statement.

    The event is numbered and chained when the transaction commits. If chaining fails, the commit
    raises OperationalError, and nothing of the transaction is stored. So send an answer only after
    the commit, never inside the transaction.

    `actor` comes from `staff`, `patient` or `system`; `subject` is the id of a record; `purpose`
    is a code such as TREAT; `detail` maps keys of DETAILS to codes, counts and ids, never to a
    patient's words. Raises RuntimeError outside a transaction and ValueError for wrong arguments.
    Raises OperationalError, as for a database that is down, if the event cannot be stored.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("audit.record() belongs inside transaction.atomic()")
    if not _ACTOR.fullmatch(actor):
        raise ValueError("the actor of an audit event is made by staff(), patient() or system()")
    if action not in ACTIONS:
        raise ValueError(f"{action!r} is no action of the audit trail")
    if not _PURPOSE.fullmatch(purpose):
        raise ValueError("the purpose of an audit event is a code in capital letters")
    if max(map(len, (subject, request_id, *besides))) > _LONGEST:
        raise ValueError("the subject or request of an audit event is no id")
    detail = detail or {}
    for key, value in detail.items():
        _check(key, value)
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                sql.ADD_EVENT,
                [actor, action, [subject, *besides], purpose, request_id, json.dumps(detail)],
            )
    except ProgrammingError as error:  # the table, or the permission to write to it, is missing
        log("event not recorded", level=logging.ERROR, exc_info=True)
        raise OperationalError("the audit trail takes no event") from error


def record_request(request: HttpRequest, action: str, subject: str = "-", **detail: Detail) -> None:
    """Record `action` as an act of the member of staff who sent this request; see `record`."""
    record(
        actor=staff(request.user),
        action=action,
        subject=subject,
        request_id=request_id_of(request),
        detail=detail,
    )


def _check(key: str, value: object) -> None:
    # the error messages name only the key, because a wrong value may be a patient's words
    if key not in DETAILS:
        raise ValueError(f"{key!r} is no detail of an audit event")
    for part in value if isinstance(value, list) else [value]:
        if part is not None and not isinstance(part, str | int):
            raise ValueError(f"the detail {key!r} is no text, number or list of them")
        if isinstance(part, str) and len(part) > _LONGEST:
            raise ValueError(f"the detail {key!r} is too long for a code or an id")
        if key == "term" and not _NUMBER.fullmatch(str(part)):
            raise ValueError("a search term is recorded as its blind index, not in words")


def head() -> tuple[int, bytes]:
    """Return number and hash of the last event: the anchor, to be kept outside this database."""
    with connection.cursor() as cursor:
        cursor.execute(sql.HEAD)
        seq, digest = cursor.fetchone()
    return seq, bytes(digest)


def verify(anchor_seq: int = 0, anchor: bytes = b"") -> list[tuple[int, str]]:
    """Return the first event that was changed, with the reason; [] if no event was changed.

    The reason is `gap` (rows are missing), `link` (the row before was replaced, or the anchor does
    not match), `content` (the row was changed), `tail` (rows at the end are missing or were added)
    or `inbox` (a transaction ended and left an event unchained). `anchor_seq` and `anchor` are the
    number and hash that `head` returned earlier. Only an anchor kept outside this database reveals
    that the whole chain was rewritten.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.VERIFY, [anchor_seq, anchor])
        faults: list[tuple[int, str]] = cursor.fetchall()
    return faults
