"""The golden table of a protocol: cases that a clinician can read, each with its triage result.

When a rule changes, rows of the table change. Each changed row stands for patients who are now told
something else.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from intake import protocols
from intake.domain.answers import clean_answer
from intake.domain.definition import Protocol, Value
from intake.domain.triage import assess
from intake.domain.wrong_answers import InvalidAnswer
from intake.protocols.files import Place, Unreadable, shown_path

COLUMNS: Final = ("case", "story", "answers", "urgency", "rules", "flags")
SAFETY_RETRACTED: Final = "(safety_retracted)"
"""Marks a case in which the patient took back an emergency answer."""

Row = dict[str, str]


def table_of(name: str) -> Path:
    """Return the file with the golden table of a protocol."""
    return protocols.HERE / name / "golden.csv"


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


def judged(protocol: Protocol, rows: Iterable[Row], path: Path) -> list[Row]:
    """Return the rows with the results that the rules give now.

    Raises Unreadable, which names file and line, for answers that the protocol does not know.
    """
    found = []
    for number, row in enumerate(rows, start=2):
        try:
            found.append(assessed(protocol, row))
        except ValueError as error:
            raise Unreadable(Place(shown_path(path), number), str(error)) from None
    return found


def changes(before: Iterable[Row], after: Iterable[Row]) -> list[str]:
    """Return a line for each case whose result has changed."""
    return [
        f"{old['case']}, {old['story']}: {_result(old)} → {_result(new)}"
        for old, new in zip(before, after, strict=True)
        if old != new
    ]


def unshown(protocol: Protocol, rows: Iterable[Row]) -> list[str]:
    """Return the ids of the rules that fire in no case of the table."""
    shown = {id for row in rows for id in f"{row['rules']} {row['flags']}".split()}
    return [rule.id for rule in protocol.rules.rules if rule.id not in shown]


def assessed(protocol: Protocol, row: Row) -> Row:
    """Return the row with the result that the protocol's rules give for its answers.

    Raises ValueError for answers that the protocol does not know.
    """
    answers, meta = answers_of(protocol, row["answers"])
    assessment = assess(protocol, answers, **meta)
    return row | {
        "urgency": assessment.urgency,
        "rules": " ".join(rule.id for rule in assessment.fired),
        "flags": " ".join(flag.id for flag in assessment.flags),
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


def _result(row: Row) -> str:
    fired = ", ".join(f"{row['rules']} {row['flags']}".split())
    return f"{row['urgency']} ({fired})" if row["urgency"] else "not judged"
