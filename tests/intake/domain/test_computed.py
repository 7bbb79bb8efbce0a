"""The values that rules read beside the answers."""

from itertools import product

import pytest

from intake.domain.computed import CODE, art_pattern, compute, lr7_total, rls_pattern
from intake.domain.definition import Protocol


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
    urge: str, rest: str, move: str, evening: str, expected: str
) -> None:
    answers = {"rls_urge": urge, "rls_rest": rest, "rls_move": move, "rls_evening": evening}
    assert rls_pattern(answers) == expected


def test_without_the_question_there_is_no_pattern() -> None:
    assert rls_pattern({}) == "none"
    assert rls_pattern({"rls_urge": "yes"}) == "incomplete"


def test_the_seven_day_total_adds_up_from_0_to_30() -> None:
    none = {"lr7_days": 0, "lr7_nights": 0, "lr7_strength": 0, "lr7_interfere": "none"}
    most = {"lr7_days": 7, "lr7_nights": 7, "lr7_strength": 10, "lr7_interfere": "lot"}
    assert lr7_total(none) == 0
    assert lr7_total(most) == 30
    assert lr7_total(none | {"lr7_interfere": "little"}) == 2
    assert lr7_total(none | {"lr7_interfere": "some"}) == 4


@pytest.mark.parametrize("missing", ["lr7_days", "lr7_nights", "lr7_strength", "lr7_interfere"])
def test_a_missing_answer_leaves_no_total_rather_than_a_low_one(missing: str) -> None:
    most = {"lr7_days": 7, "lr7_nights": 7, "lr7_strength": 10, "lr7_interfere": "lot"}
    del most[missing]
    assert lr7_total(most) is None


def test_the_artery_pattern_is_unknown_without_pain_on_walking() -> None:
    assert art_pattern({}) is None
    assert art_pattern({"walk_pain": "no"}) is None
    assert art_pattern({"walk_pain": "cant_tell"}) is None


@pytest.mark.parametrize(("place", "stops", "still"), list(product([True, False], repeat=3)))
def test_the_artery_pattern_takes_all_three(place: bool, stops: bool, still: bool) -> None:
    said = {"in_calf": place, "in_foot": True, "stops_10min": stops, "also_when_still": still}
    pattern = tuple(code for code, true in said.items() if true)
    expected = place and stops and not still
    assert art_pattern({"walk_pain": "yes", "walk_pattern": pattern}) is expected


def test_an_emergency_answer_taken_back_is_told_by_the_walk(protocol: Protocol) -> None:
    assert compute(protocol, {})["safety_retracted"] is False
    assert compute(protocol, {}, safety_retracted=True)["safety_retracted"] is True


def test_code_reads_only_questions_that_exist(protocol: Protocol) -> None:
    for code in CODE.values():
        for id in code.inputs:
            assert protocol.question(id)
