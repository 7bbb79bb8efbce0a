"""Give the work of an account back to colleagues when the account closes or its roles change.

Each app registers a function, which is called after the change, in the same transaction. The
function takes from the account the work that the account may not do any more, and records this. It
returns a list of that work in words that name no patient, because an administrator reads the list
before anything is stored.
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # apps.py imports this module before Django has loaded any model
    from django.contrib.auth.models import User


class GiveBack(Protocol):
    def __call__(self, *, user: "User", by: "User", request_id: str) -> list[str]: ...


_registered: list[GiveBack] = []


def on_change(give_back: GiveBack) -> GiveBack:
    """Register a function that takes work from an account.

    The function `give_back` of this module calls each registered function with the same arguments.
    """
    _registered.append(give_back)
    return give_back


def give_back(*, user: "User", by: "User", request_id: str) -> list[str]:
    """Take from the account of `user` all work that it may not do any more.

    Returns a list of that work in words.
    """
    given = (each(user=user, by=by, request_id=request_id) for each in _registered)
    return [words for back in given for words in back]
