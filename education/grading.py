"""The reading grade of a text in the languages for which there is a formula."""

from typing import Final

from intake.domain.readability import reading_grade, spanish_ease

AIM: Final = (6, 8)
"""The reading grades that pages should have, in years of school in the United States."""
LANGUAGES: Final = ("en", "es")
_SPANISH: Final = ((90, 4), (80, 5), (70, 6), (60, 8), (50, 12))
"""Lowest ease and grade of each band of Fernández Huerta. The band from 60 is grades 7 and 8."""
_COLLEGE: Final = 16


def grade(plain: str, language: str) -> float | None:
    """Return the reading grade of a text without Markdown; None for a language without a formula.

    For Spanish it is the highest grade of the band in which the ease of the text lies.
    """
    # The formulas count sentences. A line such as a list item may end without a full stop, so each
    # line gets one.
    text = plain.replace("\n", ".\n")
    if language == "en":
        return max(0.0, round(reading_grade(text), 1))
    if language == "es":
        ease = spanish_ease(text)
        return next((grade for least, grade in _SPANISH if ease >= least), _COLLEGE)
    return None
