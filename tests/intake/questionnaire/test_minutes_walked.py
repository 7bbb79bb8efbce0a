"""The minutes on the start page agree with the minutes of a walk through the pages.

The tests measure the pages that a patient sees, with the code of `manage.py protocol length`.
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from intake import protocols
from intake.authoring import length
from intake.demonstration.people import patients
from intake.domain.definition import Protocol
from intake.domain.minutes import minutes
from intake.domain.triage import assess
from intake.models.submissions import Kind
from tests.intake.patient import Patient, born

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("both_served", "roomy")]

ADDRESS = {"intake": "intake", "appointment": "appointments"}


def typical(protocol: Protocol) -> dict[str, Any]:
    """Return the answers of the invented adult with the median number of answers.

    Adults whom a page asks back are left out, because they press Continue twice.
    """
    until, uses = datetime(2026, 11, 30, 12, tzinfo=UTC), protocol.uses
    asks_back = {rule.id for rule in protocol.rules.rules if rule.ask_back is not None}
    invented = [
        dict(patient.content.answers)
        for patient in patients(protocol, seed=3, count=200, until=until)
        if patient.kind == "intake"
    ]
    adults = [
        answers
        for answers in invented
        if answers[uses.age] > 17
        and not uses.is_proxy(answers[uses.who.q])
        and asks_back.isdisjoint(flag.id for flag in assess(protocol, answers).flags)
    ]
    return sorted(adults, key=len)[len(adults) // 2]


@pytest.mark.parametrize("kind", ["intake", "appointment"])
@pytest.mark.parametrize("prefix", ["", "/es"])
@pytest.mark.parametrize("name", protocols.available())
def test_minutes_said_and_minutes_counted_agree(name, prefix, kind):
    protocol = protocols.load(name)
    says = typical(protocol)
    patient = Patient(**says, **born(says[protocol.uses.age]))
    patient.start(f"{prefix}/{ADDRESS[kind]}/{name}/")
    patient.walk_to("check")
    said = minutes(protocol, kind)
    assert f"{said} min" in patient.seen[0].text
    counted = sum(length.part(page.html, patient.says).minutes for page in patient.seen[1:])
    assert counted * 0.8 <= said <= counted * 1.2


@pytest.mark.parametrize(
    ("story", "language"),
    [
        *((person.name, "en") for person in length.people("legs")),
        ("plain restless legs", "es"),
    ],
)
def test_the_command_measures_the_pages_that_a_patient_sees(story, language, settings):
    settings.SI_SCREEN = True
    protocol = protocols.load("legs")
    person = next(one for one in length.people("legs") if one.name == story)
    patient = Patient()
    patient.says = length.says(protocol, person, language)
    prefix = "" if language == "en" else f"/{language}"
    patient.start(f"{prefix}/{ADDRESS[person.kind]}/legs/")
    assert walked(patient) == length.length(protocol, person, language)
    if person.kind == Kind.INTAKE:
        patient.send()
        patient.press("part_2")
        assert walked(patient) == length.length(protocol, person, language, Kind.PART_2)


def walked(patient: Patient) -> length.Length:
    """Walk to the check page. Return the length of the pages on the way."""
    before = len(patient.seen) - 1
    patient.walk_to("check")
    parts = [length.part(page.html, patient.says) for page in patient.seen[before:]]
    return length.Length(*map(sum, zip(*parts, strict=True)))
