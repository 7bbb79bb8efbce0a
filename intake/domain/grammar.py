"""The grammar of a protocol's data: conditions, computed values, and lines of the summary.

`intake.domain.conditions` evaluates conditions, `intake.domain.computed` computes values, and
`intake.domain.summary` writes the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base class of all structs. It refuses unknown keys and does not write default values.

    Because defaults are not written, a stored document keeps its hash when a later release adds an
    optional key.
    """


def is_number(value: object) -> bool:
    """Whether the value is a number. Unlike in Python, true and false are no numbers here."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: object) -> bool:
    return isinstance(value, tuple)


_VALUE_OF_OPERATOR: Final[dict[str, tuple[str, Callable[[object], bool]]]] = {
    "eq": ("one value", lambda value: not isinstance(value, tuple)),
    "contains": ("one option", lambda value: isinstance(value, str)),
    **dict.fromkeys(("in", "contains_any", "text_any_regex"), ("a list", _is_list)),
    **dict.fromkeys(("gte", "lte", "gt", "lt"), ("a number", is_number)),
}


class AnswerCondition(Base, frozen=True, rename={"not_": "not"}, cache_hash=True):
    """A leaf `{q|var, op, value}` or `{danger, scope}`, or exactly one of `all`, `any`, `not`.

    `q` reads an answer. `var` reads a computed value. `danger` reads the frames that are heard in
    free text with this `scope`. A pattern (`text_any_regex`) reads words with the scope now, unless
    the leaf has a `scope`. The reader of danger finds the scopes now, denied, past and other. If
    the patient answers a question about the words, "passed" or "answered" can replace now
    (`Option.scope`). `intake.domain.conditions` evaluates a condition.
    """

    q: str | None = None
    var: str | None = None
    op: (
        Literal["eq", "in", "contains", "contains_any", "gte", "lte", "gt", "lt", "text_any_regex"]
        | None
    ) = None
    value: str | bool | int | float | tuple[str, ...] | None = None
    danger: tuple[str, ...] | None = None
    scope: Literal["now", "denied", "past", "other", "passed", "answered"] | None = None
    all: tuple[AnswerCondition, ...] | None = None
    any: tuple[AnswerCondition, ...] | None = None
    not_: AnswerCondition | None = None

    def __post_init__(self) -> None:
        keys = {name for name in self.__struct_fields__ if getattr(self, name) is not None}
        if keys in ({"q", "op", "value"}, {"var", "op", "value"}):
            expected, fits = _VALUE_OF_OPERATOR[self.op or ""]
            if not fits(self.value):
                raise ValueError(f"`{self.op}` takes {expected}")
        elif keys == {"q", "op", "value", "scope"} and self.op == "text_any_regex":
            pass
        elif keys not in ({"all"}, {"any"}, {"not_"}, {"danger", "scope"}):
            raise ValueError(
                "A condition is {q, op, value}, {var, op, value}, {danger, scope}, {all}, {any}"
                " or {not}"
            )

    def leaves(self) -> tuple[AnswerCondition, ...]:
        """Return every leaf of this condition in reading order; for a leaf, the leaf itself."""
        if self.op is not None or self.danger is not None:
            return (self,)
        parts = self.all or self.any or ((self.not_,) if self.not_ is not None else ())
        return tuple(leaf for part in parts for leaf in part.leaves())

    def questions(self) -> tuple[str, ...]:
        """Return the ids of the questions that the condition reads, each once, in reading order."""
        return tuple(dict.fromkeys(leaf.q for leaf in self.leaves() if leaf.q is not None))

    def computed(self) -> tuple[str, ...]:
        """Return the computed values that the condition reads, each name once, in reading order."""
        return tuple(dict.fromkeys(leaf.var for leaf in self.leaves() if leaf.var is not None))

    def reads(self) -> tuple[str, ...]:
        """Return the names of everything that the condition reads, as a rule lists its inputs."""
        danger = any(leaf.danger is not None for leaf in self.leaves())
        return (*self.computed(), *self.questions(), *((DANGER,) if danger else ()))


DANGER: Final = "danger"
"""The name by which a rule lists what is heard in free text among its inputs."""

SUM: Final = "sum"
"""The name by which the conditions of a computed value read its own sum."""


class Term(Base, frozen=True):
    """One part of a sum: the answer to the question `q`, multiplied by `times`.

    `map` has a number for each option. If there is a `map`, the number of the chosen option counts
    as the answer.
    """

    q: str
    times: int = 1
    map: dict[str, int] = {}


class Case(Base, frozen=True, rename={"is_": "is"}):
    """One case of a computed value: the value is `is` if `when` holds or if there is no `when`."""

    is_: str | int | bool
    when: AnswerCondition | None = None


class Computed(Base, frozen=True):
    """A computed value: how it is computed, as data, and in words (`text`).

    `sum` adds up terms. `count` has names, each with conditions; the value of a name is how many of
    its conditions hold. The conditions of `first` and `when` may read `sum` and the names of
    `count`.

    With `first`, the computed value is the value of the first case that holds. With `when`, the
    computed value is true if the condition holds, else false. Without `first` and `when`, the
    computed value is the sum or the only count. The computed value is None if a term of the sum is
    missing, or if the condition `only_if` does not hold.

    A patient can state a `fact` in several places. These places are the parts of `when: any`.

    Old stored documents have only `version`, which names Python code (`intake.domain.stored`).
    """

    text: str
    version: int | None = None
    sum: tuple[Term, ...] = ()
    count: dict[str, tuple[AnswerCondition, ...]] = {}
    first: tuple[Case, ...] = ()
    when: AnswerCondition | None = None
    only_if: AnswerCondition | None = None
    fact: bool = False

    @property
    def places(self) -> tuple[AnswerCondition, ...]:
        """The answers that each state this fact; empty if the computed value is no fact."""
        said = (self.when.any or ()) if self.fact and self.when is not None else ()
        return tuple(place for place in said if place.q is not None)

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names that only the conditions of this value can read: `sum` and those of `count`."""
        return (*self.count, *((SUM,) if self.sum else ()))

    def conditions(self) -> Iterator[AnswerCondition]:
        """Yield every condition by which the value is computed."""
        yield from (condition for counted in self.count.values() for condition in counted)
        yield from (case.when for case in self.first if case.when is not None)
        yield from (condition for condition in (self.when, self.only_if) if condition is not None)

    def questions(self) -> tuple[str, ...]:
        """Return the ids of the questions that the value reads directly, each once.

        Questions that only other computed values read are left out.
        """
        read = (id for condition in self.conditions() for id in condition.questions())
        return tuple(dict.fromkeys((*(term.q for term in self.sum), *read)))

    def computed(self) -> tuple[str, ...]:
        """Return the names of the other computed values that this value reads, each once."""
        read = (name for condition in self.conditions() for name in condition.computed())
        return tuple(dict.fromkeys(name for name in read if name not in self.own_names))


def in_order(values: Mapping[str, Computed]) -> tuple[str, ...]:
    """Sort the names so that each value stands after the values that it reads.

    Values that read each other in a circle raise no error here.
    """
    ordered: dict[str, None] = {}

    def add(name: str, reading: tuple[str, ...]) -> None:
        if name in values and name not in ordered and name not in reading:
            for other in values[name].computed():
                add(other, (*reading, name))
            ordered[name] = None

    for name in values:
        add(name, ())
    return tuple(ordered)


class Phrase(Base, frozen=True):
    """Words that staff read if the condition holds. `{name}` stands for a computed value."""

    say: str
    when: AnswerCondition | None = None


class Line(Base, frozen=True):
    """A line in the staff's summary of a submission.

    Of each part, the first phrase whose condition holds is shown. If no phrase of the first part
    holds, the whole line is left out.
    """

    label: str
    parts: tuple[tuple[Phrase, ...], ...]


def conditions_of(parts: Iterable[tuple[Phrase, ...]]) -> Iterator[AnswerCondition]:
    """Yield every condition of the parts of a line or of a rule's lists."""
    for part in parts:
        yield from (phrase.when for phrase in part if phrase.when is not None)
