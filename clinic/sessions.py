"""Staff sessions in the database, under the hash of their key.

Django keeps the cookie's own value as the primary key of a session, so that whoever reads the
table (a dump, a backup, a replica) can put it in a cookie and be that person. Here the row's key
is a digest: the cookie finds the row, the row does not give the cookie.
"""

import hashlib

from django.contrib.sessions.backends import db
from django.utils import timezone


def stored_key(key: str) -> str:
    """The row's key of a session. 160 of the digest's bits: the column holds 40 characters."""
    return hashlib.sha256(b"clinic.session:" + key.encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    """The stock store, with every way to a row going through `stored_key`."""

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
        return row

    def delete(self, session_key=None):
        key = session_key or self.session_key
        if key:
            self.model.objects.filter(session_key=stored_key(key)).delete()

    # The stock store's twins for async views would write and look for plain keys.
    async def _no_async(self, *args, **kwargs):
        raise NotImplementedError("Sessions here are for ordinary views only.")

    _aget_session_from_db = aexists = acreate_model_instance = adelete = _no_async
    acreate = aload = asave = acycle_key = aflush = _no_async
