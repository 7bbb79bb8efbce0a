"""The secret keys that a browser holds, and the hashes that are stored of them."""

import hashlib
import secrets


def new_key() -> str:
    """256 random bits that a browser keeps; only their hash is stored."""
    return secrets.token_urlsafe(32)


def digest(key: str) -> bytes:
    """What is stored of a browser's key."""
    return hashlib.sha256(key.encode()).digest()
