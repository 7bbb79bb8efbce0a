"""Fold names into the forms that a search compares: letters, words, joined words, sounds."""

import re
import unicodedata
from collections.abc import Callable, Iterator

import jellyfish

MOST_WORDS = 6  # of one name; more words would tell more of a name than a search needs
LONGEST_RUN = 3  # words that may be written as one: Van der Berg
ALIKE = 0.87  # words with at least this similarity match (Jaro-Winkler; 1 for equal words)

# letters that Unicode does not take apart into a letter and a mark
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "đ": "d", "ħ": "h"}
    | {"ŋ": "ng", "ŧ": "t", "ĸ": "k", "ə": "e", "ƒ": "f", "ß": "ss"}
)
# Chinese, Japanese and Korean signs: a name has two to four of them, without spaces
_SIGN = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
_SIGNS = re.compile(f"[{_SIGN}]+")


def fold(text: str) -> str:
    """Return the small letters and digits of a text, without accents, spaces and punctuation.

    O'Brién becomes obrien, Łukasz lukasz, Sørensen sorensen.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    letters = (letter for letter in plain.translate(_LETTERS) if letter.isalnum())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Lm")


def words(name: str) -> list[str]:
    """Return the folded words of a name or of a search term, without Chinese or Korean signs."""
    rest = _SIGNS.sub(" ", unicodedata.normalize("NFKC", name))
    return [word for part in re.split(r"[\s\-\u2010-\u2015,;/]+", rest) if (word := fold(part))]


def signs(name: str) -> list[str]:
    """Return the Chinese, Japanese and Korean signs of a name, as they stand together."""
    return _SIGNS.findall(unicodedata.normalize("NFKC", name))


def pieces(text: str) -> set[str]:
    """Return each sign and each pair of neighbouring signs."""
    return {text[at : at + size] for size in (1, 2) for at in range(len(text) - size + 1)}


def runs(parts: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield each run of two or three neighbouring words, written as one, with its place."""
    for size in range(2, LONGEST_RUN + 1):
        for at in range(len(parts) - size + 1):
            yield at, at + size, "".join(parts[at : at + size])


def sound(word: str) -> str:
    """Return how a word sounds in English (Metaphone); the word itself in another script."""
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    return jellyfish.metaphone(plain) or word


def fit(typed: str, name: str) -> int:
    """Say how well a typed name fits a stored name: 0 equal, 1 begins so, 2 sounds so, 3 not."""
    if fold(typed) == fold(name):
        return 0
    if not all(part in "".join(signs(name)) for part in signs(typed)):
        return 3
    parts, asked = words(name), words(typed)
    forms = {*parts, *(run for _start, _end, run in runs(parts))}
    if _covers(asked, lambda word: any(form.startswith(word) for form in forms)):
        return 1
    near = _covers(asked, lambda word: any(_alike(word, form) for form in forms))
    return 2 if near else 3


def _covers(asked: list[str], fits: Callable[[str], bool]) -> bool:
    """Return whether the words fit one by one, or joined with their neighbours."""
    if not asked:
        return True
    return any(
        fits("".join(asked[:size])) and _covers(asked[size:], fits)
        for size in range(1, min(LONGEST_RUN, len(asked)) + 1)
    )


def _alike(word: str, form: str) -> bool:
    near = jellyfish.jaro_winkler_similarity(word, form) >= ALIKE
    return near or form.startswith(word) or sound(word) == sound(form)
