"""Take a protocol apart into facts that a person can read, print and compare.

The facts are made from the fields of the structs, so that a key that is added to the structs later
appears here without a change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from intake.authoring.conditions import Words, in_words
from intake.domain.definition import Option, Protocol, Question, Within
from intake.domain.grammar import AnswerCondition, Case, Computed, Phrase, Term

LABELS: Final = {
    # labels of the fields of questions
    "text": "Text",
    "help": "Help",
    "type": "Kind of answer",
    "required": "Must be answered",
    "show_if": "Asked when",
    "exclusive": "Counts only alone",
    "interrupts": "May stop the form",
    "sensitive": "Hidden on a device left alone",
    "unit": "Unit",
    "min": "Lowest",
    "max": "Highest",
    "max_length": "Longest, in characters",
    "one_line": "One line",
    "must_be": "Must be",
    "coding": "Codes",
    "seconds": "Seconds to answer",
    "page": "Page",
    "learn": "Pages to read",
    # labels of the fields of levels and rules
    "rank": "Rank",
    "target": "Target",
    "contact_within": "Contact within",
    "seen_within": "Seen within",
    "tell": "“What happens next”",
    "closed": "While the clinic is closed",
    "may_wait_hours": "Hours the patient may wait for the next opening",
    "level": "Level",
    "name": "Name",
    "interrupt": "Stops the form",
    "inputs": "Reads",
    "when": "When",
    "reason": "Reason",
    "advice": "Patients read",
    "promise": "Promise",
    "ask_back": "Asks the patient back",
    "source": "Source",
    "fallback": "Only when no other rule with a level fires",
    "only_if_none": "Only when no fallback rule fires either",
    "blocks_submission": "Nothing is sent or stored",
    # danger in own words
    "of": "Near each other",
    "within": "Words between, at most",
    "rule": "Rule",
    "unless": "Nothing new with",
    "named": "An illness by its name",
    "en": "English",
    "es": "Spanish",
    # labels of the fields of computed values
    "sum": "Sum of",
    "first": "First that holds",
    "only_if": "Only if",
}
"""Field → label that people read. A field without a label here is shown by its name."""


class Fact(NamedTuple):
    """One fact of a part: its label, its value for comparing, and its value in words."""

    label: str
    value: Any
    words: Words


class Thing(NamedTuple):
    """A part of a protocol. The same part of two versions has the same `kind` and `id`."""

    kind: str
    id: str
    title: str
    facts: dict[str, Fact]


def things(protocol: Protocol) -> Iterator[Thing]:
    """Yield all parts of the protocol except the signature, in reading order."""
    yield _head(protocol)
    for section in protocol.questionnaire.sections:
        yield _thing("Section", section.id, section.title, {"title": section.title}, protocol)
        for question in section.questions:
            yield _question(protocol, section.id, question)
    for level in protocol.rules.levels:
        yield _thing("Level", level.code, level.target, _fields(level, "code"), protocol)
    patterns = {pattern: pattern for pattern in protocol.rules.alarm_patterns}
    yield _thing("Alarming words", "", "", patterns, protocol)
    yield from _danger(protocol)
    for name, computed in protocol.rules.computed.items():
        yield _thing("Computed value", name, "", _computed(computed), protocol)
    for line in protocol.rules.summary:
        yield _thing("Line for staff", line.label, "", _parts("part", line.parts), protocol)
    for rule in protocol.rules.rules:
        values = _fields(rule, "id", "lists") | _parts("lists", rule.lists)
        yield _thing("Rule", rule.id, rule.name, values, protocol)


def _head(protocol: Protocol) -> Thing:
    heads, rules = protocol.questionnaire, protocol.rules
    values: dict[str, Any] = _fields(heads, "sections", "uses", "version", "date")
    values |= {
        "version": (heads.version, rules.version),
        "date": (heads.date, rules.date),
        "name": protocol.name,
    }
    values |= {f"uses {key}": value for key, value in _fields(protocol.uses).items()}
    return _thing("Protocol", "", protocol.name, values, protocol)


def _question(protocol: Protocol, section: str, question: Question) -> Thing:
    values = _fields(question, "id", "options", "proxy")
    values["page"] = question.page or protocol.page_of(question.id).id
    values["section"] = section
    values |= {f"option {option.code}": option for option in question.options}
    if question.proxy is not None:
        words = question.proxy
        values |= {f"proxy {key}": value for key, value in _fields(words, "options").items()}
        values |= {f"proxy option {code}": label for code, label in words.options.items()}
    return _thing("Question", question.id, question.text, values, protocol)


def _danger(protocol: Protocol) -> Iterator[Thing]:
    danger = protocol.danger
    if danger is None:
        return
    for frame in danger.frames:
        yield _thing("Danger in own words", frame.id, "", _fields(frame, "id"), protocol)
    for concept, phrases in danger.concepts.items():
        yield _thing("Words of patients", concept, "", dict(phrases), protocol)
    values = {"fillers": danger.fillers, "patient": danger.patient, "common": danger.common}
    values |= {f"role {role}": ", ".join(names) for role, names in danger.roles.items()}
    values["falls_short"] = ", ".join(danger.falls_short)
    yield _thing("Words of patients", "", "", values, protocol)


def _computed(computed: Computed) -> dict[str, Any]:
    values = _fields(computed, "count")
    return values | {f"count of “{name}”": counted for name, counted in computed.count.items()}


def _parts(name: str, parts: tuple[tuple[Phrase, ...], ...]) -> dict[str, Any]:
    return {f"{name} {number}": part for number, part in enumerate(parts, start=1)}


def _fields(struct: Any, *without: str) -> dict[str, Any]:
    """Return the fields of a struct that are filled in, and in any case the field `required`."""
    values = {name: getattr(struct, name) for name in struct.__struct_fields__}
    return {
        name: value
        for name, value in values.items()
        if name not in without and (name == "required" or not _says_nothing(value))
    }


def _says_nothing(value: Any) -> bool:
    """Whether a field with this value counts as not filled in. The value 0 counts as filled in."""
    return value is None or value is False or value in ((), {}, "")


def _thing(kind: str, id: str, title: str, values: dict[str, Any], protocol: Protocol) -> Thing:
    facts = {
        name: Fact(LABELS.get(name, name), value, _words(protocol, value))
        for name, value in values.items()
    }
    return Thing(kind, id, title, facts)


def _words(protocol: Protocol, value: Any) -> Words:
    match value:
        case AnswerCondition():
            return in_words(protocol, value)
        case bool():
            return Words("yes" if value else "no")
        case Within():
            ((unit, number),) = _fields(value).items()
            return Words("at once" if not number else f"{number} {unit.replace('_', ' ')}")
        case Term():
            times = f" times {value.times}" if value.times != 1 else ""
            numbers = ", ".join(f"{code} is {number}" for code, number in value.map.items())
            return Words(f"“{value.q}”{times}" + (f" ({numbers})" if numbers else ""))
        case Case():
            said = str(_words(protocol, value.is_))
            return _when(protocol, said, value.when)
        case Phrase():
            return _when(protocol, f"“{value.say}”", value.when)
        case Option():
            more = _fields(value, "code", "label").items()
            said = "; ".join(f"{LABELS.get(k, k)}: {_words(protocol, v)}" for k, v in more)
            return Words(value.label + (f" [{said}]" if said else ""))
        case msgspec.Struct():
            return _words(protocol, _fields(value))
        case dict():
            return Words("; ".join(f"{key}: {_words(protocol, v)}" for key, v in value.items()))
        case tuple() if any(isinstance(item, msgspec.Struct) for item in value):
            return Words("in this order:", tuple(_words(protocol, item) for item in value))
        case tuple():
            return Words(", ".join(str(_words(protocol, item)) for item in value))
        case _:
            return Words(str(value))


def _when(protocol: Protocol, said: str, condition: AnswerCondition | None) -> Words:
    if condition is None:
        return Words(f"{said}, else")
    return Words(f"{said}, when", (in_words(protocol, condition),))
