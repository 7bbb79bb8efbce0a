"""Count wrong passwords for each user name, however it is spelled, and each network address.

Because some people type their password into the box of the user name, the typed text is never
stored. An attempt is stored under a keyed hash of the name, with the network address and nothing
else of the request.
"""

import unicodedata
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone

from clinic.secrets.sealing import keyed


def normalized(name: str) -> str:
    """Return the name in lower case, without spaces around it and without Unicode variants."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", text).strip()


def account(name: str) -> User | None:
    """Return the account that a typed name means, or None.

    The sign-in, the lock after wrong passwords, and the audit trail use this function. If the names
    of two accounts differ only in spelling, each account is found by its exact name alone. All
    accounts are compared in Python, because they are few and PostgreSQL has no `normalized`.
    """
    found = alike(name)
    only = next(iter(found.values())) if len(found) == 1 else 0
    # This query also runs for an unknown name, because the time must not reveal which names exist.
    return User.objects.filter(pk=found.get(name.strip(), only)).first()


def alike(name: str) -> dict[str, int]:
    """Return the accounts whose user name is `name` or differs only in spelling: name → key."""
    names = User.objects.values_list("username", "pk")
    return {known: pk for known, pk in names if normalized(known) == normalized(name)}


def counted_as(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str | None:
    """Return the keyed hash of a typed name: the name under which axes counts the attempt."""
    name = (credentials or {}).get("username")
    return keyed("sign-in", normalized(name).encode()).hex() if name else None


def locked(request: HttpRequest, *_args: Any) -> HttpResponse:
    """Show the page that says that the sign-in is locked.

    A request by JavaScript gets this page, too. Without this function, axes would answer with JSON
    that contains the keyed hash of the name.
    """
    return render(request, "account/lockout.html", status=429)


class Attempts(AxesDatabaseHandler):
    """Count attempts as axes does, but store neither the typed text nor facts about the browser."""

    def user_login_failed(
        self, sender: object, credentials: dict[str, Any], request: Any = None, **kwargs: Any
    ) -> None:
        sent = request.GET, request.POST
        request.GET = request.POST = QueryDict()
        request.axes_user_agent = request.axes_http_accept = request.axes_path_info = ""
        try:
            super().user_login_failed(sender, credentials, request, **kwargs)
        finally:
            request.GET, request.POST = sent

    def reset_attempts(self, *, username: str | None = None, **kwargs: Any) -> int:
        """Delete the attempts of one user name, or all attempts if no name is given.

        `username` is the name itself, not its hash.
        """
        hashed = counted_as(None, {"username": username})
        count: int = super().reset_attempts(username=hashed, **kwargs)
        return count


def prune() -> int:
    """Delete the attempts that are too old to lock an account. Returns how many were deleted."""
    locked_for = get_cool_off()
    assert locked_for is not None  # AXES_COOLOFF_TIME is set
    over = AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - locked_for)
    deleted: int = over.delete()[0]
    return deleted
