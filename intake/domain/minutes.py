"""Say how long a protocol takes, by the seconds that its questions take."""

from __future__ import annotations

import math
from typing import Final

from intake.domain.definition import Protocol, Question
from intake.domain.route import pages_without

WORDS_A_SECOND: Final = 200 / 60
"""Reading at 200 words a minute, which is slow for prose: each question asks for a decision."""
TAP_SECONDS: Final = 4
"""Finding a box or a button and touching it."""
OWN_STEPS_SECONDS: Final = 330
"""The contact takes 115 seconds, the wish 45, and reading all answers once more 170: measured over
the pages as they are shown."""


def minutes(protocol: Protocol) -> int:
    """Return how many minutes a typical patient takes, rounded up to five.

    A typical patient answers what everybody is asked, and meets half of the other questions and
    pages.
    """
    seconds: float = OWN_STEPS_SECONDS
    for page in pages_without(protocol.pages, protocol.uses.contact.stored_names):
        shares = [1 if q.show_if is None else 0.5 for q in page.questions]
        seconds += TAP_SECONDS * max(shares)
        seconds += sum(q.seconds * share for q, share in zip(page.questions, shares, strict=True))
    return 5 * math.ceil(seconds / 300)


def reading_seconds(question: Question) -> float:
    """Return how long it takes to read the question with its help and its options."""
    texts = (question.text, question.help or "", *(option.label for option in question.options))
    return sum(len(text.split()) for text in texts) / WORDS_A_SECOND
