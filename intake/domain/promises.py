"""Find sentences that promise what the clinic will do, or by when it sees a patient.

A promise holds for one level only, and only while the clinic can keep it. So a promise belongs in
the `promise` of a rule or in the `tell` of a level, never in a text that is always shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_WE: Final = r"\b(we|our (\w+ )?(clinic|staff|team)|some(one|body))\b"
_STAFF: Final = rf"({_WE}|\b(a|our|the) (nurse|clinician)\b)"
_WILL: Final = r"\b(will|shall|would like to|(hope|want|aim|try|going) to)\b"
_REACH: Final = r"\b(call|phone|ring|read|see|contact|reach|answer|write to|get back to)\b"
_DAY: Final = r"\b(today|tonight|tomorrow|this week)\b"

PATTERNS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        # "We will call you", "A nurse will contact you", "We would like to see you"
        rf"{_STAFF}[^,;:]*{_WILL}[^,;:]*{_REACH}",
        # "within 6 weeks", "within days", "within one working day", "in the next 2 weeks"
        r"\bwithin (the )?(\w+ ){0,3}(days?|weeks?|months?)\b",
        r"\bin (the (next|coming) (\w+ )?|(\d+|one|two|three|a few) )(\w+ )?"
        r"(hours?|days?|weeks?|months?)\b",
        # "within 2 clinic hours", but not "within hours", which sends patients elsewhere at once
        r"\bwithin (the next )?(\d+|one|two|three|a few) (\w+ )?hours?\b",
        # "We read it today"
        rf"{_WE}[^,;:]*{_DAY}",
        rf"{_DAY}[^,;:]*{_WE}",
        # "at a regular visit"
        r"\bat (a|the|your) (regular|next) visit\b",
    ),
    "es": (
        # "Le llamaremos", "Lo leeremos", "Una enfermera le llamará"
        r"\bl[aeo]s? (llam|lee|ve|contact|contest|respond|escrib|atend|recib)\w*(remos|rá|rán)\b",
        # "Alguien intentará llamarle", "Nos gustaría darle una consulta"
        r"\b(intent|trat|quer|quis|gustar|vamos a|va a)\w*\b[^,;:]*\b(darle una (consulta|cita)"
        r"|(llamar|ver|leer|contactar|contestar|responder|escribir|atender|recibir)(le|lo|la)s?)\b",
        # "en 6 semanas o menos", "en los próximos días", "en un día hábil o menos"
        r"\b(en|dentro de) (l[ao]s )?(próxim[ao]s )?(\w+ )?(días?|semanas?|mes(es)?)\b",
        # "en las próximas 2 horas", but not "en cuestión de horas" ("within hours", see above)
        r"\b(en|dentro de) (l[ao]s )?(próxim[ao]s )?(\d+|una|dos|tres|pocas) horas?\b",
        # "Lo leemos hoy"
        r"\b\w+[aei]mos\b[^,;:]*\b(hoy|(?<!la )mañana|esta noche|esta semana)\b",
        r"\b(hoy|(?<!la )mañana|esta noche|esta semana)\b[^,;:]*\b\w+[aei]mos\b",
        # "en una consulta regular"
        r"\ben (una|la|su) (próxima )?consulta (regular|próxima)\b",
    ),
}
"""Language → patterns of promises. Each pattern is searched in one sentence, ignoring case."""

_COMPILED: Final = {
    language: tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
    for language, patterns in PATTERNS.items()
}


def promising_sentences(text: str, language: str) -> list[str]:
    """Return the sentences of a text that promise something, in their order.

    Raises KeyError for a language without patterns.
    """
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    patterns = _COMPILED[language]
    return [
        sentence for sentence in sentences if any(pattern.search(sentence) for pattern in patterns)
    ]
