"""Make protocols that differ from a given protocol in a single thing."""

from collections.abc import Callable
from typing import Any

import msgspec

from intake.domain.definition import Protocol, Question, Rule
from intake.domain.grammar import AnswerCondition

NEVER = AnswerCondition(any=())
ALWAYS = AnswerCondition(all=())


def with_rules(protocol: Protocol, rules: tuple[Rule, ...]) -> Protocol:
    rule_set = msgspec.structs.replace(protocol.rules, rules=rules)
    return msgspec.structs.replace(protocol, rules=rule_set)


def with_rule(protocol: Protocol, id: str, **changes: Any) -> Protocol:
    """Return the protocol with one rule changed."""
    return with_rules(
        protocol,
        tuple(
            msgspec.structs.replace(rule, **changes) if rule.id == id else rule
            for rule in protocol.rules.rules
        ),
    )


def with_rule_set(protocol: Protocol, **changes: Any) -> Protocol:
    return msgspec.structs.replace(
        protocol, rules=msgspec.structs.replace(protocol.rules, **changes)
    )


def with_level(protocol: Protocol, code: str, **changes: Any) -> Protocol:
    """Return the protocol with one level changed."""
    levels = tuple(
        msgspec.structs.replace(level, **changes) if level.code == code else level
        for level in protocol.rules.levels
    )
    return with_rule_set(protocol, levels=levels)


def with_questionnaire(protocol: Protocol, **changes: Any) -> Protocol:
    questionnaire = msgspec.structs.replace(protocol.questionnaire, **changes)
    return msgspec.structs.replace(protocol, questionnaire=questionnaire)


def with_questions(
    protocol: Protocol, change: Callable[[tuple[Question, ...]], tuple[Question, ...]]
) -> Protocol:
    """Return the protocol after `change` was applied to the questions of each section."""
    sections = tuple(
        msgspec.structs.replace(section, questions=change(section.questions))
        for section in protocol.questionnaire.sections
    )
    return with_questionnaire(protocol, sections=sections)


def with_question(protocol: Protocol, id: str, **changes: Any) -> Protocol:
    """Return the protocol with one question changed."""

    def change(questions: tuple[Question, ...]) -> tuple[Question, ...]:
        return tuple(
            msgspec.structs.replace(question, **changes) if question.id == id else question
            for question in questions
        )

    return with_questions(protocol, change)
