"""Summarise the answers and the computed values for staff."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from intake.domain.conditions import holds
from intake.domain.definition import Answers, ComputedValue, Protocol
from intake.domain.grammar import Phrase

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def summary(
    protocol: Protocol, answers: Answers, computed: Mapping[str, ComputedValue]
) -> list[tuple[str, str]]:
    """Return the lines of the protocol's summary that apply to these answers: (label, words)."""
    lines = []
    for line in protocol.summary:
        if _first(line.parts[0], answers, computed):
            lines.append((line.label, listed(line.parts, answers, computed)))
    return lines


def listed(
    parts: tuple[tuple[Phrase, ...], ...],
    answers: Answers,
    computed: Mapping[str, ComputedValue],
) -> str:
    """Return the words of the parts that apply to these answers, such as "lithium; cast: no"."""
    return "; ".join(filter(None, (_first(part, answers, computed) for part in parts)))


def _first(
    phrases: tuple[Phrase, ...], answers: Answers, computed: Mapping[str, ComputedValue]
) -> str:
    for phrase in phrases:
        if phrase.when is None or holds(phrase.when, answers, computed):
            return PLACEHOLDER.sub(lambda found: str(computed.get(found[1], "")), phrase.say)
    return ""
