"""Facts about every protocol in the folder, served or not."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intake import protocols
from intake.demonstration.material import material_of
from intake.domain import translation
from intake.domain.computed import SAFETY_RETRACTED, compute
from intake.domain.definition import FLAG, Value
from intake.domain.grammar import AnswerCondition
from intake.domain.problems import problems
from intake.domain.reachability import _Search
from intake.domain.readability import READING_GRADE, reading_grade
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
        assert translation.problems(protocol, words) == []


def test_nobody_has_signed_it(name: str) -> None:
    protocol = protocols.load(name)
    assert protocol.approval_faults == ("approved_by", "approved_on", "content_hash")
    for language in protocols.languages(name):
        words = protocols.translated(name, language)
        assert words is not None
        assert len(words.approval_faults) == len(translation.safety_faults(protocol, words)) == 3


def test_patients_read_short_sentences(name: str) -> None:
    """Measure questions and help texts, which patients read in the same hurry as the advice.

    The function `problems` measures the advice.
    """
    for question in protocols.load(name).questions:
        for text in (question.text, question.help or ""):
            # one long word makes a short question hard by the formula
            assert len(text.split()) < 8 or reading_grade(text) <= READING_GRADE + 3, question.id


def test_its_readme_counts_right(name: str) -> None:
    protocol = protocols.load(name)
    readme = (protocols.HERE / name / "README.md").read_text(encoding="utf-8")
    counted = re.search(r"(\d+) questions, (\w+) computed values, (\d+) rules", readme)
    assert counted is not None
    assert int(counted[1]) == len(protocol.questions)
    assert int(counted[3]) == len(protocol.rules.rules)
    words = {6: "six", 12: "twelve"}
    assert counted[2] == words[len(protocol.rules.computed)]


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


def test_what_a_payer_asks_is_for_staff_alone(name: str) -> None:
    """A payer's rule is a flag and says that it is a payer's. No rule with a level reads it."""
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
    """The search for answers leaves a branch when a computed value is decided before its last
    answer. No later answer changes such a value."""
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
