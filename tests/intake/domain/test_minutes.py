"""The questionnaire takes a patient about as many minutes as the first page says."""

import statistics
from datetime import UTC, datetime

import pytest

from intake import documents, protocols
from intake.demonstration.bulk import walk_of
from intake.demonstration.people import patients
from intake.domain.minutes import (
    OWN_STEPS_SECONDS,
    TAP_SECONDS,
    minutes,
    reading_seconds,
)

EVERY = pytest.mark.parametrize("name", protocols.available())


@EVERY
def test_no_question_is_answered_before_it_can_be_read(name: str) -> None:
    protocol, quick = protocols.load(name), []
    for language in ("en", *protocols.languages(name)):
        shown = documents.wording(protocol.content_hash, language).protocol
        quick += [(language, q.id) for q in shown.questions if q.seconds < reading_seconds(q)]
    assert quick == []


@EVERY
def test_what_is_said_is_what_people_with_every_story_need(name: str) -> None:
    protocol, until = protocols.load(name), datetime(2026, 11, 30, 12, tzinfo=UTC)
    walks = [
        walk_of(patient)
        for patient in patients(protocol, seed=3, count=200, until=until)
        if patient.kind == "intake"
    ]
    needed = statistics.median(
        sum(TAP_SECONDS + sum(q.seconds for q in page.questions) for page in walk.pages)
        for walk in walks
    )
    counted = (needed + OWN_STEPS_SECONDS) / 60
    assert counted * 0.8 <= minutes(protocol) <= counted * 1.2


@EVERY
@pytest.mark.parametrize("kind", ["intake", "appointment", "addition", "part_2"])
def test_the_minutes_are_whole_and_more_than_one(name: str, kind: str) -> None:
    """The sentence about the minutes has no singular form."""
    assert minutes(protocols.load(name), kind) > 1
