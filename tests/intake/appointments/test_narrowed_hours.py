"""Before hours with booked visits change, staff see these visits and must confirm the change."""

from datetime import time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intake.appointments import booking, changing, offers
from intake.models.appointments import Appointment
from intake.models.clinic_time import Clinician, OpeningHours
from tests import builders
from tests.desk import VISITS, Trail, visit_page, words
from tests.intake import book
from tests.intake.appointments.time_forms import hours, left, url

pytestmark = pytest.mark.django_db


def booked_hours(*submissions, capacity=1):
    """Return visits at 9 a.m. in a week, and their opening hours (9 a.m. to 5 p.m.)."""
    book.clinician(capacity=capacity)
    visits = [book.booked(each, book.free(days=7)) for each in submissions]
    return visits, OpeningHours.objects.get(weekday=visits[0].starts.weekday())


def as_stored(row, **more):
    """Return the form fields of the stored opening hours `row`. `more` overrides fields."""
    own = {"weekday": row.weekday, "ends": "17:00", "capacity": row.capacity}
    return hours(row.clinician, **own | more)


def overbooked(visit, submission, **at):
    """Overbook a visit for `submission`, at the time of `visit` or at another hour."""
    return booking.overbook(
        submission=submission,
        clinician=visit.clinician,
        location=visit.location,
        visit_type=visit.visit_type,
        start=visit.starts.replace(**at),
        reason="Agreed on the phone",
        by=builders.member("front desk"),
        request_id="r",
    )


NARROWED = {
    "begun later": lambda day: {"starts": "09:30"},
    "ended before": lambda day: {"valid_until": (day - timedelta(days=1)).isoformat()},
    "begun after": lambda day: {"valid_from": (day + timedelta(days=1)).isoformat()},
    "another day": lambda day: {
        "weekday": (day.weekday() + 1) % 7,
        "starts": "17:00",
        "ends": "20:00",
    },
    "another place": lambda day: {"location": book.location("Annex").pk},
    "another clinician": lambda day: {"clinician": Clinician.objects.create(name="Dr. May").pk},
    "another sort of visit": lambda day: {"visit_types": [book.visit_type(45).pk]},
}


@pytest.mark.parametrize("way", NARROWED)
def test_hours_that_leave_visits_outside_list_them_and_ask(desk, way):
    submission = book.patient(1)
    (visit,), row = booked_hours(submission)
    given = as_stored(row, **NARROWED[way](visit.starts.date()))
    trail = Trail()
    page = desk.post(url("openinghours", "change", row), given)

    assert page.status_code == 200
    assert "1 visit would no longer fit the hours" in words(page)
    assert submission.reference in words(page)
    assert f'href="{visit_page(visit)}"' in page.content.decode()
    assert "Canary" not in page.content.decode()
    assert trail.names(page, submission)
    assert left(desk) == []
    page = desk.post(url("openinghours", "change", row), {**given, "sure": "on"}, follow=True)
    assert "1 visit no longer fits the hours. Nothing is cancelled." in words(page)
    assert "?hours=outside&amp;when=coming&amp;status=all" in page.content.decode()
    assert left(desk) == [submission.reference]
    assert Appointment.objects.get().status == "confirmed"


@pytest.mark.parametrize(
    "more",
    [
        {"starts": "08:00"},
        {"ends": "09:30"},
        {"capacity": "2"},
        {"valid_from": "2026-01-01"},
        {"valid_until": "2040-01-01"},
    ],
)
def test_hours_that_keep_the_visits_ask_nothing(desk, more):
    _visits, row = booked_hours(book.patient(1))
    given = as_stored(row) | more

    assert desk.post(url("openinghours", "change", row), given).status_code == 302
    assert left(desk) == []


def test_hours_deleted_list_the_visits_that_are_left_outside(desk):
    submission = book.patient(1)
    (visit,), row = booked_hours(submission)
    trail = Trail()
    page = desk.get(url("openinghours", "delete", row))

    assert "1 visit would no longer fit the hours" in words(page)
    assert f'href="{visit_page(visit)}"' in page.content.decode()
    assert trail.names(page, submission)
    page = desk.post(url("openinghours", "delete", row), {"post": "yes"}, follow=True)
    assert "1 visit no longer fits the hours." in words(page)
    assert left(desk) == [submission.reference]


def test_fewer_patients_at_once_list_those_above(desk):
    first, second, third = (book.patient(number) for number in range(3))
    _visits, row = booked_hours(first, second, third, capacity=3)
    page = desk.post(url("openinghours", "change", row), as_stored(row) | {"capacity": "1"})

    assert "2 visits would no longer fit the hours" in words(page)
    assert first.reference not in words(page)
    assert second.reference in words(page)
    assert third.reference in words(page)


def test_a_held_time_counts_and_what_is_over_or_cancelled_does_not(desk):
    offered, cancelled = book.patient(1), book.patient(2)
    (visit,), row = booked_hours(cancelled)
    changing.cancel(appointment=visit)
    slot = book.free(days=7)
    offers.offer(
        submission=offered,
        slots=[slot.key],
        visit_type=slot.visit_type,
        by=builders.member("front desk"),
    )
    past = timezone.now() - timedelta(days=7)
    book.booked(book.patient(3), book.free(days=14))
    Appointment.objects.filter(status="confirmed").update(
        during=(past, past + timedelta(minutes=30))
    )
    page = desk.get(url("openinghours", "delete", row))

    assert "1 visit would no longer fit the hours" in words(page)
    desk.post(url("openinghours", "delete", row), {"post": "yes"})
    body = desk.get(f"{VISITS}?hours=outside&when=coming&status=all").content.decode()
    assert visit_page(Appointment.objects.get(status="held")) in body


def test_other_hours_that_cover_the_visits_or_a_booking_on_purpose_ask_nothing(desk):
    (visit,), row = booked_hours(book.patient(1))
    overbooked(visit, book.patient(2), hour=20)
    OpeningHours.objects.bulk_create(
        [
            OpeningHours(
                clinician=row.clinician,
                location=row.location,
                weekday=row.weekday,
                starts=time(8),
                ends=time(10),
            )
        ]
    )

    assert "no longer fit" not in words(desk.get(url("openinghours", "delete", row)))
    assert left(desk) == []


def test_who_is_booked_above_the_hours_on_purpose_is_listed_when_the_hours_end(desk):
    (visit,), row = booked_hours(book.patient(1))
    overbooked(visit, book.patient(2))

    assert "2 visits would no longer fit" in words(desk.get(url("openinghours", "delete", row)))
    assert left(desk) == []


def test_the_list_of_visits_left_outside_costs_the_same_for_few_and_many(desk):
    booked_hours(*(book.patient(number) for number in range(2)), capacity=12)
    counts = []
    for numbers in (range(2, 3), range(3, 12)):
        for number in numbers:
            book.booked(book.patient(number), book.free(days=7))
        with CaptureQueriesContext(connection) as context:
            left(desk)
        counts.append(len(context))
    OpeningHours.objects.all().delete()
    assert len(left(desk)) == 12
    assert counts[0] == counts[1]
