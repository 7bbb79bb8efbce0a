"""Measure how well a protocol hears danger, with sentences that people labelled.

A file of sentences has the columns want, kind, voice, scope and sentence, divided by tabs. `want`
is E (emergency), S (same day) or N (neither).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from intake.domain.bounds import lower_bound, upper_bound
from intake.domain.danger_scope import NOW
from intake.domain.definition import Protocol
from intake.domain.hearing import hear
from intake.domain.triage import rule_for_text
from intake.protocols.files import Place, Unreadable, shown_path

COLUMNS: Final = ("want", "kind", "voice", "scope", "sentence")
_LEVELS: Final = {"emergency": "E", "same_day": "S"}


class Sentence(NamedTuple):
    """A sentence with its label."""

    language: str
    want: str
    kind: str
    voice: str
    scope: str
    sentence: str


class Judged(NamedTuple):
    """A sentence with the program's judgment.

    `got` is E, S or N. `frames` are the frames that are heard with the scope now. If there are no
    such frames, `talked_down` has the hits with another scope: denied, past or other. `by_pattern`
    says that only an alarm pattern raised the sentence.
    """

    label: Sentence
    got: str
    frames: frozenset[str]
    talked_down: tuple[str, ...]
    by_pattern: bool


class Count(NamedTuple):
    """So many of so many, with the exact bounds of Clopper and Pearson (95 %, one side each)."""

    number: int
    of: int

    @property
    def share(self) -> float:
        """The share; 1 of nothing."""
        return self.number / self.of if self.of else 1.0

    def __str__(self) -> str:
        if not self.of:
            return "none"
        lower, upper = lower_bound(self.number, self.of), upper_bound(self.number, self.of)
        bounds = f"{lower:.1%} to {upper:.1%}"
        return f"{self.number} of {self.of} ({self.share:.1%}; {bounds})"


def read(file: Path) -> list[Sentence]:
    """Return the sentences of a file named after its language, such as `en_tuned_on.tsv`.

    Raises Unreadable, with file and line.
    """
    place = Place(shown_path(file))
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise Unreadable(place, f"the file cannot be read: {error.strerror}.") from None
    found = []
    for number, line in enumerate(lines, start=1):
        cells = line.split("\t")
        if line.startswith("#") or not line:
            continue
        if len(cells) != len(COLUMNS) or cells[0] not in ("E", "S", "N"):
            message = f"a line has {', '.join(COLUMNS)}, and `want` is E, S or N."
            raise Unreadable(Place(place.file, number), message)
        found.append(Sentence(file.name.partition("_")[0], *cells))
    return found


def judged(protocol: Protocol, sentences: Iterable[Sentence]) -> Iterator[Judged]:
    """Yield each sentence with the level of the most urgent rule that it fires."""
    for label in sentences:
        rule = rule_for_text(protocol, label.sentence)
        got = _LEVELS.get(rule.level, "N") if rule is not None else "N"
        hits = hear(protocol, {protocol.uses.own_words: label.sentence}).all_found()
        now = frozenset(hit.frame for hit in hits if hit.scope == NOW)
        talked_down = () if now else tuple(f"{h.frame} ({h.scope}: {h.words})" for h in hits)
        yield Judged(label, got, now, talked_down, got != "N" and not now)


def counts(rows: Iterable[Judged]) -> dict[str, Count]:
    """Return the counts for which goals are set, by name."""
    rows = list(rows)
    emergencies = [row for row in rows if row.label.want == "E"]
    alarming = [row for row in rows if row.label.want != "N"]
    harmless = [row for row in rows if row.label.want == "N"]
    down = [row for row in emergencies if row.got == "N" and row.talked_down]
    return {
        "emergencies heard": _count(emergencies, lambda row: row.got != "N"),
        "emergencies raised to emergency": _count(emergencies, lambda row: row.got == "E"),
        "all alarming heard": _count(alarming, lambda row: row.got != "N"),
        "harmless raised": _count(harmless, lambda row: row.got != "N"),
        "emergencies judged denied or past": Count(len(down), len(emergencies)),
    }


def _count(rows: list[Judged], holds: Callable[[Judged], bool]) -> Count:
    return Count(sum(map(holds, rows)), len(rows))


def by_frame(rows: Iterable[Judged]) -> dict[str, tuple[Count, Count]]:
    """Count for each frame how many of the sentences that it raises are alarming.

    The second count has only the sentences that no other frame raises. The frame with the smallest
    share comes first.
    """
    raised: dict[str, list[Judged]] = {}
    for row in rows:
        for frame in row.frames:
            raised.setdefault(frame, []).append(row)
    found = {}
    for frame, of_frame in raised.items():
        alone = [row for row in of_frame if len(row.frames) == 1]
        found[frame] = (_count(of_frame, _is_alarming), _count(alone, _is_alarming))
    return dict(sorted(found.items(), key=lambda item: (item[1][0].share, item[0])))


def _is_alarming(row: Judged) -> bool:
    return row.label.want != "N"


def report(rows: list[Judged]) -> Iterator[str]:
    """Yield the report: counts by language, kind and frame, and each sentence judged wrongly."""
    for language in sorted({row.label.language for row in rows}):
        spoken = [row for row in rows if row.label.language == language]
        yield f"{language}: {len(spoken)} sentences"
        for name, count in counts(spoken).items():
            yield f"  {name}: {count}"
        for kind in sorted({row.label.kind for row in spoken}):
            of_kind = [row for row in spoken if row.label.kind == kind]
            missed = Counter(
                "missed" if row.label.want != "N" else "raised"
                for row in of_kind
                if (row.got == "N") != (row.label.want == "N")
            )
            said = ", ".join(f"{number} {what}" for what, number in sorted(missed.items()))
            yield f"  {kind}: {len(of_kind)}" + (f", {said}" if said else "")
    yield "Alarming among the sentences that a frame raises (95 % bounds); that it alone raises"
    for frame, (all_of, alone) in by_frame(rows).items():
        yield f"  {frame}: {all_of}; {alone.number} of {alone.of}"
    missed_rows = [row for row in rows if row.label.want != "N" and row.got == "N"]
    missed_rows.sort(key=lambda row: (not row.talked_down, row.label.want))
    for title, chosen in (
        ("Missed, talked down", [row for row in missed_rows if row.talked_down]),
        ("Missed", [row for row in missed_rows if not row.talked_down]),
        ("Emergency heard as same day", [r for r in rows if (r.label.want, r.got) == ("E", "S")]),
        ("Found by an alarm pattern alone", [row for row in rows if row.by_pattern]),
        ("Harmless and raised", [r for r in rows if r.label.want == "N" and r.got != "N"]),
    ):
        if chosen:
            yield f"{title}: {len(chosen)}"
        for row in chosen:
            down = f" [{'; '.join(row.talked_down)}]" if row.talked_down else ""
            label = row.label
            yield f"  {label.language} {label.want} {label.kind}: {label.sentence}{down}"
