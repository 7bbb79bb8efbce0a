"""Find the options and questions that nobody needs.

Each option is read by a rule, a computed value, the summary or the condition of another question,
or staff read it for the reason that `why` of its question gives. An exclusive option, such as "None
of these", needs no reader, nor does a question that the program itself uses. If one answer of a
single choice is read, the others only say that it is not true.
"""

from __future__ import annotations

from collections.abc import Iterator

from intake.domain.definition import Protocol
from intake.domain.grammar import AnswerCondition, conditions_of
from intake.domain.problem import Problem


def read_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each option, and each question without options, that nothing reads."""
    uses = protocol.uses
    used = {uses.who.q, uses.age, *uses.first_line, *uses.complaint, *uses.contact.stored_names}
    read = _read(protocol)
    for question in protocol.questions:
        if question.id in used or question.about or question.type in ("text", "boolean"):
            continue
        path = f"questions.{question.id}"
        codes = [o.code for o in question.options if o.code not in question.exclusive]
        unread = [code for code in codes or [""] if (question.id, code) not in read]
        if question.type != "multi" and any(id == question.id for id, _code in read):
            unread = []  # the other answers say that the one that is read is not true
        if unread and not question.why:
            named = ", ".join(filter(None, unread)) or question.id
            message = f"No rule or summary reads {named}: take it out, or say `why`."
            yield Problem("unread_option", path, message)
        if question.why and not unread:
            yield Problem("unread_option", path, "Everything is read: take out `why`.")


def _read(protocol: Protocol) -> set[tuple[str, str]]:
    """Return (question, option) of everything that a rule, a value or the summary reads.

    A number is read as (question, '').
    """
    found: set[tuple[str, str]] = set()
    conditions: list[AnswerCondition] = []
    for rule in protocol.rules.rules:
        conditions += [rule.when, *conditions_of(rule.lists)]
    conditions += [q.show_if for q in protocol.questions if q.show_if is not None]
    for line in protocol.summary:
        conditions += conditions_of(line.parts)
    for value in protocol.rules.computed.values():
        conditions += value.conditions()
        for term in value.sum or ():
            found |= {(term.q, code) for code in term.map or ("",)}
    for condition in conditions:
        for leaf in condition.leaves():
            if leaf.q is not None:
                several = leaf.value if isinstance(leaf.value, tuple) else (leaf.value,)
                found |= {(leaf.q, str(code)) for code in several}
    return found
