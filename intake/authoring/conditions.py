"""Write a condition in words, with the texts of questions and options that patients read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from intake.domain.definition import Protocol, Question
from intake.domain.grammar import AnswerCondition

_COMPARED: Final[Mapping[str, str]] = {
    "eq": "is",
    "in": "is",
    "contains": "has a tick at",
    "contains_any": "has a tick at",
    "gte": "is at least",
    "lte": "is at most",
    "gt": "is more than",
    "lt": "is less than",
    "text_any_regex": "contains words like",
}


class Words(NamedTuple):
    """A sentence, or a heading with the sentences below it."""

    text: str
    parts: tuple[Words, ...] = ()

    def __str__(self) -> str:
        inner = "; ".join(map(str, self.parts))
        return f"{self.text} ({inner})" if self.parts else self.text


def in_words(protocol: Protocol, condition: AnswerCondition) -> Words:
    """Return the condition in words. An id that the protocol does not have is shown as it is."""
    if condition.danger is not None:
        return Words(_heard(condition))
    if condition.op is not None:
        return Words(_leaf(protocol, condition))
    if condition.not_ is not None:
        return Words("this does not hold:", (in_words(protocol, condition.not_),))
    parts = tuple(in_words(protocol, part) for part in condition.all or condition.any or ())
    if not parts:
        return Words("always" if condition.all is not None else "never")
    if len(parts) == 1:
        return parts[0]
    return Words("all of these hold:" if condition.all else "at least one of these holds:", parts)


def _leaf(protocol: Protocol, leaf: AnswerCondition) -> str:
    assert leaf.op is not None
    question = next((q for q in protocol.questions if q.id == leaf.q), None)
    what = f"“{question.text}”" if question is not None else f"“{leaf.q or leaf.var}”"
    if leaf.op == "text_any_regex" and leaf.value == protocol.rules.alarm_patterns:
        scope = f", as {leaf.scope}" if leaf.scope is not None else ""
        return f"{what} contains one of the alarming words{scope}"
    values = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    said = " or ".join(_value(question, value) for value in values)
    return f"{what} {_COMPARED[leaf.op]} {said}"


def _heard(leaf: AnswerCondition) -> str:
    frames = " or ".join(f"“{frame}”" for frame in leaf.danger or ())
    return f"own words name, as {leaf.scope}, {frames}"


def _value(question: Question | None, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, str):
        return str(value)
    labels = {option.code: option.label for option in question.options} if question else {}
    return f"“{labels.get(value, value)}”"
