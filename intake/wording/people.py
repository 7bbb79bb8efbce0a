"""People in words."""

from typing import Any


def person_words(user: Any) -> str:
    """A member of staff as colleagues know them."""
    return user.get_full_name() or user.get_username()
