"""Hypothesis strategies for answers: of complete walks, or of any questions."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from intake.domain.definition import Protocol, Question, Value
from intake.domain.ranges import Range
from intake.domain.route import visible

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


@st.composite
def walks(
    draw: st.DrawFn,
    protocol: Protocol,
    begun: dict[str, Value] | None = None,
    asked: frozenset[str] = frozenset(),
) -> dict[str, Value]:
    """Draw the answers of a patient who answered every page.

    A walk can continue from the answers `begun`, in which case the questions `asked` are not asked
    again.
    """
    answers = dict(begun or {})
    for question in protocol.questions:
        if question.id in asked or question.id not in visible(protocol, answers):
            continue
        if question.required or draw(st.booleans()):
            answers[question.id] = draw(values(question))
    return answers


def any_answers(protocol: Protocol) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy for answers to any questions, whether a walk would ask them or not."""
    return st.fixed_dictionaries(
        {}, optional={question.id: values(question) for question in protocol.questions}
    )
