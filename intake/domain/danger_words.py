"""Define the words by which the program hears danger in free text: concepts, frames, scopes.

The data is the file `danger.yaml` of a protocol. `intake.domain.danger` reads a text with it.

A phrase is a few words. `cold/icy` stands for either word, `numb*` for every word that begins so,
`<limb>` for any phrase of that concept, `#` for a number, `#3+` for a number from 3, `#15+` for a
number from 15, `#year` for a year. The words of `fillers` are left out of text and phrases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

from intake.domain.grammar import Base

ROLES: Final = (
    *("places", "denies", "after_no", "joins", "joins_weakly", "undoes", "no_denial"),
    *("answers_no", "had", "long_ago", "now", "over", "relation", "history", "harmless"),
)
"""What the reader of scopes asks a concept for."""

NUMBERS: Final = ("#", "#3+", "#15+", "#year")
PART: Final = re.compile(r"<([a-z_]+)>")


class Frame(Base, frozen=True):
    """One thing that is dangerous: one concept, or two or three that stand near each other.

    The concepts of `of` stand in any order, with at most `within` words between two of them.
    `rule` is the rule that a hit fires. A concept of `unless` in the same sentence says that the
    hit is nothing new, such as "every winter". `named` marks an illness that is called by its name:
    relatives have "had" it.
    """

    id: str
    of: tuple[str, ...]
    rule: str
    within: int = 5
    unless: tuple[str, ...] = ()
    named: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.of) <= 3:
            raise ValueError("A frame reads one, two or three concepts")


class Danger(Base, frozen=True, dict=True):
    """The words of a protocol: concept → language → phrases; frames; the concepts of each role.

    `fillers` are words that say nothing here. `common` are words that look like a slip of a word
    here and are none.
    """

    concepts: dict[str, dict[str, tuple[str, ...]]]
    frames: tuple[Frame, ...]
    roles: dict[str, tuple[str, ...]]
    fillers: tuple[str, ...] = ()
    common: tuple[str, ...] = ()

    @cached_property
    def tables(self) -> dict[frozenset[str], Any]:
        """The tables that `intake.domain.danger` makes of these words, kept here."""
        return {}

    @cached_property
    def by_id(self) -> dict[str, Frame]:
        """The frames by their ids."""
        return {frame.id: frame for frame in self.frames}

    @cached_property
    def places(self) -> frozenset[str]:
        """The concepts that say where: a sign there is meant, not the place."""
        return frozenset(self.roles.get("places", ()))

    def phrases(self, concept: str) -> Iterator[tuple[tuple[str, ...], ...]]:
        """Yield the phrases of a concept in every language, each as its words' alternatives."""
        fillers = frozenset(self.fillers)
        for phrases in self.concepts[concept].values():
            for phrase in phrases:
                words = (tuple(word.split("/")) for word in phrase.split())
                yield tuple(word for word in words if word[0] not in fillers)

    def parts(self, concept: str) -> set[str]:
        """Return the concepts that the phrases of a concept name."""
        lists = self.concepts[concept].values()
        return {part for phrases in lists for phrase in phrases for part in PART.findall(phrase)}

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
