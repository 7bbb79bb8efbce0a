"""Keep a form that arrived after its session had ended, until the same person signs in again.

The form belongs to the account that had opened the page. The program knows this account by a
signed cookie, which holds the browser's last form tokens and the account to which each token was
given. A person who signs in to another account in the same browser gets a new token, and never sees
the form.

A form is kept for an hour, sealed. Passwords and codes are never kept. Nothing is sent again by the
program: the person reads the form and presses its button.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH
from django.utils import timezone

from clinic.models import UnsentForm
from clinic.secrets import sealing

KEPT_FOR = timedelta(hours=1)
MOST_KEPT = 20  # forms of one account
LONGEST = 200_000  # bytes of one form, as JSON; a request has half of that at most

_SECRET = re.compile(
    r"passw|passphrase|(?:token|secret|credential)s?$|^(?:otp|code)$", re.IGNORECASE
)
_PLACE = "staff pages"
_ACCOUNT, _MARK = 8, 16
_ENTRY = _ACCOUNT + _MARK
_MOST_ENTRIES = 4


def keep(*, account: int, path: str, page: str, fields: Iterable[tuple[str, list[str]]]) -> bool:
    """Keep a form for an account. Returns False if the form is too long.

    `path` is where the form was sent to, `page` the address of the page that had the form.
    """
    typed = {name: values for name, values in fields if not _SECRET.search(name)}
    content: dict[str, Any] = {"path": path, "page": page, "fields": typed}
    if len(json.dumps(content, ensure_ascii=False).encode()) > LONGEST:
        return False
    with transaction.atomic():
        UnsentForm.objects.create(
            account_id=account, content=content, expires_at=timezone.now() + KEPT_FOR
        )
        old = UnsentForm.objects.filter(account=account).values("pk")[MOST_KEPT:]
        UnsentForm.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()
    return True


def waiting(user: User) -> list[UnsentForm]:
    """Return the forms that wait for this account, the newest first."""
    return list(UnsentForm.objects.filter(account=user, expires_at__gt=timezone.now()))


def find(user: User, pk: UUID | str) -> UnsentForm | None:
    """Return one form that waits for this account; None for any other form."""
    rows = UnsentForm.objects.filter(account=user, expires_at__gt=timezone.now())
    return rows.filter(pk=pk).first()


def texts(form: UnsentForm) -> list[str]:
    """Return what was typed or chosen in a form, for reading."""
    fields = form.content["fields"].values()
    return [value for values in fields for value in values if value.strip()]


def discard(*, user: User, pk: UUID | str) -> None:
    """Delete a form of this account."""
    UnsentForm.objects.filter(account=user, pk=pk).delete()


def prune() -> int:
    """Delete the forms whose hour is over. Returns how many were deleted."""
    return UnsentForm.objects.filter(expires_at__lte=timezone.now()).delete()[0]


# --- whose page it was ---------------------------------------------------------------------------


def account_of(request: HttpRequest) -> int | None:
    """Return the id of the account for which the page of a posted form was made, or None."""
    token = request.POST.get("csrfmiddlewaretoken", "")
    if not re.fullmatch(r"[0-9A-Za-z]+", token) or len(token) != 2 * CSRF_SECRET_LENGTH:
        return None
    mark = _mark(_unmasked(token))
    return next((account for account, known in _entries(request) if known == mark), None)


def remember_account(request: HttpRequest, response: HttpResponse, account: int) -> None:
    """Note in the browser's cookie that pages with the current form token are this account's."""
    secret = request.META.get("CSRF_COOKIE")
    if not secret:
        return
    entries, entry = _entries(request), (account, _mark(secret))
    if entry in entries[:1]:
        return
    kept = [entry, *(other for other in entries if other[1] != entry[1])][:_MOST_ENTRIES]
    text = b"".join(pk.to_bytes(_ACCOUNT, "big") + mark for pk, mark in kept)
    response.set_cookie(
        settings.STAFF_PAGES_COOKIE_NAME,
        base64.urlsafe_b64encode(sealing.sign(_PLACE, text)).decode(),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _entries(request: HttpRequest) -> list[tuple[int, bytes]]:
    try:
        whole = base64.urlsafe_b64decode(request.COOKIES.get(settings.STAFF_PAGES_COOKIE_NAME, ""))
    except (binascii.Error, ValueError):
        return []
    text = sealing.signed(_PLACE, whole) or b""
    cut = [text[at : at + _ENTRY] for at in range(0, len(text), _ENTRY)]
    return [(int.from_bytes(each[:_ACCOUNT], "big"), each[_ACCOUNT:]) for each in cut]


def _unmasked(token: str) -> str:
    """Return the secret in a form token. Django masks the secret anew on each page."""
    numbers = [CSRF_ALLOWED_CHARS.index(letter) for letter in token]
    pairs = zip(numbers[CSRF_SECRET_LENGTH:], numbers[:CSRF_SECRET_LENGTH], strict=True)
    return "".join(CSRF_ALLOWED_CHARS[masked - mask] for masked, mask in pairs)


def _mark(secret: str) -> bytes:
    return sealing.keyed("form token", secret.encode())[:_MARK]
