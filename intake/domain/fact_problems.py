"""Find rules that read one place of a fact and miss the others.

A patient may state one fact in several places, such as a clot among the conditions or among the
risks. A rule that reads only one place would give a lower urgency to a fact stated elsewhere.
Two exceptions are allowed. A rule may read one place below a `not`, because a missed place can only
raise the urgency. A rule may read the complaint, because only the complaint has a time of onset.
"""

from __future__ import annotations

from collections.abc import Iterator

from intake.domain.definition import FLAG, Protocol
from intake.domain.grammar import AnswerCondition
from intake.domain.problem import Problem


def fact_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each fact without places, and each rule that reads only one place.

    Flags and fallback rules are not checked, because they never raise an urgency.
    """
    facts = {name: value for name, value in protocol.rules.computed.items() if value.fact}
    for name, value in facts.items():
        if not value.places:
            message = "A fact lists its places: give `when` with `any`, and leaves below it."
            yield Problem("wrong_computed", f"computed.{name}", message)
    places = {
        said: name
        for name, value in facts.items()
        for place in value.places
        for said in _said(place)
    }
    for rule in protocol.rules.rules:
        raises = rule.level != FLAG and not rule.fallback
        for leaf in _raising(rule.when) if raises else ():
            for question, code in _said(leaf):
                fact = places.get((question, code))
                if question in protocol.uses.complaint or fact in rule.when.computed():
                    continue
                if fact is not None:
                    message = f"“{code}” of “{question}” is one place of “{fact}”: read the fact."
                    yield Problem("part_of_fact", f"rules.{rule.id}.when", message)


def _raising(condition: AnswerCondition, negated: bool = False) -> Iterator[AnswerCondition]:
    """Yield the leaves that can make the condition true, without the leaves below a `not`."""
    if condition.not_ is not None:
        yield from _raising(condition.not_, not negated)
    for part in condition.all or condition.any or ():
        yield from _raising(part, negated)
    if condition.op is not None and not negated:
        yield condition


def _said(leaf: AnswerCondition) -> Iterator[tuple[str, str]]:
    """Yield each option that makes the leaf true, as (question, option)."""
    if leaf.q is not None and leaf.op in ("eq", "in", "contains", "contains_any"):
        codes = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
        yield from ((leaf.q, str(code)) for code in codes)
