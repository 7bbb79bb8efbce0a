"""Which questions and pages a set of answers leads to."""

import pytest

from intake.domain.definition import Protocol
from intake.domain.route import (
    kept_answers,
    page_done,
    route,
    visible,
)


def pages(protocol: Protocol, answers: dict, **options: bool) -> list[str]:
    return [page.id for page in route(protocol, answers, **options)]


def test_the_walk_begins_with_safety(protocol: Protocol) -> None:
    assert pages(protocol, {})[0] == "safety"


def test_a_page_shows_its_visible_questions_only(protocol: Protocol) -> None:
    sore = {page.id: page for page in route(protocol, {"vein_look": ["open_sore"]})}
    veins = {page.id: page for page in route(protocol, {"vein_look": ["varicose"]})}
    assert [q.id for q in sore["veins-3"].questions] == ["vein_bleed", "wound_time", "wound_signs"]
    assert [q.id for q in veins["veins-3"].questions] == ["vein_bleed"]


def test_a_page_without_a_visible_question_is_not_on_the_route(protocol: Protocol) -> None:
    assert "about-2" not in pages(protocol, {"sex_at_birth": "male", "age_years": 30})
    assert "about-2" in pages(protocol, {"sex_at_birth": "female", "age_years": 30})


def test_a_hidden_answer_shows_nothing_either(protocol: Protocol) -> None:
    answers = {"rls_urge": "no", "iron_results": "yes_numbers", "ferritin": 7}
    assert "iron_results" not in visible(protocol, answers)
    assert "ferritin" not in visible(protocol, answers)
    assert kept_answers(protocol, answers) == {"rls_urge": "no"}


def test_an_answer_comes_back_when_its_question_does(protocol: Protocol) -> None:
    answers = {"rls_urge": "no", "rls_rest": "yes"}
    assert "rls_rest" not in kept_answers(protocol, answers)
    assert "rls_rest" in kept_answers(protocol, answers | {"rls_urge": "yes"})


def test_the_question_about_suicide_can_be_left_out(protocol: Protocol) -> None:
    answers = {"who": "self", "age_years": 40, "si_screen": "active"}
    assert "si_screen" in visible(protocol, answers)
    assert "si_screen" not in visible(protocol, answers, si_screen=False)
    assert "si_screen" not in kept_answers(protocol, answers, si_screen=False)
    mood = next(page for page in route(protocol, answers, si_screen=False) if page.id == "mood")
    assert [question.id for question in mood.questions] == ["phq2_interest", "phq2_down"]


@pytest.mark.parametrize(
    ("who", "age", "asked"),
    [
        ("self", 18, ["phq2_interest", "phq2_down", "si_screen"]),
        ("self", 17, ["mood_2w", "si_screen"]),
        ("parent_guardian", 18, ["mood_2w", "si_screen"]),
        ("caregiver", 70, ["mood_2w", "si_screen"]),
        ("caregiver", 11, []),
    ],
)
def test_the_phq_2_is_for_adults_who_answer_themselves(
    protocol: Protocol, who: str, age: int, asked: list[str]
) -> None:
    shown = visible(protocol, {"who": who, "age_years": age})
    assert [
        id for id in shown if id in ("phq2_interest", "phq2_down", "mood_2w", "si_screen")
    ] == asked


@pytest.mark.parametrize(("age", "asked"), [(11, False), (12, True)])
def test_mood_is_asked_from_twelve(protocol: Protocol, age: int, asked: bool) -> None:
    assert ("mood" in pages(protocol, {"age_years": age})) is asked


def test_a_page_is_done_when_its_required_questions_are_answered(protocol: Protocol) -> None:
    page = protocol.page("reason")
    assert not page_done(page, {"main_reason": "veins"})
    assert page_done(page, {"main_reason": "veins", "onset": "today"})
