"""Put the texts of fired rules together for the patient, with this clinic's phone numbers.

The `advice` of a rule is always shown. The `promise` (the clinic will call) is shown only if a
phone number is stored and the clinic stays open until the contact time of the level.

While the clinic is closed, the rule's `closed` text comes first. If the clinic opens later than the
patient may wait (`may_wait_hours`), the level's `closed` text stands there instead, which sends the
patient elsewhere. The level `urgent` shows its `closed` text only if closures delay its target by
more than a business day.

If several rules fire, `promise` and `closed` are shown only for rules of the highest level, and at
most one promise is shown. The advice of a rule with a lower level is shown without promises and
times to act.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import override

from clinic import hours
from clinic.opening_hours import ClinicHours
from intake.domain.definition import Level
from intake.domain.languages import ENGLISH
from intake.domain.promises import without_times
from intake.domain.triage import Assessment, Fired
from intake.domain.wording import Wording
from intake.protocols import language_facts
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
    draft: bool = False  # a translation that nobody has signed, in a demonstration

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


def may_wait(words: Wording, fired: Fired, calendar: ClinicHours, at: datetime) -> bool:
    """Return whether the clinic is closed and the rule lets the patient wait for the opening."""
    allowed = timedelta(hours=words.protocol.rule(fired.id).may_wait_hours or 0)
    return not calendar.is_open(at) and calendar.next_opening(at) - at <= allowed


def all_may_wait(
    words: Wording, fired: Iterable[Fired], calendar: ClinicHours, at: datetime
) -> bool:
    """Return whether every rule lets the patient wait for the opening."""
    return all(may_wait(words, rule, calendar, at) for rule in fired)


def _closed(
    words: Wording, fired: Fired, calendar: ClinicHours, at: datetime, *, wait: bool
) -> str:
    """Return what the patient reads first while the clinic is closed; '' while it is open."""
    level, rule = words.protocol.level(fired.level), words.protocol.rule(fired.id)
    own = (fired if words.shown is None else rule).closed
    if level.code == "urgent" and not own:
        return level.closed or "" if is_put_off(level, calendar, at) else ""
    if calendar.is_open(at):
        return ""
    if not rule.may_wait_hours:
        return own or level.closed or ""
    if not wait or not may_wait(words, fired, calendar, at):
        return level.closed or ""
    return filled(own or "", level, opening=hours.day_words(calendar.next_opening(at), at))


def card(
    words: Wording,
    fired: Fired,
    *,
    phone: bool,
    at: datetime,
    place: object = None,
    ask: bool = True,
    wait: bool = True,
) -> Card:
    """Make the card of one fired rule, in the language of `words`.

    `phone` says whether a phone number of the patient is stored, `place` is the id of the place
    that the patient chose. `ask=False` does not ask the database whether the place is open.
    `wait=False` says that another rule sends the patient elsewhere, so this card must not let the
    patient wait.
    """
    texts = fired if words.shown is None else words.protocol.rule(fired.id)
    level, calendar = words.protocol.level(fired.level), hours.current(place, ask=ask)
    language, promise = words.language_of(fired.level), ""
    by = at + timedelta(hours=level.contact_within.open_hours or 0)
    with override(language):
        if phone and calendar.is_open(at) and by <= calendar.closing(at):
            promise = filled(texts.promise or "", level)
        closed = _closed(words, fired, calendar, at, wait=wait)
        if level.code == "same_day" and not may_wait(words, fired, calendar, at):
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
        draft=words.is_draft(fired.level),
    )


def cards(
    words: Wording,
    fired: Iterable[Fired],
    *,
    among: Sequence[Fired],
    phone: bool,
    at: datetime,
    place: object = None,
    ask: bool = True,
) -> list[Card]:
    """Make the cards of several rules, in the order of the rules. `card` explains the arguments.

    `among` are all rules that fired, the most urgent first. Cards of rules below the highest level
    have only the advice, without times. At most one card has a promise. If one rule of the highest
    level sends the patient elsewhere, no card lets the patient wait. Two rules with the same words
    make one card.
    """
    made: list[Card] = []
    wait = all_may_wait(words, winners(among), hours.current(place, ask=ask), at)
    for rule in fired:
        one = card(words, rule, phone=phone, at=at, place=place, ask=ask, wait=wait)
        if rule.level != among[0].level:
            facts = language_facts(words.language_of(rule.level)) or ENGLISH
            one = replace(one, closed="", promise="", advice=without_times(one.advice, facts))
            if not one.advice:
                continue
        elif any(other.promise for other in made):
            one = replace(one, promise="")
        if not any((one.closed, one.advice) == (other.closed, other.advice) for other in made):
            made.append(one)
    return made


def red_flags(assessment: Assessment) -> list[Fired]:
    """Return the fired rules of the levels emergency and same day."""
    return [fired for fired in assessment.fired if fired.level in ("emergency", "same_day")]


def winning_rules(assessment: Assessment) -> list[Fired]:
    """Return the fired rules of the level that decides the urgency."""
    return winners(assessment.fired)


def winners(fired: Sequence[Fired]) -> list[Fired]:
    """Return the rules of the highest level. `fired` must have the most urgent rule first."""
    return [rule for rule in fired if rule.level == fired[0].level]
