"""Appointments on the front desk's pages: offer, book, move, cancel, wait, overbook."""

import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from clinic import hours
from clinic.ids import uuid7
from clinic.models import Message
from intake.appointments import free_times
from intake.models.appointments import Appointment, Offer, WaitlistEntry, during
from intake.models.clinic_time import Closure, OpeningHours
from intake.models.submissions import Submission, Urgency
from tests import builders
from tests.desk import (
    VISITS,
    WAITING,
    Trail,
    cells,
    desk_page_of,
    press,
    references,
    visit_page,
    words,
)
from tests.intake import book

pytestmark = pytest.mark.django_db

BUTTONS = ("offer", "call", "withdraw", "overbook", "wait")


# --- the list and the page of a request -----------------------------------------------------------


def test_the_list_tells_the_wish_how_far_it_is_and_how_long_they_wait(desk, lee):
    asked, offered, waits = (book.patient(n) for n in range(3))
    Submission.objects.filter(pk=asked.pk).update(urgency=Urgency.URGENT)
    press(desk, offered, "offer", book.free())
    press(desk, waits, "wait", to="join")
    page = desk.get("/admin/intake/frontdesk/")

    assert references(page)[0] == asked.reference
    told = dict(zip(references(page), cells(page, "progress"), strict=True))
    assert told == {
        asked.reference: "Requested",
        offered.reference: "Times offered",
        waits.reference: "Requested; on the waiting list",
    }
    assert cells(page, "waiting_for") == ["0 min"] * 3
    for progress, row in (("offered", offered), ("waitlist", waits)):
        page = desk.get("/admin/intake/frontdesk/", {"progress": progress})
        assert references(page) == [row.reference]


def test_the_page_shows_the_wish_beside_the_times_that_fit_it_best_first(desk, lee, settings):
    settings.APPOINTMENT_HORIZON_DAYS = 14
    wish = {"days": ["tue"], "times": ["afternoon"], "place": "Main clinic", "clinician": ""}
    submission = book.patient(wish=wish)
    page = desk.get(desk_page_of(submission), {"more": "1"})
    text = words(page)

    assert "Tuesday; Afternoon; Main clinic" in text
    assert text.count("as wished") > 1
    assert text.index("as wished") < text.index("another time of day than wished")
    assert "Week of" in text
    assert "Dr. Lee" in text


def test_a_wish_for_a_clinician_is_read_back_by_name(desk, lee):
    wish = {"days": [], "times": [], "place": "", "clinician": str(lee.pk)}
    text = words(desk.get(desk_page_of(book.patient(wish=wish))))

    assert "any day; any time; Dr. Lee" in text


def test_weeks_are_leafed_through_by_plain_links(desk, lee):
    submission = book.patient()
    day = timezone.localdate() + timedelta(days=14)
    monday = day - timedelta(days=day.weekday())
    page = desk.get(desk_page_of(submission), {"week": day.isoformat()})

    assert f"Week of {date_format(monday, 'DATE_FORMAT')}" in words(page)
    body = page.content.decode()
    for other in (monday - timedelta(days=7), monday + timedelta(days=7)):
        assert f"week={other.isoformat()}#week" in body


@pytest.mark.parametrize("typed", ["2026-02-30", "next", "9999-12-31", "0001-01-01", "x" * 9999])
def test_a_week_that_is_none_is_this_week(desk, lee, typed):
    page = desk.get(desk_page_of(book.patient()), {"week": typed, "type": typed, "place": typed})

    assert page.status_code == 200
    assert "today" in words(page)


def test_the_calendar_names_others_and_records_them(desk, lee):
    mine, other = book.patient(1), book.patient(2)
    visit = book.booked(other, book.free(days=3))
    trail = Trail()
    page = desk.get(desk_page_of(mine), {"week": visit.starts.date().isoformat()})

    assert f"{other.person['name']} {other.reference}" in words(page)
    assert "+1202555" not in page.content.decode().partition('id="week"')[2]
    assert trail.names(page, mine)
    assert trail.names(page, other)


def test_closures_stand_in_the_calendar_and_close(desk, lee):
    day = book.in_days(7).date()
    Closure.objects.bulk_create([Closure(first_day=day, last_day=day, reason="Team day")])
    page = desk.get(desk_page_of(book.patient()), {"week": day.isoformat()})

    assert "Closed: Team day" in words(page)
    key = book.in_days(7).astimezone(UTC).strftime("%Y%m%dT")
    assert f'value="{key}' not in page.content.decode()


@pytest.mark.parametrize("free_on", [1, 2])
def test_what_cannot_wait_shows_the_free_times_of_today_and_tomorrow_first(free_on, desk, lee):
    submission = book.patient()
    Submission.objects.filter(pk=submission.pk).update(urgency=Urgency.SAME_DAY)
    today = timezone.now().astimezone(book.location().zone).date()
    day = today + timedelta(days=free_on)
    OpeningHours.objects.all().delete()
    OpeningHours.objects.bulk_create(
        [
            OpeningHours(
                clinician=lee,
                location=book.location(),
                weekday=day.weekday(),
                starts=time(23, 15),
                ends=time(23, 59),
                valid_from=day,
                valid_until=day,
            )
        ]
    )
    page = desk.get(desk_page_of(submission))
    listed = words(page).partition("Free today and tomorrow")[2].partition("Week of")[0]
    assert ("11:15" in listed) == (free_on < 2)
    assert ("Nothing is free today or tomorrow." in listed) == (free_on == 2)


def test_the_calendar_opens_on_the_next_open_day(desk, lee, calendar):
    submission = book.patient()
    Submission.objects.filter(pk=submission.pk).update(urgency=Urgency.SAME_DAY)
    today = timezone.localdate()
    shut = today + timedelta(days=8)
    Closure.objects.bulk_create([Closure(first_day=today, last_day=shut, reason="Moving house")])
    calendar.forget()
    opens = hours.current(book.location().pk).next_opening(timezone.now()).date()
    assert opens > shut
    monday = opens - timedelta(days=opens.weekday())
    page = words(desk.get(desk_page_of(submission)))
    assert f"Week of {date_format(monday, 'DATE_FORMAT')}" in page


def test_without_clinic_time_the_page_says_so(desk):
    text = words(desk.get(desk_page_of(book.patient())))

    assert "There is no clinic time yet" in text


# --- offering and booking -------------------------------------------------------------------------


def test_three_times_are_offered_and_held(desk, lee):
    submission = book.patient()
    slots = [book.free(wall=wall) for wall in ("09:00", "10:00", "11:00")]
    trail = Trail()
    answer = press(desk, submission, "offer", *slots, hours="48")

    assert answer.status_code == 302
    assert book.progress(submission) == "offered"
    assert {offer.appointment.during.lower for offer in Offer.objects.all()} == {
        slot.start for slot in slots
    }
    left = Offer.objects.first().expires_at - timezone.now()
    assert timedelta(hours=47) < left <= timedelta(hours=48)
    assert Message.objects.filter(kind="appointment_offer").count() == 1
    assert any(event.action == "create" for event in trail.of(answer))
    text = words(desk.get(desk_page_of(submission)))
    assert "Offered to the patient" in text
    assert "Held until" in text


def test_offers_are_taken_back(desk, lee):
    submission = book.patient()
    press(desk, submission, "offer", book.free())
    press(desk, submission, "withdraw")

    assert book.progress(submission) == "requested"
    assert not Appointment.objects.taking().exists()


def test_a_time_agreed_on_the_phone_is_booked(desk, lee):
    submission = book.patient()
    slot = book.free()
    press(desk, submission, "call", slot)

    visit = Appointment.objects.get()
    assert (visit.status, visit.starts, visit.submission) == ("confirmed", slot.start, submission)
    assert book.progress(submission) == "booked"
    text = words(desk.get(desk_page_of(submission)))
    assert "The appointment" in text
    assert "Offer the chosen times" not in text


@pytest.mark.parametrize(
    ("name", "count", "says"),
    [
        ("offer", 0, "Choose a time."),
        ("offer", 4, "Choose one to three times."),
        ("call", 2, "Choose only the one time"),
    ],
)
def test_too_few_or_too_many_are_said_and_kept(desk, lee, name, count, says):
    submission = book.patient()
    first = book.in_days(7)
    slots = free_times.free_slots(visit_type=book.visit_type(), start=first, limit=count or 1)
    slots = slots[:count]
    day = first.date().isoformat()
    page = press(desk, submission, name, *slots, week=day)

    assert page.status_code == 422
    assert says in words(page)
    for slot in slots:
        assert f'value="{slot.key}" form="times" checked' in page.content.decode()
    assert not Appointment.objects.exists()


def test_a_time_that_has_just_gone_is_said_with_the_nearest_and_the_rest_stays_chosen(desk, lee):
    mine, other = book.patient(1), book.patient(2)
    gone, free = book.free(wall="09:00"), book.free(days=9, wall="15:00")
    book.booked(other, gone)
    page = press(desk, mine, "offer", gone, free, hours="72")
    body = page.content.decode()

    assert page.status_code == 409
    assert "That time is no longer free. Nothing was booked." in words(page)
    assert "The nearest free times" in words(page)
    assert f'value="{free.key}" form="times" checked' in body
    assert '<option value="72" selected>' in body
    assert not Offer.objects.exists()
    assert book.progress(mine) == "requested"


@pytest.mark.parametrize("key", ["x", "20260101T090000_a_b", "9" * 5000, "20991231T090000_{0}_{0}"])
def test_a_forged_time_books_nothing(desk, lee, key):
    submission = book.patient()
    given = {"type": str(book.visit_type().pk), "slot": [key.format(lee.pk)]}
    for name in ("offer", "call"):
        page = desk.post(desk_page_of(submission, name), given)
        assert page.status_code == 409
        assert "Nothing was stored" in words(page)
    assert not Appointment.objects.exists()


@pytest.mark.parametrize("kind", ["", "x", "01a21574-5189-7ab6-9c96-e188a7076835"])
def test_a_visit_type_that_is_none_books_nothing(desk, lee, kind):
    page = press(desk, book.patient(), "call", book.free(), type=kind)

    assert page.status_code == 422
    assert "There is a problem" in words(page)
    assert not Appointment.objects.exists()


def test_what_cannot_wait_is_not_offered_but_can_be_booked(desk, lee):
    submission = book.patient()
    Submission.objects.filter(pk=submission.pk).update(urgency=Urgency.SAME_DAY)
    page = desk.get(desk_page_of(submission))

    assert "This cannot wait for an answer to an offer." in words(page)
    assert "Offer the chosen times" not in words(page)
    assert press(desk, submission, "offer", book.free()).status_code == 409
    assert press(desk, submission, "call", book.free()).status_code == 302


def test_a_second_appointment_is_refused_in_a_sentence(desk, lee):
    submission = book.patient()
    book.booked(submission)
    page = press(desk, submission, "call", book.free(days=8))

    assert page.status_code == 409
    assert "has an appointment already" in words(page)


# --- overbooking ----------------------------------------------------------------------------------


def over(client, submission, lee, **more):
    start = book.in_days(7)
    given = {
        "visit_type": str(book.visit_type().pk),
        "clinician": str(lee.pk),
        "location": str(book.location().pk),
        "day": start.date().isoformat(),
        "time": "09:00",
        "reason": "Bleeding vein, Dr. Lee agreed",
        "sure": "on",
    }
    given |= more
    return client.post(desk_page_of(submission, "overbook"), {"day_again": given["day"], **given})


def test_overbooking_takes_a_seat_above_with_author_and_reason(desk, lee):
    book.booked(book.patient(1), book.free())
    submission = book.patient(2)
    assert over(desk, submission, lee).status_code == 302

    visit = Appointment.objects.get(submission=submission)
    assert visit.is_overbooked
    assert visit.overbooked_by == builders.member("front desk")
    text = words(desk.get(visit_page(visit)))
    assert "Bleeding vein, Dr. Lee agreed" in text
    assert "Overbooked" in text


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ({"reason": " "}, "Say why you book more than the hours allow."),
        ({"sure": ""}, "Tick the box if you really mean it."),
        ({"day": "9999-12-31", "time": "23:59"}, "Check the year."),
        ({"day": "9999-12-30"}, "Check the year."),
        ({"day": "0001-01-01"}, "Check the year."),
    ],
)
def test_overbooking_wants_a_reason_and_a_tick(desk, lee, missing, says):
    page = over(desk, book.patient(), lee, **missing)

    assert page.status_code == 422
    assert says in words(page)
    assert "Book all the same" in words(page)
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("again", "says"),
    [
        ("", "Type the day again."),
        ("next day", "This is another day than the first one."),
        ("nonsense", "Enter a valid date."),
        ("same", ""),
    ],
)
def test_a_day_beyond_the_horizon_is_typed_twice(again, says, desk, lee, settings):
    submission = book.patient()
    far = timezone.localdate() + timedelta(days=settings.APPOINTMENT_HORIZON_DAYS + 1)
    typed = {"same": far.isoformat(), "next day": str(far + timedelta(days=1))}.get(again, again)
    page = over(desk, submission, lee, day=far.isoformat(), day_again=typed)
    assert page.status_code == (422 if says else 302)
    assert Appointment.objects.count() == (not says)
    if says:
        text = words(page)
        assert says in text
        assert "the last day for which free times are shown" in text
        assert far.isoformat() in page.content.decode()
    near = (far - timedelta(days=1)).isoformat()
    assert "Type the day again" not in words(over(desk, book.patient(3), lee, day=near))


def test_overbooking_in_the_past_is_refused_and_all_that_was_typed_stays(desk, lee):
    page = over(desk, book.patient(), lee, day="2020-01-01")

    assert page.status_code == 409
    assert "This time is past." in words(page)
    assert "Bleeding vein, Dr. Lee agreed" in words(page)


def test_a_time_that_the_clock_shows_twice_is_asked_back(desk, lee):
    submission = book.patient()
    twice = {"day": next_change(11).isoformat(), "time": "01:30"}
    page = over(desk, submission, lee, **twice)

    assert page.status_code == 422
    assert "01:30 comes twice" in words(page)
    moments = [value for value in radio_values(page) if value]
    assert len(moments) == 2
    assert over(desk, submission, lee, **twice, moment="2020-01-01T00:00:00").status_code == 422
    assert over(desk, submission, lee, **twice, moment=moments[1]).status_code == 302
    assert Appointment.objects.get().during.lower == datetime.fromisoformat(moments[1])


def test_a_time_that_the_clock_skips_is_asked_back(desk, lee):
    page = over(desk, book.patient(), lee, day=next_change(3).isoformat(), time="02:30")

    assert page.status_code == 422
    assert "02:30 does not exist" in words(page)
    assert len(radio_values(page)) == 2


def radio_values(page):
    return re.findall(r'type="radio" name="moment" value="([^"]+)"', page.content.decode())


def next_change(month: int) -> date:
    """Return the next day when New York's clocks change in this month.

    That is the second Sunday of March or the first Sunday of November.
    """
    today = timezone.localdate()
    for year in (today.year, today.year + 1):
        first = date(year, month, 1)
        sunday = first + timedelta(days=(6 - first.weekday()) % 7 + (7 if month == 3 else 0))
        if sunday > today:
            return sunday
    raise AssertionError


# --- permissions and query counts -----------------------------------------------------------------


def test_other_roles_are_refused_and_that_is_recorded(lee):
    submission = book.patient()
    visit = book.booked(submission)
    for role in ("clinician", "content editor", "auditor", "administrator"):
        client, trail = builders.staff_client(role), Trail()
        answers = [
            *(
                press(client, submission, n)
                for n in ("offer", "call", "withdraw", "overbook", "wait")
            ),
            client.post(visit_page(visit, "cancel"), {"reason": "patient"}),
            client.get(WAITING),
        ]
        for answer in answers:
            assert answer.status_code == 403
            (event,) = trail.of(answer)
            assert event.action == "deny"
    visit.refresh_from_db()
    assert visit.status == "confirmed"


def test_opening_the_address_of_a_button_changes_nothing(desk, lee):
    submission = book.patient()
    for name in BUTTONS:
        given = {"type": str(book.visit_type().pk), "slot": book.free().key, "to": "join"}
        assert desk.get(desk_page_of(submission, name), given).status_code == 302
    assert not Appointment.objects.exists()
    assert not WaitlistEntry.objects.exists()


def test_pages_cost_the_same_for_five_and_for_two_hundred_visits(desk, lee):
    submission = book.patient(0)
    week = book.in_days(14).date()
    monday = week - timedelta(days=week.weekday())
    visit = book.booked(book.patient(1), book.free(days=27))
    # let Dr. Lee see 20 patients at once, so that many visits fit into the same hours
    OpeningHours.objects.filter(clinician=lee).update(capacity=20)
    pages = [
        (desk_page_of(submission), {"week": monday.isoformat()}),
        (visit_page(visit, "move"), {"week": monday.isoformat()}),
        (VISITS, {"when": "coming"}),
    ]
    costs = []
    for count in (5, 195):
        fill(lee, monday, count)
        costs.append([])
        for url, query in pages:
            with CaptureQueriesContext(connection) as queries:
                page = desk.get(url, query)
            assert page.status_code == 200
            costs[-1].append(len(queries))

    assert costs[0] == costs[1]
    assert max(costs[0]) <= 44, costs


def fill(lee, monday, count):
    """Store `count` more visits in the week from `monday`, each with its own submission."""
    have = Appointment.objects.count()
    source = builders.submission()
    start = datetime.combine(monday, datetime.min.time(), UTC) + timedelta(hours=14)
    now = timezone.now()
    for n in range(have, have + count):
        at = start + timedelta(days=n % 5, minutes=30 * (n // 5 % 12))
        Appointment(
            submission=copy_of(source, n),
            clinician=lee,
            location=book.location(),
            visit_type=book.visit_type(),
            during=during(at, at + timedelta(minutes=30)),
            seat=n // 60,
            capacity=20,
            status="confirmed",
            created_at=now,
            changed_at=now,
        ).save(force_insert=True)


def copy_of(source, number):
    """Store another submission with the answers of `source`, sealed for the new row."""
    names = [field.attname for field in Submission._meta.concrete_fields]
    given = {n: getattr(source, n) for n in names if n not in ("id", "reference", "draft_id")}
    new = Submission(**given, reference=f"{number:09}", draft_id=uuid7())
    new.save(force_insert=True)
    return new
