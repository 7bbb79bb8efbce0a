"""Find what is wrong with a condition, leaf by leaf."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from intake.domain.computed import possible_values
from intake.domain.conditions import compiled_pattern, holds
from intake.domain.definition import Protocol, Question
from intake.domain.grammar import AnswerCondition, is_number
from intake.domain.problem import Problem
from intake.domain.reachability import boundary_numbers

_TYPES_OF_OPERATOR: Final[Mapping[str, frozenset[str]]] = {
    "eq": frozenset({"single", "boolean", "integer", "decimal"}),
    "in": frozenset({"single"}),
    "contains": frozenset({"multi"}),
    "contains_any": frozenset({"multi"}),
    "text_any_regex": frozenset({"text"}),
} | dict.fromkeys(("gte", "lte", "gt", "lt"), frozenset({"integer", "decimal"}))

Values = Mapping[str, tuple[object, ...] | range | type[bool] | None]
"""Name of a computed value → its possible values; None for a computed value with a fault."""


def values_of(protocol: Protocol) -> Values:
    """Map the name of each computed value to the values that it can have."""
    found: dict[str, tuple[object, ...] | range | type[bool] | None] = {}
    for name in protocol.rules.computed:
        try:
            found[name] = possible_values(protocol, name)
        except (KeyError, ValueError):
            found[name] = None
    return found


def leaf_problems(
    protocol: Protocol, path: str, condition: AnswerCondition, values: Values
) -> Iterator[Problem]:
    """Yield a problem for each leaf that has an unknown name, a wrong operator or a wrong value."""
    questions = {question.id: question for question in protocol.questions}
    frames = protocol.danger.by_id if protocol.danger is not None else {}
    for leaf in condition.leaves():
        if leaf.danger is not None:
            for frame in leaf.danger:
                if frame not in frames:
                    yield Problem("unknown_frame", path, f"There is no frame “{frame}”.")
        elif leaf.var is not None:
            yield from _computed_leaf(path, leaf, values)
        elif leaf.q not in questions:
            yield Problem("unknown_question", path, f"There is no question “{leaf.q}”.")
        else:
            yield from _question_leaf(questions[leaf.q], path, leaf)


def _question_leaf(question: Question, path: str, leaf: AnswerCondition) -> Iterator[Problem]:
    assert leaf.op is not None
    if question.type not in _TYPES_OF_OPERATOR[leaf.op]:
        yield Problem(
            "wrong_operator", path, f"“{leaf.op}” does not fit “{question.id}” ({question.type})."
        )
    elif question.type in ("single", "multi"):
        codes = {option.code for option in question.options}
        for code in leaf.value if isinstance(leaf.value, tuple) else (leaf.value,):
            if code not in codes:
                yield Problem("unknown_option", path, f"“{question.id}” has no option “{code}”.")
    elif question.type in ("integer", "decimal"):
        values = boundary_numbers(question, [leaf])
        if not any(holds(leaf, {question.id: value}) for value in values):
            yield _impossible(path, leaf)
    elif question.type == "boolean":
        if not isinstance(leaf.value, bool):
            yield _impossible(path, leaf)
    else:
        yield from _patterns(path, leaf)


def _patterns(path: str, leaf: AnswerCondition) -> Iterator[Problem]:
    assert isinstance(leaf.value, tuple)
    for pattern in leaf.value:
        try:
            compiled_pattern(pattern)
        except re.error as error:
            yield Problem("bad_pattern", path, f"“{pattern}”: {error}.")


def _computed_leaf(path: str, leaf: AnswerCondition, values: Values) -> Iterator[Problem]:
    assert leaf.var is not None
    if leaf.var not in values:
        yield Problem("unknown_computed", path, f"There is no computed value “{leaf.var}”.")
        return
    can_be = values[leaf.var]
    if can_be is bool:
        fits = leaf.op == "eq" and isinstance(leaf.value, bool)
    elif isinstance(can_be, range):
        fits = is_number(leaf.value) and any(holds(leaf, {}, {leaf.var: n}) for n in can_be)
    else:
        given = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        fits = leaf.op in ("eq", "in") and isinstance(can_be, tuple) and set(given) <= set(can_be)
    if can_be is not None and not fits:
        yield _impossible(path, leaf)


def _impossible(path: str, leaf: AnswerCondition) -> Problem:
    return Problem(
        "impossible_value", path, f"“{leaf.q or leaf.var}” can never be {leaf.op} {leaf.value}."
    )
