"""Compute the values that rules read beside the answers.

Each value has a version. A protocol names the version that it runs, as part of its content hash.
To change how a value is computed, add a function with the next version and keep the old function:
stored protocols name the old version.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from intake.domain.definition import Answers, ComputedValue, Protocol


class Code(NamedTuple):
    """One version of a computed value: the questions it reads, its possible values, its code."""

    inputs: tuple[str, ...]
    values: tuple[str, ...] | type[bool] | range
    function: Callable[[Answers], ComputedValue]


def rls_pattern(answers: Answers) -> str:
    """Grade how many of the four symptom features of restless legs are reported.

    Returns "complete" (4 of 4), "possible" (the urge is present or unsure, at least one of the
    other three is reported, and at least two of them are reported or unsure), "incomplete" (an
    urge with fewer other features) or "none" (no urge, or not asked). The grade is no diagnosis.

    Source: IRLSSG consensus criteria 1 to 4, Allen 2014 (doi 10.1016/j.sleep.2014.03.025).
    Criterion 5 cannot be met by self-report. The criteria let "it used to" count for relief and
    time of day. How "unsure" counts is this protocol's own choice.
    """
    urge = answers.get("rls_urge")
    if urge not in ("yes", "unsure"):
        return "none"
    reported = (
        (answers.get("rls_rest") == "yes")
        + (answers.get("rls_move") in ("yes", "was_before"))
        + (answers.get("rls_evening") in ("evening", "was_before"))
    )
    unsure = sum(answers.get(id) == "unsure" for id in ("rls_rest", "rls_move", "rls_evening"))
    if urge == "yes" and reported == 3:
        return "complete"
    if reported >= 1 and reported + unsure >= 2:
        return "possible"
    return "incomplete"


def lr7_total(answers: Answers) -> int | None:
    """Add up the last seven days, from 0 to 30; None when one of the four answers is missing.

    Days (0-7), nights (0-7), worst strength (0-10) and interference (0, 2, 4, 6). The total is an
    in-house check: not validated, not comparable with any licensed scale, never shown to patients
    as a grade.
    """
    interference = {"none": 0, "little": 2, "some": 4, "lot": 6}
    days, nights, strength = (answers.get(id) for id in ("lr7_days", "lr7_nights", "lr7_strength"))
    interfere = answers.get("lr7_interfere")
    if not (isinstance(days, int) and isinstance(nights, int) and isinstance(strength, int)):
        return None
    if not isinstance(interfere, str):
        return None
    return days + nights + strength + interference[interfere]


def lr7_nights_gt_days(answers: Answers) -> bool | None:
    """Whether more nights than days were restless, a contradiction; None if unanswered."""
    days, nights = answers.get("lr7_days"), answers.get("lr7_nights")
    if not (isinstance(days, int) and isinstance(nights, int)):
        return None
    return nights > days


def art_pattern(answers: Answers) -> bool | None:
    """Whether leg pain on walking fits poor artery flow; None without pain on walking.

    True when the pain is in the calf, thigh or buttock, stops within 10 minutes of standing still,
    and does not start at rest. False never lowers an urgency.

    Source: the concept of Leng & Fowkes 1992 (J Clin Epidemiol 45:1101-9), in our own words.
    """
    if answers.get("walk_pain") != "yes":
        return None
    pattern = answers.get("walk_pattern", ())
    assert isinstance(pattern, tuple)
    return (
        ("in_calf" in pattern or "in_thigh_buttock" in pattern)
        and "stops_10min" in pattern
        and "also_when_still" not in pattern
    )


CODE: Final[dict[tuple[str, int], Code]] = {
    ("rls_pattern", 1): Code(
        ("rls_urge", "rls_rest", "rls_move", "rls_evening"),
        ("complete", "possible", "incomplete", "none"),
        rls_pattern,
    ),
    ("lr7_total", 1): Code(
        ("lr7_days", "lr7_nights", "lr7_strength", "lr7_interfere"), range(31), lr7_total
    ),
    ("lr7_nights_gt_days", 1): Code(("lr7_days", "lr7_nights"), bool, lr7_nights_gt_days),
    ("art_pattern", 1): Code(("walk_pain", "walk_pattern"), bool, art_pattern),
    ("always", 1): Code((), bool, lambda answers: True),
}
"""(name, version) → code. Add entries; never change or remove one."""

SAFETY_RETRACTED: Final = "safety_retracted"
"""Whether the patient changed an interrupting answer later. It comes from the walk, not from the
answers."""


def compute(
    protocol: Protocol, answers: Answers, *, safety_retracted: bool = False
) -> dict[str, ComputedValue]:
    """Compute every computed value of the protocol, each with the version that the protocol names.

    `answers` are those of visible questions. `safety_retracted` says whether the patient took an
    interrupting answer back. Raises KeyError for a value or version without code; `problems` finds
    these before a protocol is served.
    """
    return {
        name: safety_retracted
        if name == SAFETY_RETRACTED
        else CODE[name, computed.version].function(answers)
        for name, computed in protocol.rules.computed.items()
    }
