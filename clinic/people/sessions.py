"""Staff sessions in the database, under the hash of their key.

Django stores the value of the cookie as the primary key of a session. A person who can read the
table, a dump, a backup or a replica could put that value into a cookie and be signed in. Here the
primary key is a hash of the value: the program finds the row by the cookie, but nobody can make the
cookie from the row.

A row names its account, so that a change of the password, the second factor, the roles or the
account itself can end all sessions of that account.
"""

import hashlib
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import User
from django.contrib.sessions.backends import db
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import transaction
from django.utils import timezone

# session keys: when the person signed in, and when the last page was opened
STARTED, SEEN = "staff_started", "staff_seen"
# the session key that allauth sets as soon as the password was right
_PROVED = "account_authentication_methods_user"
# old path of the sign-in backend → its path now; kept for one release, because open sessions have
# the old path
MOVED_BACKENDS = {"clinic.staff.RoleBackend": "clinic.people.sign_in.RoleBackend"}


def stored_key(key: str) -> str:
    """Return the primary key of a session's row.

    The key is cut to 160 bits of the hash, because the column holds 40 characters.
    """
    return hashlib.sha256(b"clinic.session:" + key.encode()).hexdigest()[:40]


def end(user: User, *, but: str | None = None) -> int:
    """End all sessions of an account, including sessions that still wait for the second factor.

    `but` is the key of one session that is not ended. Returns how many sessions ended. A session
    that gets a new key at the same moment ends as well.
    """
    with transaction.atomic():
        _lock_account(user.pk)
        rows = SessionStore.get_model_class().objects.filter(account=user)
        if but:
            rows = rows.exclude(session_key=stored_key(but))
        deleted: int = rows.delete()[0]
    return deleted


def _lock_account(pk: Any) -> None:
    """Lock the account, so that no other transaction ends its sessions or gives them new keys."""
    list(get_user_model().objects.select_for_update(no_key=True).filter(pk=pk).values_list("pk"))


class SessionStore(db.SessionStore[Any]):
    """Django's session store, but every row is found and written by `stored_key`."""

    _session_key: str | None

    @classmethod
    def get_model_class(cls) -> type[Any]:
        from clinic.models import StaffSession

        return StaffSession

    def decode(self, session_data: Any) -> Any:
        """Read a session's data. Replace the old path of the backend, which older sessions have."""
        data = super().decode(session_data)
        if (path := data.get(BACKEND_SESSION_KEY)) in MOVED_BACKENDS:
            data[BACKEND_SESSION_KEY] = MOVED_BACKENDS[path]
        return data

    def _get_session_from_db(self) -> Any:
        try:
            return self.model.objects.get(
                session_key=stored_key(self.session_key or ""), expire_date__gt=timezone.now()
            )
        except self.model.DoesNotExist:
            self._session_key = None
            return None

    def exists(self, session_key: str) -> bool:
        rows = self.model.objects.filter(session_key=stored_key(session_key))
        return bool(rows.exists())

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row = super().create_model_instance(data)
        row.session_key = stored_key(row.session_key)  # Django has set the key without a hash
        row.account_id = data.get(SESSION_KEY) or data.get(_PROVED)
        return row

    def cycle_key(self) -> None:
        """Give the session a new key. Raises SessionInterrupted if the session has ended."""
        account, old = self.get(SESSION_KEY) or self.get(_PROVED), self.session_key
        with transaction.atomic():
            _lock_account(account)
            if old and not self.exists(old):
                raise SessionInterrupted("The session was ended while this request was under way.")
            super().cycle_key()

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            self.model.objects.filter(session_key=stored_key(key)).delete()

    # Refused, because Django's methods for async views would read and write keys without a hash.
    async def _no_async(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("Sessions here are for ordinary views only.")

    _aget_session_from_db = aexists = acreate_model_instance = adelete = _no_async
    acreate = aload = asave = acycle_key = aflush = _no_async
