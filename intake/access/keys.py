"""Make the secret keys of browsers, and the hashes that are stored instead."""

import hashlib
import secrets


def new_key() -> str:
    """Return a key of 256 random bits for a browser. The database stores only the key's hash."""
    return secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    """Return the hash of a browser's key, which the database stores."""
    return hashlib.sha256(key.encode()).digest()
