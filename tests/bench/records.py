"""Store submissions by the million, with all columns that the staff's lists and pages read.

All rows share the answers and assessments of sixty synthetic patients. Each row has its own name,
birth date and phone number, with the search tokens that the service would store. Every value is
sealed for its own row, so each submission can be opened. Each submission also has an appointment
request, a history and, if a clinician has decided, a decision.
"""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from io import StringIO
from itertools import chain, islice
from typing import Any, NamedTuple

from django.db import connection
from django.db.models.expressions import DatabaseDefault
from django.utils import timezone

from clinic.ids import new_reference, uuid7
from clinic.secrets import sealing
from intake import documents, search
from intake.demonstration import bulk, material, people
from intake.models.appointments import AppointmentRequest, WaitlistEntry
from intake.models.submissions import Decision, Kind, StatusChange, Submission, Urgency
from intake.protocols import served
from intake.questionnaire import composing

RARE, COMMON, NOBODY = "Xylander", "Smith", "Qvortrup"
ALIKE = 3  # submissions with the rare name
BATCH = 10_000
YEARS = timedelta(days=8 * 365)
WAITS = timedelta(days=9)  # how long ago the oldest waiting submission was sent
MOST_WAITING, MOST_DECIDED = 3_000, 5_000


class Shares(NamedTuple):
    """The share of submissions that wait, that are decided, and that are on the other lists.

    The decided submissions were sent within a span of `decided_in`. Without `decided_in`, the
    length of the span depends on how many submissions are decided.
    """

    waiting: float = 0.1
    decided: float = 0.1
    wrote: float = 0.02
    suspect: float = 0.01
    withdrawn: float = 0.02
    decided_in: timedelta | None = None


REAL = Shares()
FULL_LISTS = Shares(0.4, 0.3, 0.1, 0.1, 0.1, decided_in=timedelta(days=60))
"""With these shares a thousand submissions are enough to fill a page of each list. Each row takes
time, so a list is compared with a list of equally many rows."""

# status of a submission → progress of its appointment request → share in percent
PROGRESS = {
    "decided": {"requested": 40, "called": 15, "offered": 15, "booked": 30},
    "closed": {"done": 80, "missed": 8, "withdrawn": 8, "called": 2, "requested": 2},
    "withdrawn": {"withdrawn": 100},
}
WAITING_PROGRESS = {"requested": 95, "called": 5}
TABLES = (Submission, AppointmentRequest, WaitlistEntry, Decision, StatusChange)
COLUMNS = {model: [f.column for f in model._meta.concrete_fields] for model in TABLES}

Rows = dict[Any, dict[str, Any]]


def fill(count: int, staff: Sequence[Any], shares: Shares = REAL) -> None:
    """Store `count` submissions, the oldest first.

    The indexes are dropped first and created again at the end, which is faster. Then the tables are
    vacuumed, as autovacuum would do over the years.
    """
    indexes = [(model, index) for model in TABLES for index in model._meta.indexes]
    with connection.cursor() as cursor:
        cursor.execute("set statement_timeout = 0; set maintenance_work_mem = '512MB'")
        with connection.schema_editor() as editor:
            for model, index in indexes:
                editor.remove_index(model, index)
        store(count, staff, shares)
        with connection.schema_editor() as editor:
            for model, index in indexes:
                editor.add_index(model, index)
        for model in TABLES:
            cursor.execute(f"vacuum (analyze) {model._meta.db_table}")
    connection.close()  # `statement_timeout` and `maintenance_work_mem` end with the connection


def store(count: int, staff: Sequence[Any], shares: Shares = REAL) -> None:
    """Store `count` submissions and their related rows by COPY."""
    for protocol in served():
        documents.store_protocol(protocol)
    rows = _rows(count, [user.pk for user in staff], shares)
    with connection.cursor() as cursor:
        while batch := list(islice(rows, BATCH)):
            for model in TABLES:
                _copy(cursor, model, [row[model] for row in batch if model in row])


def _copy(cursor: Any, model: Any, rows: Sequence[dict[str, Any]]) -> None:
    names = COLUMNS[model]
    lines = ("\t".join(map(_text, (row[name] for name in names))) + "\n" for row in rows)
    into = f"{model._meta.db_table} ({', '.join(names)})"
    cursor.copy_expert(f"copy {into} from stdin", StringIO("".join(lines)))


def _rows(count: int, staff: list[int], shares: Shares) -> Iterator[Rows]:
    """Yield the rows of each submission: its own row and the rows of the related tables."""
    rng = random.Random(7)
    now = timezone.now()
    patterns = list(_patterns(now))
    references: set[str] = set()
    waiting = min(MOST_WAITING, int(count * shares.waiting))
    decided = min(MOST_DECIDED, int(count * shares.decided))
    rare = {count * n // (ALIKE + 1) for n in range(1, ALIKE + 1)}
    earlier = None
    for number in range(count):
        pk, left = uuid7(), count - number  # `left` is 1 for the last, which was sent just now
        pattern, columns, said = rng.choice(patterns)
        if left <= waiting:
            sent = now - WAITS * (left / waiting)
            status = rng.choices(("new", "in_review", "waiting"), (70, 20, 10))[0]
        else:
            is_decided, ago = left <= waiting + decided, YEARS * (left / count)
            if is_decided and shares.decided_in:
                ago = shares.decided_in * ((left - waiting) / decided)
            sent = now - WAITS - ago
            old = "withdrawn" if rng.random() < shares.withdrawn else "closed"
            status = "decided" if is_decided else old
        wrote = status == "decided" and rng.random() < shares.wrote
        last = RARE if number in rare else rng.choice(material.LAST)
        person = pattern.person | {
            "name": f"{rng.choice(material.FIRST)} {last}",
            "birth_date": (date(1930, 1, 1) + timedelta(rng.randrange(80 * 365))).isoformat(),
            "callback_phone": f"+1{rng.choice(material.AREAS)}555{rng.randrange(10_000):04}",
            "email": f"patient{number}@example.org",
        }
        while (reference := new_reference()) in references:
            pass
        references.add(reference)
        rows = {
            Submission: columns
            | {
                "id": pk,
                "draft_id": uuid7(),
                "reference": reference,
                "submitted_at": sent,
                "target_at": pattern.target_at - pattern.submitted_at + sent,
                "status": status,
                "assignee_id": None if status == "new" else rng.choice(staff),
                "reply_due_at": sent if wrote else None,
                "alarm": wrote and rng.random() < 0.1,
                "suspect": status == "new" and rng.random() < shares.suspect,
                "follows_id": earlier if earlier and rng.random() < 0.005 else None,
                "answers": _sealed(Submission, "answers", pk, said["answers"]),
                "assessment": _sealed(Submission, "assessment", pk, said["assessment"]),
                "person": _sealed(Submission, "person", pk, json.dumps(person)),
                "search_keys": search.tokens(person),
            }
        }
        if number % 100 == 0:
            earlier = pk
        yield rows | _beside(rng, pk, pattern, status, sent, staff)


def _beside(
    rng: random.Random, pk: Any, pattern: Submission, status: str, sent: datetime, staff: list[int]
) -> Rows:
    """Return the related rows of a submission of this status."""
    change = {"submission_id": pk, "action": "send", "status": "new", "by_id": None, "at": sent}
    rows: Rows = {StatusChange: {"id": uuid7(), **change}}
    if pattern.kind != Kind.STOPPED:
        chances = PROGRESS.get(status, WAITING_PROGRESS)
        progress = rng.choices(list(chances), list(chances.values()))[0]
        request = {
            "id": uuid7(),
            "submission_id": pk,
            "visit_type": rng.choice(("in_person", "video", "call_me")),
            "wishes": '[{"days": ["mon"], "times": ["morning"], "place": "", "clinician": ""}]',
            "earliest": None,
            "progress": progress,
        }
        rows[AppointmentRequest] = request
        if progress in ("requested", "called") and rng.random() < 0.05:
            rows[WaitlistEntry] = {"id": uuid7(), "request_id": request["id"], "since": sent}
    if status in ("decided", "closed"):
        decision = uuid7()
        rows[Decision] = {
            "id": decision,
            "submission_id": pk,
            "revision": 0,
            "urgency_before": pattern.urgency,
            "urgency": pattern.urgency,
            "outcome": bulk.OUTCOMES[Urgency(pattern.urgency)],
            "words": _sealed(Decision, "words", decision, '{"reason": "", "note": ""}'),
            "book_by": None,
            "by_id": rng.choice(staff),
            "at": sent + timedelta(hours=3),
        }
    return rows


def _sealed(model: Any, name: str, pk: Any, text: str) -> bytes:
    """Seal JSON text for one row, as `seal_for` does.

    Takes JSON text rather than a value, because many rows share one text, which is dumped only
    once.
    """
    return sealing.seal(text.encode(), model._meta.get_field(name).place_of(pk))


def _patterns(now: datetime) -> Iterator[tuple[Submission, dict[str, Any], dict[str, str]]]:
    """Yield sixty patients' submissions of each served protocol.

    Each is the row, its columns for COPY and the JSON texts to seal.
    """
    patients = (people.patients(each, seed=7, count=60, until=now) for each in served())
    for patient in chain.from_iterable(patients):
        row = composing.build_submission(
            draft_id=uuid7(),
            walk=bulk.walk_of(patient),
            kind=patient.kind,
            contact=patient.content.contact,
            language=patient.language,
            reference="",
            at=patient.sent_at,
        )
        columns = {field.column: _value(row, field) for field in Submission._meta.concrete_fields}
        yield row, columns, {name: json.dumps(getattr(row, name)) for name in OPENED}


def _value(row: Submission, field: Any) -> Any:
    """Return the value of a column, also of one that only the database would fill in."""
    value = getattr(row, field.attname)
    return field.db_default if isinstance(value, DatabaseDefault) else value


OPENED = ("answers", "assessment")


def _text(value: Any) -> str:
    """Return a value in the text format of COPY. No value has a tab, a line end or a backslash."""
    match value:
        case None:
            return r"\N"
        case bytes():
            return rf"\\x{value.hex()}"
        case list():
            return f"{{{','.join(map(str, value))}}}"
    return str(value)
