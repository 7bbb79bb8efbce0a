"""Find what is wrong with the words of danger.

A concept that nobody reads, or a frame that no rule reads, would look like a safeguard and be none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from intake.domain.danger_scope import NOW
from intake.domain.danger_words import ROLES, Danger, Frame, listed
from intake.domain.definition import Protocol
from intake.domain.problem import Problem


def danger_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each frame, concept or role that cannot work."""
    danger = protocol.danger
    if danger is None:
        return
    for id, count in Counter(frame.id for frame in danger.frames).items():
        if count > 1:
            yield Problem("duplicate_id", "danger.frames", f"“{id}” is used {count} times.")
    yield from _named(danger)
    for frame in danger.frames:
        yield from _rule(protocol, frame)
    yield from _concepts(danger)


def _named(danger: Danger) -> Iterator[Problem]:
    """Yield a problem for each concept that is named and is not there."""
    named = [
        (f"danger.frames.{frame.id}", concept)
        for frame in danger.frames
        for concept in (*frame.of, *frame.unless)
    ]
    named += [
        (f"danger.roles.{role}", concept)
        for role, concepts in danger.roles.items()
        for concept in concepts
    ]
    named += [
        (f"danger.concepts.{concept}", part)
        for concept in danger.concepts
        for part in sorted(danger.parts(concept))
    ]
    for path, concept in named:
        if concept not in danger.concepts:
            yield Problem("unknown_concept", path, f"There is no concept “{concept}”.")
    for role in danger.roles.keys() - set(ROLES):
        message = f"The program knows no role “{role}”. It knows {', '.join(ROLES)}."
        yield Problem("wrong_danger", f"danger.roles.{role}", message)


def _rule(protocol: Protocol, frame: Frame) -> Iterator[Problem]:
    path = f"danger.frames.{frame.id}"
    rule = next((rule for rule in protocol.rules.rules if rule.id == frame.rule), None)
    if rule is None:
        message = f"There is no rule “{frame.rule}”: nobody would be told of this danger."
        yield Problem("unread_frame", path, message)
    elif not any(
        leaf.danger is not None and leaf.scope == NOW and frame.id in leaf.danger
        for leaf in rule.when.leaves()
    ):
        message = f"“{frame.rule}” does not read this frame: name it under `danger`, or `@frames`."
        yield Problem("unread_frame", path, message)


def _concepts(danger: Danger) -> Iterator[Problem]:
    """Yield a problem for each concept that no frame or role reads, or that no text can contain."""
    readers = {c for frame in danger.frames for c in (*frame.of, *frame.unless)}
    readers |= {c for concepts in danger.roles.values() for c in concepts}
    readers |= {part for concept in danger.concepts for part in danger.parts(concept)}
    heard = {concept for frame in danger.frames for concept in frame.of}
    languages = sorted({language for lists in danger.concepts.values() for language in lists})
    fillers = set(listed(danger.fillers))
    in_layers = {concept for layer in danger.layers for concept in layer}
    for concept, lists in danger.concepts.items():
        path = f"danger.concepts.{concept}"
        if concept not in readers:
            message = "No frame, role or phrase reads this concept: name it in one, or take it out."
            yield Problem("wrong_danger", path, message)
        for language in languages:
            phrases = listed(lists.get(language, ""))
            if not phrases and concept in heard:
                message = f"Write how patients say this in “{language}”."
                yield Problem("missing_words", f"{path}.{language}", message)
            for phrase in phrases:
                if set(phrase.split()) <= fillers:
                    message = f"“{phrase}” has only fillers: it can never be heard."
                    yield Problem("wrong_danger", f"{path}.{language}", message)
        if concept not in in_layers and danger.parts(concept) <= danger.concepts.keys():
            message = "Its phrases name concepts that name it again."
            yield Problem("wrong_danger", path, message)
