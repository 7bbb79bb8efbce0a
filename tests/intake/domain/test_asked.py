"""Asking a patient about words of danger: laws over every frame and every answer."""

from pathlib import Path
from typing import Any

import pytest

from intake.domain.definition import FLAG, Protocol, Question
from intake.domain.hearing import asked_anew
from intake.domain.problems import problems
from intake.domain.route import route, visible
from intake.domain.triage import Assessment, assess, interrupting_rules, rule_for_text
from intake.protocols import available, load
from tests.intake.domain.altered import with_question, with_rules

SENTENCES = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "corpus" / "frames.tsv").read_text().splitlines()
    if not line.startswith("#")
]
STAYS_EMERGENCY = {"DE1", "DE3", "DE9", "DE13"}
"""The rules whose danger stays an emergency after it has stopped. In DE2, only coughed-up blood."""
BLOOD_COUGHED = {"coughing_blood", "coughing_red", "hemoptysis"}
protocols = pytest.mark.parametrize(
    "protocol", [load(name) for name in available()], ids=available()
)


def asking(protocol: Protocol, text: str, frame: str) -> Question:
    """Return the question that asks about a frame in the answer to `text`."""
    assert protocol.danger is not None
    rule = protocol.danger.by_id[frame].rule
    (question,) = [
        q for q in protocol.asking if q.about and q.about.q == text and rule in q.about.rules
    ]
    return question


def asked(protocol: Protocol) -> list[tuple[str, str, str]]:
    """Return (frame, rule, sentence) of each frame about which patients are asked."""
    assert protocol.danger is not None
    rules = {rule for q in protocol.asking if q.about for rule in q.about.rules}
    named = [(frame, protocol.danger.by_id[frame].rule, text) for frame, text in SENTENCES]
    return [(frame, rule, text) for frame, rule, text in named if rule in rules]


def judged(protocol: Protocol, answers: dict[str, Any]) -> Assessment:
    found = assess(protocol, {protocol.uses.safety: ("none",), **answers})
    assert found == assess(protocol, {protocol.uses.safety: ("none",), **answers})
    return found


@protocols
def test_every_emergency_in_own_words_is_asked_about_on_the_next_page(protocol: Protocol) -> None:
    words = asked(protocol)
    emergencies = {r.id for r in protocol.rules.rules if r.interrupt == "ask"}
    assert emergencies == {rule for _frame, rule, _text in words} - {"DS11"}
    assert all(protocol.rule(id).level == "emergency" for id in emergencies)
    for text in protocol.uses.free_text:
        for frame, _rule, sentence in words:
            question = asking(protocol, text, frame)
            answers = {text: sentence}
            assert question.id in visible(protocol, answers), frame
            pages = [page.id for page in route(protocol, answers)]
            between = pages[
                pages.index(protocol.page_of(text).id) + 1 : pages.index(
                    protocol.page_of(question.id).id
                )
            ]
            assert all(protocol.page(id).questions[0].about for id in between), frame
        assert not {q.id for q in protocol.asking} & set(visible(protocol, {text: "sore legs"}))


@protocols
def test_silence_counts_as_yes_and_each_answer_has_its_level(protocol: Protocol) -> None:
    rank = {level.code: level.rank for level in protocol.rules.levels}
    for text in protocol.uses.free_text:
        for frame, rule, sentence in asked(protocol):
            case = (frame, text)
            question = asking(protocol, text, frame)
            silent = judged(protocol, {text: sentence})
            assert rule in {fired.id for fired in silent.fired}, case
            assert not silent.interrupt, case
            for option in question.options:
                found = judged(protocol, {text: sentence, question.id: option.code})
                rules = {fired.id for fired in found.fired}
                assert rank["same_day"] <= rank[found.urgency] <= rank["emergency"], case
                if option.scope == "now":
                    assert (found.urgency, found.interrupt) == ("emergency", True), case
                    assert rule in rules, case
                    continue
                assert rule not in rules, case
                stays = rule in STAYS_EMERGENCY or frame in BLOOD_COUGHED
                if option.scope == "passed" and stays:
                    assert (found.urgency, found.interrupt) == ("emergency", True), case
                    continue
                expected = (
                    "DP0" if option.scope == "passed" else "DA3" if question.about.crisis else "DA4"
                )
                assert expected in rules, case
                told = [fired for fired in found.fired if fired.id == expected]
                assert any(hit["frame"] == frame for hit in told[0].inputs["danger"]), case


PASSED = {
    "stroke_passed": lambda frame, rule: rule == "DE3",
    "blood_coughed": lambda frame, _rule: frame in BLOOD_COUGHED,
    "fainted": lambda frame, _rule: frame == "faint",
}
"""An option of the question about the last 7 days → the frames that name the same fact."""
BESIDE: tuple[dict[str, Any], ...] = (
    {},
    {"leg_new": ("swelling_one",)},
    {"leg_new": ("red_warm",)},
    {"swell_long": "one_long"},
    {"conditions": ("clot_history",)},
    {"conditions": ("diabetes",)},
    {"sex_at_birth": "female", "age_years": 30, "pregnancy_status": "maybe"},
    {"meds_list": "my left calf is swollen since yesterday"},
)


@protocols
@pytest.mark.parametrize("option", PASSED)
def test_what_has_passed_has_one_level_as_a_tick_and_in_own_words(
    protocol: Protocol, option: str
) -> None:
    frames = [(f, text) for f, rule, text in asked(protocol) if PASSED[option](f, rule)]
    assert frames
    text = protocol.uses.own_words
    for beside in BESIDE:
        ticked = judged(protocol, {"em_past": (option,), **beside})
        for frame, sentence in frames:
            told = {text: sentence, asking(protocol, text, frame).id: "passed"}
            found = judged(protocol, {"em_past": ("none",), **told, **beside})
            assert (found.urgency, found.interrupt) == (ticked.urgency, ticked.interrupt), (
                sentence,
                beside,
            )
        both = {"em_past": (option,), **beside}
        stops = any(rule.interrupt is True for rule in interrupting_rules(protocol, both))
        assert stops == ticked.interrupt, beside


@protocols
def test_an_answer_about_one_text_says_nothing_of_another(protocol: Protocol) -> None:
    first, second = protocol.uses.free_text
    for frame, rule, sentence in asked(protocol):
        question = asking(protocol, first, frame)
        for option in question.options:
            answers = {first: "crushing chest pain", second: sentence, question.id: option.code}
            assert rule in {fired.id for fired in judged(protocol, answers).fired}, frame


@protocols
def test_a_stop_for_another_reason_counts_unanswered_words_as_meant(protocol: Protocol) -> None:
    text = protocol.uses.own_words
    safety = protocol.question(protocol.uses.safety).options[0].code
    answers = {protocol.uses.safety: (safety,), text: "my foot is ice cold"}
    stopping = [rule.id for rule in interrupting_rules(protocol, answers)]
    assert {"DE1"} < set(stopping)
    assert interrupting_rules(protocol, {text: "my foot is ice cold"}) == ()


@protocols
def test_a_message_has_nobody_to_ask_and_keeps_its_level(protocol: Protocol) -> None:
    rank = {level.code: level.rank for level in protocol.rules.levels}
    for frame, rule, sentence in asked(protocol):
        heard = rule_for_text(protocol, sentence)
        assert heard is not None, frame
        assert rank[heard.level] >= rank[protocol.rule(rule).level], frame
        assert heard.id not in ("DA3", "DA4", "DP0"), frame


ANEW = [
    ("my foot is ice cold", "my foot is ice cold. Thank you!", False),
    ("my foot is ice cold", "My foot   is ICE cold", False),
    ("my foot is ice cold", "my foot is ice cold and now my chest hurts", True),
    ("chest pain years back", "chest pain since this morning", True),
    ("I had chest pain. That was years ago.", "I had chest pain. It is back today.", True),
    ("my foot is ice cold", "my foot is ice cold, and ice cold", True),
    ("sore legs", "my foot is ice cold", True),
    ("my foot is ice cold", None, True),
]


@protocols
@pytest.mark.parametrize(("before", "after", "anew"), ANEW)
def test_new_words_are_asked_about_and_the_same_words_once(
    protocol: Protocol, before: str, after: str | None, anew: bool
) -> None:
    text, other = protocol.uses.free_text
    given = {text: after} if after is not None else {}
    asked_again = asked_anew(protocol, {text: before, other: "iron"}, {**given, other: "iron"})
    of_text = {q.id for q in protocol.asking if q.about and q.about.q == text}
    assert {question.id for question in asked_again} == (of_text if anew else set())


@protocols
def test_a_danger_that_nobody_asks_about_or_reads_is_a_problem(protocol: Protocol) -> None:
    """The test puts one fault after another into the data, and the check names each fault."""

    def kinds(changed: Protocol) -> set[str]:
        return {problem.id for problem in problems(changed)}

    when = asking(protocol, protocol.uses.own_words, "cold_limb")
    from msgspec.structs import replace

    about = when.about
    assert about is not None
    fewer = replace(about, rules=tuple(rule for rule in about.rules if rule != "DE1"))
    assert "wrong_about" in kinds(with_question(protocol, when.id, about=fewer))
    assert "wrong_about" in kinds(with_question(protocol, when.id, required=True))
    plain = tuple(replace(option, scope=None) for option in when.options)
    assert "wrong_about" in kinds(with_question(protocol, when.id, options=plain))
    for unread in ("DA3", "DA4", "DP0", "DP1"):
        rules = tuple(rule for rule in protocol.rules.rules if rule.id != unread)
        assert "wrong_about" in kinds(with_rules(protocol, rules)), unread
    low = tuple(
        replace(rule, level="soon") if rule.id == "DA4" else rule for rule in protocol.rules.rules
    )
    assert "wrong_about" in kinds(with_rules(protocol, low))
    assert FLAG not in {protocol.rule(id).level for id in ("DA3", "DA4", "DP0", "DP1")}


RAN_OUT = {
    "blood_thinner": "i ran out of my eliquis",
    "dopamine": "i ran out of ropinirole",
    "opioid": "i stopped my oxycodone",
    "gabapentinoid": "i ran out of gabapentin",
    "sedative": "i ran out of lorazepam",
}


@pytest.mark.parametrize("option", RAN_OUT)
def test_a_stopped_medicine_has_one_level_as_a_tick_and_in_own_words(option: str) -> None:
    legs = load("legs")
    for beside in BESIDE[:5]:
        ticked = {"meds_classes": ("stopped",), "meds_stopped": (option,)}
        told = {legs.uses.own_words: RAN_OUT[option]}
        assert judged(legs, {**beside, **ticked}).urgency == "same_day", beside
        assert judged(legs, {**beside, **told}).urgency == "same_day", beside
