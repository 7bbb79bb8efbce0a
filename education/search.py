"""Finding a page: words in any form, other names of things, the word being typed, slips of the pen.

PostgreSQL's full-text search over title, summary and text; where that finds nothing, trigrams find
what is spelt alike. Whatever is typed, it becomes plain words: no operator, no quote, no markup.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.postgres.search import (
    SearchHeadline,
    SearchQuery,
    SearchRank,
    TrigramWordSimilarity,
)
from django.db.models import F, Value
from django.db.models.functions import Greatest

from education import markup
from education.models import SEARCH_CONFIGS, Page

# What people call it → what the pages call it, by language. Plain words in small letters, the
# first without accents; a name of several words is found as a whole.
ENGLISH: Final[dict[str, str]] = {
    "rls": "restless legs",
    "wed": "restless legs",
    "willis ekbom": "restless legs",
    "ekbom": "restless legs",
    "jumpy legs": "restless legs",
    "jimmy legs": "restless legs",
    "twitchy legs": "restless legs",
    "fidgety legs": "restless legs",
    "crazy legs": "restless legs",
    "dvt": "deep vein thrombosis",
    "thrombosis": "clot",
    "blood clot": "clot",
    "phlebitis": "superficial vein clot",
    "pad": "artery disease",
    "pvd": "artery disease",
    "poor circulation": "artery disease",
    "claudication": "artery disease walking",
    "smokers leg": "artery disease",
    "varicose": "varicose veins",
    "varicosis": "varicose veins",
    "spider veins": "vein disease",
    "cvi": "chronic venous insufficiency",
    "ulcer": "leg sore",
    "charley horse": "cramps",
    "leg cramp": "cramps",
    "ferritin": "iron",
    "anemia": "iron",
    "anaemia": "iron",
    "ropinirole": "dopamine medicines",
    "pramipexole": "dopamine medicines",
    "gabapentin": "medicines",
    "pregnant": "pregnancy",
    "kids": "children",
    "stockings": "compression",
    "laser": "vein procedures",
}
SPANISH: Final[dict[str, str]] = {
    "spi": "piernas inquietas",
    "rls": "piernas inquietas",
    "willis ekbom": "piernas inquietas",
    "ekbom": "piernas inquietas",
    "piernas nerviosas": "piernas inquietas",
    "piernas intranquilas": "piernas inquietas",
    "ansiedad en las piernas": "piernas inquietas",
    "hormigueo": "piernas inquietas",
    "tvp": "trombosis venosa profunda",
    "trombosis": "coágulo",
    "trombo": "coágulo",
    "flebitis": "coágulo vena superficial",
    "mala circulacion": "arterias",
    "eap": "enfermedad arterial",
    "claudicacion": "dolor caminar arteria",
    "aranitas": "venas",
    "aranas vasculares": "venas",
    "varices": "várices",
    "insuficiencia venosa": "venas",
    "ulcera": "llaga pierna",
    "calambre": "calambres",
    "ferritina": "hierro",
    "anemia": "hierro",
    "ropinirol": "medicamentos dopamina",
    "pramipexol": "medicamentos dopamina",
    "gabapentina": "medicamentos",
    "embarazada": "embarazo",
    "encinta": "embarazo",
    "hijos": "niños",
    "adolescentes": "niños",
    "calcetas": "medias de compresión",
    "laser": "procedimientos venas",
}
SYNONYMS: Final = {"en": ENGLISH, "es": SPANISH}
LONGEST: Final = 200
MOST_WORDS: Final = 12
MOST: Final = 20
NEAREST: Final = 3
ALIKE: Final = 0.45
"""How much of the words a title, summary or text must share, in trigrams, to count as found."""

_WORD = re.compile(r"[^\W_]+")


# a Page with the annotations of a query, which its type does not know
Found = Any


@dataclass(frozen=True)
class Results:
    """What was found. `nearest` are pages to offer when nothing was."""

    words: str
    pages: list[Found]
    nearest: list[Found]


def words_of(typed: str) -> list[str]:
    """The words of what somebody typed, in small letters, as many as a search uses."""
    plain = unicodedata.normalize("NFKC", typed[:LONGEST]).casefold().replace("\0", " ")
    return _WORD.findall(plain.replace("'", "").replace("’", ""))[:MOST_WORDS]


def find(typed: str, language: str = "en") -> Results:
    """The visible pages of a language that fit, the best first. Asks at most twice."""
    shown = " ".join(typed[:LONGEST].replace("\0", " ").split())
    words = words_of(typed)
    if not words:
        return Results(shown, [], [])
    found = _full_text(words, language)
    if found:
        return Results(shown, found, [])
    near = _alike(" ".join(words), language)
    good = [page for page in near if page.alike >= ALIKE]
    return Results(shown, good, [] if good else near[:NEAREST])


def _full_text(words: list[str], language: str) -> list[Found]:
    config = SEARCH_CONFIGS[language]
    query = SearchQuery(
        " | ".join(_all_of(others) for others in _readings(words, language)),
        search_type="raw",
        config=config,
    )
    start, stop = markup.HIGHLIGHT
    extract = SearchHeadline(
        "reader_text",
        query,
        config=config,
        start_sel=start,
        stop_sel=stop,
        max_fragments=2,
        max_words=24,
        min_words=10,
        fragment_delimiter=" … ",
    )
    rows = (
        Page.objects.visible().filter(language=language, search=query).select_related("condition")
    )
    ranked = rows.annotate(rank=SearchRank(F("search"), query), extract=extract)
    found: Iterable[Found] = ranked.defer("shown", "reader_text", "search").order_by("-rank")[:MOST]
    # of pages that fit alike, the overview and what stands near it come first
    return sorted(found, key=lambda p: (-round(p.rank, 2), p.condition.order, p.order))


def _alike(words: str, language: str) -> list[Found]:
    rows = Page.objects.visible().filter(language=language).select_related("condition")
    return list(
        rows.annotate(
            alike=Greatest(
                TrigramWordSimilarity(words, "reader_title"),
                TrigramWordSimilarity(words, "reader_summary"),
                TrigramWordSimilarity(words, "reader_text"),
            ),
            by_title=TrigramWordSimilarity(words, "reader_title"),
            extract=Value(""),
        )
        .defer("shown", "reader_text", "search")
        .order_by("-alike", "-by_title", "condition__order", "order")[:MOST]
    )


def _readings(words: list[str], language: str) -> Iterator[list[str]]:
    """What was typed, and the same with another name for each thing that has one."""
    yield words
    text = f" {_without_accents(' '.join(words))} "
    for name, meant in SYNONYMS[language].items():
        if f" {name} " in text:
            yield text.replace(f" {name} ", f" {meant} ").split()


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _all_of(words: list[str]) -> str:
    """A query for all of them; the last one may not be finished yet. Words are letters and digits,
    so none can be an operator."""
    *whole, last = words
    return f"({' & '.join([*whole, f'{last}:*'])})"
