"""Compute the values that rules read besides the answers.

The protocol says how to compute each value (`intake.domain.grammar.Computed`), so the content hash
of the protocol covers the computation. Old stored documents name a version of Python code instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from intake.domain.conditions import holds
from intake.domain.definition import Answers, ComputedValue, Protocol
from intake.domain.grammar import SUM, AnswerCondition, Computed, Term
from intake.domain.stored import CODE

SAFETY_RETRACTED: Final = "safety_retracted"
"""The computed value that says whether the patient took back an answer that had stopped the form.
The walk knows this, not the answers."""


def compute(
    protocol: Protocol, answers: Answers, *, safety_retracted: bool = False
) -> dict[str, ComputedValue]:
    """Compute every computed value of the protocol.

    `answers` are the answers to visible questions. `safety_retracted` says whether the patient took
    back an answer that had stopped the form. Raises KeyError if the protocol names a version of
    code that the program does not have.
    """
    found: dict[str, ComputedValue] = {}
    for name in protocol.computed_order:
        found[name] = compute_one(protocol, name, answers, found, safety_retracted)
    return {name: found[name] for name in protocol.rules.computed}


def compute_one(
    protocol: Protocol,
    name: str,
    answers: Answers,
    others: Mapping[str, ComputedValue],
    safety_retracted: bool,
) -> ComputedValue:
    """Compute the value `name`. `others` are the computed values that its conditions read."""
    if name == SAFETY_RETRACTED:
        return safety_retracted
    computed = protocol.rules.computed[name]
    if computed.version is not None:
        return CODE[name, computed.version].function(answers)
    return _value(computed, answers, others)


def _value(
    computed: Computed, answers: Answers, others: Mapping[str, ComputedValue]
) -> ComputedValue:
    if computed.only_if is not None and not holds(computed.only_if, answers, others):
        return None
    own: dict[str, ComputedValue] = {
        name: sum(holds(condition, answers, others) for condition in counted)
        for name, counted in computed.count.items()
    }
    if computed.sum:
        own[SUM] = total = _total(computed.sum, answers)
        if total is None:
            return None
    known = {**others, **own} if own else others
    if computed.first:
        holding = (
            case.is_
            for case in computed.first
            if case.when is None or holds(case.when, answers, known)
        )
        return next(holding, None)
    if computed.when is not None:
        return holds(computed.when, answers, known)
    return next(iter(own.values()), None)


def _total(terms: tuple[Term, ...], answers: Answers) -> int | None:
    """Add up the terms; None if a term has no number, for example because of a missing answer."""
    total = 0
    for term in terms:
        answer: Any = answers.get(term.q)
        number = term.map.get(answer) if term.map else answer
        if not isinstance(number, int):
            return None
        total += term.times * number
    return total


def possible_values(protocol: Protocol, name: str) -> tuple[object, ...] | range | type[bool]:
    """Return the values that a computed value can have, other than None.

    Raises KeyError for an unknown `name`, and for a sum that names an unknown question.
    """
    computed = protocol.rules.computed[name]
    if name == SAFETY_RETRACTED:
        return bool
    if computed.version is not None:
        return CODE[name, computed.version].values
    if computed.first:
        return tuple(case.is_ for case in computed.first)
    if computed.when is not None:
        return bool
    (only,) = own_values(protocol, computed).values()
    return only


def own_values(protocol: Protocol, computed: Computed) -> dict[str, range]:
    """Return the possible values of `sum` and of each name of `count` in this computed value.

    Only conditions of this computed value can read these names.
    """
    found = {name: range(len(counted) + 1) for name, counted in computed.count.items()}
    if computed.sum:
        ends = [_ends(protocol, term) for term in computed.sum]
        found[SUM] = range(sum(low for low, _ in ends), sum(high for _, high in ends) + 1)
    return found


def _ends(protocol: Protocol, term: Term) -> tuple[int, int]:
    """Return the lowest and the highest number that a term of a sum can have."""
    question = protocol.question(term.q)
    numbers = term.map.values() or (int(question.min or 0), int(question.max or 0))
    ends = [term.times * number for number in numbers]
    return min(ends), max(ends)


def questions_behind(protocol: Protocol, condition: AnswerCondition) -> frozenset[str]:
    """Return the questions that a condition depends on, directly or through computed values."""
    through = (id for name in condition.computed() for id in reads(protocol, name))
    return frozenset((*condition.questions(), *through))


def reads(protocol: Protocol, name: str) -> tuple[str, ...]:
    """Return the questions that a computed value depends on, directly or through other values."""
    if name == SAFETY_RETRACTED:
        return ()
    found: dict[str, None] = {}
    todo = [name]
    for each in todo:  # the list grows during the loop
        computed = protocol.rules.computed[each]
        if computed.version is not None:
            found |= dict.fromkeys(CODE[each, computed.version].inputs)
            continue
        found |= dict.fromkeys(computed.questions())
        todo += [other for other in computed.computed() if other not in (SAFETY_RETRACTED, *todo)]
    return tuple(found)
