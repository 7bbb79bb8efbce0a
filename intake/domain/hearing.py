"""Hear the free texts of a set of answers, and tell conditions what is heard."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from intake.domain.danger import Found, Reading
from intake.domain.danger_scope import NOW
from intake.domain.definition import Answers, Protocol
from intake.domain.grammar import AnswerCondition


class Hearing:
    """What is heard in the free texts, by question. Without readings nothing is heard."""

    def __init__(self, readings: Mapping[str, Reading]) -> None:
        self._readings = readings
        self._scopes: dict[tuple[str, tuple[re.Pattern[str], ...]], frozenset[str]] = {}
        self._heard = {
            (found.frame, found.scope) for reading in readings.values() for found in reading.found
        }

    def has(self, frames: Collection[str], scope: str) -> bool:
        """Whether one of the frames is heard with this scope.

        A frame that is also heard as now counts as now alone.
        """
        return any(
            heard == scope and frame in frames and (scope == NOW or (frame, NOW) not in self._heard)
            for frame, heard in self._heard
        )

    def scopes(
        self, question: str, patterns: tuple[re.Pattern[str], ...], text: str
    ) -> frozenset[str]:
        """Return the scopes of the words that patterns find in the answer to a question.

        `text` is the answer as patterns read it. Without a reading every scope is now.
        """
        reading = self._readings.get(question)
        if reading is None:
            found = any(pattern.search(text) for pattern in patterns)
            return frozenset((NOW,) if found else ())
        # several rules ask the same patterns
        if (question, patterns) not in self._scopes:
            self._scopes[question, patterns] = frozenset(
                reading.scope_at(text, hit.span())
                for pattern in patterns
                for hit in pattern.finditer(text)
            )
        return self._scopes[question, patterns]

    def found(self, condition: AnswerCondition) -> list[dict[str, Any]]:
        """Return what a condition heard, as JSON data: the question, the words and their places."""
        return [
            {"q": question, **found.to_json()}
            for question, found in self._all()
            if any(
                leaf.danger is not None
                and leaf.scope == found.scope
                and found.frame in leaf.danger
                and self.has((found.frame,), found.scope)
                for leaf in condition.leaves()
            )
        ]

    def all_found(self) -> tuple[Found, ...]:
        """Return everything that is heard, whatever its scope."""
        return tuple(found for _question, found in self._all())

    def _all(self) -> Iterator[tuple[str, Found]]:
        for question, reading in self._readings.items():
            yield from ((question, found) for found in reading.found)


SILENCE: Final = Hearing({})


def hear(protocol: Protocol, answers: Answers) -> Hearing:
    """Read the free texts of the answers. A protocol without words of danger hears nothing."""
    if protocol.danger is None:
        return SILENCE
    texts = {id: answers.get(id) for id in protocol.uses.free_text}
    own_words = protocol.questionnaire.words
    return Hearing(
        {
            id: Reading(protocol.danger, text, own_words)
            for id, text in texts.items()
            if isinstance(text, str)
        }
    )
