"""Search for answers that make a condition true.

If no answers lead to a question, or no answers make a rule fire, the protocol has a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Final

from intake.domain.computed import compute, reads
from intake.domain.conditions import holds
from intake.domain.definition import (
    Answers,
    ComputedValue,
    Protocol,
    Question,
    Value,
)
from intake.domain.grammar import AnswerCondition, Computed, is_number

# How many steps one search may take. For the first protocol, a search takes some dozens of steps.
_STEPS: Final = 20_000
_SOME_TEXT: Final = "text"


def can_become_true(protocol: Protocol, condition: AnswerCondition) -> bool:
    """Whether some answers of a patient make the condition true.

    Returns False also if the search gives up after 20,000 steps.
    """
    return _Search(protocol, condition).succeeds()


def boundary_numbers(question: Question, leaves: Iterable[AnswerCondition]) -> list[Value]:
    """Return the numbers at which one of the leaves can change its result.

    These are the limits of the question, the threshold of each leaf, and the next number below and
    above each threshold. Numbers outside the limits are left out.
    """
    step = Decimal(1) if question.type == "integer" else Decimal("0.1")
    limits = [Decimal(str(limit)) for limit in (question.max, question.min) if limit is not None]
    thresholds = [Decimal(str(leaf.value)) for leaf in leaves if is_number(leaf.value)]
    near = [threshold + shift for threshold in thresholds for shift in (0, step, -step)]
    inside = [n for n in near if not limits or min(limits) <= n <= max(limits)]
    numbers = dict.fromkeys([*limits, *inside])
    if question.type == "integer":
        return [int(number) for number in numbers if number == number.to_integral_value()]
    return list(numbers)


class _Search:
    """A depth-first search for answers that make one condition (the goal) true.

    The search goes through the questions on which the goal depends, in the order of the
    questionnaire. For each question it tries only the answers at which a condition or a computed
    value can change, and it leaves a branch as soon as the goal cannot become true there.
    """

    def __init__(self, protocol: Protocol, goal: AnswerCondition) -> None:
        self.protocol = protocol
        self.goal = goal
        self.inputs = {name: reads(protocol, name) for name in protocol.rules.computed}
        ids = {*goal.questions(), *(id for name in goal.computed() for id in self.inputs[name])}
        self.free_text = protocol.uses.free_text
        if any(leaf.danger is not None for leaf in goal.leaves()):
            ids |= set(self.free_text)
        leaves = [*goal.leaves(), *_leaves_behind(protocol, goal)]
        self.questions: list[Question] = []
        # The loop runs backwards: `show_if` of a question reads only earlier questions, which are
        # thus added to `ids` before the loop comes to them.
        for question in reversed(protocol.questions):
            if question.id in ids:
                self.questions.insert(0, question)
                if question.show_if is not None:
                    ids |= set(question.show_if.questions())
                    leaves += question.show_if.leaves()
        self.candidates = {
            question.id: _candidates(question, [leaf for leaf in leaves if leaf.q == question.id])
            for question in self.questions
        }
        self.steps = 0

    def succeeds(self) -> bool:
        return any(self._succeeds_from(0, {}, retracted) for retracted in (False, True))

    def _succeeds_from(self, place: int, known: dict[str, Value | None], retracted: bool) -> bool:
        self.steps += 1
        if self.steps > _STEPS:
            return False
        result = self._result(self.goal, known, retracted)
        if result is not None or place == len(self.questions):
            return bool(result)
        question = self.questions[place]
        hidden = question.show_if is not None and not _holds_for_some_text(
            question.show_if, _answers(known)
        )
        return any(
            self._succeeds_from(place + 1, {**known, question.id: value}, retracted)
            for value in ([None] if hidden else self.candidates[question.id])
        )

    def _result(
        self, condition: AnswerCondition, known: Mapping[str, Value | None], retracted: bool
    ) -> bool | None:
        """Evaluate a condition; None if the answers chosen so far do not decide it yet."""
        if condition.not_ is not None:
            result = self._result(condition.not_, known, retracted)
            return None if result is None else not result
        for parts, decisive in ((condition.all, False), (condition.any, True)):
            if parts is not None:
                results = [self._result(part, known, retracted) for part in parts]
                if decisive in results:
                    return decisive
                return None if None in results else not decisive
        if condition.danger is not None:
            return self._heard(known)
        if condition.q is not None:
            if condition.q not in known:
                return None
            return _holds_for_some_text(condition, _answers(known))
        return self._computed_result(condition, known, retracted)

    def _heard(self, known: Mapping[str, Value | None]) -> bool | None:
        """Any text can name any danger: its frame is heard once a free text is answered."""
        if any(known.get(id) is not None for id in self.free_text):
            return True
        return False if all(id in known for id in self.free_text) else None

    def _computed_result(
        self, leaf: AnswerCondition, known: Mapping[str, Value | None], retracted: bool
    ) -> bool | None:
        assert leaf.var is not None
        if not all(id in known for id in self.inputs[leaf.var]):
            decided = self._decided(self.protocol.rules.computed[leaf.var], known, retracted)
            return None if decided is None else holds(leaf, {}, {leaf.var: decided[0]})
        values = compute(self.protocol, _answers(known), safety_retracted=retracted)
        return holds(leaf, {}, values)

    def _decided(
        self, computed: Computed, known: Mapping[str, Value | None], retracted: bool
    ) -> tuple[ComputedValue] | None:
        """Return the computed value in a tuple; None if the answers so far do not decide it yet.

        A value with `count` or `sum` is not decided before all answers that it reads are chosen.
        """
        if computed.own_names:
            return None
        if computed.only_if is not None:
            allowed = self._result(computed.only_if, known, retracted)
            if not allowed:
                return None if allowed is None else (None,)
        if computed.when is not None:
            result = self._result(computed.when, known, retracted)
            return None if result is None else (result,)
        for case in computed.first:
            result = case.when is None or self._result(case.when, known, retracted)
            if result is None:
                return None
            if result:
                return (case.is_,)
        return None


def _leaves_behind(protocol: Protocol, goal: AnswerCondition) -> Iterator[AnswerCondition]:
    """Yield the leaves of the computed values that the goal reads, directly or through others."""
    todo = list(goal.computed())
    for name in todo:  # the list grows during the loop
        computed = protocol.rules.computed[name]
        todo += [other for other in computed.computed() if other not in todo]
        for condition in computed.conditions():
            yield from condition.leaves()


def _answers(known: Mapping[str, Value | None]) -> Answers:
    return {id: value for id, value in known.items() if value is not None}


def _holds_for_some_text(condition: AnswerCondition, answers: Answers) -> bool:
    """Evaluate a condition like `holds`, but let any typed text match any pattern.

    This is needed because the search cannot make up a text that matches a regular expression.
    """
    if condition.op == "text_any_regex":
        return condition.q in answers
    if condition.all is not None:
        return all(_holds_for_some_text(part, answers) for part in condition.all)
    if condition.any is not None:
        return any(_holds_for_some_text(part, answers) for part in condition.any)
    if condition.not_ is not None:
        return not _holds_for_some_text(condition.not_, answers)
    return holds(condition, answers)


def _candidates(question: Question, leaves: Sequence[AnswerCondition]) -> list[Value | None]:
    """Return the answers to a question at which a leaf or a computed value can change.

    For a multiple-choice question, options that no leaf names are left out.
    """
    match question.type:
        case "single":
            return [*(option.code for option in question.options), None]
        case "multi":
            named = {code for leaf in leaves for code in _codes(leaf)}
            codes = [option.code for option in question.options if option.code in named]
            codes = [code for code in codes if code not in question.exclusive]
            # Try one, two or three options, or all of them. To try four of many would take too
            # long, and no condition is likely to need exactly four.
            ticked = [chosen for n in (1, 2, 3) for chosen in combinations(codes, n)]
            alone = [(code,) for code in question.exclusive]
            return [*ticked, tuple(codes), *alone, None] if codes else [*alone, None]
        case "integer" | "decimal":
            return [*boundary_numbers(question, leaves), None]
        case "boolean":
            return [True, False, None] if question.must_be is None else [question.must_be, None]
        case _:
            return [_SOME_TEXT, None]


def _codes(leaf: AnswerCondition) -> tuple[str, ...]:
    return leaf.value if isinstance(leaf.value, tuple) else (str(leaf.value),)
