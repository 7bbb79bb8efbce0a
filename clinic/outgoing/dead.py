"""Addresses that receive nothing any more: which refusal says so, and who has to know.

A refusal closes an address only if it speaks of the address. A full mailbox, a suspected spam or a
mail server without a good name says nothing about the address.
"""

import re
import smtplib
from collections.abc import Callable, Mapping
from typing import Any

Act = Callable[[str, str, str], Any]
_acts: list[Act] = []

# RFC 3463: bad mailbox or domain, mailbox moved, null MX (RFC 7505), mailbox disabled
_SAYS_SO = re.compile(r"5\.(1\.(1|2|3|6|10)|2\.1)(?![\d.])")
_ENHANCED = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_WITHOUT_ENHANCED = (550, 551, 553)


def when_dead(act: Act) -> Act:
    """Register a function that is called with channel, address and trouble of a dead address.

    The function is called in the transaction that stores the refusal, and may be called again for
    the same address.
    """
    _acts.append(act)
    return act


def report(*, channel: str, address: str, trouble: str) -> None:
    """Tell the registered functions that a provider refuses an address for good."""
    for act in _acts:
        act(channel, address, trouble)


def is_said_by_smtp(code: int, text: bytes | str) -> bool:
    """Return whether an SMTP reply to RCPT says that the address receives nothing any more.

    A reply with an enhanced code (RFC 3463) is believed in what that code says. Without one, 550,
    551 and 553 speak of the mailbox (RFC 5321, 4.2.3).
    """
    words = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    if not 500 <= code < 600:
        return False
    if enhanced := _ENHANCED.search(words):
        return bool(_SAYS_SO.fullmatch(enhanced[0]))
    return code in _WITHOUT_ENHANCED


def told_by(refused: Mapping[str, tuple[int, bytes | str]]) -> dict[str, str]:
    """Map the dead ones among the addresses that a mail server refused to their trouble."""
    return {
        address: f"smtp {code}"
        for address, (code, text) in refused.items()
        if is_said_by_smtp(code, text)
    }


def told_by_error(error: Exception, to: tuple[str, ...]) -> dict[str, str]:
    """Map the addresses that an error of sending calls dead to their trouble.

    `to` are the recipients of the message.
    """
    # imported here, because the import is slow and web servers do not need it
    from anymail.exceptions import AnymailRecipientsRefused

    match error:
        case smtplib.SMTPRecipientsRefused():
            return told_by(error.recipients)
        case AnymailRecipientsRefused() if len(to) == 1:
            return {to[0]: "recipient refused"}
    return {}
