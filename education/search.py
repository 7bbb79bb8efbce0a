"""Find pages by words, which may be inflected, synonyms, half typed, or misspelled.

PostgreSQL's full-text search looks in title, summary and text. If it finds nothing, trigrams find
similar spellings. The typed text is reduced to plain words, so that no typed character acts as an
operator of the query.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from django.contrib.postgres.search import (
    SearchHeadline,
    SearchQuery,
    SearchRank,
    TrigramWordSimilarity,
)
from django.db.models import F, Func, Value
from django.db.models.functions import Greatest

from education import content, markup
from education.models import Page
from intake.domain.typed_text import as_name

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
    seen = as_name(typed[:MAX_TYPED])
    plain = unicodedata.normalize("NFKC", seen).casefold().replace("\0", " ")
    return _WORD.findall(plain.replace("'", "").replace("’", ""))[:MAX_WORDS]


def find(typed: str, language: str = "en") -> Results:
    """Return the visible pages of a language that match, best first. Takes at most two queries."""
    shown = " ".join(as_name(typed[:MAX_TYPED]).replace("\0", " ").split())
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
    config = Func(Value(language), function="education_search_config")
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
    for name, meant in synonyms(language).items():
        if f" {name} " in text:
            yield text.replace(f" {name} ", f" {meant} ").split()


@cache
def synonyms(language: str) -> dict[str, str]:
    """Map readers' words to the pages' words (see `content.read_synonyms`).

    All words are in small letters. The readers' words have no accents, as `_readings` needs them.
    """
    found = content.read_synonyms(content.FOLDER, language)
    return {
        _without_accents(" ".join(words_of(name))): " ".join(words_of(meant))
        for name, meant in found.items()
    }


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _query_for(words: list[str]) -> str:
    """Return a query for texts that contain all words; the last word may be half typed.

    The words consist of letters and digits only, so that no word can be an operator of the query.
    """
    *whole, last = words
    return f"({' & '.join([*whole, f'{last}:*'])})"
