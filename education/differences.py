"""Compare two texts of a page, line by line and word by word."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from education import content

CONTEXT_LINES: Final = 2
"""How many unchanged lines are shown before and after a change."""
MAX_ROWS: Final = 2000
"""How many rows are shown at most."""
_MAX_WORDS: Final = 400
"""A line with more words is not compared word by word."""
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


class Piece(NamedTuple):
    """A part of a line. `changed`: the line of the other text has different words here."""

    text: str
    changed: bool = False


class Row(NamedTuple):
    """A line to show. `kind` is "added", "removed", "same" or "skipped".

    A skipped row stands for `hidden` unchanged lines.
    """

    kind: str
    pieces: tuple[Piece, ...] = ()
    hidden: int = 0


class Differences(NamedTuple):
    """The rows to show, the numbers of added and removed lines, and whether rows were cut off."""

    rows: tuple[Row, ...]
    added: int
    removed: int
    cut: bool


def lines(text: content.Page) -> list[str]:
    """Return the content of a page as lines to compare, without empty lines."""
    head = [
        f"Title: {text.title}",
        f"Summary: {text.summary}",
        f"Who it is for: {text.audience}",
        f"Place: {text.order}",
        f"Written: {text.written.isoformat()}",
        *(f"Related page: {name}" for name in text.related),
    ]
    sources = [
        f"Source [{number}] {source.text} {source.url}".strip()
        for number, source in enumerate(text.sources, 1)
    ]
    return [*head, *(line for line in text.markdown.splitlines() if line.strip()), *sources]


def between(old: content.Page, new: content.Page) -> Differences:
    """Return the lines that were removed from `old` and the lines that were added in `new`."""
    before, after = lines(old), lines(new)
    rows: list[Row] = []
    codes = SequenceMatcher(None, before, after).get_opcodes()
    for number, (op, start, end, other, other_end) in enumerate(codes):
        if op == "equal":
            same = before[start:end]
            rows += _unchanged(same, first=number == 0, last=number == len(codes) - 1)
        else:
            rows += _changed(before[start:end], after[other:other_end])
    count = {kind: sum(row.kind == kind for row in rows) for kind in ("added", "removed")}
    is_cut = len(rows) > MAX_ROWS
    return Differences(tuple(rows[:MAX_ROWS]), count["added"], count["removed"], is_cut)


def _unchanged(same: Sequence[str], *, first: bool, last: bool) -> Iterator[Row]:
    head = 0 if first else CONTEXT_LINES
    tail = 0 if last else CONTEXT_LINES
    hidden = len(same) - head - tail
    if hidden <= 1:
        yield from (_row("same", line) for line in same)
        return
    yield from (_row("same", line) for line in same[:head])
    yield Row("skipped", hidden=hidden)
    yield from (_row("same", line) for line in same[len(same) - tail :])


def _changed(before: Sequence[str], after: Sequence[str]) -> Iterator[Row]:
    """Yield each old line followed by its new line, with the different words marked."""
    both = min(len(before), len(after))
    for old, new in zip(before[:both], after[:both], strict=True):
        removed, added = _words(old, new)
        yield Row("removed", removed)
        yield Row("added", added)
    yield from (_row("removed", line) for line in before[both:])
    yield from (_row("added", line) for line in after[both:])


def _words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    # if two lines have little in common, marking words would only confuse
    if max(len(before), len(after)) > _MAX_WORDS or matcher.ratio() < 0.4:
        return (Piece(old),), (Piece(new),)
    removed, added = [], []
    for op, start, end, other, other_end in matcher.get_opcodes():
        if end > start:
            removed.append(Piece("".join(before[start:end]), op != "equal"))
        if other_end > other:
            added.append(Piece("".join(after[other:other_end]), op != "equal"))
    return tuple(removed), tuple(added)


def _row(kind: str, line: str) -> Row:
    return Row(kind, (Piece(line),))
