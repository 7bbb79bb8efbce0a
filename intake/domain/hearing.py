"""Hear the free texts of a set of answers, and tell conditions what is heard."""

from __future__ import annotations

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

    def scope_at(self, question: str, text: str, span: tuple[int, int]) -> str:
        """Return the scope of words that a pattern found in the answer to a question.

        `span` is their place in `text`, the answer as patterns read it. Without a reading the scope
        is now.
        """
        reading = self._readings.get(question)
        return NOW if reading is None else reading.scope_at(text, span)

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
