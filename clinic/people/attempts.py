"""Wrong passwords: counted for an account and an address, however the name is spelled.

People type a password into the box of the name, so what stood there is never stored. An attempt is
kept under a keyed hash of the name; of its request the network address alone is kept.
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


def plain(name: str) -> str:
    """The name without capitals, blanks around it, and variants of Unicode."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFKC", text).strip()


def account(name: str) -> User | None:
    """The account that a typed name means: at the sign-in, for the lock and in the audit trail.

    Of two accounts whose names are alike, each is meant by its very spelling alone. The clinic's
    accounts are few, and PostgreSQL compares no names as `plain` does, so all are looked at.
    """
    found = alike(name)
    only = next(iter(found.values())) if len(found) == 1 else 0
    # asked for nobody, too: the time it takes is not to tell which names there are
    return User.objects.filter(pk=found.get(name.strip(), only)).first()


def alike(name: str) -> dict[str, int]:
    """The keys of the accounts whose names cannot be told from this one, by name."""
    names = User.objects.values_list("username", "pk")
    return {known: pk for known, pk in names if plain(known) == plain(name)}


def counted_as(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str | None:
    """The name by which axes knows an attempt."""
    name = (credentials or {}).get("username")
    return keyed("sign-in", plain(name).encode()).hex() if name else None


def locked(request: HttpRequest, *_args: Any) -> HttpResponse:
    """The page of a lock, to scripts too: axes would tell them the keyed hash of the name."""
    return render(request, "account/lockout.html", status=429)


class Attempts(AxesDatabaseHandler):
    """Counts as axes does, and keeps nothing that was typed or that the browser said of itself."""

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any
    ) -> None:
        told = request.GET, request.POST
        request.GET = request.POST = QueryDict()
        request.axes_user_agent = request.axes_http_accept = request.axes_path_info = ""
        try:
            super().user_login_failed(sender, credentials, request, **kwargs)
        finally:
            request.GET, request.POST = told

    def reset_attempts(self, *, username: str | None = None, **kwargs: Any) -> int:
        """Forget attempts, of `username` as the clinic writes it."""
        return super().reset_attempts(username=counted_as(None, {"username": username}), **kwargs)


def prune() -> int:
    """Delete the attempts that lock nobody any more; how many there were."""
    over = AccessAttempt.objects.filter(attempt_time__lt=timezone.now() - get_cool_off())
    return over.delete()[0]
