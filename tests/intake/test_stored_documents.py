"""Drafts and submissions of an earlier release keep the protocol with which they were begun.

Release 0.1.0 stored documents that do not say which questions the program uses, and that name the
code of a computed value by its version.
"""

import gzip

import pytest

from intake import documents
from intake.models.submissions import Draft, ProtocolDocument, Submission
from intake.my_page import replies
from tests import builders
from tests.desk import page_of, words
from tests.intake.domain.test_frozen import FIRST, HASH
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def stored_by_the_first_release() -> None:
    ProtocolDocument.objects.create(
        content_hash=HASH,
        name="legs",
        version="0.1.1",
        document=gzip.decompress(FIRST.read_bytes()),
    )
    documents._stored_protocol.cache_clear()


def test_staff_read_a_submission_of_the_first_release_as_it_was_asked():
    row = builders.submission(who="caregiver", reason_text="It itches.", lr7_strength=9)
    asked = {question.id for question in documents.protocol_of(HASH).questions}
    row.answers = {id: said for id, said in row.answers.items() if id in asked}
    row.protocol_id = HASH
    row.save()
    text = words(builders.staff_client("clinician").get(page_of(row)))
    for told in (
        "44 years, Male",
        "filled in by another person",
        "Restless legs",
        "More than 1 year ago",
        "It itches.",
        "4 of 4 symptom features of restless legs (self-reported); less than 2 days a week",
        "13 of 30, moderate",
        "(202) 555-0147",
        "English is fine",
        HASH[:12],
    ):
        assert told in text


def test_a_patient_of_the_first_release_who_writes_of_danger_raises_the_alarm():
    row = builders.submission()
    Submission.objects.filter(pk=row.pk).update(protocol_id=HASH)
    row.refresh_from_db()
    rule = replies.reply(submission=row, text="I have chest pain")
    row.refresh_from_db()
    assert rule is not None
    assert (row.alarm, row.urgency_code) == (True, "emergency")


def test_a_draft_of_the_first_release_is_finished_under_its_own_rules():
    patient = Patient(blood_loss=("none",))  # a question that the protocol of today has split
    patient.start()
    Draft.objects.update(protocol_id=HASH)
    patient.get(patient.page.path)  # the page of that release
    patient.walk_to("check")
    assert "Restless legs" in patient.page.text
    patient.send()
    row = Submission.objects.get()
    assert row.protocol_id == HASH
    assert row.result.content_hash == HASH
    assert row.person["callback_phone"]
    assert row.result.computed["rls_pattern"] == "complete"


def test_an_addition_to_a_submission_of_the_first_release_is_asked_today():
    row = builders.submission(who="caregiver")
    Submission.objects.filter(pk=row.pk).update(protocol_id=HASH)
    row.refresh_from_db()
    draft, _key = replies.begin_addition(submission=row, language="en")
    assert draft.protocol_id != HASH
    assert draft.content["answers"] == {"who": "caregiver", "age_years": 44}
