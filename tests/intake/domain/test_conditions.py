"""How one condition is evaluated."""

import re
from decimal import Decimal

import pytest

from intake.domain.conditions import compiled_pattern, holds, normalised
from intake.domain.definition import Protocol, from_data
from intake.domain.grammar import AnswerCondition
from intake.domain.triage import assess


def leaf(op: str, value: object, q: str = "a") -> AnswerCondition:
    return AnswerCondition(q=q, op=op, value=value)


@pytest.mark.parametrize(
    ("condition", "answer", "expected"),
    [
        (leaf("eq", "yes"), "yes", True),
        (leaf("eq", "yes"), "no", False),
        (leaf("in", ("yes", "unsure")), "unsure", True),
        (leaf("in", ("yes", "unsure")), "no", False),
        (leaf("contains", "x"), ("w", "x"), True),
        (leaf("contains", "x"), ("w",), False),
        (leaf("contains_any", ("x", "y")), ("y", "z"), True),
        (leaf("contains_any", ("x", "y")), ("z",), False),
        (leaf("gte", 12), 12, True),
        (leaf("gte", 12), 11, False),
        (leaf("lte", 12), 12, True),
        (leaf("lte", 12), 13, False),
        (leaf("gt", 12), 12, False),
        (leaf("gt", 12), 13, True),
        (leaf("lt", 12), 12, False),
        (leaf("lt", 12), 11, True),
    ],
)
def test_each_operator(condition: AnswerCondition, answer: object, expected: bool) -> None:
    assert holds(condition, {"a": answer}) is expected


@pytest.mark.parametrize(
    ("op", "value"),
    [
        *((op, 1) for op in ("eq", "gte", "lte", "gt", "lt")),
        *((op, ("x",)) for op in ("in", "contains_any", "text_any_regex")),
        ("contains", "x"),
    ],
)
def test_a_leaf_on_an_unanswered_question_is_false_and_not_of_it_true(
    op: str, value: object
) -> None:
    assert not holds(leaf(op, value), {})
    assert holds(AnswerCondition(not_=leaf(op, value)), {})


def test_a_limit_is_the_number_as_it_is_written() -> None:
    assert holds(leaf("eq", 0.1), {"a": Decimal("0.1")})
    assert holds(leaf("gte", 0.1), {"a": Decimal("0.1")})
    assert not holds(leaf("gt", 0.1), {"a": Decimal("0.1")})


def test_a_leaf_on_an_unknown_computed_value_is_false_and_not_of_it_true() -> None:
    condition = AnswerCondition(var="art_pattern", op="eq", value=False)
    assert not holds(condition, {}, {"art_pattern": None})
    assert holds(AnswerCondition(not_=condition), {}, {"art_pattern": None})
    assert holds(condition, {}, {"art_pattern": False})


def test_all_any_and_not_combine() -> None:
    a, b = leaf("eq", "yes"), leaf("eq", "yes", q="b")
    assert holds(AnswerCondition(all=(a, b)), {"a": "yes", "b": "yes"})
    assert not holds(AnswerCondition(all=(a, b)), {"a": "yes", "b": "no"})
    assert holds(AnswerCondition(any=(a, b)), {"a": "no", "b": "yes"})
    assert not holds(AnswerCondition(any=(a, b)), {"a": "no"})
    assert holds(AnswerCondition(not_=AnswerCondition(any=(a, b))), {"a": "no"})


@pytest.mark.parametrize(
    "text",
    [
        "I can't breathe",
        "I can\u2019t breathe",
        "I CAN\u2019T   BREATHE",
        "I can\u2019t\nbreathe",
        "I can\u00b4t breathe",
        "I can`t breathe",
        "i cant breathe",
        "\uff49 \uff43\uff41\uff4e\uff54 \uff42\uff52\uff45\uff41\uff54\uff48\uff45",
        "I can\u2019t brea\u00adthe",
        "I can\u200b't breathe",
        "dol\u00f3r d\u00e9 pecho",
        "el PIE est\u00e1 negro, digo: pie negro",
    ],
)
def test_alarming_words_are_seen_however_they_are_typed(protocol: Protocol, text: str) -> None:
    fired = assess(protocol, {"reason_text": text}).fired
    assert "S16" in [rule.id for rule in fired]


def test_free_text_is_normalised_before_it_is_read() -> None:
    assert normalised("  Pi\u00e9\u2019s \n\t\u201cNEGRO\u201d ") == 'pie\'s "negro"'


def test_a_pattern_keeps_its_escapes_and_is_read_in_any_case() -> None:
    assert compiled_pattern(r"\S+ACH\u00C9\B").pattern == r"\S+ACH\u00C9\B"
    assert compiled_pattern("D\u00c9J\u00c0").search(normalised("d\u00e9j\u00e0 vu"))
    assert compiled_pattern(r"\bX\D\W\S").search(normalised("x-?y"))
    assert not compiled_pattern(r"x\S").search("x ")


def test_a_pattern_that_is_no_regular_expression_is_refused() -> None:
    with pytest.raises(re.error):
        compiled_pattern("(")


@pytest.mark.parametrize(
    "when",
    [
        {},
        {"q": "a"},
        {"q": "a", "op": "eq"},
        {"q": "a", "var": "b", "op": "eq", "value": "x"},
        {"q": "a", "op": "eq", "value": "x", "all": []},
        {"q": "a", "op": "eq", "value": ["x"]},
        {"q": "a", "op": "in", "value": "x"},
        {"q": "a", "op": "contains", "value": 7},
        {"q": "a", "op": "gte", "value": "old"},
        {"q": "a", "op": "gte", "value": True},
        {"q": "a", "op": "near", "value": 7},
        {"all": [], "any": []},
    ],
)
def test_a_condition_of_no_known_shape_is_refused_with_its_place(when: object) -> None:
    rule = {"id": "X", "level": "soon", "name": "", "interrupt": False, "inputs": [], "reason": ""}
    rule |= {"advice": "", "source": "", "when": when}
    rules = {"version": "1", "date": "", "levels": [], "alarm_patterns": [], "computed": {}}
    questionnaire = {"version": "1", "date": "", "locale": "", "grammar": {}, "sections": []}
    with pytest.raises(ValueError, match=r"rules\[0\]\.when"):
        from_data("x", questionnaire, rules | {"rules": [rule]})
