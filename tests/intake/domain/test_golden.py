"""Today's triage, case by case, in tables that a clinician can read and sign: golden.csv.

Each protocol has a table of its own. The cases of the safety rules that all protocols share are in
one further table.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from intake.authoring import golden
from intake.domain.definition import Protocol
from intake.domain.grammar import AnswerCondition
from intake.domain.levels import RANKS
from intake.protocols import HERE, available, current, load, shared
from tests.intake.domain.altered import ALWAYS, NEVER, with_rule, with_rule_set

TABLES = {name: golden.tables_of(load(name)) for name in available()}
CASES = [
    (name, table, row)
    for name, tables in TABLES.items()
    for table in tables
    for row in golden.cases(load(name), table)
]
SHARED = golden.read(HERE / "shared/safety/golden.csv")
every = pytest.mark.parametrize("name", available())


@every
def test_every_case_is_assessed_as_the_tables_say(name: str, tmp_path: Path) -> None:
    for table in TABLES[name]:
        rows, actual = golden.read(table.path), golden.judged(load(name), table)
        if actual != rows:
            path = tmp_path / "golden.actual.csv"
            golden.write(actual, path)
            changed = [row["case"] for row, now in zip(rows, actual, strict=True) if row != now]
            pytest.fail(
                f"{len(changed)} cases changed: {', '.join(changed[:20])}.\n"
                f"Read what is different:  git diff --no-index --word-diff {table.path} {path}\n"
                f"If every row is meant:   .venv/bin/python manage.py protocol golden {name}"
            )


@every
def test_every_rule_occurs_in_the_table(name: str) -> None:
    assert golden.unshown(load(name), golden.all_cases(load(name))) == []


@every
def test_every_case_has_its_own_name_and_is_in_the_columns_of_the_table(name: str) -> None:
    for table in TABLES[name]:
        rows = golden.read(table.path)
        assert len({row["case"] for row in rows}) == len(rows)
        assert all(tuple(row) == golden.COLUMNS and row["story"] for row in rows)


@every
def test_every_shared_case_fits_every_protocol_and_stands_once(name: str) -> None:
    """A protocol's own table repeats a shared case only to show what its own rule makes of it."""
    protocol, (own, common) = load(name), TABLES[name]
    assert golden.cases(protocol, common) == SHARED
    shared = {(row["answers"], row["urgency"], row["rules"], row["flags"]) for row in SHARED}
    assert not [
        row["case"]
        for row in golden.read(own.path)
        if row["case"].partition("-")[0] in (common.rules or ())
        and (row["answers"], row["urgency"], row["rules"], row["flags"]) in shared
    ]


@every
def test_the_shared_table_shows_every_emergency_and_its_cases_raise_no_less(name: str) -> None:
    """The shared table gives the urgency of a case by the shared rules alone.

    A protocol's own rules may raise this urgency, and never lower it. A shared flag alone has no
    urgency.
    """
    protocol = load(name)
    shown = {id for row in SHARED for id in row["rules"].split()}
    assert {rule.id for rule in protocol.rules.rules if rule.level == "emergency"} <= shown
    for row in SHARED:
        judged = golden.assessed(protocol, row)["urgency"]
        assert not row["urgency"] or RANKS[judged] >= RANKS[row["urgency"]], row


def cases_of(name: str) -> list[tuple[frozenset[str] | None, golden.Row]]:
    """Return the cases of a protocol's tables, each with the rules that its table is about."""
    return [(table.rules, row) for of, table, row in CASES if of == name]


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
    # With a hemoglobin below 11, another part of N10 fires in any case.
    ("N10", "pregnancy_status in pregnant|maybe: always"),
    ("N10", "not sex_at_birth eq male: never"),
    # R04 also reads a computed value (rls_pattern) that already requires this condition.
    ("R04", "rls_urge in yes|unsure: always"),
    # R05 reads `always`, which is true for all answers.
    ("R05", "always eq True: always"),
    # If the pain fits an artery, N06 fires. Then a fallback rule such as R06 does not count.
    ("R06", "artery_pain eq False: always"),
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
    likely_first = sorted(cases_of(name), key=lambda case: not case[1]["case"].startswith(f"{id}-"))
    unnoticed = set()
    for said, when in changes(protocol.rule(id).when):
        mutant = with_rule(protocol, id, when=when)
        if all(golden.assessed(mutant, row, rules) == row for rules, row in likely_first):
            unnoticed.add((id, said))
    assert unnoticed == {change for change in WITHOUT_EFFECT if change[0] == id}


def each_fact() -> list[tuple[str, str]]:
    """Return each fact of each protocol, as a pair: the protocol, and the fact's name."""
    values = [(name, load(name).rules.computed) for name in available()]
    return [(name, fact) for name, known in values for fact in known if known[fact].fact]


@pytest.mark.parametrize(("name", "fact"), each_fact())
def test_a_changed_place_of_a_fact_changes_the_table(name: str, fact: str) -> None:
    protocol = load(name)
    value = protocol.rules.computed[fact]
    likely_first = sorted(
        cases_of(name),
        key=lambda case: not any(id in case[1]["answers"] for id in value.questions()),
    )
    assert value.when is not None
    unnoticed = set()
    for said, when in changes(value.when):
        computed = protocol.rules.computed | {fact: msgspec.structs.replace(value, when=when)}
        mutant = with_rule_set(protocol, computed=computed)
        if all(golden.assessed(mutant, row, rules) == row for rules, row in likely_first):
            unnoticed.add((fact, said))
    assert unnoticed == set()


@pytest.mark.parametrize("pattern", current().rules.alarm_patterns)
def test_an_alarm_pattern_less_changes_the_table(protocol: Protocol, pattern: str) -> None:
    patterns = tuple(other for other in protocol.rules.alarm_patterns if other != pattern)
    leaves = protocol.rule("S16").when.leaves()
    without = tuple(msgspec.structs.replace(leaf, value=patterns) for leaf in leaves)
    mutant = with_rule(protocol, "S16", when=AnswerCondition(any=without))
    assert any(golden.assessed(mutant, row, rules) != row for rules, row in cases_of(protocol.name))
