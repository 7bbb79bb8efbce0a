"""Put the texts of fired rules together for the patient, with this clinic's phone numbers.

The `advice` of a rule is always shown. The `promise` (the clinic will call) is shown only if a
phone number is stored and the clinic stays open until the contact time of the level. While the
clinic is closed, the text `closed` of the rule, or else of its level, comes first. The level
`urgent` shows its text only when closures put its target off by more than a business day. If
several rules fire, `promise` and `closed` are shown only for rules of the highest level, and at
most one promise is shown.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import override

from clinic import hours
from clinic.opening_hours import ClinicHours
from intake.domain.definition import Level
from intake.domain.triage import Assessment, Fired
from intake.domain.wording import Wording
from intake.wording.closures import unread_words
from intake.wording.languages import if_foreign
from intake.wording.periods import filled

MOST_ADVICE = 3  # how many advice texts are shown at once, because patients do not read more
POISON = "1-800-222-1222"
_NUMBERS = re.compile(rf"\b(911|988|{POISON})\b")


@dataclass(frozen=True)
class Card:
    """The texts of one fired rule that are shown to the patient at one moment."""

    rule: str
    level: str  # an urgency, or 'crisis' for thoughts of suicide
    closed: str
    advice: str
    promise: str
    language: str = ""  # the texts' language, if it is not that of the page

    @property
    def whole(self) -> str:
        """All texts in one: the text for a closed clinic, the advice, the promise."""
        return " ".join(text for text in (self.closed, self.advice, self.promise) if text)


def with_local_numbers(text: str) -> str:
    """Replace the US numbers in a protocol's text with this clinic's numbers."""
    numbers = {
        "911": settings.EMERGENCY_NUMBER,
        "988": settings.CRISIS_LINE,
        POISON: settings.POISON_LINE,
    }
    return _NUMBERS.sub(lambda match: numbers[match[1]], text)


def is_put_off(level: Level, calendar: ClinicHours, at: datetime) -> bool:
    """Return whether closures move a target in business days by more than one business day."""
    days = level.contact_within.business_days
    if not days:
        return False
    usual = calendar.usual.add_business_days(at, days + 1)
    return usual < calendar.add_business_days(at, days)


def card(
    words: Wording,
    fired: Fired,
    *,
    phone: bool,
    at: datetime,
    place: object = None,
    ask: bool = True,
) -> Card:
    """Make the card of one fired rule, in the language of `words`.

    `phone` says whether a phone number of the patient is stored, `place` is the id of the place
    that the patient chose. `ask=False` asks no database whether the place is open.
    """
    texts = fired if words.shown is None else words.protocol.rule(fired.id)
    level, calendar = words.protocol.level(fired.level), hours.current(place, ask=ask)
    is_open, language, promise = calendar.is_open(at), words.language_of(fired.level), ""
    closed = "" if is_open else texts.closed or ""
    if is_put_off(level, calendar, at) if level.code == "urgent" else not is_open:
        closed = closed or level.closed or ""
    by = at + timedelta(hours=level.contact_within.open_hours or 0)
    with override(language):
        if closed:
            opening = hours.day_words(calendar.next_opening(at), at)
            closed = filled(closed, level, opening=opening)
        if phone and is_open and by <= calendar.closing(at):
            promise = filled(texts.promise or "", level)
        if level.code == "same_day":
            closed = f"{unread_words(at, place, ask=ask)} {closed}".strip()
    # a rule about thoughts of suicide gets the level "crisis", so that the page names the crisis
    # line
    return Card(
        rule=fired.id,
        level="crisis" if fired.id in words.protocol.crisis_rules else fired.level,
        closed=with_local_numbers(closed),
        advice=with_local_numbers(texts.advice),
        promise=with_local_numbers(promise),
        language=if_foreign(language),
    )


def cards(
    words: Wording,
    fired: Iterable[Fired],
    *,
    urgency: str,
    phone: bool,
    at: datetime,
    place: object = None,
    ask: bool = True,
) -> list[Card]:
    """Make the cards of several rules, in the order of the rules. `card` explains the arguments.

    `urgency` is the highest level. Cards of rules with a lower level have only the advice. At most
    one card has a promise.
    """
    made: list[Card] = []
    for rule in fired:
        one = card(words, rule, phone=phone, at=at, place=place, ask=ask)
        if rule.level != urgency:
            one = replace(one, closed="", promise="")
        elif any(other.promise for other in made):
            one = replace(one, promise="")
        made.append(one)
    return made


def red_flags(assessment: Assessment) -> list[Fired]:
    """Return the fired rules of the levels emergency and same day."""
    return [fired for fired in assessment.fired if fired.level in ("emergency", "same_day")]


def winning_rules(assessment: Assessment) -> list[Fired]:
    """Return the fired rules of the level that decides the urgency."""
    return [fired for fired in assessment.fired if fired.level == assessment.urgency]
