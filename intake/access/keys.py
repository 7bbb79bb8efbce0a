"""Make the secret keys of browsers, and the hashes that are stored instead."""

import hashlib
import secrets


def new_key() -> str:
    """Return 256 random bits for a browser to keep. Only their hash is stored."""
    return secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    """Return the hash of a browser's key, as it is stored."""
    return hashlib.sha256(key.encode()).digest()
