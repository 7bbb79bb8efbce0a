"""The assessment of answers. Which rules fire for which answers is tested with golden.csv."""

import timeit
from decimal import Decimal
from functools import partial
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.domain.answers import clean_answer
from intake.domain.computed import compute
from intake.domain.conditions import compiled
from intake.domain.definition import Protocol
from intake.domain.grammar import AnswerCondition
from intake.domain.hearing import SILENCE
from intake.domain.ranges import Range
from intake.domain.summary import summary
from intake.domain.triage import LIMIT_UNCLEAR, Assessment, assess, interrupting_rules
from tests.examples import examples
from tests.intake.domain.altered import with_rules

RLS = {"rls_urge": "yes", "rls_rest": "yes", "rls_move": "yes", "rls_evening": "evening"}
IRON = {"iron_results": "yes_numbers", "ferritin": Decimal("75")}


def test_a_fired_rule_keeps_its_reason_its_source_and_what_it_used(protocol: Protocol) -> None:
    (fired,) = assess(protocol, RLS | IRON).fired
    rule = protocol.rule("N03")
    assert (fired.id, fired.level, fired.reason, fired.source, fired.advice) == (
        "N03",
        "soon",
        rule.reason,
        rule.source,
        rule.advice,
    )
    assert fired.inputs == {"rls_pattern": "complete", "ferritin": "75", "tsat": None}


def test_a_reason_lists_what_the_patient_ticked_in_words_for_clinicians(protocol: Protocol) -> None:
    answers = RLS | {
        "meds_classes": ("iron_oral", "lithium", "ssri_snri"),
        "rls_with": ("cramp_knot", "habit"),
    }
    reasons = {flag.id: flag.reason for flag in assess(protocol, answers).flags}
    assert reasons["F02"].endswith("Classes that the patient ticked: SSRI or SNRI; lithium")
    assert reasons["F11"].endswith("the answers suggest: leg cramps; habitual foot tapping")


WELLS = (
    "active cancer: {}; leg paralyzed or in a cast: {}; in bed 3 days, or major surgery within 12"
    " weeks: {}; entire leg swollen: {}; previous DVT, or clot in a lung: {}; collateral"
    " superficial veins: not asked; not examined: calf measure, tenderness, pitting edema,"
    " alternative diagnosis; not valid in pregnancy"
)


@pytest.mark.parametrize("sign", ["swelling_one", "calf_thigh_pain"])
@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, ["not asked"] * 5),
        ({"clot_risk": ("none",)}, ["no"] * 5),
        ({"clot_risk": ("hormones",)}, ["no"] * 5),
        (
            {
                "clot_risk": (
                    "whole_leg",
                    "cancer",
                    "cast_paralysis",
                    "bed_or_surgery",
                    "prior_clot",
                )
            },
            ["yes"] * 5,
        ),
        (
            {"clot_risk": ("none",), "conditions": ("clot_history", "cancer_active")},
            ["yes", "no", "no", "no", "yes"],
        ),
    ],
)
def test_the_wells_items_stand_beside_the_reason_without_points(
    protocol: Protocol, sign: str, told: dict[str, Any], said: list[str]
) -> None:
    (fired,) = assess(protocol, {"leg_new": (sign,)} | told).fired
    assert fired.reason.endswith("without points: " + WELLS.format(*said))


def test_lr7_sets_no_urgency_alone(protocol: Protocol) -> None:
    """The score changes from 6 to 30, while the interference and the frequency stay the same."""
    often = RLS | {"rls_freq": "d6_7", "lr7_interfere": "lot"}
    for asked in (RLS | {"lr7_interfere": "lot"}, often):
        found = {
            (score, tuple(rule.id for rule in assessment.fired))
            for score in range(25)
            for assessment in [
                assess(
                    protocol,
                    asked
                    | {
                        "lr7_days": min(score, 7),
                        "lr7_nights": min(max(score - 7, 0), 7),
                        "lr7_strength": max(score - 14, 0),
                    },
                )
            ]
        }
        assert len(found) == 25
        assert len({fired for _score, fired in found}) == 1


NUMBERS = [Decimal(tenths) / 10 for tenths in range(30, 251)]


@settings(max_examples=examples(40), deadline=None)
@given(data=st.data())
def test_a_range_counts_for_every_number_in_it(protocol: Protocol, data: st.DataObject) -> None:
    low, high = sorted(data.draw(st.tuples(*[st.sampled_from(NUMBERS)] * 2)))
    sex = data.draw(st.sampled_from(["male", "female"]))

    def fired(value: Any) -> dict[str, str]:
        told = {"iron_results": "yes_numbers", "hemoglobin": value, "sex_at_birth": sex}
        return {rule.id: rule.reason for rule in assess(protocol, {"rls_urge": "yes"} | told).fired}

    raised = [fired(number) for number in NUMBERS if low <= number <= high]
    found = fired(Range(f"{low}-{high}", low, high))
    met = {id for each in raised for id in each} - {"R04"}
    assert found.keys() - {"R04"} == met
    for id in met:
        assert found[id].endswith(LIMIT_UNCLEAR) == any(id not in each for each in raised)


def test_a_flag_says_that_its_limit_is_unclear(protocol: Protocol) -> None:
    for told, unclear in (("200-400", True), (">300", False)):
        ferritin = clean_answer(protocol.question("ferritin"), [told])
        (flag,) = assess(protocol, {"rls_urge": "yes"} | IRON | {"ferritin": ferritin}).flags
        assert (flag.id, flag.reason.endswith(LIMIT_UNCLEAR)) == ("F09", unclear)
        assert flag.inputs["ferritin"] == told


def test_a_denied_condition_counts_for_a_range_if_one_number_makes_it_true() -> None:
    under = AnswerCondition(not_=AnswerCondition(q="iron", op="lt", value=20))
    for low, high, may, must in (
        (10, 15, False, False),
        (10, 30, True, False),
        (20, 30, True, True),
    ):
        answers = {"iron": Range("", Decimal(low), Decimal(high))}
        assert compiled(under)(answers, {}, SILENCE) == may
        assert compiled(under, certain=True)(answers, {}, SILENCE) == must


@pytest.mark.parametrize(
    ("interest", "down", "said"),
    [
        (None, None, None),
        ("not_at_all", "several_days", "1 of 6"),
        ("several_days", "more_than_half", "3 of 6, positive; down: more than half the days"),
        (
            "nearly_every_day",
            "nearly_every_day",
            "6 of 6, positive; little interest: nearly every day; down: nearly every day",
        ),
        (
            "more_than_half",
            None,
            "no score, one item is missing; little interest: more than half the days",
        ),
    ],
)
def test_staff_read_the_score_and_the_items_of_the_phq_2(
    protocol: Protocol, interest: str | None, down: str | None, said: str | None
) -> None:
    told = {"phq2_interest": interest, "phq2_down": down}
    answers = {id: answer for id, answer in told.items() if answer is not None}
    lines = dict(summary(protocol, answers, compute(protocol, answers)))
    assert lines.get("PHQ-2") == said


def test_the_most_urgent_rule_comes_first_and_the_others_stay(protocol: Protocol) -> None:
    answers = {
        "swell_long": "one_long",
        "blood_in_stool": "yes",
        "em_now": ("stroke_signs",),
    }
    assessment = assess(protocol, answers)
    assert assessment.urgency == "emergency"
    assert [rule.id for rule in assessment.fired] == ["E03", "S15", "N08"]


def test_an_emergency_stops_the_form_and_a_panel_does_not(protocol: Protocol) -> None:
    active = {"age_years": 40, "si_screen": "active"}
    passive = {"age_years": 40, "si_screen": "passive"}
    assert assess(protocol, active).interrupt
    assert [rule.id for rule in interrupting_rules(protocol, active)] == ["E09"]
    assert not assess(protocol, passive).interrupt
    assert assess(protocol, passive).fired[0].interrupt == "panel"
    assert interrupting_rules(protocol, passive) == ()


def test_a_question_that_is_not_asked_interrupts_nobody(protocol: Protocol) -> None:
    active = {"age_years": 40, "si_screen": "active"}
    assert interrupting_rules(protocol, active, si_screen=False) == ()
    assert assess(protocol, active, si_screen=False).urgency == "routine"


def test_a_child_alone_is_stopped_from_sending(protocol: Protocol) -> None:
    assert assess(protocol, {"age_years": 17, "who": "self"}).blocked
    assert not assess(protocol, {"age_years": 17, "who": "parent_guardian"}).blocked


def test_an_assessment_says_what_ran(protocol: Protocol) -> None:
    assessment = assess(protocol, {})
    assert assessment.rule_set == protocol.rules.version
    assert assessment.content_hash == protocol.content_hash


def test_an_assessment_comes_back_from_json_as_it_was(protocol: Protocol) -> None:
    assessment = assess(protocol, RLS | IRON | {"meds_classes": ("iron_oral",)})
    assert assessment.flags
    assert Assessment.from_json(assessment.to_json()) == assessment


def test_without_any_rule_the_urgency_is_the_lowest(protocol: Protocol) -> None:
    assessment = assess(with_rules(protocol, ()), {"em_now": ("stroke_signs",)})
    assert (assessment.urgency, assessment.fired) == ("routine", ())


def test_an_assessment_takes_well_under_a_millisecond(protocol: Protocol) -> None:
    answers = RLS | IRON | {"reason_text": "My legs creep and itch. " * 25}
    judge = partial(assess, protocol, answers)
    best = min(timeit.repeat(judge, number=20, repeat=5, timer=process_time)) / 20
    assert best < 0.005  # about 1 ms on a laptop, with room for a busy laptop
