"""Staff say which submissions are of the same person. Nothing is merged."""

import pytest

from clinic.models import Event
from intake.models.same_person import SamePerson
from intake.models.submissions import Submission
from tests import builders
from tests.desk import Trail, page_of, words

pytestmark = pytest.mark.django_db
TWIN = {"name": "Quentin Canary", "birth_date": "1982-03-27"}


@pytest.fixture
def both() -> tuple[Submission, Submission]:
    """Two submissions of one name and birth date."""
    return builders.submission(TWIN), builders.submission(TWIN)


def say(client, submission, other, act):
    return client.post(page_of(submission, "same"), {"other": str(other.pk), "act": act})


def test_a_submission_of_the_same_name_and_birth_date_is_suggested(clinician, both):
    first, second = both
    stranger = builders.submission({**TWIN, "birth_date": "1983-03-27"})
    page = clinician.get(page_of(first))
    trail = Trail()
    asked = clinician.get(page_of(first, "same"))

    assert "Others: 1 like this person?" in words(page)
    assert "Others: none known" in words(clinician.get(page_of(stranger)))
    assert second.reference in words(asked)
    assert stranger.reference not in words(asked)
    assert trail.names(asked, first)
    assert trail.names(asked, second)


def test_a_clinician_confirms_and_takes_back(clinician, both):
    first, second = both
    assert say(clinician, second, first, "confirm").status_code == 302
    link = SamePerson.objects.get()

    assert {link.first, link.second} == {first, second}
    assert "the same person, confirmed on" in words(clinician.get(page_of(first, "same")))
    assert Submission.objects.count() == 2

    say(clinician, first, second, "undo")
    link.refresh_from_db()
    assert (link.undone_by, link.undone_at is None) == (link.by, False)
    assert "confirmed on" not in words(clinician.get(page_of(second, "same")))
    events = Event.objects.filter(subject=str(first.pk), action="update").order_by("seq")
    assert [event.detail["to"] for event in events] == ["confirmed", "undone"]


def test_confirming_twice_is_stored_once_and_a_late_undo_says_so(clinician, both):
    for _time in range(2):
        say(clinician, *both, "confirm")
    assert SamePerson.objects.standing().count() == 1

    for _time in range(2):
        answer = say(clinician, *both, "undo")
    assert "A colleague was quicker" in words(clinician.get(answer["Location"]))


def test_what_was_confirmed_stays_when_a_name_is_corrected(clinician, both):
    first, second = both
    say(clinician, first, second, "confirm")
    Submission.objects.filter(pk=second.pk).update(search_keys=[])

    assert second.reference in words(clinician.get(page_of(first, "same")))


@pytest.mark.parametrize(
    ("other", "act", "status"),
    [
        ("", "confirm", 404),
        ("x", "confirm", 404),
        ("00000000-0000-7000-8000-000000000000", "confirm", 404),
        (None, "merge", 404),
        (None, "confirm", 302),
    ],
)
def test_a_stranger_is_never_linked(clinician, other, act, status):
    submission = builders.submission(TWIN)
    stranger = builders.submission({**TWIN, "birth_date": "1983-03-27"})
    key = str(stranger.pk) if other is None else other
    answer = clinician.post(page_of(submission, "same"), {"other": key, "act": act})

    assert answer.status_code == status
    assert not SamePerson.objects.exists()
