"""The golden tables: cases that a clinician can read, each with the result of the rules.

    .venv/bin/python -m tests.intake.domain.golden

writes the last three columns of each protocol's golden.csv anew from the protocol. Read the
difference before committing it: each changed row is a patient who is now told something else.
"""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from intake.domain.answers import clean_answer
from intake.domain.definition import Protocol, Value
from intake.domain.triage import assess
from intake.protocols import HERE, available, load

COLUMNS: Final = ("case", "story", "answers", "urgency", "rules", "flags")
SAFETY_RETRACTED: Final = "(safety_retracted)"
"""Marks a case in which the patient took an emergency answer back."""

Row = dict[str, str]


def table(name: str) -> Path:
    return HERE / name / "golden.csv"


def read(name: str = "legs") -> list[Row]:
    """Return the protocol's table as it is in git."""
    with table(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(rows: Iterable[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def answers_of(protocol: Protocol, cell: str) -> tuple[dict[str, Value], dict[str, Any]]:
    """Read "em_now=none; age_years=44; leg_new=red_warm+sore_vein_below" as (answers, meta)."""
    answers: dict[str, Value] = {}
    meta: dict[str, Any] = {}
    for part in filter(None, cell.split("; ")):
        if part == SAFETY_RETRACTED:
            meta["safety_retracted"] = True
            continue
        id, _, text = part.partition("=")
        question = protocol.question(id)
        value = clean_answer(question, text.split("+") if question.type == "multi" else [text])
        assert value is not None, f"{part}: no answer"
        answers[id] = value
    return answers, meta


def assessed(protocol: Protocol, row: Row) -> Row:
    """Return the row with the protocol's result for its answers."""
    answers, meta = answers_of(protocol, row["answers"])
    assessment = assess(protocol, answers, **meta)
    return row | {
        "urgency": assessment.urgency,
        "rules": " ".join(rule.id for rule in assessment.fired),
        "flags": " ".join(flag.id for flag in assessment.flags),
    }


if __name__ == "__main__":
    for name in available():
        write([assessed(load(name), row) for row in read(name)], table(name))
