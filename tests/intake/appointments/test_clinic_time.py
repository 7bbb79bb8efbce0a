"""Clinic time in the admin: when and where clinicians see patients; each mistake is explained."""

from datetime import date, timedelta

import pytest
from django.contrib.admin.models import LogEntry

from intake.appointments import free_times
from intake.models.appointments import Appointment
from intake.models.clinic_time import Clinician, Closure, Location, OpeningHours, VisitType
from tests import builders
from tests.desk import Trail, cells, visit_page, words
from tests.intake import book
from tests.intake.appointments.time_forms import closed, hours, left, url

pytestmark = pytest.mark.django_db


# --- when and where clinicians see patients ------------------------------------------------------


def test_a_clinic_is_set_up_from_nothing_to_its_first_free_time(desk):
    trail = Trail()
    place = {"name": "Main clinic", "time_zone": "America/New_York"}
    assert desk.post(url("location"), {**place, "is_active": "on"}).status_code == 302
    assert desk.post(url("clinician"), {"name": "Dr. Lee", "is_active": "on"}).status_code == 302
    who = Clinician.objects.get()
    kind = {"title": "First visit", "kind": "in_person", "minutes": "30", "is_active": "on"}
    assert desk.post(url("visittype"), {**kind, "clinicians": [who.pk]}).status_code == 302
    assert desk.post(url("openinghours"), hours(who)).status_code == 302

    free = free_times.free_slots(visit_type=VisitType.objects.get())
    assert {slot.start.weekday() for slot in free} == {0}
    done = [(event.action, event.detail["kind"]) for event in trail.events(action="create")]
    assert done == [
        ("create", name) for name in ("location", "clinician", "visittype", "openinghours")
    ]
    assert trail.events()[-1].detail["fields"] != []
    assert not LogEntry.objects.exists()
    assert cells(desk.get(url("openinghours", "changelist")), "hours") == ["Monday, 9 a.m. to noon"]
    assert cells(desk.get(url("visittype", "changelist")), "with_whom") == ["Dr. Lee"]


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        ({"starts": "12:00", "ends": "09:00"}, "The hours end before they begin."),
        (
            {"valid_from": "2027-02-01", "valid_until": "2027-01-01"},
            "The last day is before the first.",
        ),
        ({"starts": "25:00"}, "Enter a valid time."),
        ({"capacity": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_slip_in_the_hours_is_said_by_its_field(desk, slip, says):
    who = Clinician.objects.create(name="Dr. Lee")
    page = desk.post(url("openinghours"), hours(who, **slip))

    assert page.status_code == 200
    assert says in words(page)
    assert not OpeningHours.objects.exists()


@pytest.mark.parametrize(
    ("more", "stored"),
    [
        ({"starts": "11:30", "ends": "13:00"}, False),
        ({"starts": "12:00", "ends": "13:00"}, True),
        ({"starts": "08:00", "ends": "00:00"}, False),
        ({"weekday": "1"}, True),
        ({"valid_from": "2028-01-01"}, True),
        ({"valid_until": "2027-12-31"}, False),
    ],
)
def test_somebody_is_at_one_place_at_a_time(desk, more, stored):
    who = Clinician.objects.create(name="Dr. Lee")
    desk.post(url("openinghours"), hours(who, valid_until="2027-12-31"))
    other = book.location("Annex")
    page = desk.post(url("openinghours"), hours(who, **{"location": other.pk, **more}))

    assert OpeningHours.objects.count() == 1 + stored
    if not stored:
        assert "has hours then already: Monday 09:00–12:00, Main clinic." in words(page)


def test_hours_of_different_visit_types_at_one_place_may_overlap(desk):
    who = Clinician.objects.create(name="Dr. Lee")
    one, two = book.visit_type(20), book.visit_type(40)
    for kind in (one, two):
        given = hours(who, visit_types=[kind.pk])
        assert desk.post(url("openinghours"), given).status_code == 302
    assert desk.post(url("openinghours"), hours(who)).status_code == 200


def test_hours_are_changed_ended_and_deleted_and_that_is_recorded(desk):
    who = Clinician.objects.create(name="Dr. Lee")
    desk.post(url("openinghours"), hours(who))
    row, trail = OpeningHours.objects.get(), Trail()
    answer = desk.post(url("openinghours", "change", row), hours(who, valid_until="2026-01-31"))
    assert answer.status_code == 302
    assert cells(desk.get(url("openinghours", "changelist")), "hours") == []
    assert len(cells(desk.get(f"{url('openinghours', 'changelist')}?valid=all"), "hours")) == 1
    assert "Keep it" in words(desk.get(url("openinghours", "delete", row)))
    desk.post(url("openinghours", "delete", row), {"post": "yes"})

    assert not OpeningHours.objects.exists()
    told = [e.detail["fields"] for e in trail.events(subject=str(row.pk))]
    assert told == [["valid_until"], ["deleted"]]


# --- closures ------------------------------------------------------------------------------------


def test_a_closure_over_visits_shows_them_and_asks(desk):
    book.clinician()
    submission = book.patient(1)
    visit = book.booked(submission, book.free(days=7))
    day = visit.starts.date().isoformat()
    trail = Trail()
    page = desk.post(url("closure"), closed(first_day=day, last_day=day))

    assert page.status_code == 200
    assert "1 visit would no longer fit the hours" in words(page)
    assert submission.reference in words(page)
    assert "Canary" not in page.content.decode()
    assert trail.names(page, submission)
    assert not Closure.objects.exists()
    given = closed(first_day=day, last_day=day, sure="on")
    page = desk.post(url("closure"), given, follow=True)
    assert "1 visit no longer fits the hours. Nothing is cancelled." in words(page)
    assert left(desk) == [submission.reference]
    assert Closure.objects.get().first_day.isoformat() == day
    assert Appointment.objects.get().status == "confirmed"


@pytest.mark.parametrize("beside", ["another day", "another clinician", "another place", "before"])
def test_a_closure_beside_the_visits_asks_nothing(desk, beside):
    book.clinician()
    visit = book.booked(book.patient(1), book.free(days=7))
    day = visit.starts.date()
    given = closed(first_day=day.isoformat(), last_day=day.isoformat())
    if beside == "another day":
        other = (day + timedelta(days=1)).isoformat()
        given |= {"first_day": other, "last_day": other}
    elif beside == "another clinician":
        given |= {"clinician": Clinician.objects.create(name="Dr. Okafor").pk}
    elif beside == "another place":
        given |= {"location": book.location("Annex").pk}
    else:
        given |= {"first_day": "", "last_day": ""}
        given |= {"starts_at": f"{day}T08:00", "ends_at": f"{day}T09:00"}

    assert desk.post(url("closure"), given).status_code == 302


def test_part_of_a_day_is_closed_in_the_time_of_the_location(desk):
    place = book.location("Pacific", "America/Los_Angeles")
    given = closed(location=place.pk, starts_at="2027-05-03T13:00", ends_at="2027-05-03T15:00")
    assert desk.post(url("closure"), given).status_code == 302

    row = Closure.objects.get()
    assert row.starts_at.astimezone(place.zone).hour == 13
    assert 'value="2027-05-03T13:00"' in desk.get(url("closure", "change", row)).content.decode()


def test_a_closure_at_a_clock_change_closes_the_longer_time(desk):
    given = closed(starts_at="2027-11-07T01:30", ends_at="2027-11-07T01:45")
    assert desk.post(url("closure"), {**given, "location": book.location().pk}).status_code == 302

    row = Closure.objects.get()
    assert row.ends_at - row.starts_at == timedelta(hours=1, minutes=15)


@pytest.mark.parametrize(
    "slip",
    [
        {},
        {"first_day": "2027-01-02", "last_day": "2027-01-01"},
        {"starts_at": "2027-01-02T10:00", "ends_at": "2027-01-02T09:00"},
        {"first_day": "2027-01-02", "starts_at": "2027-01-02T10:00"},
        {"starts_at": "2027-01-02T10:00"},
        {"ends_at": "2027-01-02T10:00"},
        {"last_day": "2027-01-02"},
    ],
)
def test_a_closure_without_beginning_or_end_is_said(desk, slip):
    page = desk.post(url("closure"), closed(**slip))

    assert page.status_code == 200
    assert "Give the first and the last day, or both times" in words(page)


@pytest.mark.parametrize("typed", ["soon", "2027-13-01T00:00", "9" * 500])
def test_a_time_that_is_none_is_said(desk, typed):
    page = desk.post(url("closure"), closed(starts_at=typed, ends_at="2027-01-02T10:00"))

    assert "Enter a day and a time." in words(page)


@pytest.mark.parametrize("year", ["0001", "9999"])
@pytest.mark.parametrize("given", ["first_day", "last_day", "starts_at", "ends_at"])
def test_a_year_that_no_book_reaches_is_asked_back(desk, year, given):
    usual = (
        {"first_day": "2027-01-04"}
        if given.endswith("day")
        else {
            "starts_at": "2027-01-04T10:00",
            "ends_at": "2027-01-04T11:00",
        }
    )
    page = desk.post(
        url("closure"), closed(**usual | {given: year + usual.get(given, "2027-01-04")[4:]})
    )

    assert "Check the year." in words(page)
    assert not Closure.objects.exists()


def test_one_day_alone_is_enough(desk):
    assert desk.post(url("closure"), closed(first_day="2027-01-04")).status_code == 302
    assert Closure.objects.get().last_day == date(2027, 1, 4)


# --- refusals ------------------------------------------------------------------------------------


def test_a_location_with_visits_keeps_its_zone(desk):
    book.clinician()
    book.booked(book.patient(1), book.free(days=7))
    place = Location.objects.get()
    given = {"name": place.name, "time_zone": "America/Chicago", "is_active": "on"}
    page = desk.post(url("location", "change", place), given)

    assert "in another zone they would be at other times" in words(page)
    page = desk.post(url("location"), {"name": "Annex", "time_zone": "Mars/Olympus"})
    assert "This is no time zone." in words(page)


@pytest.mark.parametrize("name", ["clinician", "location"])
def test_who_is_put_out_of_use_over_visits_lists_them_and_asks(desk, name):
    lee, place, submission = book.clinician(), book.location(), book.patient(1)
    visit, row = book.booked(submission), {"clinician": lee, "location": place}[name]
    given = {"name": row.name} | ({"time_zone": place.time_zone} if name == "location" else {})
    trail = Trail()
    page = desk.post(url(name, "change", row), given)

    assert "1 visit would no longer fit the hours" in words(page)
    assert f'href="{visit_page(visit)}"' in page.content.decode()
    assert trail.names(page, submission)
    row.refresh_from_db()
    assert row.is_active
    page = desk.post(url(name, "change", row), {**given, "sure": "on"}, follow=True)
    assert "1 visit no longer fits the hours. Nothing is cancelled." in words(page)
    assert left(desk) == [submission.reference]
    assert desk.post(url(name, "change", row), given).status_code == 302, "asked once"


def test_what_visits_are_booked_with_is_never_deleted(desk):
    who, place, kind = book.clinician(), book.location(), book.visit_type()
    for name, row in (("clinician", who), ("location", place), ("visittype", kind)):
        assert desk.post(url(name, "delete", row), {"post": "yes"}).status_code == 403


def test_a_sign_in_is_offered_only_for_those_who_see_patients(desk):
    builders.member("clinician", "dr-lee")
    builders.member("auditor", "auditor-ito")
    body = desk.get(url("clinician")).content.decode()

    assert ">dr-lee<" in body
    assert "auditor-ito" not in body


@pytest.mark.parametrize("name", ["openinghours", "closure", "clinician", "visittype", "location"])
def test_lists_cannot_be_asked_what_they_do_not_show(desk, name):
    book.clinician()
    page = desk.get(f"{url(name, 'changelist')}?clinician__user__password__startswith=p")

    assert page.status_code == 400
