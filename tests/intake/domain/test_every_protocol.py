"""Facts about every protocol in the folder, served or not."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake import protocols
from intake.authoring import counts
from intake.demonstration.material import material_of
from intake.domain import translation
from intake.domain.computed import SAFETY_RETRACTED, compute
from intake.domain.definition import FLAG, Value
from intake.domain.grammar import AnswerCondition
from intake.domain.problems import problems
from intake.domain.reachability import _Search
from intake.domain.readability import READING_GRADE, reading_grade
from intake.domain.triage import assess
from tests.examples import examples
from tests.intake.domain.walks import walks

NAMES = protocols.available()
pytestmark = pytest.mark.parametrize("name", NAMES)


def test_nothing_is_wrong_with_it(name: str) -> None:
    assert problems(protocols.load(name)) == []


def test_each_translation_is_whole_and_of_todays_protocol(name: str) -> None:
    protocol = protocols.load(name)
    assert "es" in protocols.languages(name)
    for language in protocols.languages(name):
        words = protocols.translated(name, language)
        assert words is not None
        assert translation.problems(protocol, words, protocols.language_facts(language)) == []


def test_nobody_has_signed_it(name: str) -> None:
    protocol = protocols.load(name)
    assert protocol.approval_faults == ("approved_by", "approved_on", "content_hash")
    for language in protocols.languages(name):
        words = protocols.translated(name, language)
        assert words is not None
        assert len(words.approval_faults) == len(translation.safety_faults(protocol, words)) == 3


def test_patients_read_short_sentences(name: str) -> None:
    """Measure how hard questions and help texts are to read. `problems` measures the advice."""
    for question in protocols.load(name).questions:
        for text in (question.text, question.help or ""):
            # in a text of few words, the formula overstates how hard one long word is
            assert len(text.split()) < 8 or reading_grade(text) <= READING_GRADE + 3, question.id


def test_no_patient_reads_the_code_of_a_unit(name: str) -> None:
    """A question names its unit, unless the unit is written on every laboratory report."""
    units = {question.shown_unit for question in protocols.load(name).questions}
    assert units <= {"", "%", "ng/mL", "g/dL"}


def test_its_readme_counts_right(name: str) -> None:
    assert counts.is_current(protocols.load(name)), f"manage.py protocol counts {name}"


def test_each_protocol_asks_and_judges_safety_with_the_same_parts(name: str) -> None:
    first, protocol = protocols.load(NAMES[0]), protocols.load(name)
    common = protocols.shared(NAMES[0]).keys() & protocols.shared(name).keys()
    assert protocol.question(protocol.uses.safety) == first.question(first.uses.safety)
    assert protocol.rules.levels == first.rules.levels
    assert protocol.rules.alarm_patterns == first.rules.alarm_patterns
    for rule in protocol.rules.rules:
        if rule.id in common:
            assert rule == first.rule(rule.id)
    emergencies = [
        {rule for rule in each.rules.rules if rule.level == "emergency"}
        for each in (first, protocol)
    ]
    assert emergencies[0] == emergencies[1]


NOTES = re.compile(
    r"no rule|these rules|higher rule|\bfired\b|\bsection \d|in-house|own-worded|pattern matches"
    r"|alarm pattern|audit log|\bdrafts?\b|[a-z]+_[a-z]+|\blists? class|\bshow the\b|\btodo\b"
    r"|design",
    re.IGNORECASE,
)
"""Notes between developers, which must not stand in a reason that a clinician reads."""


def test_a_reason_speaks_to_clinicians_and_lists_what_it_says_it_lists(name: str) -> None:
    """A reason that ends with a colon has `lists`, and no other reason mentions a list."""
    for rule in protocols.load(name).rules.rules:
        assert not NOTES.search(rule.reason), rule.id
        assert rule.reason.endswith(":") == bool(rule.lists), rule.id
        assert "listed" not in rule.reason, rule.id


def test_what_a_payer_asks_is_for_staff_alone(name: str) -> None:
    """A rule that reads a computed value about a payer is a flag. Its reason says "Payer rule"."""
    payer = "Payer rule, patient-reported, not a clinical reason to wait"
    protocol = protocols.load(name)
    for rule in protocol.rules.rules:
        reads_it = any("payer" in value for value in rule.when.computed())
        assert reads_it == rule.reason.startswith(payer)
        assert not reads_it or rule.level == FLAG
    for line in protocol.summary:
        assert ("Payer" in line.label) == line.label.startswith(payer)


def test_its_invented_people_answer_its_questions(name: str) -> None:
    asked = {question.id: question for question in protocols.load(name).questions}
    material = material_of(name)
    told = [answers for story in material.stories for answers in (story.answers, story.retracted)]
    for id, codes in [
        item for each in (material.weights, material.chances) for item in each.items()
    ]:
        assert codes.keys() <= {option.code for option in asked[id].options}, id
    for id, value in [item for answers in told for item in answers.items()]:
        codes = {option.code for option in asked[id].options}
        assert not codes or set(value if isinstance(value, list) else [value]) <= codes, id
    assert material.numbers.keys() | material.texts.keys() <= asked.keys()


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_the_search_takes_as_decided_stays_so(name: str, data: st.DataObject) -> None:
    """Once `_Search` treats a computed value as decided, no later answer changes the value.

    To save time, `_Search` may decide a value before it has chosen every answer that counts for it.
    """
    protocol = protocols.load(name)
    answers = data.draw(walks(protocol))
    in_the_end = compute(protocol, answers)
    for value in protocol.rules.computed.keys() - {SAFETY_RETRACTED}:
        search = _Search(protocol, AnswerCondition(var=value, op="eq", value=True))
        known: dict[str, Value | None] = {}
        for question in protocol.questions:
            decided = search._decided(protocol.rules.computed[value], known, retracted=False)
            assert decided in (None, (in_the_end[value],)), (value, len(known))
            known[question.id] = answers.get(question.id)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_part_2_changes_no_urgency_and_fires_no_rule_of_part_1_again(
    name: str, data: st.DataObject
) -> None:
    """Free text is left out, because words of danger in part 2 may raise the urgency."""
    protocol = protocols.load(name)
    uses, drawn = protocol.uses, data.draw(walks(protocol))
    both = {id: value for id, value in drawn.items() if id not in uses.free_text}
    both[uses.safety] = protocol.question(uses.safety).exclusive
    first = {id: value for id, value in both.items() if id not in uses.later}
    judged, alone = assess(protocol, both), assess(protocol, first)
    assert [rule.id for rule in judged.fired] == [rule.id for rule in alone.fired]
    second = assess(protocol, both, asked=uses.walks.part_2)
    assert (second.fired, second.interrupt, second.blocked) == ((), False, False)
    flags = {flag.id for flag in alone.flags} | {flag.id for flag in second.flags}
    assert {flag.id for flag in judged.flags} == flags
