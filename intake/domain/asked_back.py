"""Find answers that contradict each other, so that the page can ask the patient about them once."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from intake.domain.answers import plain
from intake.domain.computed import compute, reads
from intake.domain.conditions import holds
from intake.domain.definition import Answers, Protocol, QuestionPage, Rule
from intake.domain.levels import PLACEHOLDER


def questions_of(protocol: Protocol, rule: Rule) -> frozenset[str]:
    """Return the questions that a rule reads, directly or through computed values."""
    computed = protocol.rules.computed
    return frozenset(
        question
        for name in rule.inputs
        for question in (reads(protocol, name) if name in computed else (name,))
    )


def asked_back(
    protocol: Protocol, page: QuestionPage, answers: Answers, *, hidden: Collection[str] = ()
) -> Iterator[tuple[str, Rule]]:
    """Yield (question, rule) for each rule with `ask_back` that fires: ask beside this question.

    `answers` includes the answers to this page. A rule that reads an answer in `hidden` is left
    out, because the text of `ask_back` would show the hidden answer.
    """
    asking = [rule for rule in protocol.rules.rules if rule.ask_back is not None]
    computed = compute(protocol, answers) if asking else {}
    for rule in asking:
        read = questions_of(protocol, rule)
        here = [question.id for question in page.questions if question.id in read]
        if here and read.isdisjoint(hidden) and holds(rule.when, answers, computed):
            yield here[-1], rule


def with_answers(text: str, answers: Answers) -> str:
    """Return a text of `ask_back` with the answers in place of the placeholders."""
    return PLACEHOLDER.sub(lambda match: str(plain(answers.get(match[1]))), text)
