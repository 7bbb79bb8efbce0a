"""Staff sessions in the database, under the hash of their key.

Django keeps the cookie's own value as the primary key of a session, so that whoever reads the
table (a dump, a backup, a replica) can put it in a cookie and be that person. Here the row's key
is a digest: the cookie finds the row, the row does not give the cookie.

A row names its account, so that whatever being signed in rests on (password, second factor, roles,
the account itself) can end all sessions of a person when it changes.
"""

import hashlib

from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends import db
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import transaction
from django.utils import timezone

# set by allauth as soon as the password was right
_PROVED = "account_authentication_methods_user"
# the backend's old path → its path now; kept for one release, since open sessions name it
MOVED_BACKENDS = {"clinic.staff.RoleBackend": "clinic.people.sign_in.RoleBackend"}


def stored_key(key: str) -> str:
    """The row's key of a session. 160 of the digest's bits: the column holds 40 characters."""
    return hashlib.sha256(b"clinic.session:" + key.encode()).hexdigest()[:40]


def end(user, *, but: str | None = None) -> int:
    """End the sessions of a person, those that wait for the second factor included.

    `but` is the key of one that stays. Returns how many have ended. A session that gets a new key
    meanwhile ends as well.
    """
    with transaction.atomic():
        _hold(user.pk)
        rows = SessionStore.get_model_class().objects.filter(account=user)
        if but:
            rows = rows.exclude(session_key=stored_key(but))
        return rows.delete()[0]


def _hold(pk) -> None:
    """Until the end of the transaction, this account's sessions neither end nor get new keys."""
    list(get_user_model().objects.select_for_update(no_key=True).filter(pk=pk).values_list("pk"))


class SessionStore(db.SessionStore):
    """The stock store, with every way to a row going through `stored_key`."""

    @classmethod
    def get_model_class(cls):
        from clinic.models import StaffSession

        return StaffSession

    def decode(self, session_data):
        data = super().decode(session_data)
        if (path := data.get(BACKEND_SESSION_KEY)) in MOVED_BACKENDS:
            data[BACKEND_SESSION_KEY] = MOVED_BACKENDS[path]
        return data

    def _get_session_from_db(self):
        try:
            return self.model.objects.get(
                session_key=stored_key(self.session_key), expire_date__gt=timezone.now()
            )
        except self.model.DoesNotExist:
            self._session_key = None
            return None

    def exists(self, session_key):
        return self.model.objects.filter(session_key=stored_key(session_key)).exists()

    def create_model_instance(self, data):
        row = super().create_model_instance(data)
        row.session_key = stored_key(self._get_or_create_session_key())
        row.account_id = data.get(SESSION_KEY) or data.get(_PROVED)
        return row

    def cycle_key(self):
        """Give the session a new key. Raises SessionInterrupted if it was ended meanwhile."""
        data, old = self._session, self.session_key
        with transaction.atomic():
            _hold(data.get(SESSION_KEY) or data.get(_PROVED))
            if old and not self.exists(old):
                raise SessionInterrupted("The session was ended while this request was under way.")
            super().cycle_key()

    def delete(self, session_key=None):
        key = session_key or self.session_key
        if key:
            self.model.objects.filter(session_key=stored_key(key)).delete()

    # The stock store's twins for async views would write and look for plain keys.
    async def _no_async(self, *args, **kwargs):
        raise NotImplementedError("Sessions here are for ordinary views only.")

    _aget_session_from_db = aexists = acreate_model_instance = adelete = _no_async
    acreate = aload = asave = acycle_key = aflush = _no_async
