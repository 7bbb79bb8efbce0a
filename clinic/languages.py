"""Find the languages of the program, and what a catalogue of sentences still lacks.

A language is a folder in clinic/locale with a compiled catalogue, named as Django names it: `fr`,
`pt_BR`, `zh_Hans`. The settings import this module before Django is ready.
"""

import ast
import re
from collections.abc import Iterable, Sequence
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import to_language, to_locale

ENGLISH: Final = "en"
"""The language in which the program is written. It needs no translation."""
CODE: Final = r"[a-z]{2,3}(?:-[a-z]{2,4})?"
"""The pattern of a language's code, as it stands in addresses and in names of files."""
POT: Final = "django.pot"
"""The file in clinic/locale with every sentence of the pages; `make translations` writes it."""
MOST_NAMED: Final = 3
"""How many of the missing things an operator reads; the others are counted."""

_MSGID: Final = re.compile(
    r'^(?:msgctxt (?P<context>(?:".*"\n)+))?msgid (?P<id>(?:".*"\n)+)', re.MULTILINE
)


def folders(locale: Path) -> dict[str, Path]:
    """Return the folder of each language besides English, by its code, sorted."""
    found = {to_language(path.name): path for path in locale.iterdir() if path.is_dir()}
    return {code: found[code] for code in sorted(found) if re.fullmatch(CODE, code)}


def compiled(locale: Path) -> list[str]:
    """Return the codes of the languages that have a compiled catalogue, English first."""
    there = (code for code, path in folders(locale).items() if _catalogue(path, "mo").is_file())
    return [ENGLISH, *there]


def offered(wanted: Iterable[str], locale: Path) -> list[tuple[str, str]]:
    """Return (code, English name) of each wanted language, for Django's setting LANGUAGES.

    Raises ImproperlyConfigured when a language has no folder or no name, or English is missing.
    """
    codes, there = list(dict.fromkeys(wanted)), compiled(locale)
    if unknown := [code for code in codes if code not in there]:
        raise ImproperlyConfigured(
            f"CLINIC_LANGUAGES: {unknown[0]!r} has no compiled translation in clinic/locale."
            f" Remove it, or add its folder (docs/languages.md). Languages with a translation:"
            f" {','.join(there)}."
        )
    if ENGLISH not in codes:
        raise ImproperlyConfigured("CLINIC_LANGUAGES: write a list with 'en', such as en,es.")
    for code in codes:
        _learn_name(code, locale / to_locale(code) / "name.txt")
    return [(code, str(LANG_INFO[code]["name"])) for code in codes]


def _learn_name(code: str, file: Path) -> None:
    """Tell Django the name of a language that it does not know, from the file `name.txt`."""
    if code in LANG_INFO:
        return
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    name, _comma, own = (part.strip() for part in text.partition(","))
    if not name or not own:
        raise ImproperlyConfigured(
            f"CLINIC_LANGUAGES: the program does not know how {code!r} is called. Write its name in"
            f" English and in itself into clinic/locale/{file.parent.name}/name.txt, such as:"
            " Haitian Creole, Kreyòl ayisyen"
        )
    LANG_INFO[code] = {"bidi": False, "code": code, "name": name, "name_local": own}


def _catalogue(folder: Path, suffix: str) -> Path:
    return folder / "LC_MESSAGES" / f"django.{suffix}"


# --- what is missing ------------------------------------------------------------------------------


def untranslated(locale: Path, code: str) -> tuple[list[str], int]:
    """Return the sentences that a language has no translation of, and how many sentences there are.

    All sentences are in the file `django.pot`. A sentence that is newer than a language's catalogue
    counts as not translated. Raises OSError for a file that cannot be read.
    """
    every = (locale / POT).read_text(encoding="utf-8")
    texts = texts_of(_catalogue(locale / to_locale(code), "mo").read_bytes())
    ready = {key if isinstance(key, str) else key[0] for key in texts}
    wanted = {}
    for found in _MSGID.finditer(every):
        sentence, context = _text(found["id"]), _text(found["context"] or "")
        if sentence:
            wanted[f"{context}\x04{sentence}" if context else sentence] = sentence
    return [sentence for key, sentence in wanted.items() if key not in ready], len(wanted)


def texts_of(compiled_catalogue: bytes) -> dict[Any, str]:
    """Return the translations of a compiled catalogue, without its header."""
    texts = vars(GNUTranslations(BytesIO(compiled_catalogue)))["_catalog"]
    return {key: text for key, text in texts.items() if key}


def _text(quoted: str) -> str:
    return "".join(map(ast.literal_eval, quoted.splitlines()))


def first_few(things: Sequence[object]) -> str:
    """Return the first of many things, for a sentence that tells an operator how many there are."""
    named = [str(thing) for thing in things[:MOST_NAMED]]
    return "; ".join([*named, "…"] if len(things) > MOST_NAMED else named)
