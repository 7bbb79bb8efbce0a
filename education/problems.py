"""Find the faults of pages and of their translations. Uses no Django, no database and no clock."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from education import grading, markup
from education.content import Page, Section, address, plain_address

SUMMARY_LIMIT: Final = 155
COMPACT: Final = 6
"""How many lines an alarm card at the head of a page may have."""
SITE: Final = frozenset(
    {"/", "/intake/", "/appointments/", "/my/", "/search/", "/conditions/", "/privacy/"}
    | {"/contact/", "/people/", "/visits/", "/costs/"}
    | {"/accessibility/", "/language-help/", "/nondiscrimination/"}
)
"""Addresses of this site to which a page may link, besides the addresses of other pages."""
KINDS: Final[Mapping[str, str]] = {
    "unknown_related": "a related page does not exist",
    "unknown_link": "a link leads to no page of this site",
    "unknown_source": "a mark has no source",
    "unused_source": "a source is named nowhere",
    "missing_summary": "the summary is missing",
    "long_summary": "the summary is too long for a result list",
    "unknown_level": "a care card has no level of ours",
    "raw_html": "there is HTML, which would be shown as text",
    "unknown_picture": "a picture is not among ours",
    "bad_address": "a link leads to no proper https address",
    "missing_page": "a page has no translation",
    "unknown_page": "a translation has no English page",
    "stale_page": "the English page changed since it was translated",
    "page_differs": "a translation has other sources, care cards or links than the English page",
    "missing_title": "a group of pages has no title in this language",
    "early_alarm": "alarm cards stand before what the page is about",
    "hard_to_read": "the page is harder to read than we want",
}


class Problem(NamedTuple):
    """One fault of a page: its kind (one of KINDS), the page, the field, and details."""

    kind: str
    page: str
    field: str
    message: str


def problems(
    pages: Iterable[Page],
    known: Iterable[str] | None = None,
    pictures: frozenset[str] = frozenset(),
) -> list[Problem]:
    """Return the faults of these pages that types cannot show, page by page.

    `known` are the names (`condition/slug`) of all pages that exist, by default the names of
    `pages`. `pictures` are the names of all pictures that exist.
    """
    pages = tuple(pages)
    names = frozenset(page.name for page in pages) if known is None else frozenset(known)
    addresses = SITE | {address(*name.split("/")) for name in names}
    return [
        Problem(kind, page.name, field, message)
        for page in pages
        for kind, field, message in _faults(page, names, addresses, pictures)
    ]


Fault = tuple[str, str, str]
"""A kind (one of KINDS), the field or section, and details."""


def _faults(
    page: Page, names: frozenset[str], addresses: frozenset[str], pictures: frozenset[str]
) -> Iterator[Fault]:
    yield from _faults_of_head(page, names)
    yield from _faults_of_reading(page)
    marked: set[int] = set()
    for section in page.sections:
        facts = markup.facts(section.body)
        marked |= facts.marks
        where = section.heading or "introduction"
        yield from _faults_of_section(where, facts, len(page.sources), pictures)
        links = [plain_address(link, page.language) for link in facts.links]
        yield from _faults_of_links(where, links, addresses)
    yield from _faults_of_sources(page, marked)


def _faults_of_head(page: Page, names: frozenset[str]) -> Iterator[Fault]:
    if not page.summary:
        yield "missing_summary", "summary", "write one sentence that a search can show"
    if len(page.summary) > SUMMARY_LIMIT:
        yield "long_summary", "summary", f"{len(page.summary)} characters of {SUMMARY_LIMIT}"
    for name in page.related:
        if name not in names or name == page.name:
            yield "unknown_related", "related", name


def _faults_of_reading(page: Page) -> Iterator[Fault]:
    grade = grading.grade(markup.plain(page.markdown), page.language)
    if grade is not None and grade > grading.AIM[1]:
        yield (
            "hard_to_read",
            "text",
            f"grade {grade:g} of {grading.AIM[1]}: write shorter sentences",
        )
    cards = early_alarms(page)
    if len(cards) > 1:
        yield "early_alarm", "text", f"{len(cards)} cards, where one may stand"
    for card in cards:
        if len(card) > COMPACT:
            yield "early_alarm", "text", f"a card of {len(card)} lines, {COMPACT} at most"


def early_alarms(page: Page) -> list[list[str]]:
    """Return the lines of each alarm card that a reader meets before the page's first topic.

    The first topic is the first section with a heading that begins with a text or a list.
    """
    cards: list[list[str]] = []
    for section in page.sections:
        blocks = list(markup.blocks(section.body))
        if section.heading and not (blocks and blocks[0].is_alarm):
            break
        cards += [block.lines for block in blocks if block.is_alarm]
    return cards


def _faults_of_section(
    where: str, facts: markup.Facts, sources: int, pictures: frozenset[str]
) -> Iterator[Fault]:
    for number in sorted(facts.marks):
        if not 1 <= number <= sources:
            yield "unknown_source", where, f"[{number}]"
    for picture in facts.pictures:
        if markup.picture_name(picture) not in pictures:
            yield "unknown_picture", where, picture
    for level in facts.levels:
        if level not in markup.LEVELS:
            yield "unknown_level", where, f"“{level}” is none of {', '.join(markup.LEVELS)}"
    if facts.raw_html:
        yield "raw_html", where, "take the tags out"


def _faults_of_links(
    where: str, links: Iterable[str], addresses: frozenset[str]
) -> Iterator[Fault]:
    for link in links:
        target = link.partition("#")[0].partition("?")[0]
        if target.startswith("/"):
            if target not in addresses:
                yield "unknown_link", where, link
        elif target and not markup.is_https(link):
            yield "bad_address", where, link


def _faults_of_sources(page: Page, marked: set[int]) -> Iterator[Fault]:
    for number, source in enumerate(page.sources, 1):
        if number not in marked:
            yield "unused_source", "sources", f"[{number}] {source.text[:60]}"
        if source.url and not markup.is_https(source.url):
            yield "bad_address", "sources", f"[{number}] {source.url}"


UNFIT: Final = ("unknown_page", "page_differs")
"""A translation with a problem of these kinds is hidden from readers: it may lack a care card."""


def fitting(english: Iterable[Page], others: Iterable[Page]) -> tuple[Page, ...]:
    """Return the translations that readers may see in the place of their English pages."""
    others = tuple(others)
    found = problems_of_translation(english, others)
    unfit = {problem.page for problem in found if problem.kind in UNFIT}
    return tuple(page for page in others if page.name not in unfit)


def problems_of_translation(english: Iterable[Page], others: Iterable[Page]) -> list[Problem]:
    """Report the pages without a translation, and the translations that do not match their page.

    A translation matches if it has the sources of the English page and, in each section, the same
    source marks, links and care cards. The words are not compared.
    """
    originals = {page.name: page for page in english}
    there = {page.name: page for page in others}
    found = [
        Problem("missing_page", name, "file", f"write {name}.md")
        for name in originals
        if name not in there
    ]
    for name, page in there.items():
        original = originals.get(name)
        if original is None:
            found.append(Problem("unknown_page", name, "file", "take it out, or rename it"))
            continue
        if page.translates != original.content_hash:
            hint = f"compare them, then write {original.content_hash}"
            found.append(Problem("stale_page", name, "translates", hint))
        found += [Problem("page_differs", name, *fault) for fault in _differences(original, page)]
    return found


def _differences(original: Page, page: Page) -> Iterator[tuple[str, str]]:
    for field in ("order", "topic", "related", "sources"):
        if getattr(original, field) != getattr(page, field):
            yield field, "it is not as in the English page"
    if len(original.sections) != len(page.sections):
        yield "sections", f"{len(page.sections)} of {len(original.sections)}"
        return
    for wanted, section in zip(original.sections, page.sections, strict=True):
        if bool(wanted.heading) != bool(section.heading):
            yield section.heading or "introduction", "one has a heading, the other none"
        if _structure(wanted, original.language) != _structure(section, page.language):
            yield section.heading or "introduction", "other marks, links or care cards"


def _structure(section: Section, language: str) -> tuple[Any, ...]:
    facts = markup.facts(section.body)
    links = sorted(plain_address(link, language).partition("#")[0] for link in facts.links)
    return facts.marks, facts.levels, links
