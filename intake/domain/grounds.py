"""Find what made a rule fire: the answers and computed values that its condition met."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from intake.domain.conditions import holds
from intake.domain.definition import Answers, ComputedValue, Protocol
from intake.domain.grammar import AnswerCondition
from intake.domain.hearing import EVERY_DANGER

LIMITS: Final = {"gte": "≥", "lte": "≤", "gt": ">", "lt": "<"}


class Ground(msgspec.Struct, frozen=True):
    """An answer or a computed value that met a rule's condition.

    `name` is the id of the question or of the computed value. `options` are the options that met
    the condition, in the order of the condition. `limit` is the limit that a number met: "≤ 75".
    """

    name: str
    options: tuple[str, ...] = ()
    limit: str = ""


def grounds_of(
    protocol: Protocol,
    condition: AnswerCondition,
    answers: Answers,
    computed: Mapping[str, ComputedValue],
) -> list[Ground]:
    """Return what met a condition that holds, one ground for each answer or computed value.

    In place of a fact stand the answers that state it. What is heard in free text is left out, and
    so is what stands below a `not`: an answer that is missing is no ground.
    """
    found: dict[str, Ground] = {}
    for each in _met(protocol, condition, answers, computed):
        before = found.get(each.name, each)
        limits = dict.fromkeys(filter(None, (before.limit, each.limit)))
        options = (*before.options, *each.options)
        found[each.name] = Ground(each.name, tuple(dict.fromkeys(options)), ", ".join(limits))
    return list(found.values())


def _met(
    protocol: Protocol,
    condition: AnswerCondition,
    answers: Answers,
    computed: Mapping[str, ComputedValue],
) -> Iterator[Ground]:
    if condition.not_ is not None or not holds(condition, answers, computed, EVERY_DANGER):
        return
    for part in condition.all or condition.any or ():
        yield from _met(protocol, part, answers, computed)
    if condition.q is not None and condition.op != "text_any_regex":
        yield Ground(condition.q, _options(condition, answers[condition.q]), _limit(condition))
    if condition.var is not None:
        value = protocol.rules.computed.get(condition.var)
        if value is None or not value.fact or value.when is None:
            yield Ground(condition.var, limit=_limit(condition))
        else:
            yield from _met(protocol, value.when, answers, computed)


def _options(leaf: AnswerCondition, answer: object) -> tuple[str, ...]:
    wanted = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
    given = answer if isinstance(answer, tuple) else (answer,)
    return tuple(code for code in wanted if isinstance(code, str) and code in given)


def _limit(leaf: AnswerCondition) -> str:
    return f"{LIMITS[leaf.op]} {leaf.value}" if leaf.op in LIMITS else ""
