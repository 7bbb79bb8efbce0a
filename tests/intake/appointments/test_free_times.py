"""Free times: which are offered, and how an invalid time is refused."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from intake.appointments import free_times
from intake.appointments.slot_gone import SlotGone
from intake.appointments.week import calendar
from intake.errors import Refused
from intake.models.appointments import Appointment
from intake.models.clinic_time import Closure
from intake.models.submissions import Urgency
from tests.intake import book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lee")]


# --- free times ----------------------------------------------------------------------------------


def test_what_is_booked_is_free_no_more_and_its_neighbours_are():
    slot = book.free(7, "10:00")
    book.booked(book.patient(), slot)
    starts = [f"{free.start:%H:%M}" for free in free_times.free_slots(
        visit_type=book.visit_type(), start=book.in_days(7), end=book.in_days(7, "12:00"),
    )]  # fmt: skip
    assert starts == ["09:00", "09:30", "10:30", "11:00", "11:30"]


def test_a_closure_and_a_holiday_close(settings):
    day = book.in_days(7).date()
    Closure.objects.create(first_day=day, last_day=day, reason="Training")
    assert book.free(7).start.date() > day
    settings.CLINIC_HOURS = type(settings.CLINIC_HOURS).parse(
        "Mon-Sun 09:00-17:00", [(day + timedelta(days=1)).isoformat()], settings.TIME_ZONE
    )
    assert book.free(7).start.date() == day + timedelta(days=2)


@pytest.mark.parametrize(
    ("urgency", "days"),
    [(Urgency.EMERGENCY, 0), (Urgency.SAME_DAY, 0), (Urgency.URGENT, 14), (Urgency.ROUTINE, 90)],
)
def test_the_urgency_bounds_what_a_patient_may_choose(urgency, days, settings):
    submission = book.patient(urgency=urgency)
    found = free_times.slots_for(urgency=submission.urgency, visit_type=book.visit_type())
    now = timezone.now()
    if not days:
        assert found == []
        with pytest.raises(Refused):
            book.holding(submission)
        return
    assert found[0].start >= now + timedelta(hours=settings.APPOINTMENT_LEAD_HOURS)
    assert now + timedelta(days=days - 2) < found[-1].start < now + timedelta(days=days)
    if days == 14:
        with pytest.raises(SlotGone) as gone:
            book.holding(submission, book.free(20))
        assert gone.value.nearest[0].start < now + timedelta(days=2)


def test_the_wish_leads_but_does_not_hide_the_rest():
    book.clinician("Dr. Okafor")
    wish = {"days": ["tue"], "times": ["afternoon"], "place": "Main clinic", "clinician": ""}
    request = book.patient(wish=wish).appointment_request
    request.refresh_from_db()
    found = free_times.fitting(request=request, visit_type=book.visit_type(), limit=9999)
    fits = [free for free in found if not free.misses]
    assert fits == found[: len(fits)]
    assert {free.start.weekday() for free in fits} == {1}
    assert min(free.start.hour for free in fits) == 14
    assert found[-1].misses == 2


def test_the_calendar_and_the_list_cost_the_same_empty_and_full():
    kind, place = book.visit_type(), book.location()

    def cost() -> tuple[int, int]:
        first = book.in_days(7).date()
        with CaptureQueriesContext(connection) as listing:
            free_times.free_slots(visit_type=kind)
        with CaptureQueriesContext(connection) as week:
            days = calendar(first_day=first, location=place)
            [(a.starts, a.ends, a.clinician.name) for day in days for a in day.appointments]
        return len(listing), len(week)

    empty = cost()
    for number in range(6):
        book.booked(book.patient(number), book.free(7))
    assert cost() == empty
    assert empty == (3, 5)


def test_the_calendar_shows_hours_visits_and_closures_day_by_day():
    slot = book.free(7, "16:30")
    visit = book.booked(book.patient(), slot)
    day = slot.start.date() + timedelta(days=1)
    Closure.objects.create(first_day=day, last_day=day)
    first, second = calendar(first_day=slot.start.date(), days=2, location=book.location())
    assert first.appointments == [visit]
    assert (second.appointments, len(second.closures), len(first.closures)) == ([], 1, 0)
    ((start, end, who),) = first.hours
    assert (f"{start:%H:%M}", f"{end:%H:%M}", who.name) == ("09:00", "17:00", "Dr. Lee")


# --- invalid keys --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forge",
    [
        lambda free: "",
        lambda free: "x" * 10_000,
        lambda free: "\x00_\x00_\x00",
        lambda free: free.key.replace("T", "U", 1),
        lambda free: f"{free.key[:15]}_{free.location.pk}_{free.clinician.pk}",
        lambda free: free.key.replace(free.key[9:13], "0317"),
        lambda free: free.key.replace(free.key[:4], "2019"),
        lambda free: free.key.replace(free.key[:4], "9999"),
        lambda free: free.key.replace(free.key[:4], "0001"),
    ],
    ids="empty long null letters swapped off-the-grid past far first-year".split(),
)
def test_a_made_up_time_is_answered_with_a_sentence(forge):
    slot, submission = book.free(), book.patient()
    with pytest.raises(SlotGone) as gone:
        book.hold(submission=submission, slot=forge(slot), visit_type=slot.visit_type)
    assert str(gone.value)
    assert not Appointment.objects.exists()


def test_a_time_of_another_visit_type_is_none():
    long = book.visit_type(60, title="Ultrasound", kind="in_person")
    with pytest.raises(SlotGone):
        book.hold(submission=book.patient(), slot=book.free().key, visit_type=long)
