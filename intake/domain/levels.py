"""The five urgencies that the program knows, and the checks that a protocol has these five.

The program sorts, escalates and stores submissions by these five codes and ranks. A protocol
defines, for each urgency, the target times and the texts for patients.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from intake.domain.definition import Level, Protocol, Within
from intake.domain.languages import ENGLISH, LanguageFacts
from intake.domain.problem import Problem

RANKS: Final[Mapping[str, int]] = {
    "emergency": 4,
    "same_day": 3,
    "urgent": 2,
    "soon": 1,
    "routine": 0,
}
"""Code of a level → its rank; the highest is the most urgent."""

PERIODS: Final = ("within", "seen_within")
PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    "target": PERIODS,
    "promise": PERIODS,
    "tell": (*PERIODS, "by"),
    "closed": (),
    "rule's closed": ("opening",),
}
"""Kind of text → the placeholders that the program fills in this kind of text.

`{within}` stands for the period `contact_within`, and `{seen_within}` for the period `seen_within`.
`{by}` stands for the day and time by which the clinic contacts the patient, and `{opening}` for the
day and time of the next opening.
"""


def level_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each level, rank, target or text that the program cannot work with."""
    levels = {level.code: level for level in protocol.rules.levels}
    for code, rank in RANKS.items():
        if code not in levels:
            yield _wrong(code, f"Declare the level “{code}”: the program sorts by it.")
        elif levels[code].rank != rank:
            yield _wrong(code, f"Give “{code}” the rank {rank}: the program sorts by it.")
    for code in sorted(levels.keys() - RANKS.keys()):
        yield _wrong(code, f"The program knows no level “{code}”. It knows {', '.join(RANKS)}.")
    for level in levels.values():
        yield from _target(level)
        yield from _told(protocol, level)
    days = [(code, _days(levels[code])) for code in RANKS if code in levels and _days(levels[code])]
    for (sooner, before), (later, after) in pairwise(days):
        if before > after:
            yield _wrong(later, f"“{later}” may not be seen sooner than “{sooner}”.")


def _target(level: Level) -> Iterator[Problem]:
    within, seen = level.contact_within, level.seen_within
    match level.code:
        case "emergency":
            if within.open_hours != 0:
                yield _wrong(level.code, "An emergency waits for no time: `open_hours: 0`.")
        case "same_day":
            if not within.open_hours:
                yield _wrong(level.code, "Count this target in `open_hours`, at least 1.")
        case "urgent":
            if not within.business_days:
                yield _wrong(level.code, "Count this target in `business_days`, at least 1.")
            if seen is None or not seen.days:
                message = "Say in `seen_within: {days: …}` how far ahead a visit may be booked."
                yield _wrong(level.code, message)
        case "soon" | "routine":
            if not within.days:
                yield _wrong(level.code, "Count this target in `days`, at least 1.")


def _days(level: Level) -> int:
    return level.seen.days or 0


def _told(protocol: Protocol, level: Level) -> Iterator[Problem]:
    if level.tell is None and level.code != "emergency":
        message = "Say in `tell` what the patient reads under “What happens next”."
        yield _wrong(level.code, message)
    texts = [("target", level.target), ("tell", level.tell), ("closed", level.closed)]
    for name, text in texts:
        yield from period_problems(f"levels.{level.code}.{name}", text or "", level)
    for rule in protocol.rules.rules:
        if rule.level == level.code:
            yield from period_problems(f"rules.{rule.id}.promise", rule.promise or "", level)
            yield from period_problems(f"rules.{rule.id}.closed", rule.closed or "", level)


def period_problems(
    path: str, text: str, level: Level, language: LanguageFacts = ENGLISH
) -> Iterator[Problem]:
    """Yield a problem for each period that a text writes out, and for each unknown placeholder.

    A written period would become wrong when the target time of the level is changed.
    """
    name = path.rpartition(".")[2]
    if name == "closed" and path.startswith("rules."):
        name = "rule's closed"
    if name not in _ALLOWED:
        return
    # skip `closed`: another check refuses any promise in it
    for found in language.period.finditer(text) if "closed" not in name else ():
        message = f"Write {{within}} or {{seen_within}} instead of “{found[0]}”."
        yield Problem("wrong_period", path, message)
    for placeholder in PLACEHOLDER.findall(text):
        known = placeholder in _ALLOWED[name]
        if not known or (placeholder == "seen_within" and level.seen_within is None):
            yield Problem("wrong_period", path, f"There is nothing to put for {{{placeholder}}}.")


def _wrong(code: str, message: str) -> Problem:
    return Problem("wrong_level", f"levels.{code}", message)


def periods(level: Level) -> dict[str, Within]:
    """Map the placeholders `within` and `seen_within` to the level's periods."""
    found = {"within": level.contact_within}
    if level.seen_within is not None:
        found["seen_within"] = level.seen_within
    return found
