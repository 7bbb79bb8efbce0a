"""Make identifiers: keys of rows, and references that people read out on the phone."""

import secrets
import time
import uuid

# no 0, 1, O, I, L, which are misread; no S, which looks like 5; no A, E, U, so that no reference is
# a word
_SYMBOLS = "23456789BCDFGHJKMNPQRTVWXYZ"
_LENGTH = 8
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"


def uuid7() -> uuid.UUID:
    """Make a UUID of version 7 (RFC 9562): the time, then 62 random bits.

    The 12 bits after the milliseconds hold the fraction of the millisecond (RFC 9562, 6.2 method
    3), so that the ids that one machine makes sort in the order in which they were made.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    value |= 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def new_reference() -> str:
    """Make a reference such as `7F3K-92QD`: seven random symbols and a check symbol."""
    symbols = "".join(secrets.choice(_SYMBOLS) for _ in range(_LENGTH - 1))
    # the check symbol, whose weight is 1, makes the weighted sum (`_sum`) of all eight symbols 0
    symbols += _SYMBOLS[-2 * _sum(symbols) % len(_SYMBOLS)]
    return f"{symbols[:4]}-{symbols[4:]}"


def parse_reference(text: str) -> str | None:
    """Return a typed reference in the form `7F3K-92QD`, or None if the text is not a reference.

    Case, spaces and hyphens do not matter. The check symbol always detects one wrong symbol or two
    swapped neighbours. The database is not asked, so the reference may belong to no submission.
    """
    symbols = "".join(text.split()).translate(dict.fromkeys(map(ord, _DASHES))).upper()
    if len(symbols) != _LENGTH or set(symbols) - set(_SYMBOLS) or _sum(symbols):
        return None
    return f"{symbols[:4]}-{symbols[4:]}"


def parse_reference_start(text: str) -> str | None:
    """Return the first half of a reference in the form `7F3K-`; None if the text is not one."""
    symbols = "".join(text.split()).strip(_DASHES).upper()
    return (
        f"{symbols}-" if len(symbols) == _LENGTH // 2 and not set(symbols) - set(_SYMBOLS) else None
    )


def _sum(symbols: str) -> int:
    # Each symbol's weight is twice the weight of the next symbol, modulo 27 = 3 * 3 * 3. No weight
    # and no difference of neighbouring weights is a multiple of 3, so one wrong symbol or one swap
    # always changes the sum.
    total = 0
    for symbol in symbols:
        total = (2 * total + _SYMBOLS.index(symbol)) % len(_SYMBOLS)
    return total
