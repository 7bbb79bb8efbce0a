"""Public holidays are proposals until a person says whether the clinic is closed."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from clinic import hours, sweeps
from intake import calendars
from intake.appointments import free_times, public_holidays
from intake.models.clinic_time import Closure, Holiday
from intake.models.submissions import Communication, Submission
from tests import builders
from tests.desk import Trail, cells, words
from tests.intake import book
from tests.intake.appointments.time_forms import closed, url

pytestmark = pytest.mark.django_db
HOME = "/admin/"


@pytest.fixture(autouse=True)
def _each_run_works(monkeypatch):
    monkeypatch.setattr(public_holidays, "_done", None)


@pytest.fixture
def holiday():
    """A proposed holiday on a coming business day, some four weeks ahead."""
    day = timezone.localdate() + timedelta(days=28)
    day += timedelta(days=(7 - day.weekday()) % 7)
    return Holiday.objects.create(day=day, name="Founders’ Day")


def press(desk, holiday, name):
    return desk.post(reverse(f"admin:intake_holiday_{name}", args=[holiday.pk]), follow=True)


def at(day, hour):
    zone = hours.settings_hours().zone
    return timezone.datetime(day.year, day.month, day.day, hour, tzinfo=zone)


def test_the_holidays_of_the_state_are_proposed_once(settings):
    settings.PUBLIC_HOLIDAYS = "US-NY"
    assert public_holidays.propose in sweeps._chores
    assert public_holidays.propose() > 8
    assert public_holidays.propose() == 0
    public_holidays._done = None
    assert public_holidays.propose() == 0
    names = set(Holiday.objects.values_list("name", flat=True))
    assert {"Labor Day", "Thanksgiving Day"} <= names
    assert all(row.day.weekday() < 5 for row in Holiday.objects.all())
    assert not Closure.objects.exists()


def test_another_state_takes_its_proposals_back_and_keeps_answers(settings, me):
    settings.PUBLIC_HOLIDAYS = "US-MA"
    public_holidays.propose()
    patriots = Holiday.objects.get(name="Patriots' Day")
    answered = Holiday.objects.get(name="Labor Day")
    Holiday.objects.filter(pk__in=(answered.pk,)).update(is_open=True)
    settings.PUBLIC_HOLIDAYS = ""
    public_holidays.propose()
    assert not Holiday.objects.filter(pk=patriots.pk).exists()
    assert list(Holiday.objects.all()) == [answered]


@pytest.mark.parametrize(("region", "faults"), [("US-NY", 0), ("", 0), ("US-ZZ", 1), ("XX", 1)])
def test_a_region_without_holidays_is_said_before_production(settings, region, faults):
    settings.PUBLIC_HOLIDAYS = region
    found = public_holidays.region_is_known()
    assert len(found) == faults
    assert all("US-NY, or off" in each.hint for each in found)


def test_until_it_is_confirmed_promises_count_it_closed_and_a_banner_asks(calendar, desk, holiday):
    assert not hours.current().is_open(at(holiday.day, 12))
    assert holiday.day in hours.closed_days()
    assert [each.sure for each in hours.coming_closures()] == [False]
    assert "Founders’ Day" in words(desk.get(HOME, follow=True))
    for role in ("clinician", "auditor"):
        assert "Founders’ Day" not in words(builders.staff_client(role).get(HOME, follow=True))
    kind = book.visit_type()
    book.clinician(types=(kind,))
    free = free_times.free_slots(visit_type=kind, start=at(holiday.day, 0))
    assert holiday.day not in {slot.start.date() for slot in free}


def test_beyond_sixty_days_it_is_only_listed(calendar, desk, holiday):
    Holiday.objects.update(day=holiday.day + timedelta(days=42))
    holiday.refresh_from_db()
    assert hours.current().is_open(at(holiday.day, 12))
    assert "Founders’ Day" not in words(desk.get(HOME, follow=True))
    page = desk.get(reverse("admin:intake_holiday_changelist"))
    assert cells(page, "state") == ["not confirmed"]


def test_one_click_closes_the_clinic_and_is_recorded(calendar, desk, holiday):
    trail = Trail()
    press(desk, holiday, "closed")
    row = Closure.objects.get()
    assert (row.first_day, row.last_day, row.reason) == (holiday.day, holiday.day, "Founders’ Day")
    (event,) = trail.events(action="create", subject=str(row.pk))
    assert event.detail["kind"] == "closure"
    assert [each.sure for each in hours.coming_closures()] == [True]
    assert "Founders’ Day" not in words(desk.get(HOME, follow=True))
    page = press(desk, holiday, "closed")  # again, from another tab
    assert Closure.objects.count() == 1
    assert cells(page, "state") == ["closed"]


def test_one_click_opens_the_clinic_and_is_recorded_once(calendar, desk, holiday):
    trail = Trail()
    for _twice in range(2):
        page = press(desk, holiday, "open")
    assert cells(page, "state") == ["open"]
    (event,) = trail.events(action="update", subject=str(holiday.pk))
    assert event.detail == {"kind": "holiday", "fields": ["is_open"]}
    assert hours.current().is_open(at(holiday.day, 12))
    assert calendars.unconfirmed(timezone.now()) == []
    press(desk, holiday, "closed")
    assert not hours.current().is_open(at(holiday.day, 12))


def test_a_deleted_closure_asks_again(calendar, desk, holiday):
    press(desk, holiday, "closed")
    desk.post(url("closure", "delete", Closure.objects.get()), {"post": "yes"})
    assert calendars.unconfirmed(timezone.now()) == [holiday]


def test_a_holiday_that_breaks_a_promise_shows_it_first(calendar, desk, holiday):
    row = builders.submission()
    Submission.objects.filter(pk=row.pk).update(target_at=at(holiday.day, 16))
    page = press(desk, holiday, "closed")
    assert not Closure.objects.exists()
    assert page.request["PATH_INFO"] == url("closure")
    given = closed(first_day=holiday.day, last_day=holiday.day, reason="Founders’ Day")
    assert "1 promise to a patient falls into closed time" in words(
        desk.post(url("closure"), given)
    )
    desk.post(url("closure"), given | {"sure": "on"})
    assert Closure.objects.get().first_day == holiday.day
    row.refresh_from_db()
    assert row.target_at > at(holiday.day, 17)
    assert "We now aim for a visit by" in Communication.objects.get().words["text"]


def test_whole_days_of_a_closure_confirm_the_holidays_in_it(calendar, holiday):
    days = {"first_day": holiday.day - timedelta(days=3), "last_day": holiday.day}
    Closure.objects.create(**days, location=book.location())
    assert calendars.unconfirmed(timezone.now()) == [holiday]
    Closure.objects.create(**days)
    assert calendars.unconfirmed(timezone.now()) == []


def test_only_who_may_close_the_clinic_answers(holiday):
    for role in ("clinician", "duty", "auditor", "administrator"):
        browser = builders.staff_client(role)
        assert press(browser, holiday, "closed").status_code == 403
    assert press(builders.staff_client("front desk"), holiday, "open").status_code == 200
    assert date.today() <= holiday.day
