"""Estimate how long a patient takes for a protocol, from the seconds of its questions."""

from __future__ import annotations

import math
from typing import Final

from intake.domain.definition import Protocol, Question

WORDS_A_SECOND: Final = 2.5
"""The reading speed: 150 words a minute, at night, on a phone, with a decision at the end."""
OWN_STEPS_SECONDS: Final = 210
"""The time for the contact, the wish, and reading all answers once more on the check page."""


def minutes(protocol: Protocol) -> int:
    """Return how many minutes a typical patient takes, rounded up to a multiple of five.

    A typical patient answers all questions without a condition and half of the other questions.
    """
    always = sum(q.seconds for q in protocol.questions if q.show_if is None)
    sometimes = sum(q.seconds for q in protocol.questions if q.show_if is not None)
    return 5 * math.ceil((always + sometimes / 2 + OWN_STEPS_SECONDS) / 300)


def reading_seconds(question: Question) -> float:
    """Return how many seconds it takes to read the question with its help and its options."""
    texts = (question.text, question.help or "", *(option.label for option in question.options))
    return sum(len(text.split()) for text in texts) / WORDS_A_SECOND
