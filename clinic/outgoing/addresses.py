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
_keepers: list[Keep] = []


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
