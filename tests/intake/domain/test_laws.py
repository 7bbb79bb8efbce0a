"""Laws that hold for all answers, whatever the rules are."""

import copy
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake.authoring import golden
from intake.domain.answers import from_json, to_json
from intake.domain.definition import FLAG, Answers, Protocol, Rule
from intake.domain.grammar import AnswerCondition
from intake.domain.route import kept_answers, page_done, route, visible
from intake.domain.triage import assess
from intake.protocols import current
from tests.intake.domain.altered import with_rules
from tests.intake.domain.walks import any_answers, values, walks

PROTOCOL = current()
thoroughly = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


def rank(protocol: Protocol, answers: Answers) -> int:
    return protocol.level(assess(protocol, answers).urgency).rank


@thoroughly
@given(walks(PROTOCOL), st.randoms())
def test_the_order_of_rules_never_matters(answers: Answers, random: Random) -> None:
    rules = list(PROTOCOL.rules.rules)
    random.shuffle(rules)
    shuffled = assess(with_rules(PROTOCOL, tuple(rules)), answers)
    straight = assess(PROTOCOL, answers)
    assert shuffled.urgency == straight.urgency
    assert {rule.id for rule in shuffled.fired} == {rule.id for rule in straight.fired}
    assert {flag.id for flag in shuffled.flags} == {flag.id for flag in straight.flags}


@thoroughly
@given(
    walks(PROTOCOL),
    st.sets(st.sampled_from(PROTOCOL.rules.rules)),
    st.sampled_from(PROTOCOL.rules.rules),
)
def test_one_more_rule_never_lowers_an_urgency(
    answers: Answers, some: set[Rule], more: Rule
) -> None:
    fewer = tuple(rule for rule in PROTOCOL.rules.rules if rule in some and rule is not more)
    all_ = tuple(rule for rule in PROTOCOL.rules.rules if rule in some or rule is more)
    assert rank(with_rules(PROTOCOL, all_), answers) >= rank(with_rules(PROTOCOL, fewer), answers)


@thoroughly
@given(any_answers(PROTOCOL), st.booleans())
def test_hiding_a_question_is_the_same_as_never_having_asked_it(
    answers: Answers, si_screen: bool
) -> None:
    kept = kept_answers(PROTOCOL, answers, si_screen=si_screen)
    assert assess(PROTOCOL, answers, si_screen=si_screen) == assess(
        PROTOCOL, kept, si_screen=si_screen
    )
    assert kept_answers(PROTOCOL, kept, si_screen=si_screen) == kept
    assert set(kept) <= set(visible(PROTOCOL, answers, si_screen=si_screen))


@thoroughly
@given(any_answers(PROTOCOL))
def test_assessing_twice_says_the_same_and_changes_nothing(answers: dict[str, Any]) -> None:
    before = copy.deepcopy(answers)
    assert assess(PROTOCOL, answers) == assess(PROTOCOL, answers)
    assert answers == before


def only_positive_options() -> list[tuple[str, str]]:
    """Return the (question, option) pairs that urgent rules read, and never under `not`."""

    def read(condition: AnswerCondition, negated: bool) -> set[tuple[str, str, bool]]:
        if condition.not_ is not None:
            return read(condition.not_, not negated)
        found = set()
        for part in condition.all or condition.any or ():
            found |= read(part, negated)
        if condition.q is not None and condition.op in ("contains", "contains_any"):
            codes = condition.value if isinstance(condition.value, tuple) else (condition.value,)
            found |= {(condition.q, str(code), negated) for code in codes}
        return found

    uses = set()
    for rule in PROTOCOL.rules.rules:
        if rule.level in ("emergency", "same_day"):
            uses |= read(rule.when, negated=False)
    return sorted({(q, code) for q, code, negated in uses if (q, code, True) not in uses})


@thoroughly
@given(walks(PROTOCOL), st.sampled_from(only_positive_options()), st.data())
def test_ticking_one_more_sign_never_lowers_an_urgency(
    answers: dict[str, Any], sign: tuple[str, str], data: st.DataObject
) -> None:
    id, code = sign
    question = PROTOCOL.question(id)
    asked = frozenset(visible(PROTOCOL, answers))
    if id not in asked:
        return
    ticked = {*answers.get(id, ()), code} - set(question.exclusive)
    more = answers | {id: tuple(o.code for o in question.options if o.code in ticked)}
    more = data.draw(walks(PROTOCOL, more, asked))
    assert rank(PROTOCOL, more) >= rank(PROTOCOL, answers)


@thoroughly
@given(st.data())
def test_every_walk_ends_with_nothing_left_to_answer(data: st.DataObject) -> None:
    answers: dict[str, Any] = {}
    seen: list[str] = []
    while ahead := [page for page in route(PROTOCOL, answers) if page.id not in seen]:
        seen.append(ahead[0].id)
        for question in ahead[0].questions:
            if question.required or data.draw(st.booleans()):
                answers[question.id] = data.draw(values(question))
    pages = route(PROTOCOL, answers)
    assert all(page_done(page, answers) for page in pages)
    assert seen == [page.id for page in pages]


def test_every_page_is_reached_by_some_case_of_the_golden_table() -> None:
    reached = {
        page.id
        for row in golden.read(golden.table_of("legs"))
        for page in route(PROTOCOL, golden.answers_of(PROTOCOL, row["answers"])[0])
    }
    assert reached == {page.id for page in PROTOCOL.pages}


@thoroughly
@given(any_answers(PROTOCOL))
def test_answers_come_back_from_json_as_they_were(answers: Answers) -> None:
    assert from_json(PROTOCOL, to_json(answers)) == answers


@thoroughly
@given(walks(PROTOCOL))
def test_a_flag_never_changes_an_urgency(answers: Answers) -> None:
    without = tuple(rule for rule in PROTOCOL.rules.rules if rule.level != FLAG)
    assert rank(with_rules(PROTOCOL, without), answers) == rank(PROTOCOL, answers)
