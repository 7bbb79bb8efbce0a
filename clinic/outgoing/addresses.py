"""Pass on what a provider learned about an address: that it is dead, or wants no more letters.

The app that keeps addresses registers a function, because this package knows no app.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Closed:
    """An address that a provider refuses for good.

    `why` is "dead" when the address receives nothing, and "revoked" when its owner wants no more
    letters. `trouble` is the provider's code, such as "twilio 21610", never the provider's text.
    """

    channel: Literal["email", "sms"]
    address: str
    why: Literal["dead", "revoked"]
    trouble: str


Keep = Callable[[Closed], None]
IsOpen = Callable[[str, str], bool]
_keepers: list[Keep] = []
_is_open: list[IsOpen] = []


def when_closed(keep: Keep) -> Keep:
    """Register the function that keeps a closed address. It may be called twice for one address.

    The function is called in the transaction that stores what became of the message.
    """
    _keepers.append(keep)
    return keep


def close(closed: Closed) -> None:
    """Pass a closed address on, in the caller's transaction."""
    for keep in _keepers:
        keep(closed)


def when_asked(is_open: IsOpen) -> IsOpen:
    """Register the function that says whether letters may be sent to a channel and address."""
    _is_open.append(is_open)
    return is_open


def is_open(channel: str, address: str) -> bool:
    """Whether every app allows letters to an address."""
    return all(asked(channel, address) for asked in _is_open)
