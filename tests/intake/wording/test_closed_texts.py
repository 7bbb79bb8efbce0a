"""Cards while the clinic is closed, and the texts that a card omits below a higher level.

The tests take every rule and every pair of rules of every protocol, in both languages.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from clinic import hours, languages
from clinic.opening_hours import ClinicHours
from intake import protocols
from intake.domain.definition import FLAG, Rule
from intake.domain.languages import ENGLISH
from intake.domain.promises import promising_sentences
from intake.domain.triage import Fired
from intake.domain.wording import Wording, as_shown, in_language
from intake.questionnaire.views.emergencies import as_fired
from intake.wording import advice
from tests.intake import spanish

ZONE = ZoneInfo("America/New_York")
# Thursday, November 26, 2026, is a holiday
OPEN = datetime(2026, 11, 24, 10, tzinfo=ZONE)
CLOSED = {
    "Tuesday night": datetime(2026, 11, 24, 22, tzinfo=ZONE),
    "Wednesday before opening": datetime(2026, 11, 25, 8, 29, tzinfo=ZONE),
    "the evening before a holiday": datetime(2026, 11, 25, 18, tzinfo=ZONE),
    "the night of the holiday": datetime(2026, 11, 27, 1, tzinfo=ZONE),
    "Friday evening": datetime(2026, 11, 27, 17, tzinfo=ZONE),
    "Sunday noon": datetime(2026, 11, 29, 12, tzinfo=ZONE),
}
ELSEWHERE = re.compile(
    r"urgent care|emergency room|maternity unit|\b988\b"
    r"|atención urgente|sala de emergencias|unidad de maternidad"
)
WAITS = re.compile(r"You can wait for us|Puede esperarnos")


@pytest.fixture(autouse=True)
def week(settings) -> None:
    settings.CLINIC_HOURS = ClinicHours.parse(
        "Mon-Fri 08:30-17:00", ["2026-11-26"], "America/New_York"
    )


@cache
def words(name: str, language: str) -> Wording:
    """Return a protocol in a language, with a signed translation."""
    protocol = protocols.load(name)
    if language == "en":
        return Wording(protocol)
    translated = protocols.translated(name, language)
    assert translated is not None
    shown = as_shown(protocol, spanish.signed(protocol, translated))
    return in_language(protocol, shown, approved=True)


def facts(language: str) -> Any:
    return protocols.language_facts(language) or ENGLISH


def fired(name: str) -> list[Fired]:
    """Return all rules with a level, the most urgent first."""
    protocol = protocols.load(name)
    rules = [rule for rule in protocol.rules.rules if rule.level != FLAG]
    return [as_fired(rule) for rule in sorted(rules, key=lambda r: -protocol.level(r.level).rank)]


def same_day(name: str) -> Iterator[tuple[Rule, Fired]]:
    protocol = protocols.load(name)
    for one in fired(name):
        if one.level == "same_day":
            yield protocol.rule(one.id), one


def cards(words: Wording, rules: list[Fired], at: datetime) -> list[advice.Card]:
    return advice.cards(words, rules, among=rules, phone=True, at=at, ask=False)


WORDED = [(name, language) for name in protocols.available() for language in ("en", "es")]


@pytest.mark.parametrize(("name", "language"), WORDED)
def test_every_same_day_rule_says_what_to_do_at_every_hour(name, language):
    spoken = words(name, language)
    for rule, one in same_day(name):
        (card,) = cards(spoken, [one], OPEN)
        assert card.closed == "", rule.id
        for said, at in CLOSED.items():
            (card,) = cards(spoken, [one], at)
            opening = hours.settings_hours().next_opening(at)
            wait = (opening - at).total_seconds() <= (rule.may_wait_hours or 0) * 3600
            assert card.promise == "", (rule.id, said)
            assert "{" not in card.whole, (rule.id, said)
            assert not facts(language).vague_time.search(card.closed), (rule.id, said)
            if wait:
                clock = "8:30 am" if language == "en" else "8:30"
                assert clock in card.closed, (rule.id, said)
                assert f"{opening.day}" in card.closed, (rule.id, said)
            else:
                assert ELSEWHERE.search(card.closed), (rule.id, said)
                assert not WAITS.search(card.closed), (rule.id, said)


def test_a_foot_sore_may_wait_a_night_and_no_holiday_or_weekend():
    """NICE NG19 allows one working day for a foot sore."""
    spoken = words("legs", "en")
    one = next(one for rule, one in same_day("legs") if rule.may_wait_hours == 24)
    waits = {
        said for said, at in CLOSED.items() if "You can wait" in cards(spoken, [one], at)[0].closed
    }
    assert waits == {
        "Tuesday night",
        "Wednesday before opening",
        "the night of the holiday",
        "Sunday noon",
    }
    (card,) = cards(spoken, [one], CLOSED["Tuesday night"])
    assert "opens on Wednesday, November 25 at 8:30 am." in card.closed
    (card,) = cards(spoken, [one], CLOSED["Friday evening"])
    assert card.closed == spoken.protocol.level("same_day").closed


def pairs(name: str) -> Iterator[tuple[Fired, Fired]]:
    """Yield each pair of rules, the more urgent first. Only `legs` yields pairs of shared rules."""
    known = set() if name == "legs" else {rule.id for rule in protocols.load("legs").rules.rules}
    for high, low in combinations(fired(name), 2):
        if not {high.id, low.id} <= known:
            yield high, low


@pytest.mark.parametrize(("name", "language"), WORDED)
def test_no_pair_of_rules_contradicts_itself(name, language):
    spoken, known = words(name, language), facts(language)
    for high, low in pairs(name):
        shown = cards(spoken, [high, low], CLOSED["Tuesday night"])
        told = [(card.closed, card.advice) for card in shown]
        assert len(told) == len(set(told)), (high.id, low.id)
        if len(told) == 2 and high.level != low.level:
            below = shown[1]
            assert below.advice, (high.id, low.id)
            assert (below.closed, below.promise) == ("", ""), (high.id, low.id)
            assert not promising_sentences(below.advice, known), (high.id, low.id)
            assert not known.day.search(below.advice), (high.id, low.id)
            continue
        if any(ELSEWHERE.search(card.closed) for card in shown):
            assert not any(WAITS.search(card.closed) for card in shown), (high.id, low.id)
        promised = [card for card in cards(spoken, [high, low], OPEN) if card.promise]
        assert len(promised) <= 1, (high.id, low.id)


def test_the_paper_names_each_rule_whose_patient_may_wait_for_a_clinician_to_confirm():
    paper = Path(settings.BASE_DIR, "docs/clinical-safety.md").read_text(encoding="utf-8")
    for rule, _fired in (each for name in protocols.available() for each in same_day(name)):
        if rule.may_wait_hours:
            row = rf"^\| [^|]*\b{rule.id}\b[^|]*\| {rule.may_wait_hours} \|"
            assert re.search(row, paper, re.MULTILINE), rule.id


@pytest.mark.parametrize(("name", "language"), WORDED)
def test_who_is_asked_to_call_the_same_day_reads_where_to_go_when_nobody_answers(name, language):
    said, then = {
        "en": ("call us the same day", "If we are closed, go to"),
        "es": ("llámenos el mismo día", "Si estamos cerrados, vaya a"),
    }[language]
    advice = [rule.advice for rule in words(name, language).protocol.rules.rules]
    asked = [text for text in advice if said in text.casefold()]
    assert asked
    assert all(then in text for text in asked), asked


def test_no_sentence_of_a_page_says_morning_where_day_and_hour_are_known():
    every = (settings.LOCALE_PATHS[0] / languages.POT).read_text(encoding="utf-8")
    known = (
        *("when we open, %(opening)s", "My legs are heavy, swollen by evening"),
        # what a patient may answer to "May we call you?"
        "Yes, but only in the",
        # the drawing of a day and a night
        *(
            "A curve shows the need to move",
            "low again in the morning",
            "need to move is strongest",
        ),
    )
    found = [line for line in every.splitlines() if ENGLISH.vague_time.search(line)]
    assert [line for line in found if not any(words in line for words in known)] == []
