"""Find sentences that promise what the clinic will do, or by when the clinic sees a patient.

A promise holds for one level only, and only while the clinic can keep it. So a promise belongs in
the `promise` of a rule or in the `tell` of a level, never in a text that is always shown.
"""

from __future__ import annotations

import re

from intake.domain.languages import ENGLISH, LanguageFacts


def promising_sentences(text: str, language: LanguageFacts = ENGLISH) -> list[str]:
    """Return the sentences of a text that promise something, in their order."""
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    return [
        sentence
        for sentence in sentences
        if any(pattern.search(sentence) for pattern in language.promise)
    ]
