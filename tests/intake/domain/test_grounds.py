"""What made a rule fire: the answers and values that its condition met, each with its limit."""

import operator
from decimal import Decimal

import pytest

from intake.authoring import golden
from intake.domain.grammar import DANGER, AnswerCondition
from intake.domain.grounds import Ground, grounds_of
from intake.domain.ranges import Range
from intake.domain.route import kept_answers
from intake.domain.triage import assess
from intake.protocols import available, load

COMPARE = {"≥": operator.ge, "≤": operator.le, ">": operator.gt, "<": operator.lt}


def leaf(op: str, value: object, q: str = "a") -> AnswerCondition:
    return AnswerCondition(q=q, op=op, value=value)


LOW, OLD, SICK = leaf("lte", 75, "n"), leaf("gt", 49, "age"), leaf("contains_any", ("x", "y"), "m")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (LOW, [Ground("n", limit="≤ 75")]),
        (AnswerCondition(all=(LOW, leaf("gt", 10, "n"))), [Ground("n", limit="≤ 75, > 10")]),
        (AnswerCondition(any=(OLD, SICK)), [Ground("m", ("y",))]),
        (AnswerCondition(any=(AnswerCondition(all=(LOW, OLD)), SICK)), [Ground("m", ("y",))]),
        (AnswerCondition(all=(LOW, AnswerCondition(not_=OLD))), [Ground("n", limit="≤ 75")]),
        (leaf("eq", "yes", "s"), [Ground("s", ("yes",))]),
        (leaf("in", ("no", "yes"), "s"), [Ground("s", ("yes",))]),
        (AnswerCondition(any=(OLD, leaf("eq", "no", "s"))), []),
    ],
)
def test_only_what_met_the_condition_is_a_ground(condition, expected):
    answers = {"n": Decimal("11.5"), "age": 40, "m": ("w", "y"), "s": "yes"}

    assert grounds_of(load(available()[0]), condition, answers, {}) == expected


@pytest.mark.parametrize("name", available())
def test_every_rule_of_every_case_has_a_ground_that_is_true(name):
    protocol, told = load(name), 0
    for row in golden.all_cases(protocol):
        given, meta = golden.answers_of(protocol, row["answers"])
        answers = kept_answers(protocol, given)
        result = assess(protocol, answers, **meta)
        for fired in (*result.fired, *result.flags):
            rule = protocol.rule(fired.id)
            found = grounds_of(protocol, rule.when, answers, result.computed)
            for ground in found:
                told += 1
                value = answers.get(ground.name, result.computed.get(ground.name))
                assert value is not None, (row["case"], fired.id, ground)
                chosen = value if isinstance(value, tuple) else (value,)
                assert set(ground.options) <= set(chosen)
                for limit in filter(None, ground.limit.split(", ")):
                    sign, number = limit.split()
                    if not isinstance(value, Range):
                        assert COMPARE[sign](value, Decimal(number)), (fired.id, ground)
            reads = {each.op for each in rule.when.leaves() if each.op != "text_any_regex"} - {None}
            silent = DANGER in fired.inputs or not reads or rule.fallback or rule.only_if_none
            assert found or silent, (row["case"], fired.id)
    assert told > 500
