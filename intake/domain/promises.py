"""Find sentences that promise what the clinic will do, or by when it sees a patient.

A promise is true for one level only, and only while the clinic can keep it. So a promise belongs in
a rule's `promise` or in the words of a level, never in a text that is always shown.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from intake.domain.grammar import Base


class PromiseWords(Base, frozen=True, dict=True):
    """How a language says what a text may not say. Each pattern ignores case.

    `promises` are matched with one sentence each; `periods` finds a period that is written out.
    """

    promises: tuple[str, ...]
    periods: str

    def __post_init__(self) -> None:
        for pattern in (*self.promises, self.periods):
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


_WE: Final = r"\b(we|our (\w+ )?(clinic|staff|team)|some(one|body))\b"
_STAFF: Final = rf"({_WE}|\b(a|our|the) (nurse|clinician)\b)"
_WILL: Final = r"\b(will|shall|would like to|(hope|want|aim|try|going) to)\b"
_REACH: Final = r"\b(call|phone|ring|read|see|contact|reach|answer|write to|get back to)\b"
_DAY: Final = r"\b(today|tonight|tomorrow|this week)\b"

ENGLISH: Final = PromiseWords(
    promises=(
        # We will call you. A nurse will contact you. We would like to see you.
        rf"{_STAFF}[^,;:]*{_WILL}[^,;:]*{_REACH}",
        # within 6 weeks, within days, within one working day, in the next 2 weeks
        r"\bwithin (the )?(\w+ ){0,3}(days?|weeks?|months?)\b",
        r"\bin (the (next|coming) (\w+ )?|(\d+|one|two|three|a few) )(\w+ )?"
        r"(hours?|days?|weeks?|months?)\b",
        # within 2 clinic hours; 'within hours' tells a patient to go elsewhere now
        r"\bwithin (the next )?(\d+|one|two|three|a few) (\w+ )?hours?\b",
        # We read it today.
        rf"{_WE}[^,;:]*{_DAY}",
        rf"{_DAY}[^,;:]*{_WE}",
        # at a regular visit
        r"\bat (a|the|your) (regular|next) visit\b",
    ),
    periods=r"\b(\d+|an?|one|two|three) (clinic |business |working )?"
    r"(hours?|days?|weeks?|months?)\b",
)


def promising_sentences(text: str, words: PromiseWords = ENGLISH) -> list[str]:
    """Return the sentences of a text that promise something, in their order."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    return [
        sentence
        for sentence in sentences
        if any(pattern.search(sentence) for pattern in words.promise)
    ]
