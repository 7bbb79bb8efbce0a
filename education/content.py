"""A page as frozen structs, and as the file it is written in: front matter, then Markdown.

What types can catch names the file and the field; what they cannot is found by `problems`. Pure:
no Django, no database, no clock.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import msgspec
import yaml

from education import markup

ABOUT: Final = "about"
"""The folder of the pages about the clinic, which are no condition."""
OVERVIEW: Final = "overview"
"""The page that a condition's own address shows."""
SUMMARY_LIMIT: Final = 155
SITE: Final = frozenset(
    {"/", "/intake/", "/appointments/", "/my/", "/search/", "/conditions/", "/privacy/"}
    | {"/accessibility/", "/language-help/"}
)
"""Addresses of the site that a page may lead to, besides other pages."""
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
}
LANGUAGES: Final = ("es",)
"""The languages besides English, each a folder of translations beside the English pages."""

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=50)]
Related = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")]
_HEADING = re.compile(r"##\s+(\S.*?)\s*#*\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class ContentError(ValueError):
    """A file that cannot be read; the message names the file and the field."""


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all parts share: unknown keys are refused."""


class Source(Base, frozen=True):
    """What a statement rests on. A book has no address."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://\S+)?$")] = ""


class Section(Base, frozen=True):
    """A heading and its Markdown. The first section is the introduction and has no heading."""

    heading: str
    body: str


class _Head(Base, frozen=True):
    """The front matter of a file."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    summary: str
    audience: str
    order: Annotated[int, msgspec.Meta(ge=0, le=999)]
    written: date
    related: tuple[Related, ...] = ()
    sources: tuple[Source, ...] = ()
    translates: str = ""


class Page(Base, frozen=True):
    """A page, whole. Two pages with the same `content_hash` read the same.

    `translates` is the hash of the English page that a translation was made of.
    """

    condition: Slug
    slug: Slug
    title: str
    summary: str
    audience: str
    order: int
    written: date
    related: tuple[str, ...]
    sources: tuple[Source, ...]
    sections: tuple[Section, ...]
    language: str = "en"
    translates: str = ""

    @property
    def name(self) -> str:
        """`condition/slug`, as other pages and protocols name it."""
        return f"{self.condition}/{self.slug}"

    @property
    def markdown(self) -> str:
        """Its text, as it stands in a file below the front matter."""
        return "\n\n".join(
            f"## {s.heading}\n\n{s.body}" if s.heading else s.body for s in self.sections
        )

    def document(self) -> bytes:
        """Canonical JSON of all that a reader sees; English is not named."""
        data = msgspec.to_builtins(self)
        del data["translates"]
        if self.language == "en":
            del data["language"]
        return msgspec.json.encode(data, order="sorted")

    @property
    def content_hash(self) -> str:
        """SHA-256 of `document()` in hexadecimal digits."""
        return hashlib.sha256(self.document()).hexdigest()


class Condition(Base, frozen=True):
    """A group of pages, in the order of `conditions.yaml`."""

    slug: Slug
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    titles: dict[str, str] = {}  # in other languages


class Problem(NamedTuple):
    """What is wrong with a page: `kind` of KINDS, where, and what is meant."""

    kind: str
    page: str
    field: str
    message: str


def address(condition: str, slug: str) -> str:
    """The address of a page, in English."""
    if condition == ABOUT:
        return f"/about/{slug}/"
    return f"/conditions/{condition}/" + ("" if slug == OVERVIEW else f"{slug}/")


def plain_address(path: str) -> str:
    """An address of this site without the prefix of its language."""
    for language in LANGUAGES:
        if path.startswith(f"/{language}/"):
            return path.removeprefix(f"/{language}")
    return path


# --- reading ------------------------------------------------------------------------------------


def parse(where: str, text: str, language: str = "en") -> Page:
    """The page in a file; `where` is its `condition/slug`.

    Raises ContentError, which names the file and the field.
    """
    condition, _slash, slug = where.partition("/")
    start, fence, rest = text.replace("\r\n", "\n").partition("---\n")
    head, end, body = rest.partition("\n---\n")
    if start.strip() or not fence or not end:
        raise ContentError(f"{where}: front matter stands first, between two lines of ---")
    try:
        data = yaml.load(head, Loader=yaml.CSafeLoader)
        front = msgspec.convert(data, _Head)
        page = {
            **{name: getattr(front, name) for name in _Head.__struct_fields__},
            "condition": condition,
            "slug": slug,
            "language": language,
            "summary": front.summary.strip(),
            "sections": sections(body),
        }
        return msgspec.convert(page, Page)
    except (msgspec.ValidationError, yaml.YAMLError) as error:
        raise ContentError(f"{where}: {error}") from None


def sections(text: str) -> tuple[Section, ...]:
    """The introduction and what stands under each `## ` heading. A fenced block is not looked
    into."""
    found: list[tuple[str, list[str]]] = [("", [])]
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
        elif mark:
            fence = mark[1]
        elif heading := _HEADING.match(line):
            found.append((heading[1], []))
            continue
        found[-1][1].append(line)
    whole = [Section(heading, "\n".join(lines).strip()) for heading, lines in found]
    return tuple(section for section in whole if section.heading or section.body)


def read_conditions(folder: Path) -> tuple[Condition, ...]:
    """The groups of pages, with their titles in all languages. Raises ContentError."""
    groups: tuple[Condition, ...] = _listed(folder / "conditions.yaml", tuple[Condition, ...])
    titles: dict[str, dict[str, str]] = {group.slug: {} for group in groups}
    for language in LANGUAGES:
        path = folder / language / "conditions.yaml"
        for other in _listed(path, tuple[Condition, ...]) if path.is_file() else ():
            if other.slug not in titles:
                raise ContentError(f"{language}/{path.name}: there is no “{other.slug}”")
            titles[other.slug][language] = other.title
    return tuple(Condition(group.slug, group.title, titles[group.slug]) for group in groups)


def _listed(path: Path, kind: Any) -> Any:
    try:
        return msgspec.convert(
            yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader), kind
        )
    except (OSError, msgspec.ValidationError, yaml.YAMLError) as error:
        raise ContentError(f"{path.name}: {error}") from None


def read_pages(folder: Path, language: str = "en") -> tuple[Page, ...]:
    """Every page of a folder of `<condition>/<slug>.md`, in order; of another language, of its
    folder in there. Raises ContentError."""
    own = folder if language == "en" else folder / language
    pages = [
        parse(f"{path.parent.name}/{path.stem}", path.read_text(encoding="utf-8"), language)
        for path in sorted(own.glob("*/*.md"))
    ]
    return tuple(sorted(pages, key=lambda page: (page.condition, page.order, page.slug)))


# --- judging ------------------------------------------------------------------------------------


def problems(
    pages: Iterable[Page],
    known: Iterable[str] | None = None,
    pictures: frozenset[str] = frozenset(),
) -> list[Problem]:
    """Everything wrong with these pages that types cannot see, page by page.

    `known` names the pages that exist (`condition/slug`); by default these pages themselves.
    `pictures` names the pictures that exist.
    """
    pages = tuple(pages)
    names = frozenset(page.name for page in pages) if known is None else frozenset(known)
    addresses = SITE | {address(*name.split("/")) for name in names}
    return [
        Problem(kind, page.name, field, message)
        for page in pages
        for kind, field, message in _faults(page, names, addresses, pictures)
    ]


def _faults(
    page: Page, names: frozenset[str], addresses: frozenset[str], pictures: frozenset[str]
) -> Iterator[tuple[str, str, str]]:
    if not page.summary:
        yield "missing_summary", "summary", "write one sentence that a search can show"
    if len(page.summary) > SUMMARY_LIMIT:
        yield "long_summary", "summary", f"{len(page.summary)} characters of {SUMMARY_LIMIT}"
    for name in page.related:
        if name not in names or name == page.name:
            yield "unknown_related", "related", name
    marked: set[int] = set()
    for section in page.sections:
        where = section.heading or "introduction"
        facts = markup.facts(section.body)
        marked |= facts.marks
        for number in sorted(facts.marks):
            if not 1 <= number <= len(page.sources):
                yield "unknown_source", where, f"[{number}]"
        for link in facts.links:
            target = link.partition("#")[0].partition("?")[0]
            if target.startswith("/") and plain_address(target) not in addresses:
                yield "unknown_link", where, link
            if not target.startswith("/") and target and not markup.is_https(link):
                yield "bad_address", where, link
        for picture in facts.pictures:
            if markup.picture_name(picture) not in pictures:
                yield "unknown_picture", where, picture
        for level in facts.levels:
            if level not in markup.LEVELS:
                yield "unknown_level", where, f"“{level}” is none of {', '.join(markup.LEVELS)}"
        if facts.raw_html:
            yield "raw_html", where, "take the tags out"
    for number, source in enumerate(page.sources, 1):
        if number not in marked:
            yield "unused_source", "sources", f"[{number}] {source.text[:60]}"
        if source.url and not markup.is_https(source.url):
            yield "bad_address", "sources", f"[{number}] {source.url}"


def problems_of_translation(english: Iterable[Page], others: Iterable[Page]) -> list[Problem]:
    """Every page without a translation in these, and every translation that fits its page no more.

    Words are not compared; sources, care cards, marks and links have to stand in the same sections.
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
    for field in ("order", "related", "sources"):
        if getattr(original, field) != getattr(page, field):
            yield field, "it is not as in the English page"
    if len(original.sections) != len(page.sections):
        yield "sections", f"{len(page.sections)} of {len(original.sections)}"
        return
    for wanted, section in zip(original.sections, page.sections, strict=True):
        if bool(wanted.heading) != bool(section.heading):
            yield section.heading or "introduction", "one has a heading, the other none"
        if _bones(wanted) != _bones(section):
            yield section.heading or "introduction", "other marks, links or care cards"


def _bones(section: Section) -> tuple[Any, ...]:
    facts = markup.facts(section.body)
    links = sorted(plain_address(link).partition("#")[0] for link in facts.links)
    return facts.marks, facts.levels, links
