"""The values that rules read besides the answers, each with a version.

A protocol names the version it runs, and that is part of its content hash. To change how a value is
computed, add a function with the next version and leave the old one: stored protocols name it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from intake.domain.definition import Answers, ComputedValue, Protocol


class Code(NamedTuple):
    """One version of one computed value: the questions it reads, what it can be, and the code."""

    inputs: tuple[str, ...]
    values: tuple[str, ...] | type[bool] | range
    function: Callable[[Answers], ComputedValue]


def rls_pattern(answers: Answers) -> str:
    """How many of the four symptom features of restless legs are reported; never a diagnosis.

    Out: "complete" (4 of 4), "possible" (the urge is there or unsure, at least one of the other
    three is reported and at least two are reported or unsure), "incomplete" (an urge, too little
    else), "none" (no urge, or not asked).

    Source: IRLSSG consensus criteria 1 to 4, Allen 2014 (doi 10.1016/j.sleep.2014.03.025).
    Criterion 5 cannot be met by self-report. That "it used to" counts for relief and time of day is
    in the criteria; how "unsure" counts is this protocol's own choice.
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
    """The last seven days as a number from 0 to 30; None when any of the four answers is missing.

    Days (0-7), nights (0-7), worst strength (0-10), interference (0, 2, 4, 6). An in-house check,
    not validated, not comparable with any licensed scale, and never shown to patients as a grade.
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
    """Whether more nights than days were restless, which contradicts itself; None if unanswered."""
    days, nights = answers.get("lr7_days"), answers.get("lr7_nights")
    if not (isinstance(days, int) and isinstance(nights, int)):
        return None
    return nights > days


def art_pattern(answers: Answers) -> bool | None:
    """Whether leg pain on walking fits poor artery flow; None unless there is such pain.

    True when it is in the calf, thigh or buttock, goes within 10 minutes of standing still, and
    does not start at rest. False never lowers an urgency.

    Source: the concept of Leng & Fowkes 1992 (J Clin Epidemiol 45:1101-9), in own words.
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
"""(name, version) → code. Entries are added, never changed or removed."""

SAFETY_RETRACTED: Final = "safety_retracted"
"""Computed from the walk, not from the answers: an interrupting answer was later changed."""


def compute(
    protocol: Protocol, answers: Answers, *, safety_retracted: bool = False
) -> dict[str, ComputedValue]:
    """Every computed value of the protocol, by the version of the code it names.

    In: the answers of visible questions, and whether an interrupting answer was taken back.
    Raises KeyError for a value or version that has no code, which `problems` finds before.
    """
    return {
        name: safety_retracted
        if name == SAFETY_RETRACTED
        else CODE[name, computed.version].function(answers)
        for name, computed in protocol.rules.computed.items()
    }
