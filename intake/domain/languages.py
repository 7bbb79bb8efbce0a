"""What the checks have to know of a language: how it words a promise, a period and a danger.

English is written down here. Other languages have a file each (`intake/protocols/languages`).
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from intake.domain.grammar import Base


class Alarms(Base, frozen=True):
    """For each danger that a clinician must know on the same day, a sentence of a patient."""

    chest: str
    breath: str
    suicide: str
    black_skin: str
    cold_leg: str
    face: str
    faint: str
    bleeding: str
    urine: str
    clot: str


class LanguageFacts(Base, frozen=True, dict=True):
    """The facts about a language that the checks need. Each pattern ignores case.

    Each pattern of `promises` finds a sentence that promises something. `periods` finds a period
    that is written out. `days` finds a sentence that names the day or the week in which the patient
    acts. `vague` finds a time without day and hour. `alarms` are sentences of patients that the
    alarm patterns of a protocol must find.
    """

    promises: tuple[str, ...]
    periods: str
    days: str
    vague: str
    alarms: Alarms

    def __post_init__(self) -> None:
        for pattern in (*self.promises, self.periods, self.days, self.vague):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"the pattern “{pattern}” cannot be used: {error}") from None

    @cached_property
    def promise(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(pattern, re.IGNORECASE) for pattern in self.promises)

    @cached_property
    def period(self) -> re.Pattern[str]:
        return re.compile(self.periods, re.IGNORECASE)

    @cached_property
    def day(self) -> re.Pattern[str]:
        return re.compile(self.days, re.IGNORECASE)

    @cached_property
    def vague_time(self) -> re.Pattern[str]:
        return re.compile(self.vague, re.IGNORECASE)


_WE: Final = r"\b(we|our (\w+ )?(clinic|staff|team)|some(one|body))\b"
_STAFF: Final = rf"({_WE}|\b(a|our|the) (nurse|clinician)\b)"
_WILL: Final = r"\b(will|shall|would like to|(hope|want|aim|try|going) to)\b"
_REACH: Final = r"\b(call|phone|ring|read|see|contact|reach|answer|write to|get back to)\b"
_DAY: Final = r"\b(today|tonight|tomorrow|this week)\b"

ENGLISH: Final = LanguageFacts(
    promises=(
        # "We will call you", "A nurse will contact you", "We would like to see you"
        rf"{_STAFF}[^,;:]*{_WILL}[^,;:]*{_REACH}",
        # "We will plan a scan", "We want to review it", "We call you"
        r"\bwe( also| then)? (will|shall|would|hope|want|aim|plan|try|going|are going)\b",
        r"\bwe( also| then)? (call|phone|ring|contact) ",
        # "within 6 weeks", "within days", "within one working day", "in the next 2 weeks"
        r"\bwithin (the )?(\w+ ){0,3}(days?|weeks?|months?)\b",
        r"\bin (the (next|coming) (\w+ )?|(\d+|one|two|three|a few) )(\w+ )?"
        r"(hours?|days?|weeks?|months?)\b",
        # "within 2 clinic hours", but not "within hours": that tells patients to hurry elsewhere
        r"\bwithin (the next )?(\d+|one|two|three|a few) (\w+ )?hours?\b",
        # "We read it today"
        rf"{_WE}[^,;:]*{_DAY}",
        rf"{_DAY}[^,;:]*{_WE}",
        # "at a regular visit"
        r"\bat (a|the|your) (regular|next) visit\b",
    ),
    alarms=Alarms(
        chest="I have chest pain.",
        breath="I cannot breathe.",
        suicide="I want to die.",
        black_skin="My toe is black.",
        cold_leg="My leg turned cold.",
        face="My face droops.",
        faint="I fainted.",
        bleeding="It won't stop bleeding.",
        urine="I can't pee.",
        clot="I think it is a blood clot.",
    ),
    periods=r"\b(\d+|an?|one|two|three) (clinic |business |working )?"
    r"(hours?|days?|weeks?|months?)\b",
    days=r"\b(today|tonight|this (week|month)|within (hours|days|weeks))\b",
    # "when we open, on {opening}" is not vague, because {opening} names the day and the hour
    vague=r"\b(tomorrow|tonight|((in|by|next|this) (the )?(morning|afternoon|evening))"
    r"|when we open(?!,?( on)? \(?\{opening\}))\b",
)
