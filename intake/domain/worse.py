"""Read which answers to a question are worse than others, and find questions that do not say it.

A worse answer never gives a lower urgency: tests hold this law for each protocol. So each question
that a rule above the lowest level reads says in `worse` which of its answers are worse:

- a single choice in chains that commas divide, such as `never < over_7d < last_7d`,
- a multiple choice by `ticked`: one more option is worse, if it is not exclusive,
- a number by `higher` or `lower`,
- each of them by `nothing`: its answers say who the patient is, or where the problem is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from intake.domain.computed import reads
from intake.domain.definition import FLAG, Protocol, Question
from intake.domain.problem import Problem

NOTHING: Final = "nothing"
_WORDS: Final = {
    "multi": ("ticked", NOTHING),
    "integer": ("higher", "lower", NOTHING),
    "decimal": ("higher", "lower", NOTHING),
}


def chains(question: Question) -> tuple[tuple[str, ...], ...]:
    """Return the orders of a single choice's options, each from the best to the worst."""
    if question.type != "single" or question.worse in (None, NOTHING):
        return ()
    parts = (question.worse or "").split(",")
    return tuple(tuple(code.strip() for code in part.split("<")) for part in parts)


def worse_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each question that does not say, or says wrongly, what is worse."""
    raising = _read_by_raising_rules(protocol)
    for question in protocol.questions:
        path = f"questions.{question.id}.worse"
        if question.worse is None:
            if question.id in raising and question.type not in ("text", "boolean"):
                message = "A rule above the lowest level reads this: say which answers are worse."
                yield Problem("wrong_worse", path, message)
        elif question.type == "single":
            codes = {option.code for option in question.options}
            for chain in chains(question):
                if unknown := [code for code in chain if code not in codes]:
                    yield Problem("unknown_option", path, f"There is no “{unknown[0]}”.")
                elif len({*chain}) != len(chain) or len(chain) < 2:
                    message = f"“{' < '.join(chain)}”: name two options or more, each once."
                    yield Problem("wrong_worse", path, message)
        elif question.worse not in _WORDS.get(question.type, ()):
            words = ", ".join(_WORDS.get(question.type, ())) or "nothing at all"
            yield Problem("wrong_worse", path, f"Of a {question.type} question say {words}.")


def _read_by_raising_rules(protocol: Protocol) -> set[str]:
    lowest = min(level.rank for level in protocol.rules.levels)
    found: set[str] = set()
    for rule in protocol.rules.rules:
        if rule.level == FLAG or protocol.level(rule.level).rank == lowest:
            continue
        found |= {*rule.when.questions()}
        for name in rule.when.computed():
            if name in protocol.rules.computed:
                found |= {*reads(protocol, name)}
    return found
