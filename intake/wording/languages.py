"""Mark a text in another language than its page, and list words in every language."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.dates import MONTHS, MONTHS_3, MONTHS_ALT, MONTHS_AP
from django.utils.translation import get_language

from clinic import languages

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def if_foreign(language: str) -> str:
    """Return a text's language for its attribute `lang`; '' when it is the language of the page."""
    return "" if language == (get_language() or "en") else language


def in_each_language(text: "StrOrPromise") -> list[str]:
    """Return a text in every language of the program."""
    found = []
    for code in _known(settings.LOCALE_PATHS[0]):
        with translation.override(code):
            found.append(str(text))
    return found


def month_names() -> dict[str, int]:
    """Return the number of each month by its names in every language, in small letters.

    If two languages use one name for two months, the language that is listed first decides.
    """
    return _month_names(_known(settings.LOCALE_PATHS[0]))


@lru_cache(maxsize=4)
def _known(locale: Path) -> tuple[str, ...]:
    return tuple(languages.compiled(locale))


@lru_cache(maxsize=4)
def _month_names(codes: tuple[str, ...]) -> dict[str, int]:
    found: dict[str, int] = {}
    for code in codes:
        with translation.override(code):
            for names in (MONTHS, MONTHS_3, MONTHS_AP, MONTHS_ALT):
                for number, name in names.items():
                    found.setdefault(str(name).casefold().rstrip("."), number)
    return found
