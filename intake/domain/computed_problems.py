"""Find what is wrong with computed values, and with the summary lines that staff read."""

from __future__ import annotations

from collections.abc import Iterator

from intake.domain.computed import SAFETY_RETRACTED, own_values
from intake.domain.definition import Protocol
from intake.domain.grammar import SUM, Computed, Line, Term, conditions_of
from intake.domain.leaf_problems import Values, leaf_problems, values_of
from intake.domain.problem import Problem
from intake.domain.summary import PLACEHOLDER


def computed_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield all problems of the computed values and of the summary."""
    values = values_of(protocol)
    for name, computed in protocol.rules.computed.items():
        path = f"computed.{name}"
        if name == SAFETY_RETRACTED:
            if computed != Computed(computed.text):
                yield _wrong(path, "The walk itself sets this value: give its `text` alone.")
            continue
        yield from _shape(protocol, path, computed)
        terms = [problem for term in computed.sum for problem in _term(protocol, path, term)]
        yield from terms
        if not terms:
            yield from _conditions(protocol, path, computed, values)
        if _reads_itself(protocol, name):
            yield Problem("circular_computed", path, f"“{name}” is read to compute itself.")
    for number, line in enumerate(protocol.rules.summary):
        yield from _line(protocol, f"summary[{number}]", line, values)


def _shape(protocol: Protocol, path: str, computed: Computed) -> Iterator[Problem]:
    if computed.version is not None:
        yield _wrong(path, "A version names code of stored documents. Say how it is computed.")
        return
    if computed.first and computed.when is not None:
        yield _wrong(path, "Give `first` or `when`, not both.")
    elif not computed.first and computed.when is None and len(computed.own_names) != 1:
        yield _wrong(path, "Give `first`, `when`, a `sum` or one `count`.")
    if any(case.when is None for case in computed.first[:-1]):
        yield _wrong(path, "A case without `when` is the last one: none behind it counts.")
    if len({type(case.is_) for case in computed.first}) > 1:
        yield _wrong(path, "Give every case a value of one kind: words, numbers or yes and no.")
    for name in computed.count:
        if name == SUM or name in protocol.rules.computed:
            yield Problem("duplicate_id", path, f"“{name}” has another meaning already. Rename it.")


def _term(protocol: Protocol, path: str, term: Term) -> Iterator[Problem]:
    question = next((q for q in protocol.questions if q.id == term.q), None)
    if question is None:
        yield Problem("unknown_question", path, f"There is no question “{term.q}”.")
    elif not term.map:
        if question.type != "integer":
            message = f"“{term.q}” is no whole number: give each option its number in `map`."
            yield _wrong(path, message)
    elif question.type != "single":
        yield _wrong(path, f"`map` is for a single choice; “{term.q}” is {question.type}.")
    elif term.map.keys() != {option.code for option in question.options}:
        yield _wrong(path, f"Give each option of “{term.q}” a number, and no other one.")


def _conditions(
    protocol: Protocol, path: str, computed: Computed, values: Values
) -> Iterator[Problem]:
    with_own = {**values, **own_values(protocol, computed)}
    for counted in computed.count.values():
        for condition in counted:
            yield from leaf_problems(protocol, path, condition, values)
    if computed.only_if is not None:
        yield from leaf_problems(protocol, path, computed.only_if, values)
    for case in computed.first:
        if case.when is not None:
            yield from leaf_problems(protocol, path, case.when, with_own)
    if computed.when is not None:
        yield from leaf_problems(protocol, path, computed.when, with_own)


def _reads_itself(protocol: Protocol, name: str) -> bool:
    values = protocol.rules.computed
    todo = list(values[name].computed())
    for each in todo:  # the list grows during the loop
        if each in values:
            todo += [other for other in values[each].computed() if other not in todo]
    return name in todo


def _line(protocol: Protocol, path: str, line: Line, values: Values) -> Iterator[Problem]:
    phrases = [phrase for part in line.parts for phrase in part]
    if not line.parts or not all(line.parts):
        yield Problem("wrong_summary", path, f"“{line.label}”: give each part a phrase.")
    for phrase in phrases:
        for name in PLACEHOLDER.findall(phrase.say):
            if name not in protocol.rules.computed:
                message = f"“{phrase.say}” says “{name}”, which is no computed value."
                yield Problem("wrong_summary", path, message)
    for condition in conditions_of(line.parts):
        yield from leaf_problems(protocol, path, condition, values)


def _wrong(path: str, message: str) -> Problem:
    return Problem("wrong_computed", path, message)
