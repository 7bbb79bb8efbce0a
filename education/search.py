"""Find pages by words, which may be inflected, synonyms, half typed, or misspelled.

PostgreSQL's full-text search looks in title, summary and text. If it finds nothing, trigrams find
similar spellings. The typed text is reduced to plain words, so that no typed character acts as an
operator of the query.
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

# For each language: words that readers type → words that the pages use for the same thing, all in
# small letters, the readers' words without accents. Several words on the left, such as "jumpy
# legs", count only if a reader types all of them, one after the other.
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
MAX_TYPED: Final = 200
MAX_WORDS: Final = 12
MAX_RESULTS: Final = 20
MAX_NEAREST: Final = 3
MIN_SIMILARITY: Final = 0.45
"""A page with at least this word similarity (of trigrams, from 0 to 1) counts as found."""

_WORD = re.compile(r"[^\W_]+")


# a Page with annotations of a query (rank, extract, similarity), which the class Page lacks
Found = Any


@dataclass(frozen=True)
class Results:
    """The pages that match, or, if no page matches, the `nearest` pages."""

    words: str
    pages: list[Found]
    nearest: list[Found]


def words_of(typed: str) -> list[str]:
    """Return the typed words in small letters, at most MAX_WORDS."""
    plain = unicodedata.normalize("NFKC", typed[:MAX_TYPED]).casefold().replace("\0", " ")
    return _WORD.findall(plain.replace("'", "").replace("’", ""))[:MAX_WORDS]


def find(typed: str, language: str = "en") -> Results:
    """Return the visible pages of a language that match, best first. Takes at most two queries."""
    shown = " ".join(typed[:MAX_TYPED].replace("\0", " ").split())
    words = words_of(typed)
    if not words:
        return Results(shown, [], [])
    found = _full_text(words, language)
    if found:
        return Results(shown, found, [])
    near = _similar(" ".join(words), language)
    good = [page for page in near if page.similarity >= MIN_SIMILARITY]
    return Results(shown, good, [] if good else near[:MAX_NEAREST])


def _full_text(words: list[str], language: str) -> list[Found]:
    config = SEARCH_CONFIGS[language]
    query = SearchQuery(
        " | ".join(_query_for(others) for others in _readings(words, language)),
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
    ranked = ranked.defer("shown", "reader_text", "search").order_by("-rank")
    found: Iterable[Found] = ranked[:MAX_RESULTS]
    # equally good pages are sorted as in the list of all pages
    return sorted(found, key=lambda p: (-round(p.rank, 2), p.condition.order, p.order))


def _similar(words: str, language: str) -> list[Found]:
    rows = Page.objects.visible().filter(language=language).select_related("condition")
    return list(
        rows.annotate(
            similarity=Greatest(
                TrigramWordSimilarity(words, "reader_title"),
                TrigramWordSimilarity(words, "reader_summary"),
                TrigramWordSimilarity(words, "reader_text"),
            ),
            title_similarity=TrigramWordSimilarity(words, "reader_title"),
            extract=Value(""),
        )
        .defer("shown", "reader_text", "search")
        .order_by("-similarity", "-title_similarity", "condition__order", "order")[:MAX_RESULTS]
    )


def _readings(words: list[str], language: str) -> Iterator[list[str]]:
    """Yield the typed words, and, for each synonym, the typed words with that synonym put in."""
    yield words
    text = f" {_without_accents(' '.join(words))} "
    for name, meant in SYNONYMS[language].items():
        if f" {name} " in text:
            yield text.replace(f" {name} ", f" {meant} ").split()


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _query_for(words: list[str]) -> str:
    """Return a query for texts that contain all words; the last word may be half typed.

    The words consist of letters and digits only, so that no word can be an operator of the query.
    """
    *whole, last = words
    return f"({' & '.join([*whole, f'{last}:*'])})"
