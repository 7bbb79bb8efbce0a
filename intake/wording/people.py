"""Write the names of staff."""

from typing import Any


def person_words(user: Any) -> str:
    """Return the name under which colleagues know a member of staff."""
    name: str = user.get_full_name() or user.get_username()
    return name
