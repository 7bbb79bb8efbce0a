"""What somebody holds and gives back when their account is closed or their roles change.

Each app registers a function, called in the transaction of the change, after it. It gives back what
this person cannot see to any more, writes down that it did, and returns what went back, in words
that show no patient: an administrator reads them before anything is stored.
"""

from collections.abc import Callable
from typing import Any

GiveBack = Callable[..., list[str]]
_registered: list[GiveBack] = []


def on_change(give_back: GiveBack) -> GiveBack:
    """Register what takes `user`, `by` and `request_id`, and gives back what `user` holds."""
    _registered.append(give_back)
    return give_back


def give_back(*, user: Any, by: Any, request_id: str) -> list[str]:
    """Give back all that the person cannot see to any more. Returns what, in words."""
    given = (each(user=user, by=by, request_id=request_id) for each in _registered)
    return [words for back in given for words in back]
