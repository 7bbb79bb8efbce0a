"""The questionnaire takes a patient about as many minutes as the first page says."""

import statistics
from datetime import UTC, datetime

import pytest

from intake import protocols
from intake.demonstration.bulk import walk_of
from intake.demonstration.people import patients
from intake.domain.definition import Protocol
from intake.domain.minutes import OWN_STEPS_SECONDS, minutes, reading_seconds

EVERY = pytest.mark.parametrize("name", protocols.available())


@EVERY
def test_no_question_is_answered_before_it_can_be_read(name: str) -> None:
    quick = [q.id for q in protocols.load(name).questions if q.seconds < reading_seconds(q)]
    assert quick == []


def test_what_is_said_is_what_people_with_every_story_need(protocol: Protocol) -> None:
    until = datetime(2026, 11, 30, 12, tzinfo=UTC)
    walks = [
        walk_of(patient)
        for patient in patients(protocol, seed=3, count=200, until=until)
        if patient.kind == "intake"
    ]
    contact = [protocol.question(id).seconds for id in protocol.uses.contact.stored_names]
    needed = statistics.median(
        sum(question.seconds for page in walk.pages for question in page.questions)
        for walk in walks
    )
    seconds = needed + sum(contact) + OWN_STEPS_SECONDS
    assert minutes(protocol) * 60 * 0.8 <= seconds <= minutes(protocol) * 60 * 1.2


@EVERY
def test_the_minutes_are_rounded_up_to_five(name: str) -> None:
    assert minutes(protocols.load(name)) % 5 == 0
