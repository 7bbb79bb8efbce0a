"""Read a page from its file (front matter, then Markdown) into frozen structs.

A wrong type raises an error that names the file and the field. `education.problems` finds the
faults that types cannot show. This module uses no Django, no database and no clock.
"""

import hashlib
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from intake.protocols import files
from intake.protocols.files import Unreadable

ABOUT: Final = "about"
"""The folder of the pages about the clinic, which have no address below /conditions/."""
OVERVIEW: Final = "overview"
"""The slug of the page that is shown at the address of the condition itself."""
ENGLISH: Final = "en"
FOLDER: Final = Path(__file__).parent / "content"
"""The folder of the pages that come with the program."""

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=50)]
Topic = Literal["", "understand", "treat", "live"]
"""What a page of a condition is for. The empty string stands for no topic."""
Family = Literal["", "vessels"]
"""Conditions of one family share one heading in the list and in the navigation."""
Related = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")]
_HEADING = re.compile(r"##\s+(\S.*?)\s*#*\s*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


class ContentError(ValueError):
    """A page file cannot be read. The message names the file and the field."""


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base class of the structs in this module, which refuse unknown keys."""


class Source(Base, frozen=True):
    """A publication that a page cites. `url` is empty for a book."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://\S+)?$")] = ""


class Section(Base, frozen=True):
    """A heading and its Markdown. The first section is the introduction and has no heading."""

    heading: str
    body: str


class _FrontMatter(Base, frozen=True):
    """The front matter of a page file: the data above the Markdown."""

    title: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    summary: str
    audience: str
    order: Annotated[int, msgspec.Meta(ge=0, le=999)]
    written: date
    related: tuple[Related, ...] = ()
    sources: tuple[Source, ...] = ()
    topic: Topic = ""
    translates: str = ""


class Page(Base, frozen=True):
    """The content of a page in one language. The same content has the same `content_hash`.

    `translates` is the hash of the English page from which a translation was made. `topic` says
    where lists show the page. It is no part of the content that a clinician reviews.
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
    topic: Topic = ""

    @property
    def name(self) -> str:
        """The name that other pages and protocols use: `condition/slug`."""
        return f"{self.condition}/{self.slug}"

    @property
    def markdown(self) -> str:
        """The text of the page in Markdown, as it stands in a file below the front matter."""
        return "\n\n".join(
            f"## {s.heading}\n\n{s.body}" if s.heading else s.body for s in self.sections
        )

    def document(self) -> bytes:
        """Return canonical JSON of everything that a reader sees in the page.

        The JSON of an English page has no key `language`. So the hashes that were made before pages
        had translations stay valid.
        """
        data = msgspec.to_builtins(self)
        del data["translates"], data["topic"]
        if self.language == "en":
            del data["language"]
        return msgspec.json.encode(data, order="sorted")

    @property
    def content_hash(self) -> str:
        """The SHA-256 of `document()` in hexadecimal digits."""
        return hashlib.sha256(self.document()).hexdigest()


class Condition(Base, frozen=True):
    """A subject of pages, such as restless legs, as an entry of `conditions.yaml`."""

    slug: Slug
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    titles: dict[str, str] = {}  # language → title, without English
    family: Family = ""


def address(condition: str, slug: str) -> str:
    """Return the English address of a page."""
    if condition == ABOUT:
        return f"/about/{slug}/"
    return f"/conditions/{condition}/" + ("" if slug == OVERVIEW else f"{slug}/")


def plain_address(path: str, language: str) -> str:
    """Return an address of this site without the prefix that names a language."""
    return path.removeprefix(f"/{language}") if path.startswith(f"/{language}/") else path


# --- reading ------------------------------------------------------------------------------------


def languages(folder: Path) -> tuple[str, ...]:
    """Return the codes of the languages with a folder of translations beside the English pages.

    Such a folder has pages (`es/<condition>/<slug>.md`) or titles of the conditions
    (`es/conditions.yaml`).
    """
    files = (*folder.glob("*/*/*.md"), *folder.glob("*/conditions.yaml"))
    return tuple(sorted({file.relative_to(folder).parts[0] for file in files}))


def folder_of(folder: Path, language: str) -> Path:
    """Return the folder of a language's pages, which may be missing."""
    return folder if language == ENGLISH else folder / language


def parse(where: str, text: str, language: str = "en") -> Page:
    """Return the page that the text of a file describes. `where` is `condition/slug` of the page.

    Raises ContentError, whose message names the file and the field.
    """
    condition, _slash, slug = where.partition("/")
    start, fence, rest = text.replace("\r\n", "\n").partition("---\n")
    head, end, body = rest.partition("\n---\n")
    if start.strip() or not fence or not end:
        raise ContentError(f"{where}: front matter stands first, between two lines of ---")
    try:
        data = files.parse(head, where, first_line=2)
        front = msgspec.convert(data, _FrontMatter)
        page = {
            **{name: getattr(front, name) for name in _FrontMatter.__struct_fields__},
            "condition": condition,
            "slug": slug,
            "language": language,
            "summary": front.summary.strip(),
            "sections": sections(body),
        }
        return msgspec.convert(page, Page)
    except Unreadable as error:
        raise ContentError(f"{where}: line {error.place.line}: {error.sentence}") from None
    except msgspec.ValidationError as error:
        raise ContentError(f"{where}: {error}") from None


def sections(text: str) -> tuple[Section, ...]:
    """Split Markdown at its `## ` headings. The first section is the introduction.

    Inside a fenced block, a line that looks like a heading is ordinary text.
    """
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


def read_conditions(folder: Path, languages: Iterable[str] = ()) -> tuple[Condition, ...]:
    """Return the conditions with their titles in these languages. Raises ContentError."""
    groups: tuple[Condition, ...] = _read_list(folder / "conditions.yaml", tuple[Condition, ...])
    titles: dict[str, dict[str, str]] = {group.slug: {} for group in groups}
    for language in languages:
        path = folder / language / "conditions.yaml"
        for other in _read_list(path, tuple[Condition, ...]) if path.is_file() else ():
            if other.slug not in titles:
                raise ContentError(f"{language}/{path.name}: there is no “{other.slug}”")
            titles[other.slug][language] = other.title
    return tuple(msgspec.structs.replace(group, titles=titles[group.slug]) for group in groups)


def _read_list(path: Path, kind: Any) -> Any:
    try:
        return msgspec.convert(files.read(path), kind)
    except Unreadable as error:
        raise ContentError(str(error)) from None
    except msgspec.ValidationError as error:
        raise ContentError(f"{path.name}: {error}") from None


def read_synonyms(folder: Path, language: str) -> dict[str, str]:
    """Map each word that readers may type to the words that the pages use. Raises ContentError."""
    path = folder_of(folder, language) / "synonyms.yaml"
    found: dict[str, str] = _read_list(path, dict[str, str]) if path.is_file() else {}
    return found


def read_pages(folder: Path, language: str = "en") -> tuple[Page, ...]:
    """Return the pages of one language in a folder, in order. Raises ContentError.

    English pages are the files `<condition>/<slug>.md`. Pages of another language are in a folder
    that is named by the language's code, for example `es/<condition>/<slug>.md`.
    """
    own = folder_of(folder, language)
    pages = [
        parse(f"{path.parent.name}/{path.stem}", path.read_text(encoding="utf-8"), language)
        for path in sorted(own.glob("*/*.md"))
    ]
    return tuple(sorted(pages, key=lambda page: (page.condition, page.order, page.slug)))
