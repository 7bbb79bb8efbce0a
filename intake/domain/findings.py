"""What a clinician records after an examination: a total, a code or a result, and its words.

The scales themselves are data (intake/protocols/findings.yaml). No rule reads a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from intake.domain.definition import Option
from intake.domain.grammar import Base

ALSO: Final = "also"
"""The stored value of a part whose box was ticked in place of a number."""


class Band(Base, frozen=True, rename={"from_": "from"}):
    """A named range of a total. It begins at `from_` and ends where the next band begins."""

    from_: float
    label: str


class Part(Base, frozen=True):
    """One field of a finding: a choice, if it has options, or else a number.

    With `several`, more than one option may be chosen.
    """

    id: str
    label: str
    required: bool = False
    options: tuple[Option, ...] = ()
    several: bool = False
    low: float = 0
    high: float = 0
    places: int = 0
    bands: tuple[Band, ...] = ()
    also: str = ""

    def words(self, value: str | list[str]) -> str:
        """Return a stored value in words, a number with the name of its band."""
        if self.options:
            labels = {option.code: option.label for option in self.options}
            codes = value if isinstance(value, list) else [value]
            return ", ".join(labels.get(code, code) for code in codes)
        if value == ALSO:
            return self.also
        number = Decimal(str(value))
        reached = [band.label for band in self.bands if Decimal(str(band.from_)) <= number]
        return f"{value} ({reached[-1]})" if reached else str(value)


class Scale(Base, frozen=True):
    """A scale, an index or a kind of result that a clinician can record.

    With `legs`, a finding belongs to one leg. `licence` names a setting without which the scale is
    not offered.
    """

    id: str
    name: str
    source: str
    parts: tuple[Part, ...]
    legs: bool = True
    licence: str = ""

    def words(self, value: Mapping[str, Any]) -> str:
        """Return a stored finding in words: "C4a, pigmentation or eczema; Ep, primary"."""
        told = [(part, value[part.id]) for part in self.parts if value.get(part.id)]
        return "; ".join(part.words(each) for part, each in told)

    def number(self, value: Mapping[str, Any]) -> Decimal | None:
        """Return the number of a stored finding.

        None if the scale has no number, or if the box in place of the number is ticked.
        """
        stored = value.get(self.parts[0].id, ALSO)
        return None if self.parts[0].options or stored == ALSO else Decimal(stored)


def from_data(data: Any) -> tuple[Scale, ...]:
    """Return the scales from the data of their file. Raises msgspec.ValidationError."""
    return msgspec.convert(data, tuple[Scale, ...])
