"""The golden tables of a protocol: cases that a clinician can read, and how the rules judge each.

When a rule changes, rows of the table change. Each changed row stands for patients who are now told
something else.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from intake import protocols
from intake.domain.answers import clean_answer
from intake.domain.definition import Protocol, Value
from intake.domain.levels import RANKS
from intake.domain.triage import assess
from intake.domain.wrong_answers import InvalidAnswer
from intake.protocols.files import Place, Unreadable, shown_path

COLUMNS: Final = ("case", "story", "answers", "urgency", "rules", "flags")
SAFETY_RETRACTED: Final = "(safety_retracted)"
"""Marks a case in which the patient took back an emergency answer."""

Row = dict[str, str]


class Table(NamedTuple):
    """A file of cases. Its results name only the rules with an id in `rules`; None: all rules."""

    path: Path
    rules: frozenset[str] | None = None


def tables_of(protocol: Protocol) -> tuple[Table, ...]:
    """Return the golden table of a protocol, and the table of the shared safety rules.

    The shared table names only shared rules. It names no fallback rule, because whether a fallback
    rule fires depends on the protocol's own rules.
    """
    tables = [Table(protocols.HERE / protocol.name / "golden.csv")]
    common = protocols.HERE / "shared/safety/golden.csv"
    if common.is_file():
        parts = protocols.shared(protocol.name)
        ids = {r.id for r in protocol.rules.rules if r.id in parts and not r.fallback}
        tables.append(Table(common, frozenset(ids)))
    return tuple(tables)


def cases(protocol: Protocol, table: Table) -> list[Row]:
    """Return the cases of a table that the protocol can judge.

    The protocol can judge all cases of its own table. It can judge a shared case if it asks the
    questions and has the rules that the case names. Raises Unreadable.
    """
    rows = read(table.path)
    return rows if table.rules is None else [r for r in rows if _fits(protocol, r, table.rules)]


def all_cases(protocol: Protocol) -> list[Row]:
    """Return the cases of all tables of a protocol. Raises Unreadable."""
    return [row for table in tables_of(protocol) for row in cases(protocol, table)]


def _fits(protocol: Protocol, row: Row, rules: Collection[str]) -> bool:
    try:
        answers_of(protocol, row["answers"])
    except ValueError:
        return False
    return _ids(row) <= set(rules)


def read(path: Path) -> list[Row]:
    """Return the rows of a table. Raises Unreadable, which names file and line."""
    place = Place(shown_path(path))
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = csv.DictReader(file)
            rows = list(table)
    except FileNotFoundError:
        raise Unreadable(place, "the file is missing.") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(place, f"the file cannot be read: {error}.") from None
    if tuple(table.fieldnames or ()) != COLUMNS:
        raise Unreadable(Place(place.file, 1), f"the columns are {', '.join(COLUMNS)}.")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            message = "a row has six cells: put a story with a comma in double quotes."
            raise Unreadable(Place(place.file, number), message)
    return rows


def write(rows: Iterable[Row], path: Path) -> None:
    """Write the rows of a table into a file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def judged(protocol: Protocol, table: Table) -> list[Row]:
    """Return the rows of a table as the rules judge them now.

    A shared case that the protocol cannot judge is returned unchanged. Raises Unreadable for
    impossible answers.
    """
    found = []
    for number, row in enumerate(read(table.path), start=2):
        if table.rules is not None and not _fits(protocol, row, table.rules):
            found.append(row)
            continue
        try:
            found.append(assessed(protocol, row, table.rules))
        except ValueError as error:
            raise Unreadable(Place(shown_path(table.path), number), str(error)) from None
    return found


def changes(before: Iterable[Row], after: Iterable[Row]) -> list[str]:
    """Return a line for each case whose result has changed."""
    return [
        f"{old['case']}, {old['story']}: {_result(old)} → {_result(new)}"
        for old, new in zip(before, after, strict=True)
        if old != new
    ]


def unshown(protocol: Protocol, rows: Iterable[Row]) -> list[str]:
    """Return the ids of the rules that fire in none of the cases."""
    shown = {id for row in rows for id in _ids(row)}
    return [rule.id for rule in protocol.rules.rules if rule.id not in shown]


def assessed(protocol: Protocol, row: Row, rules: Collection[str] | None = None) -> Row:
    """Return the row with the protocol's result for its answers.

    With `rules`, the result leaves out all other rules: its urgency is the highest level of the
    rules in `rules` that fired. Raises ValueError for answers that the protocol does not know.
    """
    answers, meta = answers_of(protocol, row["answers"])
    found = assess(protocol, answers, **meta)
    fired = [rule for rule in found.fired if rules is None or rule.id in rules]
    flags = [flag for flag in found.flags if rules is None or flag.id in rules]
    urgency = found.urgency
    if rules is not None:
        urgency = max((rule.level for rule in fired), key=lambda c: RANKS[c], default="")
    return row | {
        "urgency": urgency,
        "rules": " ".join(rule.id for rule in fired),
        "flags": " ".join(flag.id for flag in flags),
    }


def answers_of(protocol: Protocol, cell: str) -> tuple[dict[str, Value], dict[str, Any]]:
    """Read a cell such as "em_now=none; age_years=44; leg_new=red_warm+sore".

    Returns the answers, and keyword arguments for `assess`. Raises ValueError, whose message is a
    sentence, for answers that the protocol does not know.
    """
    answers: dict[str, Value] = {}
    meta: dict[str, Any] = {}
    questions = {question.id: question for question in protocol.questions}
    for part in filter(None, cell.split("; ")):
        if part == SAFETY_RETRACTED:
            meta["safety_retracted"] = True
            continue
        id, _, text = part.partition("=")
        if id not in questions:
            raise ValueError(f"“{part}”: there is no question “{id}”.")
        question = questions[id]
        try:
            value = clean_answer(question, text.split("+") if question.type == "multi" else [text])
        except InvalidAnswer as error:
            raise ValueError(f"“{part}”: {error.message}") from None
        if value is None:
            raise ValueError(f"“{part}” is no answer.")
        answers[id] = value
    return answers, meta


def _ids(row: Row) -> set[str]:
    return set(f"{row['rules']} {row['flags']}".split())


def _result(row: Row) -> str:
    fired = ", ".join(f"{row['rules']} {row['flags']}".split())
    return f"{row['urgency']} ({fired})" if row["urgency"] else "not judged"
