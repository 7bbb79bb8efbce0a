"""The current triage, case by case, in tables (golden.csv) that a clinician can read and sign."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from intake.authoring import golden
from intake.domain.definition import Protocol
from intake.domain.grammar import AnswerCondition
from intake.domain.triage import assess
from intake.protocols import available, current, load, shared
from tests.intake.domain.altered import ALWAYS, NEVER, with_rule

ROWS = {name: golden.read(golden.table_of(name)) for name in available()}
every = pytest.mark.parametrize("name", available())


@every
def test_every_case_is_assessed_as_the_table_says(name: str, tmp_path: Path) -> None:
    rows, protocol = ROWS[name], load(name)
    actual = [golden.assessed(protocol, row) for row in rows]
    if actual != rows:
        path = tmp_path / "golden.actual.csv"
        golden.write(actual, path)
        changed = [row["case"] for row, now in zip(rows, actual, strict=True) if row != now]
        pytest.fail(
            f"{len(changed)} cases changed: {', '.join(changed[:20])}.\n"
            "Read what is different:  git diff --no-index --word-diff"
            f" {golden.table_of(name)} {path}\n"
            f"If every row is meant:   .venv/bin/python manage.py protocol golden {name}"
        )


@every
def test_every_rule_occurs_in_the_table(name: str) -> None:
    occurring = {id for row in ROWS[name] for id in f"{row['rules']} {row['flags']}".split()}
    assert occurring == {rule.id for rule in load(name).rules.rules}


@every
def test_every_case_has_its_own_name_and_is_in_the_columns_of_the_table(name: str) -> None:
    assert len({row["case"] for row in ROWS[name]}) == len(ROWS[name])
    assert all(tuple(row) == golden.COLUMNS and row["story"] for row in ROWS[name])


@pytest.mark.parametrize("name", [name for name in available() if name != "legs"])
def test_a_shared_rule_judges_every_case_as_it_does_in_the_first_protocol(name: str) -> None:
    """Fallback rules may differ, because they count only when no other level rule fired."""
    first, other = current(), load(name)
    common = shared("legs").keys() & shared(name).keys()
    rules = {rule.id for rule in first.rules.rules if rule.id in common and not rule.fallback}
    asked = {question.id: {o.code for o in question.options} for question in other.questions}
    judged = set()
    for row in ROWS["legs"]:
        answers, meta = golden.answers_of(first, row["answers"])
        chosen = {id: value if isinstance(value, tuple) else () for id, value in answers.items()}
        if not all(id in asked and set(chosen[id]) <= asked[id] for id in answers):
            continue
        here, there = (
            {fired.id for fired in (*found.fired, *found.flags)} & rules
            for found in (assess(first, answers, **meta), assess(other, answers, **meta))
        )
        assert here == there, row
        judged |= here
    assert judged == rules


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
    # With a hemoglobin below 11, another part of N10 fires in any case.
    ("N10", "pregnancy_status in pregnant|maybe: always"),
    ("N10", "not sex_at_birth eq male: never"),
    # The rule also reads a computed value (art_pattern in N14 and R06, rls_pattern in R04) that
    # already requires this condition.
    ("N14", "walk_pain eq yes: always"),
    ("R04", "rls_urge in yes|unsure: always"),
    ("R06", "walk_pain eq yes: always"),
    # R05 reads `always`, which is true for all answers.
    ("R05", "always eq True: always"),
    # With the artery pattern N06 fires, and then a fallback rule such as R06 does not count.
    ("R06", "art_pattern eq False: always"),
    # VR2 reads `always`, which is true for all answers.
    ("VR2", "always eq True: always"),
}
"""Changes that no answers can reveal, each with the reason."""


def each_rule_once() -> list[tuple[str, str]]:
    """Return each rule once, as a pair: the first protocol that has the rule, and the rule's id."""
    found = [("legs", rule.id) for rule in current().rules.rules]
    for name in available():
        known = {id for _name, id in found} & shared(name).keys()
        if name != "legs":
            found += [(name, rule.id) for rule in load(name).rules.rules if rule.id not in known]
    return found


@pytest.mark.parametrize(("name", "id"), each_rule_once())
def test_a_changed_condition_changes_the_table(name: str, id: str) -> None:
    protocol = load(name)
    likely_first = sorted(ROWS[name], key=lambda row: not row["case"].startswith(f"{id}-"))
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
    assert any(golden.assessed(mutant, row) != row for row in ROWS[protocol.name])
