"""Read a date that a patient typed into the boxes for month, day and year, or pasted into one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from intake.domain import wrong_answers
from intake.domain.typed_text import as_key

_BETWEEN: Final = re.compile(r"[\s/.,\u2010-\u2015-]+")
_NUMBER: Final = re.compile(r"([0-9]{1,4})(?:st|nd|rd|th|º|°)?")
_JOINED: Final = re.compile(
    r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})|([0-9]{2})([0-9]{2})([0-9]{4})"
)
_FILLERS: Final = frozenset(("de", "del", "of"))  # "27 de marzo de 1984"


class _Month(int):
    """A month that was written as a word."""


def read_date(boxes: Sequence[str], months: Mapping[str, int]) -> date | None:
    """Read the date of the three boxes; None if all are blank.

    `months` has the names of months in small letters, without a full stop. One box may hold a whole
    date, if the other boxes are blank or agree with that date. A number alone in a box is the
    month, the day or the year, as the box says. In a whole date of numbers, a number from 13 to 31
    is the day. If two numbers could be the month, the date is not guessed. Raises InvalidAnswer.
    """
    typed = [as_key(box).strip() for box in boxes]
    parts = [_parts(box, months) for box in typed]
    if not any(parts):
        return None
    whole = next((place for place, found in enumerate(parts) if len(found) == 3), None)
    if whole is not None:
        found = _in_order(parts[whole], typed[whole])
        if any(
            other and (other if len(other) == 3 else [found[place]]) != other
            for place, other in enumerate(parts)
            if place != whole
        ):
            raise wrong_answers.several_dates()
    elif not all(parts):
        raise wrong_answers.date_incomplete()
    elif any(len(part) > 1 for part in parts):
        raise wrong_answers.several_dates()
    else:
        found = _boxed(parts[0][0], parts[1][0], parts[2][0])
    month, day, year = found
    if year < 1000:
        raise wrong_answers.year_too_short()
    try:
        return date(year, month, day)
    except ValueError:
        raise wrong_answers.no_such_date() from None


def _parts(text: str, months: Mapping[str, int]) -> list[int]:
    """Return the numbers and months of one box, in their order."""
    if joined := _JOINED.fullmatch(text):
        return [int(part) for part in joined.groups() if part]
    found: list[int] = []
    for part in _BETWEEN.split(text.casefold().rstrip(".,")) if text else ():
        if number := _NUMBER.fullmatch(part):
            found.append(int(number[1]))
        elif part in months:
            found.append(_Month(months[part]))
        elif part not in _FILLERS:
            raise wrong_answers.not_a_date(text)
    return found


def _boxed(month: int, day: int, year: int) -> tuple[int, int, int]:
    """Return month, day and year of three boxes. A month in words may stand in the day's box."""
    swapped = isinstance(day, _Month) and not isinstance(month, _Month)
    month, day = (day, month) if swapped else (month, day)
    if isinstance(day, _Month) or isinstance(year, _Month):
        raise wrong_answers.several_dates()
    return month, day, year


def _in_order(parts: Sequence[int], typed: str) -> tuple[int, int, int]:
    """Return month, day and year of a whole date."""
    named = [part for part in parts if isinstance(part, _Month)]
    numbers = [part for part in parts if not isinstance(part, _Month)]
    if len(named) > 1:
        raise wrong_answers.not_a_date(typed)
    if named:
        day, year = sorted(numbers)
        return named[0], day, year
    first, second, last = parts
    if first >= 1000:
        return second, last, first
    if first <= 12 and second <= 12 and first != second:
        raise wrong_answers.two_dates_possible(typed)
    return (first, second, last) if first <= 12 else (second, first, last)
