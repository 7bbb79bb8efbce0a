"""Clinic time in the admin: who sees patients where and when, and what is said of a slip."""

from datetime import date, time, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from intake.appointments import booking, changing, free_times, offers
from intake.models.appointments import Appointment
from intake.models.clinic_time import Clinician, Closure, Location, OpeningHours, VisitType
from tests import builders
from tests.desk import VISITS, Trail, cells, visit_page, words
from tests.intake import book

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return builders.staff_client("front desk")


def url(name, page="add", row=None):
    return reverse(f"admin:intake_{name}_{page}", args=[row.pk] if row else [])


def hours(who, **more):
    return {
        "clinician": who.pk,
        "location": book.location().pk,
        "weekday": "0",
        "starts": "09:00",
        "ends": "12:00",
        "capacity": "1",
        "valid_from": "",
        "valid_until": "",
    } | more


def closed(**more):
    return {
        "clinician": "",
        "location": "",
        "first_day": "",
        "last_day": "",
        "starts_at": "",
        "ends_at": "",
        "reason": "Team day",
    } | more


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


# --- hours that visits are booked in --------------------------------------------------------------


def booked_hours(*submissions, capacity=1):
    """Visits at 9 a.m. in a week, and the opening hours (9 a.m. to 5 p.m.) that they are in."""
    book.clinician(capacity=capacity)
    visits = [book.booked(each, book.free(days=7)) for each in submissions]
    return visits, OpeningHours.objects.get(weekday=visits[0].starts.weekday())


def as_stored(row, **more):
    """What the form of these hours posts, with the given fields instead."""
    own = {"weekday": row.weekday, "ends": "17:00", "capacity": row.capacity}
    return hours(row.clinician, **own | more)


def overbooked(visit, submission, **at):
    """Somebody is booked above the hours on purpose, at the time of a visit or at another hour."""
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


def left(desk):
    """The references on the list that the admin leads to after storing."""
    return cells(desk.get(f"{VISITS}?hours=outside&when=coming&status=all"), "opens")


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


# --- closures -------------------------------------------------------------------------------------


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


# --- what is not possible -------------------------------------------------------------------------


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
