"""Find sentences that promise what the clinic will do, or that name the time to act.

A promise holds for one level only, and only while the clinic can keep the promise. So a promise
belongs in the `promise` of a rule or in the `tell` of a level, never in a text that is always
shown. A time to act ("call your doctor this week") holds only if no rule of a higher level fired.
"""

from __future__ import annotations

import re

from intake.domain.languages import ENGLISH, LanguageFacts


def promising_sentences(text: str, language: LanguageFacts = ENGLISH) -> list[str]:
    """Return the sentences of a text that promise something, in their order."""
    return [
        sentence
        for sentence in _sentences(text)
        if any(pattern.search(sentence) for pattern in language.promise)
    ]


def without_times(text: str, language: LanguageFacts = ENGLISH) -> str:
    """Return the advice of a rule without its promises and times to act.

    Patients read this shorter advice if a rule of a higher level fired.
    """
    promising = promising_sentences(text, language)
    return " ".join(
        sentence
        for sentence in _sentences(text)
        if sentence not in promising and not language.day.search(sentence)
    )


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text.strip())
