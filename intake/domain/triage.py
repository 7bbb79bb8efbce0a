"""Judge a set of answers by the rules of a protocol, and keep the reasons.

Every rule is evaluated, and the highest urgency counts. For each fired rule the result has its
reason, its source and the values that it read. No answer can lower an urgency that another answer
raised.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from intake.domain.answers import plain
from intake.domain.computed import SAFETY_RETRACTED, compute, questions_behind
from intake.domain.conditions import compiled, holds
from intake.domain.definition import (
    FLAG,
    Answers,
    ComputedValue,
    Level,
    Protocol,
    Rule,
    Value,
)
from intake.domain.grammar import DANGER
from intake.domain.hearing import EVERY_DANGER, Hearing, hear
from intake.domain.ranges import Range
from intake.domain.route import kept_answers
from intake.domain.summary import listed

LIMIT_UNCLEAR: Final = "Limit unclear: the patient gave a range."


class Fired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that fired, with the texts that the rule had when it fired.

    `reason` ends with what the rule `lists` for these answers.

    `inputs` maps the name of every value that the rule reads to the value as JSON data (a decimal
    as a string), or to None if the value is missing. For a fact, `inputs` also has the answers that
    state the fact. The key "danger" has the hits in free text: the frame, the words and their
    places.
    """

    id: str
    level: str
    name: str
    reason: str
    advice: str
    promise: str | None
    closed: str | None
    source: str
    interrupt: bool | Literal["panel", "ask"]
    learn: tuple[str, ...]
    inputs: dict[str, Any]


class Assessment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of the rules.

    `urgency` is the code of a level. `fired` has the fired rules with a level, the most urgent
    first, rules of one level in file order. `flags` has the fired rules without a level. If
    `interrupt` is true, the form stops. If `blocked` is true, sending is forbidden. `rule_set` and
    `content_hash` name the version of the rules.
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
        """Return JSON data, which `from_json` reads back."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Assessment:
        """Read the assessment that `to_json` wrote. Raises msgspec.ValidationError."""
        return msgspec.convert(data, cls)


def assess(
    protocol: Protocol,
    answers: Answers,
    *,
    safety_retracted: bool = False,
    si_screen: bool = True,
    asked: Collection[str] | None = None,
) -> Assessment:
    """Judge these answers by all rules.

    `answers` are answers as `clean_page` returns them; answers to hidden questions are ignored.
    `safety_retracted` says whether the patient took back an answer that had stopped the form.
    `si_screen` says whether the clinic asks about suicidal thoughts. With `asked`, only rules that
    read one of these questions count. So answers that were judged before fire no rule again.
    """
    answers = kept_answers(protocol, answers, si_screen=si_screen)
    computed = compute(protocol, answers, safety_retracted=safety_retracted)
    hearing = hear(protocol, answers)
    rules = protocol.rules.rules
    if asked is not None:
        new = {*asked, DANGER, SAFETY_RETRACTED}
        rules = tuple(r for r in rules if new & {*r.inputs, *questions_behind(protocol, r.when)})

    def that_fire(candidates: Iterable[Rule]) -> list[Rule]:
        return [rule for rule in candidates if compiled(rule.when)(answers, computed, hearing)]

    flags = that_fire(rule for rule in rules if rule.level == FLAG)
    fired = (
        that_fire(rule for rule in rules if rule.level != FLAG and not rule.fallback)
        or that_fire(rule for rule in rules if rule.fallback and not rule.only_if_none)
        or that_fire(rule for rule in rules if rule.only_if_none)
    )
    fired.sort(key=lambda rule: -protocol.level(rule.level).rank)
    return Assessment(
        urgency=fired[0].level if fired else min(protocol.rules.levels, key=_rank).code,
        fired=tuple(_fired(protocol, rule, answers, computed, hearing) for rule in fired),
        flags=tuple(_fired(protocol, rule, answers, computed, hearing) for rule in flags),
        computed=computed,
        interrupt=any(rule.interrupt is True for rule in fired),
        blocked=any(rule.blocks_submission for rule in fired),
        rule_set=protocol.rules.version,
        content_hash=protocol.content_hash,
    )


def interrupting_rules(
    protocol: Protocol, answers: Answers, *, si_screen: bool = True
) -> tuple[Rule, ...]:
    """Return the rules that stop the form because of these answers, the most urgent first.

    `answers` are all answers that could be read so far, including those with an error. Rules that
    only show their advice on the next page (`interrupt: panel`) are not returned. Rules that ask
    about words (`interrupt: ask`) are returned only beside a rule that stops the form, because on
    the emergency page words without an answer count as meant.
    """
    answers = kept_answers(protocol, answers, si_screen=si_screen)
    computed = compute(protocol, answers)
    stopping = [rule for rule in protocol.rules.rules if rule.interrupt is True]
    asked = any(question.id in answers for question in protocol.asking)
    # reading the words takes longer than all rules that read ticks
    if not asked and not any(
        holds(rule.when, answers, computed, EVERY_DANGER) for rule in stopping
    ):
        return ()
    hearing = hear(protocol, answers)

    def that_hold(rules: Iterable[Rule]) -> list[Rule]:
        return [rule for rule in rules if holds(rule.when, answers, computed, hearing)]

    if not (rules := that_hold(stopping)):
        return ()
    rules += that_hold(rule for rule in protocol.rules.rules if rule.interrupt == "ask")
    return tuple(sorted(rules, key=lambda rule: -protocol.level(rule.level).rank))


def rule_for_text(protocol: Protocol, text: str, *, cannot_wait: bool = False) -> Rule | None:
    """Return the most urgent rule that a text of a patient fires outside of the questionnaire.

    The text is judged like an answer to every question for free text. With `cannot_wait`, the
    patient says that the text needs help today. None when no rule with a level fires.
    """
    written: dict[str, Value] = dict.fromkeys(protocol.uses.free_text, text)
    if cannot_wait and (second := protocol.uses.cannot_wait) is not None:
        written[second.q] = second.answer
    reads_text = {*written, DANGER}
    hearing = hear(protocol, written)
    rules = [
        rule
        for rule in protocol.rules.rules
        if rule.level != FLAG
        and not reads_text.isdisjoint(rule.inputs)
        and holds(rule.when, written, {}, hearing)
    ]
    # of two rules of one level, the one that heard what the text names, not the net of patterns
    return max(
        rules,
        key=lambda rule: (protocol.level(rule.level).rank, DANGER in rule.inputs),
        default=None,
    )


def _rank(level: Level) -> int:
    return level.rank


def _reason(
    rule: Rule, answers: Answers, computed: Mapping[str, ComputedValue], hearing: Hearing
) -> str:
    """Return the rule's reason with its lists.

    Says so if a range leaves open whether the rule applies.
    """
    parts = [rule.reason, listed(rule.lists, answers, computed)]
    if any(isinstance(answers.get(name), Range) for name in rule.inputs):
        certain = compiled(rule.when, certain=True)(answers, computed, hearing)
        parts.append("" if certain else LIMIT_UNCLEAR)
    return " ".join(filter(None, parts))


def _fired(
    protocol: Protocol,
    rule: Rule,
    answers: Answers,
    computed: Mapping[str, ComputedValue],
    hearing: Hearing,
) -> Fired:
    inputs = {
        name: computed[name] if name in computed else plain(answers.get(name))
        for name in rule.inputs
        if name != DANGER
    }
    for name in rule.inputs:
        value = protocol.rules.computed.get(name)
        if value is not None and value.fact:
            behind = (id for id in value.questions() if id in answers)
            inputs |= {id: plain(answers[id]) for id in behind}
    if DANGER in rule.inputs:
        inputs[DANGER] = hearing.found(rule.when)
    return Fired(
        id=rule.id,
        level=rule.level,
        name=rule.name,
        reason=_reason(rule, answers, computed, hearing),
        advice=rule.advice,
        promise=rule.promise,
        closed=rule.closed,
        source=rule.source,
        interrupt=rule.interrupt,
        learn=rule.learn,
        inputs=inputs,
    )
