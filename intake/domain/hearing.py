"""Hear danger in the free texts of a set of answers, so that conditions can read it.

A page asks the patient about words of danger (`Question.about`): whether the words are meant, and
since when. The answer gives the words their scope. Without an answer the scope is now.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from intake.domain.danger import Found, Reading, Span
from intake.domain.danger_scope import NOW
from intake.domain.definition import About, Answers, Protocol, Question
from intake.domain.grammar import AnswerCondition


class Told(NamedTuple):
    """The scope that a patient's answer gives to `frames` in the text `q`.

    Hits of `nets` and of patterns in the same sentence get this scope, too.
    """

    q: str
    frames: frozenset[str]
    nets: frozenset[str]
    scope: str


class Hearing:
    """The hits in the free texts, by question. Without readings there are no hits."""

    def __init__(self, readings: Mapping[str, Reading], told: Collection[Told] = ()) -> None:
        self._readings = readings
        self._told = told
        self._scopes: dict[tuple[str, tuple[re.Pattern[str], ...]], frozenset[str]] = {}
        self._found = {
            question: tuple(self._as_told(question, found) for found in reading.found)
            for question, reading in readings.items()
        }
        self._heard = {
            (found.frame, found.scope) for all_found in self._found.values() for found in all_found
        }

    def _as_told(self, question: str, found: Found) -> Found:
        """Return a hit with the scope that the patient's answer gives it."""
        for told in self._told:
            if found.scope != NOW or told.q != question:
                continue
            if found.frame in told.frames or (
                found.frame in told.nets
                and self._answered(told, self._readings[question].sentence_of(found))
            ):
                return found._replace(scope=told.scope)
        return found

    def _answered(self, told: Told, words: Span) -> bool:
        """Whether words stand in a sentence about which the patient was asked."""
        reading = self._readings[told.q]
        asked = (reading.sentence_of(hit) for hit in meant(reading, told.frames))
        return any(first < words[1] and words[0] < last for first, last in asked)

    def has(self, frames: Collection[str], scope: str) -> bool:
        """Whether one of the frames is heard with this scope.

        A frame that is also heard with the scope now counts only as now.
        """
        return any(
            heard == scope and frame in frames and (scope == NOW or (frame, NOW) not in self._heard)
            for frame, heard in self._heard
        )

    def scopes(
        self, question: str, patterns: tuple[re.Pattern[str], ...], text: str
    ) -> frozenset[str]:
        """Return the scopes of the words that patterns find in the answer to a question.

        `text` is the answer as patterns read it. Without a reading, every scope is now.
        """
        reading = self._readings.get(question)
        if reading is None:
            found = any(pattern.search(text) for pattern in patterns)
            return frozenset((NOW,) if found else ())
        # several rules ask the same patterns
        if (question, patterns) not in self._scopes:
            self._scopes[question, patterns] = frozenset(
                self._scope_of_words(question, *reading.scope_at(text, hit.span()))
                for pattern in patterns
                for hit in pattern.finditer(text)
            )
        return self._scopes[question, patterns]

    def _scope_of_words(self, question: str, scope: str, words: Span) -> str:
        for told in self._told:
            if scope == NOW and told.q == question and self._answered(told, words):
                return told.scope
        return scope

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
        for question, all_found in self._found.items():
            yield from ((question, found) for found in all_found)


SILENCE: Final = Hearing({})


class _EveryDanger(Hearing):
    def has(self, frames: Collection[str], scope: str) -> bool:
        return scope == NOW


EVERY_DANGER: Final = _EveryDanger({})
"""The most that a text without an answered question can say: every danger, and all of it now."""


def hear(protocol: Protocol, answers: Answers) -> Hearing:
    """Read the free texts of the answers. A protocol without words of danger hears nothing."""
    if protocol.danger is None:
        return SILENCE
    texts = {id: text for id in protocol.uses.free_text if (text := answers.get(id)) is not None}
    # a message counts as the answer to each of the questions: it is read once
    read = {text: read_answer(protocol, text) for text in texts.values() if isinstance(text, str)}
    readings = {
        id: reading
        for id, text in texts.items()
        if isinstance(text, str) and (reading := read[text]) is not None
    }
    return Hearing(readings, tuple(_told(protocol, answers)))


def read_answer(protocol: Protocol, text: object) -> Reading | None:
    """Read the answer to a question for free text; None if there is no answer."""
    if protocol.danger is None or not isinstance(text, str):
        return None
    return Reading(protocol.danger, text, protocol.questionnaire.words)


def _told(protocol: Protocol, answers: Answers) -> Iterator[Told]:
    """Yield the scopes from the answers to questions about words of danger, except now."""
    for question in protocol.asking:
        about, answer = question.about, answers.get(question.id)
        if about is None or not isinstance(answer, str):
            continue
        scope = question.option(answer).scope or NOW
        if scope != NOW:
            frames, nets = protocol.frames_of(about.rules), protocol.frames_of(about.nets)
            yield Told(about.q, frames, nets, scope)


def meant(reading: Reading, frames: Collection[str]) -> tuple[Found, ...]:
    """Return the hits of these frames with the scope now."""
    return tuple(hit for hit in reading.found if hit.scope == NOW and hit.frame in frames)


def asks(protocol: Protocol, about: About, reading: Reading | None) -> bool:
    """Whether a question about words of danger is shown for the text that was read."""
    return reading is not None and bool(meant(reading, protocol.frames_of(about.rules)))


def asked_anew(protocol: Protocol, before: Answers, after: Answers) -> tuple[Question, ...]:
    """Return the questions about words of danger whose text has changed for the reader.

    Old answers to these questions do not count any more. The text has changed if any word that the
    reader knows has changed: the answer "longer ago" does not fit a text that now says "again
    today".
    """
    changed = {
        id
        for id in {question.about.q for question in protocol.asking if question.about}
        if before.get(id) != after.get(id)
        and gist(protocol, before.get(id)) != gist(protocol, after.get(id))
    }
    return tuple(q for q in protocol.asking if q.about and q.about.q in changed)


def gist(protocol: Protocol, text: object) -> str:
    """Return the words that the reader knows. Texts with the same gist are heard alike."""
    reading = read_answer(protocol, text)
    return reading.gist if reading is not None else ""
