"""The sheet for paper: one page in short, then all answers."""

from html import unescape

import pytest

from clinic.models import Event
from tests import builders
from tests.desk import page_of
from tests.intake import book

pytestmark = pytest.mark.django_db


def sheet(submission, role="clinician"):
    response = builders.staff_client(role).get(page_of(submission, "print"))
    assert response.status_code == 200
    page = unescape(response.content.decode())
    first, _tag, all_answers = page.partition('<section class="all">')
    return first, all_answers


def test_the_first_page_says_who_why_and_in_which_words():
    words = "It burns & itches at night"
    submission = builders.submission({"name": "Ana Reyes"}, reason_text=words)
    first, _all = sheet(submission)

    assert "Ana Reyes" in first
    assert submission.reference in first
    assert words in first
    for fired in submission.result.fired:
        assert f"({fired.id})" in first
    assert "Reported by the patient, not examined." in first


def test_what_matters_is_named_when_it_is_not_answered():
    first, all_answers = sheet(builders.submission())
    matters = first.partition("What matters")[2]
    assert "<i>not answered</i>" in matters
    assert "<i>not answered</i>" in all_answers


@pytest.mark.usefixtures("lee")
def test_decision_and_visit_stand_on_the_first_page():
    submission = book.patient()
    visit = book.booked(submission)
    submission.refresh_from_db()
    decided = {"urgency": submission.urgency, "outcome": "book_soon", "note": "Ring after six."}
    form = {"revision": submission.revision, **decided}
    builders.staff_client("clinician").post(page_of(submission, "decide"), form)

    first, _all = sheet(submission, "duty")
    assert "Book a visit soon" in first
    assert "Ring after six." in first
    assert str(visit.clinician) in first


def test_a_print_is_recorded_as_a_print():
    submission = builders.submission()
    sheet(submission)
    events = Event.objects.filter(subject=submission.pk, action="print")
    assert [event.actor.partition(":")[0] for event in events] == ["staff"]
