"""The register of the parts of a protocol that read a characteristic protected by law.

45 CFR 92.210 asks a clinic to find the decision tools that read age, sex, disability, or language
and national origin, and to reduce the risk of discrimination. `manage.py protocol register NAME`
prints every question, computed value, rule and frame that reads such a characteristic. Each part is
printed with the reason, and with the measure that reduces the risk. The reasons stand in
`register.yaml` of the protocol and of the shared parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from intake import protocols
from intake.domain.definition import Protocol
from intake.domain.grammar import DANGER, AnswerCondition, Base
from intake.protocols.files import Place, read_keys, shown_path


class Reason(Base, frozen=True):
    """Why the parts named in `of` read a characteristic, and what reduces the risk."""

    of: tuple[str, ...]
    why: str
    mitigation: str


class Register(Base, frozen=True):
    """A file `register.yaml`.

    `questions` maps each question that asks for a characteristic to its characteristics. `concepts`
    does the same for each concept of danger whose words name a characteristic.
    """

    questions: dict[str, tuple[str, ...]] = {}
    concepts: dict[str, tuple[str, ...]] = {}
    reasons: tuple[Reason, ...] = ()


class Reader(NamedTuple):
    """A part of the protocol that reads at least one characteristic.

    `kind` is question, value, rule or frame. `does` says what the part does with the answer.
    """

    kind: str
    id: str
    does: str
    reads: tuple[str, ...]


def registers_of(name: str) -> Iterator[tuple[Place, Register]]:
    """Yield the register of the shared parts, and the protocol's own. Raises Unreadable."""
    for folder in (protocols.HERE / "shared/safety", protocols.HERE / name):
        path = folder / "register.yaml"
        if path.is_file():
            data = read_keys(path, Register)
            yield Place(shown_path(path)), msgspec.convert(data, Register)


def readers(protocol: Protocol) -> list[Reader]:
    """Return the parts that read a characteristic, directly or through a computed value.

    Raises Unreadable.
    """
    registers = [register for _place, register in registers_of(protocol.name)]
    asked = {id: names for each in registers for id, names in each.questions.items()}
    spoken = {id: names for each in registers for id, names in each.concepts.items()}
    values = protocol.rules.computed
    known: dict[str, frozenset[str]] = {id: frozenset(names) for id, names in asked.items()}
    for name in protocol.computed_order:
        value = values[name]
        known[name] = _of((*value.questions(), *value.computed()), known)

    def of(condition: AnswerCondition | None) -> frozenset[str]:
        return _of(condition.reads() if condition is not None else (), known)

    found = [
        *(("question", q.id, f"is asked: {q.text}", of(q.show_if)) for q in protocol.questions),
        *(("value", name, values[name].text, known[name]) for name in protocol.computed_order),
        *(("rule", r.id, f"{r.level}: {r.name}", of(r.when)) for r in protocol.rules.rules),
    ]
    for frame in protocol.danger.frames if protocol.danger is not None else ():
        spoken_of = frozenset(name for concept in frame.of for name in spoken.get(concept, ()))
        found.append(("frame", frame.id, f"fires {frame.rule}: {', '.join(frame.of)}", spoken_of))
    return [Reader(kind, id, does, tuple(sorted(r))) for kind, id, does, r in found if r]


def _of(read: Iterable[str], known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*(known.get(name, frozenset()) for name in read if name != DANGER))


def faults(protocol: Protocol) -> Iterator[str]:
    """Yield a sentence for each part without a reason, and each reason without a part.

    Raises Unreadable.
    """
    reading = {reader.id: reader for reader in readers(protocol)}
    explained: set[str] = set()
    for place, register in registers_of(protocol.name):
        explained |= {id for reason in register.reasons for id in reason.of}
        if protocol.name in place.file:
            named = [id for reason in register.reasons for id in reason.of]
            for id in named:
                if id not in reading:
                    yield f"{place}: “{id}” reads no characteristic of the patient: take it out."
                if named.count(id) > 1:
                    yield f"{place}: “{id}” has two reasons: keep one."
    for id, reader in reading.items():
        if id not in explained:
            reads = " and ".join(reader.reads)
            yield f"The {reader.kind} “{id}” reads {reads}: write why into a register.yaml."


def report(protocol: Protocol) -> Iterator[str]:
    """Yield the lines of the register, as Markdown. Raises Unreadable."""
    reasons: dict[str, Reason] = {}
    for _place, register in registers_of(protocol.name):
        reasons |= {id: reason for reason in register.reasons for id in reason.of}
    reading = readers(protocol)
    yield f"# What the protocol {protocol.name} reads of age, sex, disability and language"
    yield ""
    yield f"Content hash {protocol.content_hash}. {len(reading)} parts read a characteristic."
    for reason in dict.fromkeys(reasons.values()):
        parts = [reader for reader in reading if reasons.get(reader.id) == reason]
        if not parts:
            continue
        yield ""
        yield f"## {', '.join(sorted({name for part in parts for name in part.reads}))}"
        yield ""
        yield f"Why: {reason.why.strip()}"
        yield f"What reduces the risk: {reason.mitigation.strip()}"
        yield ""
        for part in parts:
            yield f"- {part.kind} {part.id} ({', '.join(part.reads)}): {part.does}"
