"""Find rules that read one place of a fact and miss the others.

A patient may say one fact in several places, such as a clot among the conditions and among the
risks. A rule that reads one place alone would give less urgency to a fact that was said elsewhere.
Two readings are no fault: under `not`, where a missed place only raises, and of the complaint,
since the question when it began is about the complaint alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from intake.domain.definition import FLAG, Protocol
from intake.domain.grammar import AnswerCondition
from intake.domain.problem import Problem


def fact_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each fact without places, and for each rule that reads a place alone.

    Flags and fallback rules are left out: flags have no urgency, fallback rules the lowest.
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
    """Yield the leaves that help the condition to hold, and not those that a `not` turns round."""
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
