"""E-mail addresses: the stored form, the readable form, and likely slips in the domain."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

import idna
import jellyfish

# The mail services of most patients. If a domain is one letter away from one of these, the page
# asks the patient about it.
_COMMON: Final = (
    *("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "live.com"),
    *("comcast.net", "verizon.net", "sbcglobal.net", "protonmail.com", "yahoo.es", "hotmail.es"),
    *("aol.com", "msn.com", "att.net", "yahoo.com.mx", "outlook.es"),
)
# real mail services whose domain is one letter away from a common one
_ALSO_REAL: Final = frozenset(("ymail.com", "mail.com", "email.com", "aim.com", "live.ca"))


def stored_form(address: str) -> str:
    """Return the address with its domain in the letters that mail programs use (IDNA 2008).

    `sam@münchen.de` becomes `sam@xn--mnchen-3ya.de`. A domain in ASCII does not change. Raises
    ValueError for a domain that IDNA does not allow.
    """
    local, at, domain = address.rpartition("@")
    if not at or domain.isascii():
        return address
    return f"{local}@{idna.encode(domain, uts46=True).decode()}"


def readable_form(stored: str) -> str:
    """Return a stored address with its domain in the original letters, such as `sam@münchen.de`.

    Only the patient reads this form, because a domain in another script can imitate a known domain.
    """
    local, at, domain = stored.rpartition("@")
    if not at or "xn--" not in domain.lower():
        return stored
    try:
        return f"{local}@{idna.decode(domain)}"
    except idna.IDNAError:
        return stored


def spellings(address: str) -> set[str]:
    """Return the spellings in which the address may be stored, in small letters.

    Older releases stored the domain as it was typed, and not as in `stored_form`.
    """
    found = {address.casefold(), readable_form(address).casefold()}
    with suppress(ValueError):  # the domain of an address that was stored as it was typed
        found.add(stored_form(address).casefold())
    return found


def likely_meant(address: str) -> str:
    """Return the likely correct address if the domain looks like a slip, else ''."""
    local, _at, typed = address.rpartition("@")
    domain = typed.lower()
    if domain in _COMMON or domain in _ALSO_REAL:
        return ""
    near = jellyfish.damerau_levenshtein_distance
    return next((f"{local}@{known}" for known in _COMMON if near(domain, known) == 1), "")
