"""What differs between two texts of a page, line by line and word by word. Pure."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from education import content

AROUND: Final = 2
"""Unchanged lines shown before and after a change."""
MOST: Final = 2000
"""Rows shown; nobody reads more."""
_LONGEST: Final = 400
"""Words of a line that are compared one by one."""
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


class Piece(NamedTuple):
    """A part of a line; `changed` in a line that has a counterpart."""

    text: str
    changed: bool = False


class Row(NamedTuple):
    """A line. `kind` is added, removed, same, or skipped for a number of unchanged lines."""

    kind: str
    pieces: tuple[Piece, ...] = ()
    hidden: int = 0


class Differences(NamedTuple):
    """The rows to show, how many lines came and went, and whether rows were cut off."""

    rows: tuple[Row, ...]
    added: int
    removed: int
    cut: bool


def lines(text: content.Page) -> list[str]:
    """A text as the lines that are compared, empty ones left out."""
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
    """What was removed from `old` and added in `new`."""
    before, after = lines(old), lines(new)
    rows: list[Row] = []
    codes = SequenceMatcher(None, before, after).get_opcodes()
    for number, (_op, start, end, other, other_end) in enumerate(codes):
        if _op == "equal":
            same = before[start:end]
            rows += _unchanged(same, first=number == 0, last=number == len(codes) - 1)
        else:
            rows += _changed(before[start:end], after[other:other_end])
    count = {kind: sum(row.kind == kind for row in rows) for kind in ("added", "removed")}
    return Differences(tuple(rows[:MOST]), count["added"], count["removed"], len(rows) > MOST)


def _unchanged(same: Sequence[str], *, first: bool, last: bool) -> Iterator[Row]:
    head = 0 if first else AROUND
    tail = 0 if last else AROUND
    hidden = len(same) - head - tail
    if hidden <= 1:
        yield from (_row("same", line) for line in same)
        return
    yield from (_row("same", line) for line in same[:head])
    yield Row("skipped", hidden=hidden)
    yield from (_row("same", line) for line in same[len(same) - tail :])


def _changed(gone: Sequence[str], come: Sequence[str]) -> Iterator[Row]:
    """A line and what became of it stand together, with the words that differ."""
    both = min(len(gone), len(come))
    for old, new in zip(gone[:both], come[:both], strict=True):
        removed, added = _words(old, new)
        yield Row("removed", removed)
        yield Row("added", added)
    yield from (_row("removed", line) for line in gone[both:])
    yield from (_row("added", line) for line in come[both:])


def _words(old: str, new: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    # two lines that have little in common are read whole
    if max(len(before), len(after)) > _LONGEST or matcher.ratio() < 0.4:
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
