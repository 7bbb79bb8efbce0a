"""Hypothesis strategies for answers: of complete walks, or of any questions."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from intake.domain.definition import Protocol, Question, Value
from intake.domain.ranges import Range
from intake.domain.route import visible
from intake.domain.worse import chains

TEXTS = ("my legs itch at night", "no chest pain", "I can\u2019t\nbreathe", "pie negro", "aspirin")


def values(question: Question) -> st.SearchStrategy[Value]:
    """Return a strategy that draws the answers which the question accepts."""
    match question.type:
        case "single":
            return st.sampled_from([option.code for option in question.options])
        case "multi":
            codes = [option.code for option in question.options]
            shared = [code for code in codes if code not in question.exclusive]
            ticked = st.sets(st.sampled_from(shared), min_size=1).map(
                lambda some: tuple(code for code in codes if code in some)
            )
            alone = [(code,) for code in question.exclusive]
            return st.one_of(st.sampled_from(alone), ticked) if alone else ticked
        case "integer":
            return st.integers(int(question.min or 0), int(question.max or 0))
        case "decimal":
            low, high = Decimal(str(question.min)), Decimal(str(question.max))
            numbers = st.decimals(low, high, places=1).map(lambda number: number.normalize())
            ends = st.tuples(numbers, numbers).map(sorted)
            between = ends.map(lambda pair: Range(f"{pair[0]:f}-{pair[1]:f}", *pair))
            under = numbers.filter(lambda number: number > low).map(
                lambda number: Range(f"<{number:f}", low, number, below=True)
            )
            return st.one_of(numbers, between, under)
        case "boolean":
            return st.just(True) if question.must_be else st.booleans()
        case _:
            return st.sampled_from(TEXTS)


def quiet(question: Question) -> Value | None:
    """Return the best answer, or None if the question has no best answer."""
    if question.type == "multi":
        return question.exclusive[:1] or None
    if question.worse in ("higher", "lower"):
        end = question.min if question.worse == "higher" else question.max
        return int(end or 0) if question.type == "integer" else Decimal(str(end))
    return next((chain[0] for chain in chains(question)), None)


def worse_answers(question: Question, answer: Value | None) -> list[Value]:
    """Return the answers that are one step worse than this answer, by `worse` of the question."""
    if question.worse == "ticked":
        before = {*(answer if isinstance(answer, tuple) else ())} - {*question.exclusive}
        more = [o.code for o in question.options if o.code not in {*question.exclusive, *before}]
        ticked = [before | {code} for code in more]
        return [tuple(o.code for o in question.options if o.code in each) for each in ticked]
    if isinstance(answer, str):
        pairs = [pair for chain in chains(question) for pair in pairwise(chain)]
        return [worse for better, worse in pairs if better == answer]
    if isinstance(answer, int | Decimal) and question.worse in ("higher", "lower"):
        step, end = (1, question.max) if question.worse == "higher" else (-1, question.min)
        last = type(answer)(str(end))
        return [
            worse
            for worse in (answer + step, last)
            if (worse - last) * step <= 0 and worse != answer
        ]
    return []


@st.composite
def walks(
    draw: st.DrawFn,
    protocol: Protocol,
    begun: dict[str, Value] | None = None,
    asked: frozenset[str] = frozenset(),
    *,
    calm: bool = False,
) -> dict[str, Value]:
    """Draw the answers of a patient who answered every page.

    A walk can continue from the answers `begun`. Then the questions `asked` are not asked again. In
    a `calm` walk, four of five answers are quiet, so that few rules fire at once.
    """
    answers = dict(begun or {})
    for question in protocol.questions:
        if question.id in asked or question.id not in visible(protocol, answers):
            continue
        calmly = quiet(question) if calm and draw(st.integers(0, 4)) else None
        if calmly is not None:
            answers[question.id] = calmly
        elif question.required or draw(st.booleans()):
            answers[question.id] = draw(values(question))
    return answers


def any_answers(protocol: Protocol) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for answers to any questions, whether a walk would ask them or not."""
    return st.fixed_dictionaries(
        {}, optional={question.id: values(question) for question in protocol.questions}
    )
