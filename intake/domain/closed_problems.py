"""Check what the rules say to patients while the clinic is closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from intake.domain.definition import FLAG, Protocol, Rule
from intake.domain.languages import ENGLISH, LanguageFacts
from intake.domain.problem import Problem

OPENING: Final = "{opening}"
"""The placeholder for the day and the hour of the next opening."""
LONGEST_WAIT: Final = 31 * 24
_TIMED: Final = (".closed", ".promise", ".tell", ".target")


def closed_problems(protocol: Protocol) -> Iterator[Problem]:
    """Yield a problem for each rule that does not say what to do while the clinic is closed."""
    for rule in protocol.rules.rules:
        yield from _rule_problems(rule)


def _rule_problems(rule: Rule) -> Iterator[Problem]:
    path, hours = f"rules.{rule.id}", rule.may_wait_hours
    if rule.level == "same_day" and hours is None:
        message = (
            "Say in `may_wait_hours` how many hours the patient may wait for the next opening;"
            " 0 if no source allows any."
        )
        yield Problem("wrong_closed", f"{path}.may_wait_hours", message)
    if rule.level == "same_day" and not rule.closed:
        message = "Say in `closed` what the patient does while the clinic is closed."
        yield Problem("wrong_closed", f"{path}.closed", message)
    if hours is None:
        return
    if rule.level in ("emergency", FLAG):
        yield Problem("wrong_closed", f"{path}.may_wait_hours", "Remove it: nobody waits here.")
    elif not 0 <= hours <= LONGEST_WAIT:
        message = f"Write whole hours, 0 to {LONGEST_WAIT}."
        yield Problem("wrong_closed", f"{path}.may_wait_hours", message)
    elif rule.closed and hours and OPENING not in rule.closed:
        message = f"Say until when the patient may wait: {OPENING}."
        yield Problem("wrong_closed", f"{path}.closed", message)
    elif rule.closed and not hours and OPENING in rule.closed:
        message = f"Send the patient elsewhere, without {OPENING}: `may_wait_hours` is 0."
        yield Problem("wrong_closed", f"{path}.closed", message)


def vague_times(path: str, text: str, language: LanguageFacts = ENGLISH) -> Iterator[Problem]:
    """Yield a problem for each vague time in a text, which must give the day and the hour.

    At 2 a.m., "in the morning" could mean this morning or the next.
    """
    if path.endswith(_TIMED):
        for found in language.vague_time.finditer(text):
            message = f"Give the day and the hour ({{by}}, {OPENING}) instead of “{found[0]}”."
            yield Problem("vague_time", path, message)
