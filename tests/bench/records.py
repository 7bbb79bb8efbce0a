"""Submissions by the million: true rows as far as the worklist and its search read them.

What the rules said of sixty people of the demonstration is shared among all. Names, birth dates and
numbers are a row's own, sealed for that row and found by the tokens that the service would store.
Answers, which no list opens, are sealed for another row.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from io import StringIO
from itertools import islice
from typing import Any

from django.db import connection
from django.utils import timezone

from clinic.ids import new_reference, uuid7
from intake import bulk, demo, search, services
from intake.models import Submission
from intake.protocols import current

RARE, COMMON, NOBODY = "Xylander", "Smith", "Qvortrup"
ALIKE = 3  # people of the rare name
BATCH = 10_000
YEARS = timedelta(days=8 * 365)
WAITS = timedelta(days=9)  # since the one that waits longest was sent
MOST_WAITING, MOST_DECIDED = 3_000, 5_000
_FIELDS = Submission._meta.concrete_fields


def fill(count: int, staff: Sequence[Any]) -> None:
    """Store so many submissions, the oldest first. The indexes are made after, by their
    definitions, and the table is vacuumed, as autovacuum would have done in those years."""
    services.keep_protocol(current())
    rows, names = _rows(count, [user.pk for user in staff]), [field.column for field in _FIELDS]
    table, indexes = Submission._meta.db_table, Submission._meta.indexes
    with connection.cursor() as cursor:
        cursor.execute("set statement_timeout = 0; set maintenance_work_mem = '512MB'")
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.remove_index(Submission, index)
        while batch := list(islice(rows, BATCH)):
            lines = ("\t".join(map(_text, (row[name] for name in names))) for row in batch)
            cursor.copy_expert(
                f"copy {table} ({', '.join(names)}) from stdin", StringIO("\n".join(lines) + "\n")
            )
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.add_index(Submission, index)
        cursor.execute(f"vacuum (analyze) {table}")
    connection.close()  # with its settings


def _rows(count: int, staff: list[int]) -> Iterator[dict[str, Any]]:
    rng = random.Random(7)
    now = timezone.now()
    patterns = list(_patterns(now))
    seal = {name: Submission._meta.get_field(name).seal_for for name in ("person", "assessment")}
    references: set[str] = set()
    waiting = min(MOST_WAITING, count // 10)
    decided = min(MOST_DECIDED, count // 10)
    rare = {count * n // (ALIKE + 1) for n in range(1, ALIKE + 1)}
    for number in range(count):
        pk, left = uuid7(), count - number  # the last one was sent just now
        pattern, columns = rng.choice(patterns)
        if left <= waiting:
            sent = now - WAITS * (left / waiting)
            status = rng.choices(("new", "in_review", "waiting"), (70, 20, 10))[0]
        else:
            sent = now - WAITS - YEARS * (left / count)
            old = rng.choices(("closed", "withdrawn"), (98, 2))[0]
            status = "decided" if left <= waiting + decided else old
        wrote = status == "decided" and rng.random() < 0.02
        last = RARE if number in rare else rng.choice(demo.LAST)
        person = pattern.person | {
            "name": f"{rng.choice(demo.FIRST)} {last}",
            "birth_date": (date(1930, 1, 1) + timedelta(rng.randrange(80 * 365))).isoformat(),
            "callback_phone": f"+1{rng.choice(demo.AREAS)}555{rng.randrange(10_000):04}",
            "email": f"patient{number}@example.org",
        }
        while (reference := new_reference()) in references:
            pass
        references.add(reference)
        yield columns | {
            "id": pk,
            "draft_id": uuid7(),
            "reference": reference,
            "submitted_at": sent,
            "target_at": pattern.target_at - pattern.submitted_at + sent,
            "status": status,
            "assignee_id": None if status == "new" else rng.choice(staff),
            "reply_due_at": sent if wrote else None,
            "alarm": wrote and rng.random() < 0.1,
            "suspect": status == "new" and rng.random() < 0.01,
            "assessment": seal["assessment"](pk, pattern.assessment).data,
            "person": seal["person"](pk, person).data,
            "search_keys": search.tokens(person),
        }


def _patterns(now: datetime) -> Iterator[tuple[Submission, dict[str, Any]]]:
    """What sixty people sent, and the columns that are the same in every row made of it."""
    for patient in demo.patients(current(), seed=7, count=60, until=now):
        row = services.build_submission(
            draft_id=uuid7(),
            walk=bulk.walk_of(patient),
            kind=patient.kind,
            contact=patient.content.contact,
            language=patient.language,
            reference="",
            at=patient.sent_at,
        )
        columns = {field.column: getattr(row, field.attname) for field in _FIELDS}
        sealed = Submission._meta.get_field("answers").seal_for(row.pk, row.answers)
        yield row, columns | {"answers": sealed.data}


def _text(value: Any) -> str:
    """A value as COPY reads it. None of ours holds a tab, a line's end or a backslash."""
    match value:
        case None:
            return r"\N"
        case bytes():
            return rf"\\x{value.hex()}"
        case list():
            return f"{{{','.join(map(str, value))}}}"
    return str(value)
