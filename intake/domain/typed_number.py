"""Write a typed number in the plain form that `intake.domain.answers` reads."""

from __future__ import annotations

import re
from typing import Final

from intake.domain.definition import Question
from intake.domain.typed_text import as_key

# The words after a whole number that name the unit, in English and Spanish, by its UCUM code. The
# page refuses all other words: "5 feet" is not 5 inches.
_UNIT_WORDS: Final = {
    "a": ("a", "y", "yr", "yrs", "year", "years", "years old", "y/o", "año", "años"),
    "wk": ("w", "wk", "wks", "week", "weeks", "semana", "semanas"),
    "d": ("d", "day", "days", "night", "nights", "día", "días", "dia", "dias", "noche", "noches"),
    "h": ("h", "hr", "hrs", "hour", "hours", "hora", "horas"),
    "[in_i]": ("in", "inch", "inches", "pulgada", "pulgadas"),
    "[lb_av]": ("lb", "lbs", "pound", "pounds", "libra", "libras"),
}
# the Arabic decimal and thousands separators, and the minus sign
_SIGNS: Final = str.maketrans("\u066b\u066c\u2212", ".,-")
_WITH_WORDS: Final = re.compile(r"(-?[0-9]+(?:[.,][0-9]+)?)\s*([^0-9.,].*)")
# one or two zeros only: "1.000" and "1,000" are a thousand to many people
_WHOLE: Final = re.compile(r"(-?[0-9]+)[.,]0{1,2}")


def plain_number(question: Question, text: str) -> str:
    """Return a typed number with plain digits and signs.

    "٤٤" becomes "44" and ".5" becomes "0.5". For a whole number, "7.0" becomes "7", and the
    question's own unit is left out: "44 years" becomes "44". Anything else stays as it was typed.
    """
    text = as_key(text).translate(_SIGNS).strip()
    text = re.sub(r"^(-?)(?=[.,][0-9])", r"\g<1>0", text)
    text = re.sub(r"(?<=[0-9])\.$", "", text)
    if question.type != "integer":
        return text
    if match := _WITH_WORDS.fullmatch(text):
        number, words = match[1], match[2].casefold().rstrip(". ")
        if words in _UNIT_WORDS.get(question.unit or "", ()):
            text = number
    return _WHOLE.sub(r"\1", text) if _WHOLE.fullmatch(text) else text
