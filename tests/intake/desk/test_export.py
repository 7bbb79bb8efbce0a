"""A clinician exports submissions: with a reason, a fresh factor, one event for each patient."""

import csv
import io
import json
import time
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic import spreadsheets
from clinic.models import Event
from clinic.people.sign_in import FRESH_SECONDS
from intake.desk import export
from tests import builders
from tests.desk import WORKLIST
from tests.examples import examples

pytestmark = pytest.mark.django_db
PAGE = f"{WORKLIST}export/"
PRIVATE = {
    "identity": "Quentin Canary",
    "own_words": "It burns at night",
    "notes": "Ring after six",
}


def chosen(**more):
    today = timezone.localdate()
    return {
        "protocol": "legs",
        "since": (today - timedelta(days=1)).isoformat(),
        "until": today.isoformat(),
        "format": "csv",
        "ground": "quality",
        **more,
    }


def exported(client=None, **more):
    response = (client or builders.staff_client("clinician")).post(PAGE, chosen(**more))
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def table(text):
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def decided(words=PRIVATE["own_words"]):
    submission = builders.submission({"name": PRIVATE["identity"]}, reason_text=words)
    note = {"reason": "", "note": PRIVATE["notes"]}
    submission.decisions.create(
        revision=0,
        urgency_before=submission.urgency,
        urgency=submission.urgency,
        outcome="book_soon",
        words=note,
        by=builders.member("clinician"),
        at=timezone.now(),
    )
    return submission


def test_each_submission_is_a_line_with_codes_and_words():
    submission = decided()
    (row,) = table(exported())

    assert row["reference"] == submission.reference
    assert row["outcome"] == "book_soon"
    assert row["rules"] == " ".join(fired.id for fired in submission.result.fired)
    (who,) = [cell for head, cell in row.items() if head.startswith("who: ")]
    assert who == "self: I am the patient"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("part", PRIVATE)
def test_private_parts_are_in_the_file_only_if_they_are_ticked(kind, part):
    decided()
    assert not any(words in exported(format=kind) for words in PRIVATE.values())

    text = exported(format=kind, parts=[part])
    assert [name for name, words in PRIVATE.items() if words in text] == [part]


def test_private_answers_have_a_tick_of_their_own():
    builders.submission()
    plain, private = (json.loads(exported(format="jsonl", parts=p)) for p in ([], ["private"]))
    asked = {"pregnancy_status", "phq2_interest"}
    assert asked.isdisjoint(plain["answers"])
    assert set(plain["answers"]) < set(private["answers"])


def test_each_patient_has_one_event_with_the_reason():
    rows = [builders.submission() for _n in range(3)]
    exported(ground="research")
    events = Event.objects.filter(action="export")
    assert {event.subject for event in events} == {str(row.pk) for row in rows}
    assert {(event.purpose, event.detail["ground"]) for event in events} == {("HRESCH", "research")}


def test_more_than_one_batch_is_written_whole(monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    rows = [builders.submission() for _n in range(5)]
    assert [row["reference"] for row in table(exported())] == [row.reference for row in rows]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"ground": ""}, "Say why. The reason stays in the audit trail."),
        ({"since": "2020-01-01", "until": "2020-01-31"}, "No submission was sent in this time."),
        ({"since": "2026-12-31", "until": "2026-01-01"}, "This day is before the first day."),
        ({"protocol": "nothing"}, "Select a valid choice."),
        ({"parts": ["answers"]}, "Select a valid choice."),
    ],
)
def test_a_wrong_choice_makes_no_file_and_no_event(more, said):
    builders.submission()
    response = builders.staff_client("clinician").post(PAGE, chosen(**more))
    assert response.status_code == 422
    assert said in unescape(response.content.decode())
    assert not Event.objects.filter(action="export").exists()


def test_too_many_submissions_are_refused_with_what_to_do(monkeypatch):
    builders.submission()
    monkeypatch.setattr("intake.desk.export.MOST", 0)
    monkeypatch.setattr("intake.desk.export_page.MOST", 0)
    response = builders.staff_client("clinician").post(PAGE, chosen())
    assert response.status_code == 422
    assert "Choose fewer days." in response.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_old_factor_is_asked_for_again(method, monkeypatch):
    clinician = builders.staff_client("clinician")
    later = time.time() + FRESH_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    response = getattr(clinician, method)(PAGE, chosen())
    assert response.status_code == 302
    assert "/2fa/reauthenticate/" in response.headers["Location"]


@given(st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(list("=+-@\t＝＋－＠")))
@settings(max_examples=examples(200))
def test_no_cell_is_a_formula_and_each_can_be_read_back(text):
    (cell,) = next(csv.reader(io.StringIO(spreadsheets.line([text]))), [""])
    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert cell.removeprefix("'") == text.removeprefix("'")


def test_a_formula_in_the_patients_words_is_inert():
    builders.submission(reason_text='=HYPERLINK("http://example.org")')
    (row,) = table(exported(parts=["own_words"]))
    assert '\'=HYPERLINK("http://example.org")' in row.values()
