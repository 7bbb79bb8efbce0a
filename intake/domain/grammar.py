"""The grammar of a protocol's data: the base of its structs, and conditions.

`intake.domain.conditions` evaluates a condition.
"""

from __future__ import annotations

from collections.abc import Callable
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


class Condition(Base, frozen=True, rename={"not_": "not"}, cache_hash=True):
    """A leaf `{q|var, op, value}`, or exactly one of `all`, `any`, `not`.

    `q` reads an answer, `var` a computed value. `intake.domain.conditions` evaluates a condition.
    """

    q: str | None = None
    var: str | None = None
    op: (
        Literal["eq", "in", "contains", "contains_any", "gte", "lte", "gt", "lt", "text_any_regex"]
        | None
    ) = None
    value: str | bool | int | float | tuple[str, ...] | None = None
    all: tuple[Condition, ...] | None = None
    any: tuple[Condition, ...] | None = None
    not_: Condition | None = None

    def __post_init__(self) -> None:
        keys = {name for name in self.__struct_fields__ if getattr(self, name) is not None}
        if keys in ({"q", "op", "value"}, {"var", "op", "value"}):
            expected, fits = _VALUE_OF_OPERATOR[self.op or ""]
            if not fits(self.value):
                raise ValueError(f"`{self.op}` takes {expected}")
        elif keys not in ({"all"}, {"any"}, {"not_"}):
            raise ValueError(
                "A condition is {q, op, value}, {var, op, value}, {all}, {any} or {not}"
            )

    def leaves(self) -> tuple[Condition, ...]:
        """Return every leaf of this condition in reading order; a leaf returns itself."""
        if self.op is not None:
            return (self,)
        parts = self.all or self.any or ((self.not_,) if self.not_ is not None else ())
        return tuple(leaf for part in parts for leaf in part.leaves())

    def questions(self) -> tuple[str, ...]:
        """Return the ids of the questions that the condition reads, each once, in reading order."""
        return tuple(dict.fromkeys(leaf.q for leaf in self.leaves() if leaf.q is not None))

    def computed(self) -> tuple[str, ...]:
        """Return the names of the computed values it reads, each once, in reading order."""
        return tuple(dict.fromkeys(leaf.var for leaf in self.leaves() if leaf.var is not None))
