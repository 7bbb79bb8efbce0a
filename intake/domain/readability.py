"""How hard a text is to read: the grade of an English one, the ease of a Spanish one."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

READING_GRADE: Final = 7.0
"""The highest reading grade allowed for a text that tells a patient what to do.

The aim is grade 6. The limit is higher because the formula is inexact for texts this short: the
texts of the first protocol reach grade 6.3.
"""


def reading_grade(text: str) -> float:
    """Return the Flesch-Kincaid grade of an English text; 0 for a text without words.

    The number of syllables is estimated from groups of vowels. The estimate is a little high for
    words such as "whole". Source: Kincaid et al. 1975, Naval Technical Training Command report
    8-75.
    """
    words = re.findall(r"[A-Za-z]+(?:'[A-Za-z]+)?", text)
    if not words:
        return 0.0
    syllables = sum(_syllables(word.lower()) for word in words)
    return 0.39 * len(words) / _sentences(text) + 11.8 * syllables / len(words) - 15.59


def spanish_ease(text: str) -> float:
    """Return the reading ease of a Spanish text; 100 for a text without words. More is easier.

    Source: Fernández Huerta 1959, Medidas sencillas de lecturabilidad, Consigna 214:29-32, with
    words per sentence as the last term (Law 2011, Error in the Fernandez Huerta readability
    formula).
    """
    words = re.findall(r"[^\W\d_]+", text)
    if not words:
        return 100.0
    syllables = sum(spanish_syllables(word.lower()) for word in words)
    return 206.84 - 60 * syllables / len(words) - 1.02 * len(words) / _sentences(text)


def _sentences(text: str) -> int:
    """Return the number of sentences. Colons and semicolons end one, as in Flesch's counts."""
    return sum(bool(part.strip()) for part in re.split(r"[.!?:;]+(?:\s|$)", text))


@cache
def spanish_syllables(word: str) -> int:
    """Return the number of syllables of a Spanish word in small letters.

    Two strong vowels are two syllables ("aéreo"), and so is a weak vowel with an accent beside
    another vowel ("día"). Other neighbours are one syllable ("pierna", "ciudad").
    """
    heard = re.sub(r"(?<=[gq])u(?=[eiéí])|h", "", re.sub(r"y$", "i", word))
    runs = re.findall(r"[aeiouáéíóúü]+", heard)
    breaks = re.compile(r"(?<=[aeoáéó])(?=[aeoáéó])|(?<=[íú])(?=.)|(?<=.)(?=[íú])")
    return max(1, sum(1 + len(breaks.findall(run)) for run in runs))


@cache
def _syllables(word: str) -> int:
    if len(word) > 3:
        word = re.sub(r"([^laeiouy]es|[^aeiouytd]ed|[^aeiouyl]e)$", lambda end: end[0][0], word)
    return max(1, len(re.findall(r"[aeiouy]+", word)))
