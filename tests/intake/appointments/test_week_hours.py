"""The opening hours of a whole week are one form."""

import pytest

from intake.appointments.admin.week_hours import read_spans
from intake.models.clinic_time import OpeningHours
from tests import builders
from tests.desk import Trail, words
from tests.intake import book
from tests.intake.appointments.time_forms import url

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return builders.staff_client("front desk")


@pytest.fixture
def lee():
    who = book.clinician()
    OpeningHours.objects.all().delete()
    return who


def week(who, **days):
    return {"clinician": who.pk, "location": book.location().pk, "capacity": "1", **days}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("8-12", ["08:00-12:00"]),
        ("8:00–12:00, 13:00–17:30", ["08:00-12:00", "13:00-17:30"]),
        ("8am to 5 p.m.", ["08:00-17:00"]),
        ("12am-12pm", ["00:00-12:00"]),
        ("18-24", ["18:00-00:00"]),
        (" ", []),
        ("8", None),
        ("8-25", None),
        ("13pm-14pm", None),
        ("8-12-14", None),
        ("closed", None),
        ("13-17, 8-12", None),
        ("8-12, 11-14", None),
    ],
)
def test_hours_are_read_as_people_write_them(typed, read):
    if read is None:
        with pytest.raises(Exception, match=r"Write (hours|the hours)"):
            read_spans(typed)
    else:
        assert [f"{a:%H:%M}-{b:%H:%M}" for a, b in read_spans(typed)] == read


def test_a_week_is_stored_line_by_line_each_with_its_event(desk, lee):
    trail = Trail()
    answer = desk.post(url("openinghours", "week"), week(lee, day_0="8-12, 13-17", day_4="9-12"))
    assert answer.status_code == 302
    stored = [str(row) for row in OpeningHours.objects.order_by("weekday", "starts")]
    assert stored == ["Monday 08:00–12:00", "Monday 13:00–17:00", "Friday 09:00–12:00"]
    assert [event.action for event in trail.of(answer)] == ["create"] * 3


@pytest.mark.parametrize(
    ("days", "says"),
    [
        ({}, "Write the hours of at least one day."),
        ({"day_1": "nine to five", "day_2": "8-12"}, "We do not understand “nine to five”."),
        ({"day_1": "12-8"}, "The hours end before they begin."),
        ({"day_0": "10-11", "day_2": "8-12"}, "has hours then already"),
        ({"day_1": "8-12", "capacity": "0"}, "Patients at once"),
        ({"day_1": "8-12", "clinician": "nobody"}, "Clinician"),
        (
            {"day_1": "8-12", "valid_from": "2027-02-01", "valid_until": "2027-01-01"},
            "The last day is before the first.",
        ),
    ],
)
def test_a_slip_stores_nothing_and_keeps_what_was_typed(days, says, desk, lee):
    OpeningHours.objects.bulk_create(
        [
            OpeningHours(
                clinician=lee, location=book.location(), weekday=0, starts="09:00", ends="12:00"
            )
        ]
    )
    page = desk.post(url("openinghours", "week"), week(lee) | days)
    assert page.status_code == 422
    assert says in words(page)
    for typed in (text for name, text in days.items() if name.startswith("day_")):
        assert typed in page.content.decode()
    assert OpeningHours.objects.count() == 1
