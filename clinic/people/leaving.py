"""Return a member of staff's work to the clinic when their account closes or their roles change.

Each app registers a function. It is called after the change, in the same transaction. It returns
the work that this account cannot do any more, records that, and lists the work in words that show
no patient: an administrator reads the list before anything is stored.
"""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # apps.py imports this module before Django has loaded any model
    from django.contrib.auth.models import User


class GiveBack(Protocol):
    def __call__(self, *, user: "User", by: "User", request_id: str) -> list[str]: ...


_registered: list[GiveBack] = []


def on_change(give_back: GiveBack) -> GiveBack:
    """Register a function that returns the work of `user`; see `give_back` for its arguments."""
    _registered.append(give_back)
    return give_back


def give_back(*, user: "User", by: "User", request_id: str) -> list[str]:
    """Return all work that the account cannot do any more. Lists it in words."""
    given = (each(user=user, by=by, request_id=request_id) for each in _registered)
    return [words for back in given for words in back]
