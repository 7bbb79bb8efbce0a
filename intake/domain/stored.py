"""Names and code that stored data refers to. They are kept forever.

Rows and documents of earlier releases contain these names, so the names never change, even if a
protocol renames its questions. No code is added here: today a protocol itself says how its values
are computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

PHONE: Final = "callback_phone"
LANGUAGE_HELP: Final = "lang_help"
ACKNOWLEDGED: Final = "ack"
WHO: Final = "who"
"""The names under which a draft and a submission store what a patient says in the contact step."""

PAYER: Final = "payer"
MEMBER: Final = "member"
DOCTOR: Final = "doctor"
PHARMACY: Final = "pharmacy"
CHART_NUMBER: Final = "chart_number"
"""The names under which the details for the chart are stored. Staff alone write the last one."""


# --- code of the computed values in old stored documents ------------------------------------------


class Code(NamedTuple):
    """One version of a computed value: which questions it reads, its possible values, its code."""

    inputs: tuple[str, ...]
    values: tuple[str, ...] | type[bool] | range
    function: Callable[[Mapping[str, Any]], str | int | bool | None]


def rls_pattern(answers: Mapping[str, Any]) -> str:
    """Grade how many of the four features of restless legs the patient reports.

    Returns "complete" (all four), "possible" (the urge is present or unsure; of the other three
    features at least one is reported, and at least two are reported or unsure), "incomplete" (an
    urge with fewer other features) or "none" (no urge, or not asked). The grade is not a diagnosis.

    Source: IRLSSG consensus criteria 1 to 4, Allen 2014 (doi 10.1016/j.sleep.2014.03.025).
    Criterion 5 cannot be judged by a patient's own report. By the criteria, "it used to" counts as
    yes for relief and time of day. How "unsure" counts is this protocol's own choice.
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


def lr7_total(answers: Mapping[str, Any]) -> int | None:
    """Return the score LR7 of the last seven days, 0 to 30; None if one of four answers is missing.

    The score adds up the days (0-7), the nights (0-7), the worst strength (0-10) and the
    interference (0, 2, 4 or 6). It was made for this program: it is not validated, cannot be
    compared with any licensed scale, and is never shown to patients as a grade.
    """
    interference = {"none": 0, "little": 2, "some": 4, "lot": 6}
    days, nights, strength = (answers.get(id) for id in ("lr7_days", "lr7_nights", "lr7_strength"))
    interfere = answers.get("lr7_interfere")
    if not (isinstance(days, int) and isinstance(nights, int) and isinstance(strength, int)):
        return None
    if not isinstance(interfere, str):
        return None
    return days + nights + strength + interference[interfere]


def lr7_nights_gt_days(answers: Mapping[str, Any]) -> bool | None:
    """Whether the patient gave more restless nights than days, which is a contradiction.

    Returns None if one of the two answers is missing.
    """
    days, nights = answers.get("lr7_days"), answers.get("lr7_nights")
    if not (isinstance(days, int) and isinstance(nights, int)):
        return None
    return nights > days


def art_pattern(answers: Mapping[str, Any]) -> bool | None:
    """Whether leg pain on walking fits poor artery flow; None if the patient has no such pain.

    Returns True if the pain is in the calf, thigh or buttock, stops within 10 minutes of standing
    still, and does not start at rest. False never lowers an urgency.

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
"""(name of a computed value, version) → code."""
