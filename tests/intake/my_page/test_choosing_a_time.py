"""On the own page a patient chooses a time that is not free."""

from datetime import UTC, timedelta

import pytest
from django.utils import timezone

from intake.appointments import free_times
from intake.models.appointments import (
    Appointment,
)
from intake.models.clinic_time import VisitType
from tests.intake import book
from tests.intake.my_visit import choose, everything, inside, visit

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("roomy", "codes_without_limit", "lee"),
]


def bad_key(kind: str) -> str:
    slot = book.free(7)
    when, who, where = slot.key.split("_")
    match kind:
        case "gone":
            book.booked(book.patient(5), slot)
            return slot.key
        case "past":
            return f"20200106T140000_{who}_{where}"
        case "outside hours":
            night = slot.start.replace(hour=3).astimezone(UTC)
            return f"{night:%Y%m%dT%H%M%S}_{who}_{where}"
        case "another type":
            other = VisitType.objects.create(title="Long visit", kind="video", minutes=45)
            book.clinician("Dr. May", types=(other,))
            return next(
                free.key
                for free in free_times.free_slots(visit_type=other)
                if free.clinician.name == "Dr. May"
            )
        case "forged":
            return f"{when}_{'0' * 8}-0000-7000-8000-{'0' * 12}_{where}"
        case "skipped hour":  # the clock goes from 2 to 3 in New York, so there is no such slot
            return f"20270314T073000_{who}_{where}"
        case "year 1":
            return f"00010101T000000_{who}_{where}"
        case "year 9999":
            return f"99991231T235959_{who}_{where}"
        case _:
            return "💊" * 30


@pytest.mark.parametrize(
    "kind",
    [
        "gone",
        "past",
        "outside hours",
        "another type",
        "forged",
        "skipped hour",
        "year 1",
        "year 9999",
        "nonsense",
    ],
)
@pytest.mark.parametrize("go", ["continue", "book"])
@pytest.mark.parametrize("has", ["a visit", "none"])
def test_a_time_that_cannot_be_had_is_a_sentence_with_the_nearest(kind, go, has, settings):
    settings.APPOINTMENT_MODE = "slots"
    submission = book.patient()
    if has == "a visit":
        book.booked(submission, book.free(10))
    key = bad_key(kind)
    patient = inside(submission)
    before = everything()
    page = patient.post("/my/times/", {"slot": key, "visit": str(book.visit_type().pk), "go": go})
    assert page.status == 409
    assert "That time is no longer free. Nothing was booked." in page.text
    assert 'name="slot"' in page.html, "the way on"
    assert everything() == before


@pytest.mark.parametrize("go", ["continue", "book"])
def test_a_visit_is_not_moved_to_a_time_that_has_come_too_near_on_an_old_page(go, settings):
    settings.APPOINTMENT_MODE, settings.APPOINTMENT_LEAD_HOURS = "slots", 0
    submission = book.patient()
    book.booked(submission, book.free(10))
    near = book.free(2)
    patient = inside(submission)
    before = everything()
    settings.APPOINTMENT_LEAD_HOURS = 24 * 4
    page = choose(patient, near, go)
    assert page.status == 409
    assert near.key not in page.html
    assert everything() == before


def test_a_visit_lasts_as_long_as_it_was_booked_for_whatever_became_of_its_sort():
    submission = book.patient()
    book.booked(submission)
    VisitType.objects.update(minutes=45)
    assert ", 30 minutes" in inside(submission).page.text


def test_a_visit_of_a_sort_that_is_offered_no_more_can_still_be_moved(settings):
    settings.APPOINTMENT_MODE = "slots"
    submission = book.patient()
    book.booked(submission, book.free(10))
    sooner = book.free(2)
    VisitType.objects.update(is_active=False)
    patient = inside(submission)
    assert sooner.key in patient.get("/my/times/").html
    assert "Is this the time?" in choose(patient, sooner).text
    choose(patient, sooner, "book")
    assert visit(submission).during.lower == sooner.start


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("button", [{"go": "sooner", "next": "{}"}, {"go": "book", "first": "{}"}])
def test_a_first_day_that_no_book_reaches_counts_as_none(day, button, settings):
    settings.APPOINTMENT_MODE = "slots"
    patient = inside(book.patient())
    posted = {name: words.format(day) for name, words in button.items()}
    page = patient.post("/my/times/", {"visit": str(book.visit_type().pk), **posted})
    assert page.status in (200, 422)
    assert 'name="slot"' in page.html, "the list from today on"


def test_a_hold_that_lapsed_is_taken_up_again_or_told(settings):
    settings.APPOINTMENT_MODE = "slots"
    submission, slot = book.patient(), book.free(7)
    patient = inside(submission)
    assert "Choose a time" in patient.page.text
    patient.get("/my/times/")
    choose(patient, slot)
    assert "We hold it for you until" in patient.page.text
    past = timezone.now() - timedelta(seconds=1)
    Appointment.objects.update(held_until=past)
    book.booked(book.patient(1), slot)
    page = patient.press("book")
    assert page.status == 409
    assert "Here are the nearest free times." in page.text
    second = book.free(8)
    choose(patient, second)
    Appointment.objects.filter(status="held").update(held_until=past)
    assert patient.press("book").path == "/my/"
    assert visit(submission).starts == second.start
