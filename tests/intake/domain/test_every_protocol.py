"""What holds of every protocol in the folder, served or not."""

import re

import pytest

from intake import protocols
from intake.domain import translation
from intake.domain.definition import FLAG
from intake.domain.problems import problems
from intake.domain.readability import READING_GRADE, reading_grade

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
    """The advice is measured by `problems`; a question and its help are read in the same hurry."""
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
    """A payer's rule is a flag, says that it is one, and no rule with a level reads it."""
    payer = "Payer rule, patient-reported, not a clinical reason to wait"
    protocol = protocols.load(name)
    for rule in protocol.rules.rules:
        reads_it = any("payer" in value for value in rule.when.computed())
        assert reads_it == rule.reason.startswith(payer)
        assert not reads_it or rule.level == FLAG
    for line in protocol.summary:
        assert ("Payer" in line.label) == line.label.startswith(payer)
