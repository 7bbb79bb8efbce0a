"""Estimate how long a patient takes for a protocol, from the seconds of its questions."""

from __future__ import annotations

import math
from typing import Final

from intake.domain.definition import Protocol, Question
from intake.domain.route import pages_in
from intake.domain.uses import ADDITION, PART_2

WORDS_A_SECOND: Final = 200 / 60
"""Reading at 200 words a minute, which is slow for prose: each question asks for a decision."""
TAP_SECONDS: Final = 4
"""Finding a box or a button and touching it."""
LETTERS_A_SECOND: Final = 3
"""Typing at 36 words a minute on a phone."""
SOMETIMES: Final = 1 / 3
"""The share of the other questions that a typical patient meets: the people of the stories meet 0.5
of those of `legs` and 0.3 of those of `veins`."""
RARELY: Final = 0
"""The share for questions about words of danger, because a typical patient writes no such words."""
OWN_STEPS_SECONDS: Final = 150
"""The contact takes 68 seconds, the wish 19, and the check page 63, which shows both and folds the
other answers: measured over the pages as they are shown."""


def minutes(protocol: Protocol, kind: str = "intake") -> int:
    """Return how many minutes a typical patient takes, rounded up, and at least two.

    `kind` is the kind of walk. A typical patient answers the questions for everybody, and some of
    the other questions.
    """
    seconds: float = 0 if kind in (ADDITION, PART_2) else OWN_STEPS_SECONDS
    for page in pages_in(protocol.uses, kind, protocol.pages):
        shares = [
            RARELY if q.about else 1 if q.show_if is None else SOMETIMES for q in page.questions
        ]
        seconds += TAP_SECONDS * max(shares)
        for question, share in zip(page.questions, shares, strict=True):
            seconds += question.seconds * share
    return max(2, math.ceil(seconds / 60))


def reading_seconds(question: Question) -> float:
    """Return how many seconds it takes to read the question with its help and its options."""
    texts = (question.text, question.help or "", *(option.label for option in question.options))
    return sum(len(text.split()) for text in texts) / WORDS_A_SECOND
