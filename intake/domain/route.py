"""Find the questions and pages that a set of answers leads to.

A hidden question counts as unanswered. If the patient answered it before it was hidden, that answer
counts neither for the next pages nor for any rule.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from intake.domain.conditions import holds
from intake.domain.danger import Reading
from intake.domain.definition import Answers, Protocol, QuestionPage, Value
from intake.domain.hearing import asks, read_answer
from intake.domain.uses import Uses


def kept_answers(
    protocol: Protocol, answers: Answers, *, si_screen: bool = True
) -> dict[str, Value]:
    """Return the answers to visible questions, which alone count, in the order of the questions."""
    return _walk(protocol, answers, si_screen, only_answered=True)[1]


def visible(protocol: Protocol, answers: Answers, *, si_screen: bool = True) -> tuple[str, ...]:
    """Return the ids of the visible questions, in the order of the questions.

    If `si_screen` is false, the question about suicidal thoughts is left out in any case.
    """
    return _walk(protocol, answers, si_screen)[0]


def _walk(
    protocol: Protocol, answers: Answers, si_screen: bool, *, only_answered: bool = False
) -> tuple[tuple[str, ...], dict[str, Value]]:
    """Return the visible questions and the answers to them.

    With `only_answered`, unanswered questions about words of danger are left out. This saves the
    reading of the words, which takes longer than all the rest.
    """
    shown: list[str] = []
    kept: dict[str, Value] = {}
    crisis = protocol.uses.crisis
    readings: dict[str, Reading | None] = {}
    for question in protocol.questions:
        if question.id == crisis and not si_screen:
            continue
        # Only kept answers are read, because an answer to a hidden question must not make another
        # question visible.
        if question.show_if is not None and not holds(question.show_if, kept):
            continue
        if (about := question.about) is not None:
            if only_answered and question.id not in answers:
                continue
            if about.q not in readings:
                readings[about.q] = read_answer(protocol, kept.get(about.q))
            if not asks(protocol, about, readings[about.q]):
                continue
        shown.append(question.id)
        if question.id in answers:
            kept[question.id] = answers[question.id]
    return tuple(shown), kept


def route(
    protocol: Protocol, answers: Answers, *, si_screen: bool = True
) -> tuple[QuestionPage, ...]:
    """Return the pages that these answers lead to, each with its visible questions only."""
    shown = frozenset(visible(protocol, answers, si_screen=si_screen))
    pages = []
    for page in protocol.pages:
        questions = tuple(question for question in page.questions if question.id in shown)
        if questions:
            pages.append(msgspec.structs.replace(page, questions=questions))
    return tuple(pages)


def pages_in(uses: Uses, kind: str, pages: Iterable[QuestionPage]) -> tuple[QuestionPage, ...]:
    """Return the pages with only the questions that a walk of this kind asks.

    Pages without these questions are left out. Pages with contact questions are left out, too,
    because the contact step asks them.
    """
    cut = (
        msgspec.structs.replace(
            page, questions=tuple(q for q in page.questions if uses.asks(kind, q.id))
        )
        for page in pages_without(pages, uses.contact.stored_names)
    )
    return tuple(page for page in cut if page.questions)


def pages_without(
    pages: Iterable[QuestionPage], unwanted: Collection[str]
) -> tuple[QuestionPage, ...]:
    """Return the pages that ask none of the unwanted questions."""
    return tuple(page for page in pages if not any(q.id in unwanted for q in page.questions))


def leaving_out(
    pages: Iterable[QuestionPage], unwanted: Collection[str]
) -> tuple[QuestionPage, ...]:
    """Return the pages without these questions, and without the pages that ask nothing else."""
    cut = (
        msgspec.structs.replace(
            page, questions=tuple(q for q in page.questions if q.id not in unwanted)
        )
        for page in pages
    )
    return tuple(page for page in cut if page.questions)


def page_done(page: QuestionPage, answers: Answers) -> bool:
    """Whether every required question of this page is answered. `page` comes from `route`."""
    return all(question.id in answers for question in page.questions if question.required)
