"""Make the blind tokens by which patients are found, although their data are sealed.

A token is a keyed hash of one folded value: the sound or the first three letters of a word of the
name, the last digits of the phone, the e-mail address, the birth date. The tokens of a search term
find rows that may match (candidates). The caller opens the candidates and compares. There are no
tokens of answers.

A dump of the database must not tell names to a person who sends forms of invented names and looks
for equal tokens. So a token of a name has 20 bits at most, and each word has one of `VARIANTS`
tokens, by the person: equal words of two persons mostly have different tokens. Sending a name shows
one of its variants, and a search asks for all of them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from clinic.secrets.sealing import blind
from clinic.secrets.sealing import fold as fold_plainly
from intake import mail_address
from intake.domain.stored import PHONE
from intake.search import before, names
from intake.search.terms import Term, read

CANDIDATES = 200  # how many candidates one search opens at most
VARIANTS = 16
# kind → its number in the token, and its bits
_KINDS = {
    "prefix": (1, 20),
    "sound": (2, 20),
    "sign": (3, 20),
    "person": (4, 20),
    "born": (5, 16),
    "tail of 4": (6, 16),
    "tail of 7": (7, 20),
}
_KIND_AT = 20  # the number of the kind stands above the bits of the hash

__all__ = ["Term", "address_tokens", "blinded_term", "person_tokens", "query_tokens", "rank"]
__all__ += ["read", "tokens"]


def tokens(person: Mapping[str, Any]) -> list[int]:
    """Return the blind tokens of a patient's identity and contact details, sorted."""
    found = set(_person_tokens(person))
    variant = _variant_of(person)
    for name in filter(None, (person.get("name"), person.get("proxy_name"))):
        found |= {_part(kind, value, variant) for kind, value in _values(name)}
    if born := person.get("birth_date"):
        found.add(_short("born", born))
    if digits := _digits(person.get(PHONE, "")):
        found |= {_short("tail of 4", digits[-4:]), _short("tail of 7", digits[-7:])}
    found |= set(address_tokens(person.get("email") or "", person.get(PHONE) or ""))
    if settings.OLD_SEARCH_KEYS:
        found |= before.tokens(person)
    return sorted(found)


def address_tokens(*addresses: str) -> list[int]:
    """Return the blind tokens of e-mail addresses and phone numbers, the same as in `tokens`.

    These have 64 bits, because a one-time code is sent to the address that a token finds.
    """
    found = set()
    for address in filter(None, map(str.strip, addresses)):
        if "@" in address:
            found |= {blind("email", form) for form in mail_address.spellings(address)}
        elif digits := _digits(address):
            found |= {blind("phone", form) for form in (digits, digits[-10:])}
    return sorted(found)


def person_tokens(person: Mapping[str, Any]) -> list[int]:
    """Return the tokens of name and birth date, which all submissions of one person have.

    Returns an empty list if name or birth date is unknown.
    """
    if settings.OLD_SEARCH_KEYS:  # rows of the release before have these alone
        return before.person_tokens(person)
    return sorted(_person_tokens(person))


def query_tokens(term: Term) -> list[list[int]]:
    """Return the tokens of a search term. A candidate must have a token of every inner list.

    Returns an empty list if the term has nothing to search for. A search for a reference is left to
    the caller.
    """
    wanted: list[set[int]] = []
    if term.dates:
        days = [day.isoformat() for day in term.dates]
        wanted.append({_short("born", day) for day in days} | before.born(days))
    if term.email:
        wanted.append(set(address_tokens(term.email)))
    if digits := term.digits:
        size = 7 if len(digits) >= 7 else 4
        old = set(address_tokens(digits)) if size == 7 else set()
        wanted.append({_short(f"tail of {size}", digits[-size:]), *old})
    wanted += _name_tokens(term.name)
    return [sorted(each) for each in wanted]


def blinded_term(text: str) -> int:
    """Return a keyed hash of the search term. The audit trail stores this hash, not the term."""
    return blind("term", fold_plainly(text[:100]))


def rank(term: Term, person: Mapping[str, Any]) -> int:
    """Rank a candidate by how well the search term matches the opened person. 0 is best.

    0: equal, or no name was searched. 1: every word begins a part of the name. 2: every word sounds
    or looks like a part of the name. 3: no match; the candidate has the tokens by chance.
    """
    if term.dates and person.get("birth_date") not in {day.isoformat() for day in term.dates}:
        return 3
    if term.digits and not _ends_with(_digits(person.get(PHONE) or ""), term.digits):
        return 3
    if term.email and not {*address_tokens(term.email)} & {
        *address_tokens(person.get("email", ""))
    }:
        return 3
    if not term.name:
        return 0
    known = [name for name in (person.get("name"), person.get("proxy_name")) if name]
    return min((names.fit(term.name, name) for name in known), default=3)


# --- tokens -------------------------------------------------------------------------------------


def _short(kind: str, value: str) -> int:
    """Return a token of few bits, so that many values have the same token."""
    number, bits = _KINDS[kind]
    return number << _KIND_AT | blind(f"search {kind}", value) & (1 << bits) - 1


def _part(kind: str, value: str, variant: int) -> int:
    return _short(kind, f"{variant} {value}")


def _every(kind: str, value: str) -> Iterator[int]:
    return (_part(kind, value, variant) for variant in range(VARIANTS))


def _variant_of(person: Mapping[str, Any]) -> int:
    """Return which variant of each word a person has. Only the index key tells."""
    whole = "|".join(str(person.get(name) or "") for name in ("name", "proxy_name", "birth_date"))
    return blind("search variant", names.fold(whole)) % VARIANTS


def _person_tokens(person: Mapping[str, Any]) -> set[int]:
    name, born = person.get("name"), person.get("birth_date")
    if not (name and born):
        return set()
    return {_short("person", f"{names.fold(name)} {born}"), _short("born", born)}


def _values(name: str) -> Iterator[tuple[str, str]]:
    """Yield what a stored name is found by: kind and value."""
    parts = names.words(name)[: names.MOST_WORDS]
    # a short word is often written as one with the next: De Leon, O Brien, Mc Donald
    joined = [run for at, _end, run in names.runs(parts) if len(parts[at]) < 3]
    for word in (*parts, *joined):
        yield "prefix", word[:3]
        yield "sound", names.sound(word)
    for piece in names.pieces("".join(names.signs(name))[: names.MOST_WORDS]):
        yield "sign", piece


def _name_tokens(name: str) -> list[set[int]]:
    """Return a set of alternative tokens for each word of a typed name."""
    parts = names.words(name)[: names.MOST_WORDS]
    wanted = [
        {*_every("prefix", part[:3]), *_every("sound", names.sound(part)), *before.word(part)}
        for part in parts
    ]
    for start, end, run in names.runs(parts):
        for alternatives in wanted[start:end]:
            alternatives |= {*_every("sound", names.sound(run)), *before.sound(run)}
    for signs in (part[: names.MOST_WORDS] for part in names.signs(name)):
        pairs = [signs[at : at + 2] for at in range(max(1, len(signs) - 1))]
        wanted += [{*_every("sign", pair), *before.word(signs)} for pair in pairs]
    return wanted


def _digits(phone: str) -> str:
    """Return the digits of a phone number, without an extension."""
    return "".join(filter(str.isdigit, phone.partition(";")[0]))


def _ends_with(stored: str, typed: str) -> bool:
    """Whether a stored number ends with the typed digits, with or without its country's code."""
    return stored.endswith(typed) or (len(typed) > 10 and stored[-10:] == typed[-10:])
