"""Write the names of staff."""

from django.contrib.auth.models import User


def person_words(user: User) -> str:
    """Return the name by which colleagues know a member of staff."""
    return user.get_full_name() or user.get_username()
