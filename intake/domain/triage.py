"""What the rules say of a set of answers, and why.

Every rule is looked at, the highest urgency wins, and each fired rule keeps its reason, its source
and the values it used. No answer, text or number can lower an urgency that another one raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from intake.domain.answers import kept_answers, plain
from intake.domain.computed import compute
from intake.domain.conditions import compiled
from intake.domain.definition import FLAG, Answers, ComputedValue, Protocol, Rule


class Fired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that fired, with its words of that day.

    `inputs` holds every value the rule reads, in plain JSON (decimals as strings), None where it
    was missing.
    """

    id: str
    level: str
    name: str
    reason: str
    advice: str
    promise: str | None
    closed: str | None
    source: str
    interrupt: bool | Literal["panel"]
    learn: tuple[str, ...]
    inputs: dict[str, Any]


class Assessment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the rules say.

    `urgency` is a level's code. `fired` are the rules that carry a level, most urgent first, then
    in file order; `flags` those that carry none. `interrupt` means that the form stops here,
    `blocked` that nothing may be sent. `rule_set` and `content_hash` say what ran.
    """

    urgency: str
    fired: tuple[Fired, ...]
    flags: tuple[Fired, ...]
    computed: dict[str, ComputedValue]
    interrupt: bool
    blocked: bool
    rule_set: str
    content_hash: str

    def to_json(self) -> dict[str, Any]:
        """As plain JSON data, which `from_json` reads back."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Assessment:
        """The assessment that `to_json` wrote. Raises msgspec.ValidationError on other data."""
        return msgspec.convert(data, cls)


def assess(
    protocol: Protocol, answers: Answers, *, safety_retracted: bool = False, si_screen: bool = True
) -> Assessment:
    """What all rules say of these answers.

    In: cleaned answers, of which those to hidden questions are dropped first; whether an
    interrupting answer was taken back; whether the clinic asks `si_screen` at all. Pure: nothing
    is read or changed besides.
    """
    answers = kept_answers(protocol, answers, si_screen=si_screen)
    computed = compute(protocol, answers, safety_retracted=safety_retracted)
    rules = protocol.rules.rules

    def that_fire(candidates: Iterable[Rule]) -> list[Rule]:
        return [rule for rule in candidates if compiled(rule.when)(answers, computed)]

    flags = that_fire(rule for rule in rules if rule.level == FLAG)
    fired = (
        that_fire(rule for rule in rules if rule.level != FLAG and not rule.fallback)
        or that_fire(rule for rule in rules if rule.fallback and not rule.only_if_none)
        or that_fire(rule for rule in rules if rule.only_if_none)
    )
    fired.sort(key=lambda rule: -protocol.level(rule.level).rank)
    return Assessment(
        urgency=fired[0].level if fired else min(protocol.rules.levels, key=_rank).code,
        fired=tuple(_fired(rule, answers, computed) for rule in fired),
        flags=tuple(_fired(rule, answers, computed) for rule in flags),
        computed=computed,
        interrupt=any(rule.interrupt is True for rule in fired),
        blocked=any(rule.blocks_submission for rule in fired),
        rule_set=protocol.rules.version,
        content_hash=protocol.content_hash,
    )


def interrupting_rules(
    protocol: Protocol, answers: Answers, *, si_screen: bool = True
) -> tuple[Rule, ...]:
    """The rules that stop the form at these answers, most urgent first.

    In: what is recognised so far, validated or not. A rule that only shows a panel is not among
    them.
    """
    answers = kept_answers(protocol, answers, si_screen=si_screen)
    computed = compute(protocol, answers)
    rules = [
        rule
        for rule in protocol.rules.rules
        if rule.interrupt is True and compiled(rule.when)(answers, computed)
    ]
    return tuple(sorted(rules, key=lambda rule: -protocol.level(rule.level).rank))


def _rank(level: Any) -> int:
    rank: int = level.rank
    return rank


def _fired(rule: Rule, answers: Answers, computed: Mapping[str, ComputedValue]) -> Fired:
    inputs = {
        name: computed[name] if name in computed else plain(answers.get(name))
        for name in rule.inputs
    }
    return Fired(
        id=rule.id,
        level=rule.level,
        name=rule.name,
        reason=rule.reason,
        advice=rule.advice,
        promise=rule.promise,
        closed=rule.closed,
        source=rule.source,
        interrupt=rule.interrupt,
        learn=rule.learn,
        inputs=inputs,
    )
