"""Find errors in the questions about words of danger.

Without this check, a missing question or an answer that no rule reads could lower an urgency.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from intake.domain.danger_scope import NOW
from intake.domain.definition import FLAG, About, Protocol, Question
from intake.domain.problem import Problem

LOWEST: Final = "same_day"
"""The lowest level that an answer may give to words of danger."""


def about_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each danger without a question, and each answer that no rule reads."""
    if protocol.danger is None:
        return
    known = {rule.id for rule in protocol.rules.rules}
    for question in protocol.asking:
        if question.about is not None:
            yield from _question(protocol, question, question.about, known)
            yield from _place(protocol, question, question.about)
    for rule in protocol.rules.rules:
        if rule.interrupt == "ask":
            asked = {q.about.q for q in protocol.asking if q.about and rule.id in q.about.rules}
            for text in protocol.uses.free_text:
                if text not in asked:
                    message = f"Ask about these words in “{text}”, too: `about` names the rule."
                    yield _wrong(f"rules.{rule.id}", message)


def _question(
    protocol: Protocol, question: Question, about: About, known: set[str]
) -> Iterator[Problem]:
    path = f"questions.{question.id}"
    if about.q not in protocol.uses.free_text:
        yield _wrong(path, f"“{about.q}” is no question for free text.")
    for rule in sorted({*about.rules, *about.nets} - known):
        yield _wrong(path, f"There is no rule “{rule}”.")
    scopes = [option.scope for option in question.options]
    if question.type != "single" or question.required or None in scopes or NOW not in scopes:
        message = "Give each option its `scope`, one of them now, and require no answer."
        yield _wrong(path, message)
    frames = protocol.frames_of(about.rules)
    for scope in sorted({scope for scope in scopes if scope and scope != NOW}):
        if unread := sorted(frames - _read(protocol, scope)):
            message = f"With this answer no rule of the level same day reads “{unread[0]}”."
            yield _wrong(f"{path}.{scope}", message)


def _read(protocol: Protocol, scope: str) -> set[str]:
    """Return the frames that alone, with this scope, fire a rule of level same day or higher."""
    levels = {level.code: level.rank for level in protocol.rules.levels}
    least = levels.get(LOWEST, 0)
    return {
        frame
        for rule in protocol.rules.rules
        if rule.level != FLAG and levels.get(rule.level, 0) >= least and not rule.when.all
        for leaf in (rule.when.any or (rule.when,))
        if leaf.scope == scope
        for frame in leaf.danger or ()
    }


def _place(protocol: Protocol, question: Question, about: About) -> Iterator[Problem]:
    """Yield a problem unless, in each walk, the question follows its text on a page of its own."""
    path = f"questions.{question.id}"
    pages = list(protocol.pages)
    page = protocol.page_of(question.id)
    if len(page.questions) > 1:
        yield _wrong(path, "Ask this alone on its page.")
    before = pages[: pages.index(page)]
    while before and all(other.about for other in before[-1].questions):
        before.pop()
    if not before or about.q not in {other.id for other in before[-1].questions}:
        yield _wrong(path, f"Ask this on the next page after “{about.q}”.")
    for kind in protocol.uses.walks.__struct_fields__:
        short = protocol.uses.short_walk(kind) or ()
        if about.q in short and question.id not in short:
            yield _wrong(path, f"Ask this in the walk “{kind}”, too, as it asks “{about.q}”.")


def _wrong(path: str, message: str) -> Problem:
    return Problem("wrong_about", path, message)
