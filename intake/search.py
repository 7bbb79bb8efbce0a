"""Make the blind tokens by which patients are found, although their data are sealed.

A token is a keyed hash (`sealing.blind`) of one folded value: the whole name, the sound or the
first three letters of a part of the name, the phone digits, the e-mail address or the birth date.
The tokens of a search term find rows that may match (candidates). The caller opens the candidates
and compares the names. There are no tokens of answers.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

import jellyfish

from clinic.secrets.sealing import blind, fold
from intake import mail_address
from intake.domain.stored import PHONE
from intake.domain.typed_date import read_date
from intake.domain.typed_text import as_key
from intake.domain.wrong_answers import InvalidAnswer

CANDIDATES = 200  # how many candidates one search opens at most
ALIKE = 0.87  # names with at least this similarity match (Jaro-Winkler; 1 for equal names)


def tokens(person: Mapping[str, Any]) -> list[int]:
    """Return the blind tokens of a patient's identity and contact details, sorted."""
    found = set()
    for name in filter(None, (person.get("name"), person.get("proxy_name"))):
        found.add(blind("name", fold(name)))
        for part in _parts(name):
            found |= {blind("prefix", part[:3]), blind("sound", _sound(part))}
    if phone := person.get(PHONE):
        found |= {blind("phone", digits) for digits in _phones(phone)}
    if email := person.get("email"):
        found |= _emails(email.strip())
    if birth_date := person.get("birth_date"):
        found.add(blind("born", birth_date))
    return sorted(found)


def address_tokens(*addresses: str) -> list[int]:
    """Return the blind tokens of e-mail addresses and phone numbers, the same as in `tokens`."""
    found = set()
    for address in filter(None, map(str.strip, addresses)):
        if "@" in address:
            found |= _emails(address)
        elif digits := re.sub(r"\D", "", address.partition(";")[0]):
            found |= {blind("phone", form) for form in (digits, digits[-10:])}
    return sorted(found)


def person_tokens(person: Mapping[str, Any]) -> list[int]:
    """Return the tokens of name and birth date, which all submissions of one person have.

    Returns an empty list if name or birth date is unknown.
    """
    name, born = person.get("name"), person.get("birth_date")
    return sorted({blind("name", fold(name)), blind("born", born)}) if name and born else []


def query_tokens(text: str, months: Mapping[str, int]) -> list[list[int]]:
    """Return the tokens of a search term. A candidate must have a token of every inner list.

    `months` has the names of months in small letters. Returns an empty list if the term has nothing
    to search for. A search for a reference is left to the caller.
    """
    text = as_key(text).strip()[:100]
    if dates := dates_of(text, months):
        return [[blind("born", day.isoformat()) for day in dates]]
    if "@" in text:
        return [sorted(_emails(text))]
    digits = re.sub(r"\D", "", text)
    if len(digits) >= 7 and not re.search(r"[^\W\d_]", text):
        return [[blind("phone", form) for form in _phones(digits)]]
    return [[blind("prefix", part[:3]), blind("sound", _sound(part))] for part in _parts(text)]


def blinded_term(text: str) -> int:
    """Return a keyed hash of the search term. The audit trail stores this hash, not the term."""
    return blind("term", fold(text[:100]))


def rank(text: str, person: Mapping[str, Any], months: Mapping[str, int]) -> int:
    """Rank a candidate by how well the search term matches the name. 0 is best.

    `months` is as in `query_tokens`.

    0: equal, or no name was searched. 1: every word begins a part of the name. 2: every word sounds
    or looks like a part of the name. 3: no match; the candidate has the tokens by chance.
    """
    if not re.search(r"[^\W\d_]", text) or "@" in text or dates_of(text, months):
        return 0
    names = [name for name in (person.get("name"), person.get("proxy_name")) if name]
    if any(fold(name) == fold(text) for name in names):
        return 0
    parts = {part for name in names for part in _parts(name)}
    words = _parts(text)
    if all(any(part.startswith(word) for part in parts) for word in words):
        return 1
    return 2 if all(any(_alike(word, part) for part in parts) for word in words) else 3


def dates_of(text: str, months: Mapping[str, int]) -> list[date]:
    """Return the dates that a search term can mean, as patients type them; none for another text.

    3/4/1984 can be two dates. Staff look at all patients whom a search finds, so both are found.
    """
    try:
        found = read_date([text, "", ""], months)
    except InvalidAnswer as problem:
        if problem.code != "two_dates_possible":
            return []
        first, second, year = map(int, re.findall(r"\d+", text))
        return [date(year, first, second), date(year, second, first)] if year >= 1000 else []
    return [found] if found else []


def _alike(word: str, part: str) -> bool:
    near = jellyfish.jaro_winkler_similarity(word, part) >= ALIKE
    return near or part.startswith(word) or _sound(word) == _sound(part)


def _parts(name: str) -> list[str]:
    return [part for word in re.split(r"[\s\-]+", name) if (part := fold(word))][:8]


def _sound(part: str) -> str:
    plain = unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode()
    return jellyfish.metaphone(plain) or part


def _emails(address: str) -> set[int]:
    return {blind("email", spelling) for spelling in mail_address.spellings(address)}


def _phones(text: str) -> set[str]:
    digits = re.sub(r"\D", "", text.partition(";")[0])  # the extension after `;` is left out
    return {digits, digits[-10:]}
