"""A number that the patient knows only as a range, such as "<15" on a laboratory report."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

import msgspec

NUMBER: Final = r"(?:[0-9]{1,9}(?:\.[0-9]{1,3}|,[0-9]{1,2})?|\.[0-9]{1,3})"
"""A number without a sign. Three digits after a comma are refused, because "1,234" means 1234 to
most people in the USA. If the program read 1.234, a high ferritin value would become a low one."""

_ONE_SIDED: Final = re.compile(rf"(<=|>=|[<>≤≥])\s*({NUMBER})")
_TWO_SIDED: Final = re.compile(rf"({NUMBER})\s*(?:-|–|\bto\b|\ba\b)\s*({NUMBER})")
_OPPOSITE: Final = {"lt": "gte", "lte": "gt", "gt": "lte", "gte": "lt"}


class Range(msgspec.Struct, frozen=True):
    """The numbers from `low` to `high`. `text` is what the patient typed.

    `above` leaves `low` out of the range, and `below` leaves `high` out.
    """

    text: str
    low: Decimal
    high: Decimal
    above: bool = False
    below: bool = False

    def __str__(self) -> str:
        return self.text

    @property
    def empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and (self.above or self.below))

    def may_be(self, op: str, limit: Decimal | int) -> bool:
        """Whether the comparison with the limit is true for at least one number of the range."""
        match op:
            case "lt":
                return self.low < limit
            case "gt":
                return self.high > limit
            case "lte":
                return self.low < limit or (self.low == limit and not self.above)
            case "gte":
                return self.high > limit or (self.high == limit and not self.below)
            case _:
                return self.may_be("lte", limit) and self.may_be("gte", limit)

    def must_be(self, op: str, limit: Decimal | int) -> bool:
        """Whether the comparison with the limit is true for every number of the range."""
        if op in _OPPOSITE:
            return not self.may_be(_OPPOSITE[op], limit)
        return self.low == self.high == limit


def read_range(text: str, lowest: Decimal, highest: Decimal) -> Range | None:
    """Read a text such as "<15", ">=300" or "15-20". Return None if the text is no range.

    A range without one end reaches to `lowest` or `highest`. The range may be empty.
    """
    if found := _ONE_SIDED.fullmatch(text):
        sign, limit = found[1], as_number(found[2])
        if sign in ("<", "<=", "≤"):
            return Range(text, lowest, limit, below=sign == "<")
        return Range(text, limit, highest, above=sign == ">")
    if found := _TWO_SIDED.fullmatch(text):
        low, high = as_number(found[1]), as_number(found[2])
        return Range(text, low, high) if low <= high else None
    return None


def as_number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))
