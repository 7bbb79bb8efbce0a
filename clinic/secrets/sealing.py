"""Sealed values: patients' answers and identity, encrypted before they reach the database.

A sealed value is 0x01, the key's id (4 bytes), a nonce (12 bytes) and the AES-256-GCM ciphertext.
The value is bound to its table, column and row, so that a value that was edited or moved to another
place does not open. A value that does not open raises SealError; no function returns the stored
bytes instead.

Blind indexes find rows with an equal value without opening the values. An index reveals which rows
have equal values, so no clinical value is indexed.
"""

import base64
import contextlib
import functools
import hashlib
import hmac
import json
import os
import secrets
import stat
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.query_utils import DeferredAttribute

_VERSION = b"\x01"
_ID = 4
_NONCE = 12
_HEAD = len(_VERSION) + _ID + _NONCE
_KEY = 32
_MARK = hashlib.sha256().digest_size

Loaded = TypeVar("Loaded")
Value = TypeVar("Value")
# types of sealed values: any JSON object, and a JSON object whose values are all texts
Json = dict[str, Any]
Words = dict[str, str]
Ring = tuple[tuple[bytes, AESGCM], ...]


class SealError(Exception):
    """A sealed value does not open: it was changed or moved, or its key is not in the ring."""


# --- values -------------------------------------------------------------------------------------
def seal(plaintext: bytes, aad: str) -> bytes:
    """Encrypt with the first key of the key ring. `aad` names the place of the value."""
    key_id, key = _ring()[0]
    nonce = secrets.token_bytes(_NONCE)
    return _VERSION + key_id + nonce + key.encrypt(nonce, plaintext, aad.encode())


def unseal(sealed: bytes, aad: str) -> bytes:
    """Decrypt a value of `seal`. Raises SealError if the bytes or `aad` are not the same."""
    key_id = bytes.fromhex(kid_of(sealed))
    for known_id, key in _ring():
        if known_id == key_id:
            try:
                return key.decrypt(sealed[_HEAD - _NONCE : _HEAD], sealed[_HEAD:], aad.encode())
            except InvalidTag:
                raise SealError(f"a sealed value of {aad} was changed or moved") from None
    raise SealError(f"key {key_id.hex()} of {aad} is not in FIELD_KEYS_FILE")


def reseal(sealed: bytes, aad: str) -> bytes:
    """Seal a sealed value anew with the first key of the key ring. Raises SealError."""
    return seal(unseal(sealed, aad), aad)


def kid_of(sealed: bytes) -> str:
    """Return the id (8 hex digits) of the key that sealed these bytes.

    Raises SealError for bytes that are not a sealed value.
    """
    if sealed[:1] != _VERSION or len(sealed) < _HEAD:
        raise SealError("these bytes are no sealed value")
    return sealed[1 : 1 + _ID].hex()


def primary_kid() -> str:
    """Return the id (8 hex digits) of the key ring's first key, which seals new values."""
    return _ring()[0][0].hex()


# --- the model field ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """The bytes of a sealed column, not decrypted."""

    data: bytes

    def __repr__(self) -> str:
        return "<Sealed>"


class _OpenOnRead(DeferredAttribute):
    """Decrypt the value of a row when the attribute is first read, and keep it decrypted."""

    field: "SealedField[Any]"

    def __get__(self, instance: models.Model | None, cls: type | None = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is not None and isinstance(value, Sealed):
            value = self.field.open_for(instance.pk, value)
            instance.__dict__[self.field.attname] = value
        return value

    # This setter makes Python call __get__ although the instance's own dict holds the value.
    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class SealedField(models.BinaryField[Value, Value]):
    """A column that stores a JSON value (a dict, list, string, …) sealed.

    The value is bound to table, column and primary key. So the primary key must be made in Python
    before the row is saved, and a migration that renames the table or column must reseal every row.
    The value is decrypted when the attribute is read. None is stored as NULL.

    Queries can look up only `isnull`. `update()` takes the result of `seal_for`. `bulk_update` is
    refused; fixtures and serializers leave the column out.
    """

    description = "Sealed value"
    descriptor_class = _OpenOnRead
    empty_strings_allowed = False  # so a missing value is NULL, which a NOT NULL column refuses

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **(kwargs | {"editable": False, "serialize": False}))

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("serialize", None)
        return name, path, args, kwargs

    def seal_for(self, pk: object, value: Value | None) -> Sealed | None:
        """Seal a value for the row `pk`, for `QuerySet.update`.

        Raises TypeError if `pk` is None or the value cannot be written as JSON.
        """
        if value is None:
            return None
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return Sealed(seal(text.encode(), self.place_of(pk)))

    def open_for(self, pk: object, value: Sealed | None) -> Any:
        """Decrypt a value that `QuerySet.values` returned for the row `pk`. Raises SealError."""
        return None if value is None else json.loads(unseal(value.data, self.place_of(pk)))

    def place_of(self, pk: object) -> str:
        """Return the place to which values of row `pk` are bound. Raises TypeError for None."""
        if pk is None:
            raise TypeError(f"{self} is bound to its row: give the row its primary key first")
        return f"{self.model._meta.db_table}|{self.column}|{pk}"

    # values on their way from and to the database
    def from_db_value(
        self, value: Any, expression: models.Expression, connection: BaseDatabaseWrapper
    ) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        if self.attname not in model_instance.__dict__:
            getattr(model_instance, self.attname)  # fetch a deferred value
        value = model_instance.__dict__[self.attname]
        if isinstance(value, Sealed):
            # a value that was never read is written unchanged, if it belongs to this row
            unseal(value.data, self.place_of(model_instance.pk))
            return value
        return self.seal_for(model_instance.pk, value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is None:
            return None
        if isinstance(value, Sealed):
            return connection.Database.Binary(value.data)
        raise TypeError(f"{self} is sealed: give update() the result of the field's seal_for()")

    # operations that other fields allow and a sealed field refuses
    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self} is sealed: only isnull can be looked up, not {lookup_name}")

    def get_transform(self, lookup_name: str) -> Any:
        raise FieldError(f"{self} is sealed: it has no {lookup_name}")

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self} is sealed and is not serialized")


# --- blind indexes ------------------------------------------------------------------------------
def fold(text: str) -> str:
    """Return text in the form that search compares: O'Brién becomes obrien.

    The result has only small letters and digits, without accents, spaces and punctuation.
    """
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKD", text).casefold()))


def blind(kind: str, value: str) -> int:
    """Return a keyed hash as a PostgreSQL bigint: the same number for the same kind and value."""
    return int.from_bytes(keyed(kind, value.encode())[:8], "big", signed=True)


# --- keyed hashes -------------------------------------------------------------------------------
def keyed(kind: str, value: bytes) -> bytes:
    """Return a hash of 32 bytes that nobody can compute without the index key.

    The same kind and value give the same hash. `kind` names the purpose, so that hashes for two
    purposes cannot be compared.
    """
    return hmac.digest(index_key(), f"{kind}\0".encode() + value, hashlib.sha256)


def sign(place: str, entry: bytes) -> bytes:
    """Put a keyed hash of the entry and of its place in front of the entry."""
    return keyed(place, entry) + entry


def signed(place: str, whole: bytes) -> bytes | None:
    """Return the entry that `sign` signed for this place; None for any other bytes."""
    mark, entry = whole[:_MARK], whole[_MARK:]
    return entry if hmac.compare_digest(mark, keyed(place, entry)) else None


def index_key() -> bytes:
    """Return the key of every keyed hash (INDEX_KEY_FILE). Raises ImproperlyConfigured."""
    return _load(settings.INDEX_KEY_FILE, _read_index_key, new_index_key)


# --- key files ----------------------------------------------------------------------------------
def new_field_keys() -> str:
    """Make the text of a key ring with one new key."""
    key = {
        "id": secrets.token_hex(_ID),
        "key": base64.b64encode(secrets.token_bytes(_KEY)).decode(),
    }
    return json.dumps({"keys": [key]}, indent=1) + "\n"


def new_index_key() -> str:
    """Make the text of a file with a new index key."""
    return base64.b64encode(secrets.token_bytes(_KEY)).decode() + "\n"


def write_key_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read. Raises FileExistsError if the file exists."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    try:
        with open(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)  # the file appears complete; a second writer gets FileExistsError
    finally:
        draft.unlink()


def _ring() -> Ring:
    return _load(settings.FIELD_KEYS_FILE, _read_field_keys, new_field_keys)


def _load(path: Path, read: Callable[[str], Loaded], new: Callable[[], str]) -> Loaded:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        if not settings.DEMO:
            raise ImproperlyConfigured(
                f"There is no key file {path}. Restore it from its backup: without it nothing "
                "sealed can be read. For a new site: python manage.py make_keys --help."
            ) from None
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process has just made the file
            write_key_file(Path(path), new())
        status = os.stat(path)
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) and not settings.DEMO:
        raise ImproperlyConfigured(f"Others can read the key file {path}. Run: chmod 400 {path}")
    loaded: Loaded = _cached(str(path), status.st_mtime_ns, status.st_ino, read)
    return loaded


@functools.lru_cache(maxsize=8)
def _cached(path: str, _mtime: int, _inode: int, read: Callable[[str], Any]) -> Any:
    try:
        return read(Path(path).read_text(encoding="ascii"))
    except (OSError, ValueError, LookupError, TypeError) as error:
        # the message names only the type of the error, whose text may quote the key
        raise ImproperlyConfigured(
            f"The key file {path} cannot be used ({type(error).__name__}). "
            "A key is 32 bytes in base64; restore the file from its backup."
        ) from None


def _read_field_keys(text: str) -> Ring:
    ring: list[tuple[bytes, AESGCM]] = []
    for entry in json.loads(text)["keys"]:
        key_id = bytes.fromhex(entry["id"])
        if len(key_id) != _ID or key_id in dict(ring):
            raise ValueError
        ring.append((key_id, AESGCM(_decode_key(entry["key"]))))
    if not ring:
        raise ValueError
    return tuple(ring)


def _read_index_key(text: str) -> bytes:
    return _decode_key(text.strip())


def _decode_key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != _KEY:
        raise ValueError
    return key
