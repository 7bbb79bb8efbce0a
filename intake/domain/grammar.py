"""The grammar of a protocol's data: the base of its structs, conditions, computed values, lines.

`intake.domain.conditions` evaluates a condition, `intake.domain.computed` a computed value,
`intake.domain.summary` a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Literal

import msgspec


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of all structs: it refuses unknown keys and leaves default values out.

    Without defaults a stored document keeps its hash when a later version of the program knows one
    more optional key.
    """


def is_number(value: object) -> bool:
    """Whether the value is a number; Python counts true and false as numbers, too."""
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

    `q` reads an answer, `var` a computed value, `danger` the frames that are heard in free text
    with this scope. The scope of a pattern's words is now, unless the
    leaf says otherwise. `intake.domain.conditions` evaluates a condition.
    """

    q: str | None = None
    var: str | None = None
    op: (
        Literal["eq", "in", "contains", "contains_any", "gte", "lte", "gt", "lt", "text_any_regex"]
        | None
    ) = None
    value: str | bool | int | float | tuple[str, ...] | None = None
    danger: tuple[str, ...] | None = None
    scope: Literal["now", "denied", "past", "other"] | None = None
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
        """Return every leaf of this condition in reading order; a leaf returns itself."""
        if self.op is not None or self.danger is not None:
            return (self,)
        parts = self.all or self.any or ((self.not_,) if self.not_ is not None else ())
        return tuple(leaf for part in parts for leaf in part.leaves())

    def questions(self) -> tuple[str, ...]:
        """Return the ids of the questions that the condition reads, each once, in reading order."""
        return tuple(dict.fromkeys(leaf.q for leaf in self.leaves() if leaf.q is not None))

    def computed(self) -> tuple[str, ...]:
        """Return the names of the computed values that the condition reads, each once, in order."""
        return tuple(dict.fromkeys(leaf.var for leaf in self.leaves() if leaf.var is not None))

    def reads(self) -> tuple[str, ...]:
        """Return the names of everything that the condition reads, as a rule lists its inputs."""
        danger = any(leaf.danger is not None for leaf in self.leaves())
        return (*self.computed(), *self.questions(), *((DANGER,) if danger else ()))


DANGER: Final = "danger"
"""The name by which a rule lists what is heard in free text among its inputs."""

SUM: Final = "sum"
"""The name by which a computed value reads its own sum."""


class Term(Base, frozen=True):
    """One part of a sum: a number, or the number that `map` gives an option. It counts `times`."""

    q: str
    times: int = 1
    map: dict[str, int] = {}


class Case(Base, frozen=True, rename={"is_": "is"}):
    """The value `is` while the condition holds; without a condition, in any case."""

    is_: str | int | bool
    when: AnswerCondition | None = None


class Computed(Base, frozen=True):
    """A computed value: how it is computed, as data, and in words.

    `sum` adds up terms; with a missing term there is no value. Each name of `count` is the number
    of its conditions that hold. `first` is the value of the first case that holds, `when` whether
    a condition holds; both may read the names of `count` and `sum`. Without either, the value is
    the sum or the only count. While `only_if` does not hold there is no value.

    `version` names the code that computed the value in a document stored before this was data
    (`intake.domain.stored`).
    """

    text: str
    version: int | None = None
    sum: tuple[Term, ...] = ()
    count: dict[str, tuple[AnswerCondition, ...]] = {}
    first: tuple[Case, ...] = ()
    when: AnswerCondition | None = None
    only_if: AnswerCondition | None = None

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names that only this value's conditions can read."""
        return (*self.count, *((SUM,) if self.sum else ()))

    def conditions(self) -> Iterator[AnswerCondition]:
        """Yield every condition of the value."""
        yield from (condition for counted in self.count.values() for condition in counted)
        yield from (case.when for case in self.first if case.when is not None)
        yield from (condition for condition in (self.when, self.only_if) if condition is not None)

    def questions(self) -> tuple[str, ...]:
        """Return the ids of the questions that the value reads directly, each once.

        Questions that it reads through other computed values are left out.
        """
        read = (id for condition in self.conditions() for id in condition.questions())
        return tuple(dict.fromkeys((*(term.q for term in self.sum), *read)))

    def computed(self) -> tuple[str, ...]:
        """Return the names of the other computed values that this value reads, each once."""
        read = (name for condition in self.conditions() for name in condition.computed())
        return tuple(dict.fromkeys(name for name in read if name not in self.own_names))


def in_order(values: Mapping[str, Computed]) -> tuple[str, ...]:
    """Return the names so that each value follows those that it reads. Circles raise no error."""
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
    """Words for staff while a condition holds. `{name}` is the computed value of that name."""

    say: str
    when: AnswerCondition | None = None


class Line(Base, frozen=True):
    """A line in the staff's summary of a submission.

    Each part says its first phrase whose condition holds. Without a phrase of the first part there
    is no line.
    """

    label: str
    parts: tuple[tuple[Phrase, ...], ...]


def conditions_of(lines: Iterable[Line]) -> Iterator[AnswerCondition]:
    """Yield every condition of the lines."""
    for line in lines:
        for phrase in (phrase for part in line.parts for phrase in part):
            if phrase.when is not None:
                yield phrase.when
