"""Read from the refusal of a mail server or provider whether to close the address for letters.

A refusal closes an address only if it speaks of the address. A full mailbox, a suspected spam or a
mail server without a good name says nothing about the address.
"""

import re
import smtplib
from collections.abc import Mapping

from clinic.outgoing import sms
from clinic.outgoing.addresses import Closed

# RFC 3463: bad mailbox or domain, mailbox moved, null MX (RFC 7505), mailbox disabled
_SAYS_SO = re.compile(r"5\.(1\.(1|2|3|6|10)|2\.1)(?![\d.])")
_ENHANCED = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_WITHOUT_ENHANCED = (550, 551, 553)


def is_said_by_enhanced(words: str) -> bool | None:
    """Return whether the enhanced code (RFC 3463) in a reply says that the address is dead.

    Returns None if the reply has no such code.
    """
    found = _ENHANCED.search(words)
    return bool(_SAYS_SO.fullmatch(found[0])) if found else None


def is_said_by_smtp(code: int, text: bytes | str) -> bool:
    """Return whether an SMTP reply to RCPT says that the address receives nothing any more.

    Without an enhanced code, 550, 551 and 553 speak of the mailbox (RFC 5321, 4.2.3).
    """
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    said = is_said_by_enhanced(words)
    return 500 <= code < 600 and (code in _WITHOUT_ENHANCED if said is None else said)


def told_by(refused: Mapping[str, tuple[int, bytes | str]]) -> tuple[Closed, ...]:
    """Return the dead ones among the addresses that a mail server refused."""
    return tuple(
        Closed(channel="email", address=address, why="dead", trouble=f"smtp {code}")
        for address, (code, text) in refused.items()
        if is_said_by_smtp(code, text)
    )


def told_by_error(error: Exception, to: tuple[str, ...]) -> tuple[Closed, ...]:
    """Return the addresses that an error of sending to the recipients `to` closes."""
    # imported here, because the import is slow and web servers do not need it
    from anymail.exceptions import AnymailRecipientsRefused

    match error:
        case smtplib.SMTPRecipientsRefused():
            return told_by(error.recipients)
        case AnymailRecipientsRefused() if len(to) == 1:
            trouble = "recipient refused"
            return (Closed(channel="email", address=to[0], why="dead", trouble=trouble),)
        case sms.NumberRefused() if error.why:
            return (Closed(channel="sms", address=to[0], why=error.why, trouble=error.trouble),)
    return ()
