"""Seal every sealed value anew with the first key of the key ring, so that an old key can be
removed.

Resealing works while the program runs, and can be stopped and started again. One statement replaces
one value, and only if the program has not stored another value meanwhile.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import connection

from clinic.people import sql
from clinic.people.sign_in import MFAAdapter
from clinic.secrets import sealing

BATCH = 500


def reseal_all() -> int:
    """Seal anew the values that are not sealed with the first key. Returns how many.

    Raises sealing.SealError for a value that does not open, because its key is not in the key ring
    or the value was changed.
    """
    return sum(_reseal(field) for field in _fields()) + sum(map(_reseal_factor, _old_factors()))


def count_old() -> int:
    """Count the values that are not sealed with the first key of the key ring."""
    with connection.cursor() as cursor:
        total = 0
        for field in _fields():
            cursor.execute(sql.COUNT_OLD_VALUES % _names(field), [_primary()])
            total += cursor.fetchone()[0]
    return total + sum(1 for _row in _old_factors())


def _fields() -> Iterator[sealing.SealedField[Any]]:
    for model in apps.get_models():
        if not model._meta.proxy and model._meta.managed:
            for field in model._meta.local_concrete_fields:
                if isinstance(field, sealing.SealedField):
                    yield field


def _names(field: sealing.SealedField[Any]) -> dict[str, str | None]:
    meta = field.model._meta
    return {"table": meta.db_table, "column": field.column, "key": meta.pk.column}


def _primary() -> bytes:
    return bytes.fromhex(sealing.primary_kid())


def _reseal(field: sealing.SealedField[Any]) -> int:
    names, done = _names(field), 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(sql.FIND_OLD_VALUES % names, [_primary(), BATCH])
            rows = cursor.fetchall()
            for key, value in rows:
                pk, old = field.model._meta.pk.to_python(key), bytes(value)
                new = sealing.reseal(old, field.place_of(pk))
                cursor.execute(sql.REPLACE_VALUE % names, [new, key, old])
                done += cursor.rowcount
            if len(rows) < BATCH:
                return done


# --- seeds of second factors: text in JSON, sealed for allauth ------------------------------------


def _is_old(value: str | bytes) -> bool:
    try:
        return sealing.kid_of(base64.b64decode(value, validate=True)) != sealing.primary_kid()
    except (TypeError, ValueError, binascii.Error, sealing.SealError):
        return False  # the value is not sealed


def _old_factors() -> Iterator[Authenticator]:
    for row in Authenticator.objects.order_by("pk").iterator():
        if any(_is_old(value) for value in row.data.values()):
            yield row


def _reseal_factor(row: Authenticator) -> int:
    seeds = {name: value for name, value in row.data.items() if _is_old(value)}
    mfa = MFAAdapter()
    renewed = {name: mfa.encrypt(mfa.decrypt(value)) for name, value in seeds.items()}
    unchanged = Authenticator.objects.filter(pk=row.pk, data=row.data)
    rows: int = unchanged.update(data=row.data | renewed)
    return len(seeds) * rows
