"""Laws that hold for all answers and in every protocol, whatever the rules are."""

import copy
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake import documents
from intake.authoring import golden
from intake.domain.answers import from_json, to_json
from intake.domain.computed import compute
from intake.domain.definition import FLAG, Answers, Protocol, Value
from intake.domain.levels import RANKS
from intake.domain.route import kept_answers, page_done, route, visible
from intake.domain.triage import Assessment, assess
from intake.protocols import available, languages, load
from tests.examples import examples
from tests.intake.domain.altered import with_rules
from tests.intake.domain.walks import any_answers, values, walks, worse_answers

pytestmark = pytest.mark.parametrize(
    "protocol", [load(name) for name in available()], ids=available()
)
thoroughly = settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


def rank(protocol: Protocol, answers: Answers) -> int:
    return protocol.level(assess(protocol, answers).urgency).rank


@thoroughly
@given(st.data(), st.randoms())
def test_the_order_of_rules_never_matters(
    protocol: Protocol, data: st.DataObject, random: Random
) -> None:
    answers = data.draw(walks(protocol))
    rules = list(protocol.rules.rules)
    random.shuffle(rules)
    shuffled = assess(with_rules(protocol, tuple(rules)), answers)
    straight = assess(protocol, answers)
    assert shuffled.urgency == straight.urgency
    assert {rule.id for rule in shuffled.fired} == {rule.id for rule in straight.fired}
    assert {flag.id for flag in shuffled.flags} == {flag.id for flag in straight.flags}


@thoroughly
@given(st.data())
def test_one_more_rule_never_lowers_an_urgency(protocol: Protocol, data: st.DataObject) -> None:
    answers = data.draw(walks(protocol))
    some = data.draw(st.sets(st.sampled_from(protocol.rules.rules)))
    more = data.draw(st.sampled_from(protocol.rules.rules))
    fewer = tuple(rule for rule in protocol.rules.rules if rule in some and rule is not more)
    all_ = tuple(rule for rule in protocol.rules.rules if rule in some or rule is more)
    assert rank(with_rules(protocol, all_), answers) >= rank(with_rules(protocol, fewer), answers)


@thoroughly
@given(st.data(), st.booleans())
def test_hiding_a_question_is_the_same_as_never_having_asked_it(
    protocol: Protocol, data: st.DataObject, si_screen: bool
) -> None:
    answers = data.draw(any_answers(protocol))
    kept = kept_answers(protocol, answers, si_screen=si_screen)
    assert assess(protocol, answers, si_screen=si_screen) == assess(
        protocol, kept, si_screen=si_screen
    )
    assert kept_answers(protocol, kept, si_screen=si_screen) == kept
    assert set(kept) <= set(visible(protocol, answers, si_screen=si_screen))


@thoroughly
@given(st.data())
def test_assessing_twice_says_the_same_and_changes_nothing(
    protocol: Protocol, data: st.DataObject
) -> None:
    answers = data.draw(any_answers(protocol))
    before = copy.deepcopy(answers)
    assert assess(protocol, answers) == assess(protocol, answers)
    assert answers == before


@thoroughly
@given(st.data())
def test_a_worse_answer_never_gives_a_lower_urgency(
    protocol: Protocol, data: st.DataObject
) -> None:
    answers: dict[str, Any] = data.draw(walks(protocol, calm=data.draw(st.booleans())))
    asked = frozenset(visible(protocol, answers))
    steps = [
        {question.id: worse}
        for question in protocol.questions
        if question.id in asked
        for worse in worse_answers(question, answers.get(question.id))
    ]
    step = data.draw(st.sampled_from(steps))
    more = data.draw(walks(protocol, answers | step, asked, calm=True))
    assert rank(protocol, more) >= rank(protocol, answers), step


def lowered(protocol: Protocol, rows: Iterable[golden.Row]) -> Iterator[tuple[str, str, Value]]:
    """Yield (case, question, worse answer) where the worse answer lowers the urgency of the case.

    A worse answer that opens a new question is left out, because the law about walks covers it.
    """
    for row in rows:
        answers, meta = golden.answers_of(protocol, row["answers"])
        asked = {*visible(protocol, answers)}
        before = RANKS[assess(protocol, answers, **meta).urgency]
        for question in protocol.questions:
            for worse in worse_answers(question, answers.get(question.id)):
                step = answers | {question.id: worse}
                if question.id not in asked or not asked.issuperset(visible(protocol, step)):
                    continue
                if RANKS[assess(protocol, step, **meta).urgency] < before:
                    yield row["case"], question.id, worse


def test_a_worse_answer_never_lowers_a_case_of_the_golden_table(protocol: Protocol) -> None:
    """The test takes every 30th case, and `make laws` every third."""
    rows = golden.all_cases(protocol)[:: 30 // min(examples(1), 30)]
    assert list(lowered(protocol, rows)) == []


def test_a_rule_that_talks_itself_down_is_found(protocol: Protocol) -> None:
    """Without S01, one more sign in the same leg lowers the urgency of the calf pain in S02."""
    rows = [row for row in golden.all_cases(protocol) if row["case"].startswith("S02-")]
    rules = tuple(rule for rule in protocol.rules.rules if rule.id != "S01")
    found = {(id, worse) for _case, id, worse in lowered(with_rules(protocol, rules), rows)}
    assert ("leg_new", ("swelling_one", "calf_thigh_pain")) in found


SWELLINGS = ("new_swelling_one", "new_swelling_both", "long_swelling_one")
COMPLAINTS = {
    "sore_wound": ("open_sore",),
    "swelling": SWELLINGS,
    "walking_pain": ("walking_pain",),
    "numbness": ("numb_feet",),
    "sore": ("open_sore",),
    "swollen": SWELLINGS,
    "bled": ("vein_bled_before",),
}
"""A complaint → facts. A complaint that is not described counts as one of these facts."""


@thoroughly
@given(st.data())
def test_a_complaint_that_is_not_described_counts_or_is_asked_again(
    protocol: Protocol, data: st.DataObject
) -> None:
    question = protocol.question(protocol.uses.complaint[0])
    option = data.draw(st.sampled_from([o.code for o in question.options if o.code in COMPLAINTS]))
    begun: dict[str, Value] = {question.id: option}
    answers = data.draw(walks(protocol, begun, frozenset(begun), calm=True))
    known = compute(protocol, answers)
    old_of_both = answers.get("leg_side") == "both" and answers["onset"] not in ("today", "d2_14")
    assert (
        any(known[fact] for fact in COMPLAINTS[option])
        or answers.get("reason_again") in ("gone", "meant_other")
        or (COMPLAINTS[option] == SWELLINGS and old_of_both)
        or rank(protocol, answers) >= RANKS["same_day"]
    )


@thoroughly
@given(st.data())
def test_every_walk_ends_with_nothing_left_to_answer(
    protocol: Protocol, data: st.DataObject
) -> None:
    answers: dict[str, Any] = {}
    seen: list[str] = []
    while ahead := [page for page in route(protocol, answers) if page.id not in seen]:
        seen.append(ahead[0].id)
        for question in ahead[0].questions:
            if question.required or data.draw(st.booleans()):
                answers[question.id] = data.draw(values(question))
    pages = route(protocol, answers)
    assert all(page_done(page, answers) for page in pages)
    assert seen == [page.id for page in pages]


def test_every_page_is_reached_by_some_case_of_the_golden_table(protocol: Protocol) -> None:
    reached = {
        page.id
        for row in golden.all_cases(protocol)
        for page in route(protocol, golden.answers_of(protocol, row["answers"])[0])
    }
    assert reached == {page.id for page in protocol.pages}


@thoroughly
@given(st.data())
def test_answers_come_back_from_json_as_they_were(protocol: Protocol, data: st.DataObject) -> None:
    answers = data.draw(any_answers(protocol))
    assert from_json(protocol, to_json(answers)) == answers


@thoroughly
@given(st.data())
def test_a_flag_never_changes_an_urgency(protocol: Protocol, data: st.DataObject) -> None:
    answers = data.draw(walks(protocol))
    without = tuple(rule for rule in protocol.rules.rules if rule.level != FLAG)
    assert rank(with_rules(protocol, without), answers) == rank(protocol, answers)


@thoroughly
@given(st.data())
def test_an_assessment_comes_back_from_json_as_it_was(
    protocol: Protocol, data: st.DataObject
) -> None:
    found = assess(protocol, data.draw(walks(protocol)))
    assert Assessment.from_json(found.to_json()) == found


@thoroughly
@given(st.data())
def test_in_every_language_the_same_is_asked_and_judged(
    protocol: Protocol, data: st.DataObject
) -> None:
    answers = data.draw(walks(protocol))
    asked = [[question.id for question in page.questions] for page in route(protocol, answers)]
    judged = assess(protocol, answers)
    for language in languages(protocol.name):
        spoken = documents.wording(protocol.content_hash, language).protocol
        there = [[question.id for question in page.questions] for page in route(spoken, answers)]
        assert there == asked
        found = assess(spoken, answers)
        assert (found.urgency, found.computed) == (judged.urgency, judged.computed)
        assert [rule.id for rule in found.fired] == [rule.id for rule in judged.fired]
