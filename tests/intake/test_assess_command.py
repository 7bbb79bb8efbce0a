"""`manage.py assess`: JSON lines in, JSON lines out."""

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management.base import CommandError, OutputWrapper

from intake.domain.definition import Protocol
from intake.management.commands import assess
from intake.management.commands.assess import Command, assessed


def one(protocol: Protocol, line: str | bytes | dict[str, Any]) -> dict[str, Any]:
    if isinstance(line, dict):
        line = json.dumps(line)
    (result,) = assessed(protocol, [line.encode() if isinstance(line, str) else line])
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    return result


def test_a_line_is_answered_with_all_that_the_rules_say(protocol: Protocol) -> None:
    answers = {
        "age_years": 44,
        "rls_urge": "yes",
        "rls_rest": "yes",
        "rls_move": "yes",
        "rls_evening": "evening",
        "iron_results": "yes_numbers",
        "ferritin": 75.1,
        "lr7_days": 1,
        "lr7_nights": 2,
        "swell_long": "both_new",
        "leg_new": ["swelling_one"],
        "meds_classes": ["blood_thinner"],
    }
    found = one(protocol, {"answers": answers})
    computed = found.pop("computed")
    assert found == {
        "urgency": "same_day",
        "rules": ["S01", "U05"],
        "flags": ["F01", "F03", "F07"],
        "interrupt": False,
        "invalid": {},
    }
    assert computed.keys() == protocol.rules.computed.keys()
    assert (computed["rls_pattern"], computed["lr7_total"]) == ("complete", None)
    assert (computed["lr7_nights_gt_days"], computed["safety_retracted"]) == (True, False)


def test_an_emergency_beside_none_of_these_is_an_emergency_and_told(protocol: Protocol) -> None:
    result = one(protocol, {"answers": {"em_now": ["none", "chest_or_breath"]}})
    assert (result["urgency"], result["rules"], result["interrupt"]) == ("emergency", ["E02"], True)
    assert list(result["invalid"]) == ["em_now"]


def test_an_invalid_answer_is_told_and_does_not_count(protocol: Protocol) -> None:
    result = one(protocol, {"answers": {"age_years": 130, "who": "self", "swell_long": "left"}})
    assert result["invalid"] == {
        "age_years": "Enter a whole number from 0 to 120.",
        "swell_long": "Choose from the answers shown.",
    }
    assert result["rules"] == ["R05"]


def test_of_a_question_that_is_not_asked_not_even_a_mistake_counts(protocol: Protocol) -> None:
    answers = {"foot_signs": ["none"], "cold_since": "last year"}
    assert one(protocol, {"answers": answers})["invalid"] == {}


def test_a_question_nobody_knows_is_told(protocol: Protocol) -> None:
    assert one(protocol, {"answers": {"shoe_size": 9}})["invalid"] == {
        "shoe_size": "There is no such question."
    }


def test_numbers_that_are_none_are_told(protocol: Protocol) -> None:
    result = one(protocol, '{"answers": {"age_years": NaN, "lr7_days": 1e400, "rls_urge": "yes"}}')
    assert list(result["invalid"]) == ["age_years", "lr7_days"]


def test_meta_says_what_was_taken_back_and_what_is_asked(protocol: Protocol) -> None:
    answers = {"age_years": 40, "si_screen": "active"}
    assert one(protocol, {"answers": answers})["rules"] == ["E09"]
    assert one(protocol, {"answers": answers, "meta": {"si_screen": False}})["rules"] == ["R05"]
    retracted = one(protocol, {"answers": {}, "meta": {"safety_retracted": True}})
    assert (retracted["urgency"], retracted["rules"]) == ("same_day", ["S18"])
    assert retracted["computed"]["safety_retracted"] is True
    assert one(protocol, '{"answers": {}, "meta": null}')["rules"] == ["R05"]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "Line 1: Expecting property name"),
        (b"[]", "Line 1: expected"),
        (b"7", "Line 1: expected"),
        (b'{"meta": {}}', "Line 1: expected"),
        (b'{"answers": []}', "Line 1: expected"),
        (b'{"answers": {}, "meta": []}', "Line 1: meta must be an object"),
        (b'{"answers": {}, "meta": {"si_scren": true}}', "Line 1: unknown key in meta: si_scren"),
        (b'{"answers": {}, "meta": {"si_screen": 0}}', "Line 1: si_screen in meta must be"),
        (b'{"answers": \xff}', "Line 1: 'utf-8' codec"),
        (b'{"answers": ' + b"[" * 100_000, "Line 1: "),
    ],
)
def test_a_line_that_cannot_be_read_is_answered_with_its_error(
    protocol: Protocol, line: bytes, error: str
) -> None:
    assert one(protocol, line)["error"].startswith(error)


def run(file: str) -> tuple[list[dict[str, Any]], CommandError | None]:
    """Run the command with a file. Returns its output, and the error with which it failed."""
    out = io.StringIO()
    command = Command(stdout=OutputWrapper(out))
    failure = None
    try:
        command.handle(file=file)
    except CommandError as error:
        failure = error
    return [json.loads(line) for line in out.getvalue().splitlines()], failure


def test_a_file_is_answered_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text('{"answers": {}}\n\n{"answers": {"em_now": ["stroke_signs"]}}')
    results, failure = run(str(file))
    assert [result["urgency"] for result in results] == ["routine", "emergency"]
    assert failure is None


def test_one_broken_line_does_not_stop_the_others_and_the_command_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = io.BytesIO(b'{"answers": {}}\nbroken\n{"answers": {}}\n')
    monkeypatch.setattr(assess.sys, "stdin", SimpleNamespace(buffer=lines))
    results, failure = run("-")
    assert ["error" in result for result in results] == [False, True, False]
    assert failure is not None
    assert failure.returncode == 1


def test_a_file_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    results, failure = run(str(tmp_path / "nothing"))
    assert results == []
    assert "No such file" in str(failure)
