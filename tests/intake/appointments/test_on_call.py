"""The rota: who is on call when, who then gets the letters about red flags, what patients read."""

from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from clinic import hours
from clinic.models import Message
from clinic.outgoing import outbox
from intake import calendars
from intake.models.clinic_time import Closure
from intake.models.rota import Leave, OnCall
from intake.wording.closures import unread_words
from tests import builders
from tests.desk import Trail, cells, words
from tests.intake import book
from tests.intake.appointments.time_forms import url
from tests.intake.ways.conftest import clock as clock  # imported so that pytest finds the fixture
from tests.intake.ways.conftest import people as people
from tests.intake.ways.escalating import red_flag

pytestmark = pytest.mark.django_db
NIGHT = "night@staff.example.org"


@pytest.fixture
def nina(people):
    """A clinician who is on call in this file."""
    user = builders.member("duty", "nina")
    user.email, user.first_name, user.last_name = NIGHT, "Nina", "Night"
    user.save()
    return user


def at(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=hours.settings_hours().zone)


def named(person, start: str, end: str, **more) -> OnCall:
    row = OnCall(person=person, starts_at=at(start), ends_at=at(end), **more)
    row.save()
    return row


def alerted(clock, wall: str) -> list[str]:
    """Send a red flag at this time. Returns who gets the alert."""
    clock.set(wall)
    row = red_flag()
    mail.outbox.clear()
    outbox.deliver_due()
    (to,) = (letter.to for letter in mail.outbox if f"Same day: {row.reference}" in letter.subject)
    return to


# --- who is told ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wall", "is_told"),
    [
        ("2026-12-01T17:00", True),  # the clinic has just closed
        ("2026-12-02T03:00", True),
        ("2026-12-02T12:00", True),  # a holiday in the time on call
        ("2026-12-03T08:29", True),
        ("2026-12-03T08:30", False),  # the clinic is open
        ("2026-12-03T18:00", True),
        ("2026-12-04T08:00", False),  # the time on call is over
        ("2026-12-01T16:00", False),
        ("2026-11-30T23:00", False),
    ],
)
def test_an_alert_outside_of_opening_hours_goes_to_the_person_on_call_as_well(
    wall, is_told, nina, clock
):
    named(nina, "2026-12-01T08:30", "2026-12-04T07:00")
    to = alerted(clock, wall)
    assert (NIGHT in to) == is_told
    # and to the same people as before
    usual = {"clinician@staff.example.org", "front-desk@staff.example.org"}
    assert set(to) - {NIGHT} == usual


def test_who_is_on_leave_or_gone_or_without_address_is_not_on_call(nina, clock):
    row = named(nina, "2026-12-01T17:00", "2026-12-05T08:30")
    Leave(person=nina, first_day=date(2026, 12, 2), last_day=date(2026, 12, 2)).save()
    got = {}
    for wall in ("2026-12-01T23:59", "2026-12-02T00:00", "2026-12-02T23:59", "2026-12-03T00:00"):
        got[wall[5:]] = [shift.name for shift in calendars.on_call(at(wall), None)]
    assert list(got.values()) == [["Nina Night"], [], [], ["Nina Night"]]
    for name, value in (("is_active", False), ("email", "")):
        before = getattr(nina, name)
        setattr(nina, name, value)
        nina.save()
        assert calendars.on_call(at("2026-12-03T00:00"), None) == []
        setattr(nina, name, before)
        nina.save()
    assert row


def test_pages_say_that_nobody_reads_exactly_when_nobody_is_on_call(nina, clock, calendar):
    """Compares what is said and who gets the letter, for every hour of a week with a closure."""
    Closure(first_day=date(2026, 12, 7), last_day=date(2026, 12, 9)).save()
    other = builders.member("clinician", "omar")
    other.email = "omar@staff.example.org"
    other.save()
    named(nina, "2026-12-06T20:00", "2026-12-07T12:00")
    Closure(first_day=date(2026, 12, 9), last_day=date(2026, 12, 10), on_call=other).save()
    Leave(person=other, first_day=date(2026, 12, 10), last_day=date(2026, 12, 10)).save()
    moment, both = at("2026-12-04T12:00"), set()
    while moment < at("2026-12-12T12:00"):
        told = bool(calendars.on_call(moment, None))
        assert hours.is_on_call(moment) == told, moment
        delayed = hours.current().is_delayed(moment)
        assert (unread_words(moment) == "") == (told or not delayed), moment
        both.add((told, delayed))
        moment += timedelta(hours=1)
    assert both >= {(True, True), (False, True), (False, False)}


PHONE = "+16175550142"


def texted(capsys) -> list[str]:
    """Send what is due. Returns the numbers to which a text about the worklist went."""
    outbox.deliver_due()
    lines = capsys.readouterr().out.split("Text message to ")[1:]
    return [each.split("\n")[0].rstrip(":") for each in lines if "worklist" in each]


def test_the_phone_on_call_gets_one_text_for_red_flags_of_the_same_minutes(nina, clock, capsys):
    named(nina, "2026-12-01T17:00", "2026-12-02T08:30", phone=PHONE)
    clock.set("2026-12-01T16:00")
    red_flag()
    assert texted(capsys) == []  # the clinic is open
    clock.set("2026-12-01T23:01")
    red_flag()
    assert texted(capsys) == [PHONE]
    red_flag()
    red_flag()
    assert texted(capsys) == []  # the person may be looking already
    # or may have looked before: one more text, five minutes after the first
    later = Message.objects.filter(kind="on_call", state="waiting")
    assert [row.due_at for row in later] == [at("2026-12-01T23:05")]
    later.update(
        due_at=timezone.now() - timedelta(days=2), next_at=timezone.now() - timedelta(days=2)
    )
    assert texted(capsys) == [PHONE]


def test_a_text_is_not_sent_when_nothing_waits_or_the_shift_is_over(nina, clock, capsys):
    row = named(nina, "2026-12-01T17:00", "2026-12-02T08:30", phone=PHONE)
    clock.set("2026-12-01T23:01")
    submission = red_flag()
    type(submission).objects.update(escalate_at=None)
    assert texted(capsys) == []
    clock.set("2026-12-01T23:11")
    red_flag()
    row.delete()
    assert texted(capsys) == []


def test_a_clinic_without_text_messages_orders_none(nina, clock, capsys, settings):
    settings.SMS_BACKEND = ""
    named(nina, "2026-12-01T17:00", "2026-12-02T08:30", phone=PHONE)
    clock.set("2026-12-01T23:01")
    red_flag()
    assert texted(capsys) == []
    assert not Message.objects.filter(kind="on_call").exists()


def test_a_time_on_call_of_one_location_counts_there(nina, clock):
    main, annex = book.location(), book.location("Annex")
    named(nina, "2026-12-01T17:00", "2026-12-02T08:30", location=annex)
    night = at("2026-12-02T03:00")
    assert [bool(calendars.on_call(night, each.pk)) for each in (main, annex)] == [False, True]


# --- the form -------------------------------------------------------------------------------------


def typed(nina, **more) -> dict[str, object]:
    return {
        "person": nina.pk,
        "location": "",
        "starts_at": "2026-12-01T17:00",
        "ends_at": "2026-12-02T08:30",
        "phone": "202-555-0188",
    } | more


@pytest.mark.parametrize("role", ["front desk", "duty"])
def test_the_front_desk_and_the_duty_role_keep_the_rota(role, nina, clock):
    client, trail = builders.staff_client(role), Trail()
    client.post(url("oncall"), typed(nina))
    row = OnCall.objects.get()
    assert (row.person, row.phone) == (nina, "+12025550188")
    assert (row.starts_at, row.ends_at) == (at("2026-12-01T17:00"), at("2026-12-02T08:30"))
    (event,) = trail.events(subject=str(row.pk))
    assert (event.action, event.detail["kind"]) == ("create", "oncall")

    page = client.get(url("oncall", "changelist"))
    assert cells(page, "who") == ["Nina Night"]
    assert cells(page, "reach") == [f"(202) 555-0188, {NIGHT}"]
    assert "Tue, Dec 1, 2026, 5 p.m. to Wed, Dec 2, 2026, 8:30 a.m. EST" in words(page)
    assert ("Opening hours" in words(page)) == (role == "front desk")
    shown = client.get(url("oncall", "change", row)).content.decode()
    assert 'value="2026-12-01T17:00"' in shown
    client.post(url("oncall", "delete", row), {"post": "yes"})
    assert not OnCall.objects.exists()


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        ({"ends_at": "2026-12-01T16:00"}, "The end is before the beginning."),
        ({"ends_at": "2026-12-01T17:00"}, "The end is before the beginning."),
        ({"ends_at": "2028-12-01T17:00"}, "A time on call lasts a year at most."),
        ({"ends_at": "0206-12-02T08:30"}, "Check the year."),
        ({"starts_at": "2026-12-01T09:00", "ends_at": "2026-12-01T12:00"}, "The clinic is open"),
        ({"ends_at": ""}, "This field is required."),
        ({"ends_at": "tomorrow"}, "Enter a day and a time."),
        ({"phone": "call me"}, "phone number"),
        ({"person": ""}, "This field is required."),
        ({"person": "desk"}, "Select a valid choice."),
        ({"person": "nobody reads"}, "This account has no e-mail address for the alerts."),
        (
            {"starts_at": "2026-12-04T17:00", "ends_at": "2026-12-07T08:30"},
            "This person is on leave from Dec. 6, 2026 to Dec. 8, 2026. Name another person.",
        ),
        (
            {"starts_at": "2026-12-10T18:00", "ends_at": "2026-12-11T07:00"},
            "This person is on call then already: Thu, Dec 10, 2026, 5 p.m. to ",
        ),
    ],
)
def test_a_slip_is_said_by_the_field_and_nothing_is_stored(slip, says, nina, clock, desk):
    named(nina, "2026-12-10T17:00", "2026-12-11T08:30")
    Leave(person=nina, first_day=date(2026, 12, 6), last_day=date(2026, 12, 8)).save()
    who = {"desk": builders.member("front desk"), "nobody reads": builders.member("duty", "no")}
    slip = {name: getattr(who.get(value), "pk", value) for name, value in slip.items()}
    page = desk.post(url("oncall"), typed(nina, **slip))
    assert page.status_code == 200
    assert says in words(page)
    assert OnCall.objects.count() == 1


@pytest.mark.parametrize("name", ["oncall", "closure"])
def test_each_choice_says_when_the_person_is_on_leave(name, nina, clock, desk):
    omar = builders.member("clinician", "omar")
    for person, first in ((omar, 27), (omar, 29), (nina, 30)):
        days = {"first_day": date(2026, 11, first), "last_day": date(2026, 11, first)}
        Leave(person=person, **days).save()
    page = words(desk.get(url(name)))
    assert "Nina Night (on leave from Nov. 30, 2026 to Nov. 30, 2026)" in page
    assert "omar " in page
    assert "omar (on leave" not in page


def test_a_closure_names_nobody_who_is_on_leave_then(nina, clock, desk):
    Leave(person=nina, first_day=date(2026, 12, 6), last_day=date(2026, 12, 8)).save()
    days = {"first_day": "2026-12-08", "last_day": "2026-12-11", "on_call": nina.pk}
    page = desk.post(url("closure"), {**days, "reason": "Team days", "sure": "on"})
    assert "This person is on leave from Dec. 6, 2026 to Dec. 8, 2026." in words(page)
    assert not Closure.objects.exists()
