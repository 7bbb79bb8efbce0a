"""Define the words by which the program hears danger in free text: concepts, frames, scopes.

The data is the file `danger.yaml` of a protocol. `intake.domain.danger` reads a text with it.

A phrase is a few words. `cold/icy` stands for either word, `numb*` for every word that begins so,
`<limb>` for any phrase of that concept, `NUMBER` for a number, `NUMBER>2` and `NUMBER>14` for
one above that, `FEVER` for a temperature of fever, `YEAR` for a year. The words of `fillers` may
stand between the words of a phrase, and are not counted as words between two concepts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from intake.domain.grammar import Base

ROLES: Final = (
    *(
        "places",
        "denies",
        "denies_all",
        "after_no",
        "joins",
        "joins_weakly",
        "undoes",
        "changed",
        "cannot",
        "no_denial",
    ),
    *(
        "answers_no",
        "answers_yes",
        "had",
        "long_ago",
        "now",
        "over",
        "today",
        "relation",
        "history",
        "in_family",
    ),
    *(
        "told",
        "links",
        "breaks",
        "since",
        "feels",
        "came_true",
        "deceased",
        "acquaintance",
        "prompted",
    ),
    *("feared", "supposed", "conditional", "quoted", "reported", "cleared", "mistaken", "serious"),
    *("harmless", "covers"),
)
"""What the reader of scopes asks a concept for."""

SIGNS: Final = "signs"
LASTING: Final = "lasting signs"
"""Besides the roles: the signs that a text can deny, and those in which no lack is the danger."""

NUMBERS: Final = ("NUMBER", "NUMBER>2", "NUMBER>14", "FEVER", "YEAR")
PART: Final = re.compile(r"<([a-z_]+)>")


def listed(text: str) -> tuple[str, ...]:
    """Return the phrases of a text that commas divide."""
    return tuple(phrase for phrase in map(str.strip, text.split(",")) if phrase)


class Frame(Base, frozen=True):
    """One thing that is dangerous: one concept, or two or three that stand near each other.

    The concepts of `of` stand in any order, with at most `within` words between two of them.
    `rule` is the rule that a hit fires. A concept of `unless` in the same sentence says that the
    hit is nothing new, such as "every winter". `named` marks an illness that is called by its name:
    relatives have "had" it. `missing` marks a danger that is a lack, such as "no warfarin left": a
    negation does not deny it.
    """

    id: str
    of: tuple[str, ...]
    rule: str
    within: int = 5
    unless: tuple[str, ...] = ()
    named: bool = False
    missing: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.of) <= 3:
            raise ValueError("A frame reads one, two or three concepts")


class OwnWords(Base, frozen=True):
    """A protocol's file `danger.yaml`: the shared folders that it uses, and what it adds."""

    shared: tuple[str, ...] = ()
    concepts: dict[str, dict[str, str]] = {}
    frames: tuple[Frame, ...] = ()
    roles: dict[str, tuple[str, ...]] = {}
    fillers: str = ""
    patient: str = ""
    common: str = ""


class Danger(Base, frozen=True, dict=True):
    """The words of a protocol: concept → language → phrases; frames; the concepts of each role.

    `fillers` are words that say nothing here, `patient` those by which a patient says "I" or "my".
    `common` are words that look like a slip of a word here and are none. `falls_short` are the
    languages in which the sentences that are held back do not reach the goals.
    """

    concepts: dict[str, dict[str, str]]
    frames: tuple[Frame, ...]
    roles: dict[str, tuple[str, ...]]
    fillers: str = ""
    patient: str = ""
    common: str = ""
    falls_short: tuple[str, ...] = ()

    @cached_property
    def tables(self) -> dict[frozenset[str], Any]:
        """The tables that `intake.domain.danger` makes of these words, kept here."""
        return {}

    @cached_property
    def by_id(self) -> dict[str, Frame]:
        """The frames by their ids."""
        return {frame.id: frame for frame in self.frames}

    @cached_property
    def by_concept(self) -> dict[str, list[tuple[int, Frame]]]:
        """Concept → the frames that begin with this concept, each as (place in the list, frame)."""
        found: dict[str, list[tuple[int, Frame]]] = {}
        for place, frame in enumerate(self.frames):
            found.setdefault(frame.of[0], []).append((place, frame))
        return found

    @cached_property
    def places(self) -> frozenset[str]:
        """The concepts that name a place of the body. A place alone is no sign."""
        return frozenset(self.roles.get("places", ()))

    @cached_property
    def signs(self) -> frozenset[str]:
        """The concepts of frames that a text can deny: all except places."""
        return frozenset(c for frame in self.frames for c in frame.of) - self.places

    @cached_property
    def lacks(self) -> frozenset[str]:
        """The concepts in which the lack itself is the danger, such as "I haven't had"."""
        return frozenset(c for frame in self.frames if frame.missing for c in frame.of)

    @cached_property
    def roles_of(self) -> dict[str, tuple[str, ...]]:
        """Concept → its roles, and whether it is one of the `SIGNS` or of the `LASTING`."""
        found: dict[str, tuple[str, ...]] = {}
        lists = {**self.roles, SIGNS: self.signs, LASTING: self.signs - self.lacks}
        for role, concepts in lists.items():
            for concept in concepts:
                found[concept] = (*found.get(concept, ()), role)
        return found

    def phrases(self, concept: str) -> Iterator[tuple[tuple[str, ...], ...]]:
        """Yield the phrases of a concept in every language, each as its words' alternatives."""
        for phrases in self.concepts[concept].values():
            for phrase in listed(phrases):
                yield tuple(tuple(word.split("/")) for word in phrase.split())

    def parts(self, concept: str) -> set[str]:
        """Return the concepts that the phrases of a concept name."""
        return {part for text in self.concepts[concept].values() for part in PART.findall(text)}

    @cached_property
    def heard(self) -> tuple[str, ...]:
        """The concepts that frames read, directly or as a part of a phrase."""
        found = dict.fromkeys(concept for frame in self.frames for concept in frame.of)
        todo = list(found)
        for concept in todo:  # the list grows during the loop
            todo += sorted(self.parts(concept) - found.keys())
            found |= dict.fromkeys(sorted(self.parts(concept)))
        return tuple(found)

    @cached_property
    def layers(self) -> tuple[tuple[str, ...], ...]:
        """The concepts in layers: each one after the concepts that its phrases name.

        A concept in a circle is left out.
        """
        layers: list[tuple[str, ...]] = []
        known: set[str] = set()
        while True:
            ready = [c for c in self.concepts if c not in known and self.parts(c) <= known]
            if not ready:
                return tuple(layers)
            layers.append(tuple(ready))
            known |= set(ready)
