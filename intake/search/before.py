"""The search tokens of the release before, as long as rows may have them alone (OLD_SEARCH_KEYS).

The next release deletes this module.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

import jellyfish
from django.conf import settings

from clinic.secrets.sealing import blind, fold


def tokens(person: Mapping[str, Any]) -> set[int]:
    """Return the tokens of name and birth date as the release before stores them."""
    found = set(person_tokens(person))
    for name in filter(None, (person.get("name"), person.get("proxy_name"))):
        found.add(blind("name", fold(name)))
        for part in [fold(each) for each in re.split(r"[\s\-]+", name) if fold(each)][:8]:
            found |= {blind("prefix", part[:3]), blind("sound", _sound(part))}
    if born := person.get("birth_date"):
        found.add(blind("born", born))
    return found


def person_tokens(person: Mapping[str, Any]) -> list[int]:
    name, born = person.get("name"), person.get("birth_date")
    return sorted({blind("name", fold(name)), blind("born", born)}) if name and born else []


def born(days: Iterable[str]) -> set[int]:
    return {blind("born", day) for day in days} if settings.OLD_SEARCH_KEYS else set()


def word(part: str) -> set[int]:
    return {blind("prefix", part[:3]), *sound(part)} if settings.OLD_SEARCH_KEYS else set()


def sound(part: str) -> set[int]:
    return {blind("sound", _sound(part))} if settings.OLD_SEARCH_KEYS else set()


def _sound(part: str) -> str:
    plain = unicodedata.normalize("NFKD", part).encode("ascii", "ignore").decode()
    return jellyfish.metaphone(plain) or part
