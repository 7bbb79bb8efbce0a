"""The Markdown of the pages: what an editor can write, and what a text contains. No Django here.

Raw HTML and link definitions do not work. A picture is written `![words](picture:name)`; pictures
of other sites are not shown. Besides plain Markdown there are source marks (`[1]`, `[2, 3]`),
placeholders such as {phone}, {hours} and {soon}, and care cards. A care card is a fenced block
whose first line has `care` and a level after the fence.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

LEVELS: Final = ("emergency", "same-day", "ask")
ALARMS: Final = ("emergency", "same-day")
"""The levels of the care cards that cannot wait for a visit."""
HIGHLIGHT: Final = ("\ue000", "\ue001")
"""The characters around a word that a search found. `plain` removes them from every text."""

_LINK = re.compile(r"https?://[^\s/\\][^\s\\]*|/(?![/\\])[^\s\\]*|#[^\s\\]*", re.IGNORECASE)
_HTTPS = re.compile(
    r"https://[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]{1,5})?([/?#][^\s\\]*)?", re.IGNORECASE
)
_PICTURE = re.compile(r"picture:([a-z0-9]+(?:-[a-z0-9]+)*)")
_SPECIAL = re.compile(
    r"\[(\d{1,3}(?:\s?,\s?\d{1,3})*)\]|\{(phone|name|hours|urgent|soon|routine)\}|\b(911|988)\b"
)
_BREAKS = ("softbreak", "hardbreak")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ue000\ue001]")


class Facts(NamedTuple):
    """What a text contains: numbers of source marks, links, levels of care cards, pictures."""

    marks: frozenset[int]
    links: tuple[str, ...]
    levels: tuple[str, ...]
    raw_html: bool
    pictures: tuple[str, ...]


def is_link(url: str) -> bool:
    """Whether a text may link to this address: an http(s) address, a path, or a `#` anchor."""
    return bool(_LINK.fullmatch(url))


def picture_name(url: str) -> str:
    """Return the name in an address such as `picture:leg-veins`; "" for any other address."""
    found = _PICTURE.fullmatch(url)
    return found[1] if found else ""


def is_https(url: str) -> bool:
    """Whether this is a complete https address that contains a host name."""
    return bool(_HTTPS.fullmatch(url))


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Return whether a text may use this address in a link or for a picture."""
        return is_link(url) or bool(picture_name(url))


def parser(*, html: bool = False) -> MarkdownIt:
    """Return a parser of the pages' Markdown. `html` is only for finding raw HTML in a text."""
    md = _Markdown("commonmark", {"html": html})
    md.enable("table").disable(["reference"])
    md.core.ruler.push("marks", _find_marks)
    return md


def care_level(token: Token) -> str | None:
    """Return the level of a care card as the editor typed it; None for any other block."""
    word, _space, level = token.info.strip().partition(" ")
    return level.strip() if token.type == "fence" and word == "care" else None


def _find_marks(state: StateCore) -> None:
    for block in state.tokens:
        if block.type == "inline":
            block.children = list(_split(block.children or []))


def _split(tokens: Iterable[Token]) -> Iterator[Token]:
    """Make separate tokens of source marks, placeholders and emergency numbers.

    A mark inside a link stays text, because a mark becomes a link, and links cannot be nested.
    """
    depth = 0
    for token in tokens:
        depth += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type != "text":
            yield token
            continue
        end = 0
        for found in _SPECIAL.finditer(token.content):
            marks, placeholder, _number = found.groups()
            if marks and depth:
                continue
            before = token.content[end : found.start()]
            # the space is removed, so that no line breaks between a word and its source mark
            yield _text(before.rstrip() if marks else before)
            kind = "source_mark" if marks else "placeholder"
            yield Token(
                kind, "", 0, content=marks or placeholder or found[0], meta={"in_link": bool(depth)}
            )
            end = found.end()
        yield _text(token.content[end:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def fill_in(text: str, text_for: Callable[[str], str]) -> str:
    """Replace placeholders and emergency numbers in a title or summary by results of `text_for`."""

    def replace(found: re.Match[str]) -> str:
        return found[0] if found[1] else text_for(found[2] or found[3])

    return _SPECIAL.sub(replace, text)


def numbers(mark: str) -> list[int]:
    """Return the numbers in a source mark: 2 and 3 for `2, 3`."""
    return [int(number) for number in mark.split(",")]


_FOR_FACTS = parser(html=True)
_FOR_TEXT = parser()


@lru_cache(maxsize=1024)
def facts(text: str) -> Facts:
    """Return the facts about a text, including those about the texts inside its care cards.

    The results are cached, because the system checks ask for the facts of each section twice.
    """
    tokens = list(_tokens(_FOR_FACTS, text))
    return Facts(
        marks=frozenset(n for t in tokens if t.type == "source_mark" for n in numbers(t.content)),
        links=tuple(str(t.attrs["href"]) for t in tokens if t.type == "link_open"),
        levels=tuple(level for t in tokens if (level := care_level(t)) is not None),
        pictures=tuple(str(t.attrs["src"]) for t in tokens if t.type == "image"),
        raw_html=any(t.type in ("html_block", "html_inline") for t in tokens),
    )


class Block(NamedTuple):
    """A block at the outermost level of a text: whether it is an alarm card, and its lines."""

    is_alarm: bool
    lines: list[str]


def blocks(text: str) -> Iterator[Block]:
    """Yield the outermost blocks of a text. Alarm cards are those that cannot wait for a visit."""
    for token in _FOR_TEXT.parse(text):
        if token.level == 0 and token.nesting >= 0 and token.type != "inline":
            lines = [line for line in token.content.splitlines() if line.strip()]
            yield Block(care_level(token) in ALARMS, lines)


def plain(text: str) -> str:
    """Return the words without Markdown, with each block on a line, to search and to grade."""
    lines = [""]
    for token in _tokens(_FOR_TEXT, text):
        if token.type in ("text", "code_inline") or token.type == "image":
            lines[-1] += token.content
        elif token.type in _BREAKS:
            lines[-1] += " "
        elif token.type in ("fence", "code_block") and care_level(token) is None:
            lines += [token.content, ""]
        elif token.type == "placeholder":
            lines[-1] += token.content if token.content.isdigit() else ""
        elif token.block and lines[-1]:
            lines.append("")
    return _CONTROL.sub("", "\n".join(" ".join(line.split()) for line in lines if line.strip()))


def _tokens(md: MarkdownIt, text: str) -> Iterator[Token]:
    for token in md.parse(text):
        yield token
        yield from token.children or []
        if care_level(token) is not None:
            yield from _tokens(md, token.content)
