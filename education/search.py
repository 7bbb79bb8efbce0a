"""Find pages by words, which may be inflected, synonyms, half typed, or misspelled.

PostgreSQL's full-text search looks in title, summary and text. If it finds nothing, each word that
the pages do not have is replaced by the most similar word of the pages, and the search runs again.
The typed text is reduced to plain words, so that no typed character acts as an operator of the
query.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
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
MAX_CORRECTED: Final = 6
"""How many typed words are corrected. The comparison of a word takes some 25 ms."""
MAX_RESULTS: Final = 20
MAX_NEAREST: Final = 3
MIN_LIKENESS: Final = 0.7
"""A word of the pages with at least this likeness (0 to 1) may stand for a typed word."""
SHORTEST: Final = 4
"""Shorter words are not corrected: they are like too many others."""
LONGEST_EXCERPT: Final = 200
"""A sentence with more characters is cut on both sides of the words that were found."""

_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")


# a Page with annotations of a query (rank, extract, similarity), which the class Page lacks
Found = Any


@dataclass(frozen=True)
class Results:
    """The pages that match, or, if no page matches, the `nearest` pages.

    `meant` are the words that were searched for, if the typed words found nothing.
    """

    words: str
    pages: list[Found]
    nearest: list[Found]
    meant: str = ""


def words_of(typed: str) -> list[str]:
    """Return the typed words in small letters, at most MAX_WORDS."""
    seen = as_name(typed[:MAX_TYPED])
    plain = unicodedata.normalize("NFKC", seen).casefold().replace("\0", " ")
    return _WORD.findall(plain.replace("'", "").replace("’", ""))[:MAX_WORDS]


def find(typed: str, language: str = "en") -> Results:
    """Return the visible pages of a language that match, best first. Takes at most four queries."""
    shown = " ".join(as_name(typed[:MAX_TYPED]).replace("\0", " ").split())
    words = words_of(typed)
    if not words:
        return Results(shown, [], [])
    found = _full_text(words, language)
    if found:
        return Results(shown, found, [])
    meant = _corrected(words[:MAX_CORRECTED], language)
    if meant != words and (found := _full_text(meant, language)):
        return Results(shown, found, [], meant=" ".join(meant))
    return Results(shown, [], _similar(" ".join(words), language))


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
        highlight_all=True,
    )
    rows = (
        Page.objects.visible().filter(language=language, search=query).select_related("condition")
    )
    ranked = rows.annotate(rank=SearchRank(F("search"), query), extract=extract)
    ranked = ranked.defer("shown", "reader_text", "search").order_by("-rank")
    found: list[Found] = list(ranked[:MAX_RESULTS])
    for page in found:
        page.extract = excerpt(page.extract)
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
        )
        .defer("shown", "reader_text", "search")
        .order_by("-similarity", "-title_similarity", "condition__order", "order")[:MAX_NEAREST]
    )


def excerpt(marked: str) -> str:
    """Return the first sentence that has most of the found words, or '' if no word is marked.

    `marked` is a text in which the found words stand between the two characters of
    `markup.HIGHLIGHT`. So is the result.
    """
    start, stop = markup.HIGHLIGHT

    def rank(sentence: str) -> tuple[int, bool]:
        # "vein" and "veins" count once, and a sentence comes before a heading
        found = {piece.partition(stop)[0].casefold()[:4] for piece in sentence.split(start)[1:]}
        return len(found), sentence.endswith((".", "!", "?"))

    best = max(_SENTENCE.split(marked), key=rank).strip()
    if start not in best or len(best) <= LONGEST_EXCERPT:
        return best if start in best else ""
    begin = max(0, best.index(start) - LONGEST_EXCERPT // 3)
    begin = best.rindex(" ", 0, begin) if " " in best[:begin] else 0
    end = max(begin + LONGEST_EXCERPT, best.index(stop) + 1)
    cut = best[begin:end]
    if end < len(best):
        cut = cut.rpartition(" ")[0] if cut.rpartition(" ")[0].count(start) else cut
        cut = cut + (stop if cut.count(start) > cut.count(stop) else "") + " …"
    return f"{'… ' if begin else ''}{cut.strip()}"


def _corrected(words: list[str], language: str) -> list[str]:
    """Replace each word that the pages do not have by the most similar word of the pages.

    Takes one query. Among equally similar words, the pages' most frequent word is taken.
    """
    rows = Page.objects.visible().filter(language=language)
    texts = rows.values_list("reader_title", "reader_summary", "reader_text")
    spelled = _WORD.findall(" ".join(map(" ".join, texts)).casefold())
    typed_by_readers = " ".join(synonyms(language)).split()
    there = Counter([*map(_without_accents, spelled), *typed_by_readers])
    plain = [_without_accents(word) for word in words]
    half_typed = any(word.startswith(plain[-1]) for word in there)
    whole = plain[:-1] if half_typed else plain
    accented = {_without_accents(word): word for word in spelled}
    meant = [_most_similar(word, there) for word in whole] + plain[len(whole) :]
    return [accented.get(word, word) for word in meant]


def _most_similar(word: str, there: Counter[str]) -> str:
    """Return the most similar word of the pages. Return `word` itself if no word is similar."""
    if len(word) < SHORTEST or word in there:
        return word
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(word)
    best, found = (MIN_LIKENESS, 0), word
    for other, times in there.items():
        if len(other) < SHORTEST:
            continue
        matcher.set_seq1(other)
        if matcher.real_quick_ratio() < best[0] or matcher.quick_ratio() < best[0]:
            continue
        likeness = (matcher.ratio(), times)
        if likeness > best:
            best, found = likeness, other
    return found


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
