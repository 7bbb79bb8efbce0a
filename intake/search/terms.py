"""Read what staff typed into the search box: a reference, dates, an address, digits, a name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from clinic.ids import parse_reference, parse_reference_start
from intake.domain.typed_date import read_date
from intake.domain.typed_text import as_key
from intake.domain.wrong_answers import InvalidAnswer
from intake.search import names

LONGEST = 100
_LETTER = re.compile(r"[^\W\d_]")
_REFERENCE = re.compile(r"\s*(?:#|ref(?:erence)?\b|no\b|nr\b)[\s.:#]*", re.IGNORECASE)
_BORN = re.compile(r"\b(?:born|dob|b|birth\s?date|date of birth)\b[\s.:]*", re.IGNORECASE)
_EXTENSION = re.compile(r"[\s,;]*(?:;ext=|ext(?:ension)?\b|x|#)[\s.:]*[0-9]{1,7}\s*", re.IGNORECASE)
_SHORT_YEAR = re.compile(r"(.*[\s/.,\u2010-\u2015'’-])([0-9]{2})")
_SIX = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{2})")
_LONGEST_DATE = 6  # words: born on the 27 de marzo de 1984


@dataclass(frozen=True, slots=True)
class Term:
    """What a search term can mean. Dates and a name stand together; the others stand alone."""

    reference: str = ""  # whole, or its first four symbols and a hyphen
    dates: tuple[date, ...] = ()
    email: str = ""
    digits: str = ""  # of a phone number, or its last digits
    name: str = ""


def read(text: str, months: Mapping[str, int]) -> Term:
    """Read a search term. `months` has the names of months in small letters.

    A text that can be a birth date is one, even if the text is a number.
    """
    text = as_key(text).strip()[:LONGEST]
    reference = reference_of(text)
    if reference and (len(reference) > 5 or _REFERENCE.match(text)):
        return Term(reference=reference)
    if dates := dates_of(text, months):
        return Term(dates=tuple(dates))
    if "@" in text:
        return Term(email=text)
    number = _EXTENSION.sub("", text)
    if not _LETTER.search(number) and len(digits := re.sub(r"\D", "", number)) >= 4:
        return Term(reference=reference, digits=digits)
    name, dates = _name_and_dates(text, months)
    return Term(reference=reference, dates=tuple(dates), name=name)


def reference_of(text: str) -> str:
    """Return a whole reference, or the first half of one with its hyphen; '' for another text."""
    bare = _REFERENCE.sub("", text, count=1) if _REFERENCE.match(text) else text
    return parse_reference(bare) or parse_reference_start(bare) or ""


def dates_of(text: str, months: Mapping[str, int]) -> list[date]:
    """Return the dates that a text can mean; none for another text.

    3/4/1984 can be two dates, and a year of two digits two years. Staff look at all patients whom
    a search finds, so all are found.
    """
    text = _BORN.sub("", text, count=1).strip()
    if six := _SIX.fullmatch(text):
        text = "/".join(six.groups())
    short = _SHORT_YEAR.fullmatch(text)
    if not short or re.search(r"[0-9]{3}", short[1]):
        return _whole(text, months)
    head = short[1].rstrip("'’")
    years = (f"{century}{short[2]}" for century in ("19", "20"))
    return [day for year in years for day in _whole(f"{head}{year}", months)]


def _whole(text: str, months: Mapping[str, int]) -> list[date]:
    try:
        found = read_date([text, "", ""], months)
    except InvalidAnswer as problem:
        if problem.code != "two_dates_possible":
            return []
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        if len(numbers) == 1:  # written as one number
            numbers = [int(text[:2]), int(text[2:4]), int(text[4:])]
        first, second, year = numbers
        return [date(year, first, second), date(year, second, first)] if year >= 1000 else []
    return [found] if found else []


def _name_and_dates(text: str, months: Mapping[str, int]) -> tuple[str, list[date]]:
    """Take a date off the end or the beginning of a text. Returns the rest and the dates."""
    parts = text.replace(",", " , ").split()
    for size in range(min(_LONGEST_DATE, len(parts) - 1), 0, -1):
        for rest, part in ((parts[:-size], parts[-size:]), (parts[size:], parts[:size])):
            name = _BORN.sub("", " ".join(rest)).replace(",", " ").strip()
            if names.fold(name) and (dates := dates_of(" ".join(part).strip(" ,"), months)):
                return name, dates
    return text, []
