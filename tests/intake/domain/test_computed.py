"""Computed values: what they are for every set of answers, and the lines that staff read."""

from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import msgspec
import pytest

from intake.domain.computed import compute, possible_values, reads
from intake.domain.definition import Protocol, Question
from intake.domain.grammar import AnswerCondition, Case, Computed, Line, Phrase, Term, in_order
from intake.domain.stored import CODE
from intake.domain.summary import summary
from tests.intake.domain.altered import with_rule_set

RLS = {"rls_urge": "yes", "rls_rest": "yes", "rls_move": "yes", "rls_evening": "evening"}
MOST = {"lr7_days": 7, "lr7_nights": 7, "lr7_strength": 10, "lr7_interfere": "lot"}


def value(protocol: Protocol, name: str, answers: dict[str, Any]) -> Any:
    return compute(protocol, answers)[name]


def every_answer(question: Question) -> Iterator[Any]:
    """Yield None and every answer that the question accepts.

    For a multiple choice, that is every non-empty set of options.
    """
    yield None
    codes = [option.code for option in question.options]
    match question.type:
        case "single":
            yield from codes
        case "multi":
            for count in range(1, len(codes) + 1):
                yield from combinations(codes, count)
        case _:
            yield from range(int(question.min or 0), int(question.max or 0) + 1)


@pytest.mark.parametrize("name", [name for name, _version in CODE])
def test_data_computes_for_all_answers_what_code_computed(protocol: Protocol, name: str) -> None:
    code = CODE[name, 1]
    assert set(reads(protocol, name)) == set(code.inputs)
    values = protocol.rules.computed
    read = {other: values[other] for other in values[name].computed()}
    only = with_rule_set(protocol, computed={**read, name: values[name]})
    for given in product(*(every_answer(protocol.question(id)) for id in code.inputs)):
        answers = {
            id: answer for id, answer in zip(code.inputs, given, strict=True) if answer is not None
        }
        now, then = value(only, name, answers), code.function(answers)
        assert (now, type(now)) == (then, type(then)), answers


@pytest.mark.parametrize("name", [name for name, _version in CODE])
def test_data_can_be_what_code_could_be(protocol: Protocol, name: str) -> None:
    now, then = possible_values(protocol, name), CODE[name, 1].values
    assert now == then or set(now) == set(then)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("urge", "rest", "move", "evening", "expected"),
    [
        ("yes", "yes", "yes", "evening", "complete"),
        ("yes", "yes", "was_before", "was_before", "complete"),
        ("unsure", "yes", "yes", "evening", "possible"),
        ("yes", "yes", "yes", "daytime", "possible"),
        ("yes", "yes", "unsure", "no_difference", "possible"),
        ("yes", "no", "unsure", "evening", "possible"),
        ("yes", "yes", "no", "daytime", "incomplete"),
        ("yes", "unsure", "unsure", "unsure", "incomplete"),
        ("unsure", "no", "no", "no_difference", "incomplete"),
        ("no", "yes", "yes", "evening", "none"),
    ],
)
def test_the_restless_legs_pattern(
    protocol: Protocol, urge: str, rest: str, move: str, evening: str, expected: str
) -> None:
    answers = {"rls_urge": urge, "rls_rest": rest, "rls_move": move, "rls_evening": evening}
    assert value(protocol, "rls_pattern", answers) == expected


@pytest.mark.parametrize("missing", MOST)
def test_a_missing_answer_leaves_no_total_rather_than_a_low_one(
    protocol: Protocol, missing: str
) -> None:
    answers = {id: answer for id, answer in MOST.items() if id != missing}
    assert value(protocol, "lr7_total", answers) is None
    assert value(protocol, "lr7_total", MOST) == 30


def test_an_emergency_answer_taken_back_is_told_by_the_walk(protocol: Protocol) -> None:
    assert compute(protocol, {})["safety_retracted"] is False
    assert compute(protocol, {}, safety_retracted=True)["safety_retracted"] is True


def test_values_are_computed_after_those_that_they_read(protocol: Protocol) -> None:
    both = {
        "grade": Computed("", first=(Case("bad", leaf("lr7_total", "gte", 17)), Case("fair"))),
        "lr7_total": protocol.rules.computed["lr7_total"],
    }
    changed = with_rule_set(protocol, computed=both)
    assert in_order(both) == ("lr7_total", "grade")
    assert compute(changed, MOST) == {"grade": "bad", "lr7_total": 30}
    assert set(reads(changed, "grade")) == set(MOST)


def test_a_count_stands_alone_or_is_read_by_a_case(protocol: Protocol) -> None:
    signs = (answered("walk_pain", "yes"), answered("tobacco", "current"))
    alone = with_rule_set(protocol, computed={"risks": Computed("", count={"risks": signs})})
    assert value(alone, "risks", {"walk_pain": "yes"}) == 1
    assert possible_values(alone, "risks") == range(3)


def leaf(name: str, op: Any, value: Any) -> AnswerCondition:
    return AnswerCondition(var=name, op=op, value=value)


def answered(id: str, value: str) -> AnswerCondition:
    return AnswerCondition(q=id, op="eq", value=value)


# What staff read


@pytest.mark.parametrize(
    ("answers", "lines"),
    [
        ({}, []),
        (
            RLS | {"rls_freq": "d1"},
            ["4 of 4 symptom features of restless legs (self-reported); less than 2 days a week"],
        ),
        (RLS | {"rls_move": "no"}, ["Some symptom features of restless legs (self-reported)"]),
        (
            {"rls_urge": "yes", "rls_freq": "rare"},
            ["Urge to move, other features missing; fewer than 5 times ever"],
        ),
        ({"rls_freq": "rare"}, []),
        (MOST, ["30 of 30, very severe (not validated, not comparable with IRLS)"]),
        (
            {"lr7_days": 0, "lr7_nights": 0, "lr7_strength": 0, "lr7_interfere": "none"},
            ["0 of 30, none (not validated, not comparable with IRLS)"],
        ),
        ({"walk_pain": "yes"}, ["does not fit the artery pattern"]),
        (
            {"walk_pain": "yes", "walk_pattern": ("in_calf", "stops_10min")},
            ["fits the artery pattern"],
        ),
        ({"vein_look": ("spider", "varicose")}, ["C2"]),
        ({"vein_look": ("spider",)}, ["C1"]),
        ({"vein_look": ("spider",), "swell_long": "one_long"}, ["C3"]),
        ({"vein_look": ("itchy_rash", "varicose")}, ["C4a"]),
        ({"vein_look": ("hard_skin", "itchy_rash")}, ["C4b"]),
        ({"vein_look": ("healed_sore", "hard_skin")}, ["C5"]),
        ({"vein_look": ("healed_sore", "open_sore")}, ["C6"]),
    ],
)
def test_staff_read_what_the_values_come_to(
    protocol: Protocol, answers: dict[str, Any], lines: list[str]
) -> None:
    assert [
        words for _label, words in summary(protocol, answers, compute(protocol, answers))
    ] == lines


def test_a_line_without_its_first_part_is_left_out(protocol: Protocol) -> None:
    says = Phrase("at night", answered("rls_urge", "yes"))
    line = Line("Legs", ((Phrase("restless", answered("rls_rest", "yes")),), (says,)))
    changed = with_rule_set(protocol, summary=(line,))
    assert summary(changed, {"rls_urge": "yes"}, {}) == []
    assert summary(changed, RLS, {}) == [("Legs", "restless; at night")]


def test_the_sum_of_a_value_is_within_the_limits_of_its_questions(protocol: Protocol) -> None:
    terms = (Term("lr7_days", times=-2), Term("lr7_interfere", map={"none": 1, "lot": 5}))
    changed = with_rule_set(protocol, computed={"x": Computed("", sum=terms)})
    assert possible_values(changed, "x") == range(-13, 6)


def test_a_value_that_changes_how_it_is_computed_changes_the_hash(protocol: Protocol) -> None:
    total = protocol.rules.computed["lr7_total"]
    other = msgspec.structs.replace(total, sum=total.sum[1:])
    computed = {**protocol.rules.computed, "lr7_total": other}
    assert with_rule_set(protocol, computed=computed).content_hash != protocol.content_hash
