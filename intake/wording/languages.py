"""The language of a text on a page that has another language."""

from django.utils.translation import get_language


def if_foreign(language: str) -> str:
    """Return a text's language for its attribute `lang`; '' when it is the language of the page."""
    return "" if language == (get_language() or "en") else language
