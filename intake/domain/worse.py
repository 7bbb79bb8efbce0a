"""Read which answers to a question are worse than others, and find questions that do not say so.

A worse answer never gives a lower urgency: tests check this for each protocol. So if a rule above
the lowest level reads a question, `worse` of this question says which answers are worse:

- A single choice has chains, with commas between them, such as `never < over_7d < last_7d`.
- A multiple choice has `ticked`: one more ticked option is worse, unless this option is exclusive.
- A number has `higher` or `lower`.
- Any question may have `nothing`, if its answers only say who the patient is or where it hurts.
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
    """Yield a problem for each question with a missing or wrong `worse`."""
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
