"""`manage.py protocol length`: the questionnaire must not get longer."""

from typing import Any

import msgspec
import pytest
from django.core.management.base import CommandError

from intake import protocols
from intake.authoring import length
from tests.intake.authoring.test_command import said

# Story → (pages, taps, words, minutes), in English or Spanish, whichever is longer. A change may
# lower these numbers, never raise them. The first row is the budget of part 1.
MOST = {
    "plain restless legs, part 1": (18, 55, 1600, 12),
    "plain restless legs, part 2": (4, 7, 405, 2.6),
    "artery and many medicines, part 1": (18, 62, 1600, 12.5),
    "artery and many medicines, part 2": (4, 7, 425, 2.7),
    "a mother's child, part 1": (18, 55, 1600, 12),
    "a mother's child, part 2": (4, 7, 465, 2.9),
    "appointment only": (8, 24, 700, 6),
}


def test_no_story_of_legs_gets_longer() -> None:
    rows = list(length.measured(protocols.load("legs"), ("en", "es")))
    assert {story for story, _language, _found in rows} == MOST.keys()
    longer = [
        (story, language, found, round(found.minutes, 1))
        for story, language, found in rows
        if any(
            now > most for now, most in zip((*found[:3], found.minutes), MOST[story], strict=True)
        )
    ]
    assert longer == []


@pytest.mark.parametrize("name", protocols.available())
def test_the_command_prints_each_story_in_each_language(name: str) -> None:
    printed = said("length", name)
    for story, language, found in length.measured(protocols.load(name), ("en", "es")):
        (row,) = [
            line.split()[-5:]
            for line in printed.splitlines()
            if line.startswith(f"{story} ") and line.split()[-5] == language
        ]
        assert row[1:] == [*map(str, found[:3]), f"{found.minutes:.1f}"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"answers": {"who": "self", "age_years": 44}}, "does not answer “em_now”"),
        ({"typed": {"prefer": "pigeon"}}, "stories.yaml, prefer: "),
    ],
)
def test_a_story_that_cannot_be_walked_is_named(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], told: str
) -> None:
    person = next(one for one in length.people("legs") if one.kind == "appointment")
    typed = person.typed | changes.get("typed", {})
    odd = msgspec.structs.replace(person, **(changes | {"typed": typed}))
    monkeypatch.setattr(length, "people", lambda name: (odd,))
    with pytest.raises(CommandError, match=told):
        said("length", "legs")


def test_a_protocol_without_measured_people_is_told_what_to_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(length, "people", lambda name: ())
    with pytest.raises(CommandError, match=r"write `measured` in stories\.yaml"):
        said("length", "legs")
