"""Today's triage, case by case, in a table that a clinician can read and sign: golden.csv."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from intake.authoring import golden
from intake.domain.definition import Protocol
from intake.domain.grammar import AnswerCondition
from intake.protocols import current
from tests.intake.domain.altered import ALWAYS, NEVER, with_rule

TABLE = golden.table_of("legs")
ROWS = golden.read(TABLE)


def test_every_case_is_assessed_as_the_table_says(protocol: Protocol, tmp_path: Path) -> None:
    actual = [golden.assessed(protocol, row) for row in ROWS]
    if actual != ROWS:
        path = tmp_path / "golden.actual.csv"
        golden.write(actual, path)
        changed = [row["case"] for row, now in zip(ROWS, actual, strict=True) if row != now]
        pytest.fail(
            f"{len(changed)} cases changed: {', '.join(changed[:20])}.\n"
            f"Read what is different:  git diff --no-index --word-diff {TABLE} {path}\n"
            "If every row is meant:   .venv/bin/python manage.py protocol golden legs"
        )


def test_every_rule_occurs_in_the_table(protocol: Protocol) -> None:
    occurring = {id for row in ROWS for id in f"{row['rules']} {row['flags']}".split()}
    assert occurring == {rule.id for rule in protocol.rules.rules}


def test_every_case_has_its_own_name_and_is_in_the_columns_of_the_table() -> None:
    assert len({row["case"] for row in ROWS}) == len(ROWS)
    assert all(tuple(row) == golden.COLUMNS and row["story"] for row in ROWS)


def changes(condition: AnswerCondition) -> Iterator[tuple[str, AnswerCondition]]:
    """Yield the condition with one leaf changed, and the change in words.

    Each leaf becomes always true or never true, or loses one of its options, or its limit moves.
    """
    if condition.not_ is not None:
        for said, part in changes(condition.not_):
            yield f"not {said}", AnswerCondition(not_=part)
        return
    for key in ("all", "any"):
        parts = getattr(condition, key) or ()
        for place, part in enumerate(parts):
            for said, change in changes(part):
                changed = (*parts[:place], change, *parts[place + 1 :])
                yield said, msgspec.structs.replace(condition, **{key: changed})
    if condition.op is None:
        return
    value = condition.value
    said = f"{condition.q or condition.var} {condition.op}"
    if condition.op != "text_any_regex":
        said += f" {'|'.join(value) if isinstance(value, tuple) else value}"
        for code in value if isinstance(value, tuple) and len(value) > 1 else ():
            rest = tuple(other for other in value if other != code)
            yield f"{said}: no {code}", msgspec.structs.replace(condition, value=rest)
    yield f"{said}: never", NEVER
    yield f"{said}: always", ALWAYS
    if condition.op in ("gte", "gt", "lte", "lt"):
        other = {"gte": "gt", "gt": "gte", "lte": "lt", "lt": "lte"}[condition.op]
        yield f"{said}: {other}", msgspec.structs.replace(condition, op=other)


WITHOUT_EFFECT = {
    # A patient who is asked the follow-up question has already given this answer.
    ("E10", "foot_signs contains cold_pale_one: always"),
    ("E11", "vein_look contains open_sore: always"),
    ("S08", "vein_look contains open_sore: always"),
    ("S09", "vein_look contains open_sore: always"),
    ("U03", "vein_look contains open_sore: always"),
    ("U04", "vein_look contains open_sore: always"),
    # The other parts of N10 fire at so low a number already.
    ("N10", "pregnancy_status in pregnant|maybe: always"),
    ("N10", "not sex_at_birth eq male: never"),
    # The computed value contains this condition already.
    ("N14", "walk_pain eq yes: always"),
    ("R04", "rls_urge in yes|unsure: always"),
    ("R06", "walk_pain eq yes: always"),
    ("R05", "always eq True: always"),
    # N06 fires on the artery pattern, so the fallback rules are not asked.
    ("R06", "art_pattern eq False: always"),
}
"""Changes that no answers can reveal, each with the reason."""


@pytest.mark.parametrize("id", [rule.id for rule in current().rules.rules])
def test_a_changed_condition_changes_the_table(protocol: Protocol, id: str) -> None:
    likely_first = sorted(ROWS, key=lambda row: not row["case"].startswith(f"{id}-"))
    unnoticed = set()
    for said, when in changes(protocol.rule(id).when):
        mutant = with_rule(protocol, id, when=when)
        if all(golden.assessed(mutant, row) == row for row in likely_first):
            unnoticed.add((id, said))
    assert unnoticed == {change for change in WITHOUT_EFFECT if change[0] == id}


@pytest.mark.parametrize("pattern", current().rules.alarm_patterns)
def test_an_alarm_pattern_less_changes_the_table(protocol: Protocol, pattern: str) -> None:
    patterns = tuple(other for other in protocol.rules.alarm_patterns if other != pattern)
    leaves = protocol.rule("S16").when.leaves()
    without = tuple(msgspec.structs.replace(leaf, value=patterns) for leaf in leaves)
    mutant = with_rule(protocol, "S16", when=AnswerCondition(any=without))
    assert any(golden.assessed(mutant, row) != row for row in ROWS)
