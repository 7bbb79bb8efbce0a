"""Many patients want one slot. The later patients are told that it is gone, with few queries."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.pagecache import repeated
from intake.access.keys import digest
from intake.appointments import holds
from intake.models.access import Grant
from intake.models.appointments import Appointment
from tests.intake import book
from tests.intake.patient import Patient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_pages")]


@pytest.fixture(autouse=True)
def _slots(settings, monkeypatch):
    settings.APPOINTMENT_MODE = "slots"
    monkeypatch.setattr(
        repeated, "MOMENT", timedelta(minutes=1)
    )  # longer than a slow machine needs
    book.clinician()
    repeated.forget()


def inside(number: int) -> Patient:
    """Return a patient whose browser may open the own page, although no code was sent."""
    now = timezone.now()
    submission = book.patient(number)
    Grant.objects.create(
        key_hash=digest(f"key{number}"),
        submissions=[submission.pk],
        chosen=submission,
        created_at=now,
        seen_at=now,
    )
    patient = Patient(Client(enforce_csrf_checks=True))
    patient.client.cookies[settings.RETURN_COOKIE_NAME] = f"key{number}"
    return patient


def choose(patient: Patient, slot) -> str:
    patient.get("/my/times/")
    return press(patient, slot)


def press(patient: Patient, slot) -> str:
    seen = next(form for form in patient.page.forms if "slot" in form.controls).values
    page = patient.press("continue", {**seen, "slot": slot.key})
    if page.status == 200:
        assert "We hold it for you until" in page.text
        return "held"
    assert page.status == 409
    assert "That time is no longer free. Nothing was booked." in page.text
    return "gone"


def others(patient: Patient) -> list[str]:
    return patient.page.form.controls["slot"].offered


def test_who_comes_after_is_told_the_same_with_two_queries():
    first, second, third = (inside(number) for number in range(3))
    slot = book.free()
    assert choose(first, slot) == "held"
    third.get("/my/times/")
    assert choose(second, slot) == "gone"
    with CaptureQueriesContext(connection) as queries:
        assert press(third, slot) == "gone"
    # one query for the grant with its submission, one for the slots that the patient holds
    assert len(queries) == 2
    assert others(third) == others(second)
    assert slot.key not in others(third)
    assert len(others(third)) == 6


def test_each_of_a_crowd_has_a_form_token_of_their_own_and_takes_another_time():
    people = [inside(number) for number in range(3)]
    slot = book.free()
    assert [choose(patient, slot) for patient in people] == ["held", "gone", "gone"]
    tokens = [patient.page.form.values["csrfmiddlewaretoken"] for patient in people[1:]]
    assert tokens[0] != tokens[1]
    for number, patient in enumerate(people[1:]):
        page = patient.press(
            "continue", {**patient.page.form.values, "slot": others(patient)[number]}
        )
        assert page.status == 200, page.text
    assert Appointment.objects.filter(status="held").count() == 3


def test_a_time_that_came_back_can_be_had():
    first, second = inside(0), inside(1)
    slot = book.free()
    assert choose(first, slot) == "held"
    assert choose(second, slot) == "gone"
    held = Appointment.objects.get()
    holds.release(appointment=held, submission=held.submission)
    assert choose(second, slot) == "held"


def test_after_a_moment_everybody_looks_again(monkeypatch):
    first, second = inside(0), inside(1)
    slot = book.free()
    assert choose(first, slot) == "held"
    assert choose(second, slot) == "gone"
    # another process releases the slot; this process still remembers that the slot is gone
    Appointment.objects.update(status="expired")
    assert choose(second, slot) == "gone"
    monkeypatch.setattr(repeated, "MOMENT", timedelta(0))
    assert choose(second, slot) == "held"


def test_nobody_who_looked_before_it_was_booked_is_told_that_it_has_gone():
    """A person who clicks twice must not read that the slot is gone which the first click booked.

    The second click may have looked for the person's own slot before the first click booked it.
    """
    asked, before = ("a slot", 1), timezone.now()
    repeated.remember(asked, "gone")
    assert repeated.page_for(asked, before=before) is None
    after = timezone.now()
    repeated.remember(asked, "gone, later")
    assert repeated.page_for(asked, before=after) == "gone"


def test_a_page_with_a_time_of_somebodys_own_is_shown_to_nobody_else():
    first, second = inside(0), inside(1)
    slot = book.free()
    assert choose(first, slot) == "held"
    assert choose(second, slot) == "gone"
    other = book.free(9)
    assert choose(second, other) == "held"
    assert choose(second, slot) == "gone"
    assert "Held for you until" in second.page.text
    third = inside(2)
    assert choose(third, slot) == "gone"
    assert "Held for you until" not in third.page.text


def test_a_form_that_holds_something_else_is_not_remembered():
    first, second = inside(0), inside(1)
    slot = book.free()
    assert choose(first, slot) == "held"
    words = {"slot": slot.key, "visit": str(slot.visit_type.pk), "go": "continue"}
    second.get("/my/times/")
    token = {"csrfmiddlewaretoken": second.page.form.values["csrfmiddlewaretoken"]}
    second.post("/my/times/", {**token, **words, "note": "Quentin Canary"})
    assert second.page.status == 409
    assert not repeated._pages
    second.post("/my/times/", {**token, **words})
    assert len(repeated._pages) == 1
