"""Evaluate the conditions of `show_if` and of triage rules.

A leaf that reads an unanswered question, or a computed value that is None, is false. So `not` of
this leaf is true.

A range counts as each of its numbers: a condition is true if it is true for at least one of them.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final

from intake.domain.definition import Answers, ComputedValue
from intake.domain.grammar import AnswerCondition
from intake.domain.hearing import SILENCE, Hearing
from intake.domain.ranges import Range

Test = Callable[[Answers, Mapping[str, ComputedValue], Hearing], bool]

_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "gte": operator.ge,
    "lte": operator.le,
    "gt": operator.gt,
    "lt": operator.lt,
}

# Phones type curly quotes; they become straight quotes here. An accent that stands alone becomes a
# straight quote, too, because NFKC would turn it into a space and a combining accent.
_STRAIGHT_QUOTES: Final = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032\u00b4`", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"')
)


def holds(
    condition: AnswerCondition,
    answers: Answers,
    computed: Mapping[str, ComputedValue] | None = None,
    hearing: Hearing = SILENCE,
) -> bool:
    """Whether the condition is true for these answers, computed values and heard dangers."""
    return compiled(condition)(answers, computed or {}, hearing)


@cache
def compiled(condition: AnswerCondition, certain: bool = False) -> Test:
    """Compile a condition to a function of (answers, computed, hearing). The function is cached.

    With `certain`, the condition has to be true for every number of a range. Raises re.error if a
    pattern of `text_any_regex` is not a regular expression.
    """
    if condition.all is not None:
        parts = tuple(compiled(part, certain) for part in condition.all)
        return lambda *given: all(part(*given) for part in parts)
    if condition.any is not None:
        parts = tuple(compiled(part, certain) for part in condition.any)
        return lambda *given: any(part(*given) for part in parts)
    if condition.not_ is not None:
        negated = compiled(condition.not_, not certain)
        return lambda *given: not negated(*given)
    if condition.danger is not None:
        frames, scope = frozenset(condition.danger), condition.scope or ""
        return lambda _answers, _computed, hearing: hearing.has(frames, scope)
    if condition.op == "text_any_regex":
        return _finds_words(condition)

    judge = _judge(condition, certain)
    if condition.q is not None:
        question = condition.q

        def judge_answer(
            answers: Answers, _computed: Mapping[str, ComputedValue], _hearing: Hearing
        ) -> bool:
            answer = answers.get(question)
            return answer is not None and judge(answer)

        return judge_answer

    assert condition.var is not None
    name = condition.var

    def judge_computed(
        _answers: Answers, computed: Mapping[str, ComputedValue], _hearing: Hearing
    ) -> bool:
        value = computed.get(name)
        return value is not None and judge(value)

    return judge_computed


def _judge(leaf: AnswerCondition, certain: bool) -> Callable[[Any], bool]:
    """Return a function that tests a known value as the leaf says."""
    op = leaf.op
    assert op is not None
    # str() gives the number as it is written in the file; Decimal(float) would give the nearest
    # binary number.
    value: Any = Decimal(str(leaf.value)) if isinstance(leaf.value, float) else leaf.value
    if op in _COMPARISONS:
        compare = _COMPARISONS[op]

        def compares(answer: Any) -> bool:
            if isinstance(answer, Range):
                return answer.must_be(op, value) if certain else answer.may_be(op, value)
            return bool(compare(answer, value))

        return compares
    if op == "in":
        assert isinstance(value, tuple)
        codes = frozenset(value)
        return lambda answer: answer in codes
    if op == "contains":
        return lambda answer: value in answer
    assert op == "contains_any"
    assert isinstance(value, tuple)
    options = frozenset(value)
    return lambda answer: not options.isdisjoint(answer)


def _finds_words(leaf: AnswerCondition) -> Test:
    """Return the test whether a pattern finds words of the leaf's scope in an answer."""
    assert isinstance(leaf.value, tuple)
    question, scope = leaf.q or "", leaf.scope or "now"
    patterns = tuple(compiled_pattern(pattern) for pattern in leaf.value)

    def any_found(
        answers: Answers, _computed: Mapping[str, ComputedValue], hearing: Hearing
    ) -> bool:
        answer = answers.get(question)
        return isinstance(answer, str) and scope in hearing.scopes(
            question, patterns, normalised(answer)
        )

    return any_found


def normalised(text: str) -> str:
    """Normalise free text for the alarm patterns.

    The result is in NFKC and casefolded, has straight quotes, and has neither accents nor invisible
    characters. Each run of white space, including line ends, becomes one space.
    """
    text = unicodedata.normalize("NFKC", text.translate(_STRAIGHT_QUOTES)).casefold()
    return " ".join(_without_marks(text).split())


@cache
def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """Compile an alarm pattern after normalising it like the text in which it is searched.

    The pattern is not casefolded, because that would turn `\\S` into `\\s`; the search ignores case
    instead. Raises re.error if the pattern is not a regular expression.
    """
    pattern = unicodedata.normalize("NFKC", pattern.translate(_STRAIGHT_QUOTES))
    return re.compile(re.sub(r"\s+", " ", _without_marks(pattern)), re.IGNORECASE)


def _without_marks(text: str) -> str:
    """Remove accents (combining marks) and invisible characters that only control the display."""
    return "".join(
        character
        for character in unicodedata.normalize("NFD", text)
        if unicodedata.category(character) not in ("Mn", "Cf")
    )
