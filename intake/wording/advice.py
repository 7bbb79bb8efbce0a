"""What a fired rule says to the patient: which sentences, in which order, with whose numbers.

`advice` is always shown. `promise` (somebody will call) only where a phone number is stored and the
clinic stays open for as long as the level allows. When it is closed the rule's `closed` text, or
else its level's, leads. Of several rules only those of the level that won say when, and one of them
promises something.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import get_language

from clinic import hours
from intake.domain.translation import Wording
from intake.domain.triage import Assessment, Fired

MOST_ADVICE = 3  # advice texts at once; more are not read
_NUMBERS = re.compile(r"\b(911|988)\b")
_CRISIS_QUESTION = "si_screen"  # its rules speak of the crisis line first


@dataclass(frozen=True)
class Card:
    """The words of one rule for one moment."""

    rule: str
    level: str  # an urgency, or 'crisis' for thoughts of suicide
    closed: str
    advice: str
    promise: str
    language: str = ""  # where it is another one than the page's: nobody has signed a translation

    @property
    def texts(self) -> list[str]:
        return [self.advice]

    @property
    def whole(self) -> str:
        """All of it as one text: what leads when the clinic is closed, the advice, the promise."""
        return " ".join(text for text in (self.closed, self.advice, self.promise) if text)


def with_local_numbers(text: str) -> str:
    """A protocol's text, written for the US, with this clinic's emergency and crisis numbers."""
    numbers = {"911": settings.EMERGENCY_NUMBER, "988": settings.CRISIS_LINE}
    return _NUMBERS.sub(lambda match: numbers[match[1]], text)


def card(words: Wording, fired: Fired, *, phone: bool, at: datetime) -> Card:
    """The card of one fired rule, as `words` say it. `phone` says whether a number of the patient
    is stored."""
    said = fired if words.shown is None else words.protocol.rule(fired.id)
    level, is_open = words.protocol.level(fired.level), hours.is_open(at)
    closed = "" if is_open else said.closed or level.closed or ""
    by = at + timedelta(hours=level.contact_within.open_hours or 0)
    may_promise = phone and is_open and by <= hours.current().closing(at)
    spoken = words.language_of(fired.level)
    return Card(
        rule=fired.id,
        level="crisis" if _CRISIS_QUESTION in fired.inputs else fired.level,
        closed=with_local_numbers(closed),
        advice=with_local_numbers(said.advice),
        promise=with_local_numbers(said.promise or "") if may_promise else "",
        language="" if spoken == (get_language() or "en") else spoken,
    )


def cards(
    words: Wording, fired: Iterable[Fired], *, urgency: str, phone: bool, at: datetime
) -> list[Card]:
    """The cards of several rules, in their order. `urgency` is the level that won: the rules of a
    lower one keep their advice alone. A page says once what the clinic will do."""
    made: list[Card] = []
    for rule in fired:
        one = card(words, rule, phone=phone, at=at)
        if rule.level != urgency:
            one = replace(one, closed="", promise="")
        elif any(other.promise for other in made):
            one = replace(one, promise="")
        made.append(one)
    return made


def red_flags(assessment: Assessment) -> list[Fired]:
    """The fired rules of level emergency and same day."""
    return [fired for fired in assessment.fired if fired.level in ("emergency", "same_day")]


def winning_rules(assessment: Assessment) -> list[Fired]:
    """The fired rules of the level that won."""
    return [fired for fired in assessment.fired if fired.level == assessment.urgency]
