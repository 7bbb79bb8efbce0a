"""Arrivals: the patient or the desk says "here", staff ask the patient in, or nobody came."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django import conf
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.formats import date_format

from clinic.models import Message
from intake.appointments import arrival, changing
from intake.appointments.admin import day_list
from intake.errors import REFUSALS
from intake.models.appointments import Appointment, AppointmentChange, during
from intake.models.calls import CallTask
from intake.models.clinic_time import Location
from intake.ways import calls
from intake.wording import moments
from tests import builders
from tests.desk import VISITS, Trail, cells, visit_page, words
from tests.intake import book
from tests.intake.clock import make_it_noon
from tests.intake.my_visit import HEALTH, inside, sent
from tests.intake.ways.acts import reach

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("codes_without_limit", "lee")]

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def noon(settings) -> datetime:
    return make_it_noon(settings)


@pytest.fixture
def member() -> User:
    return builders.member("front desk")


def visit_at(start: datetime, number: int = 0) -> Appointment:
    """Return a visit that begins at this moment, at a place with the time of the clinic.

    Its letters are forgotten.
    """
    visit = book.booked(book.patient(number), book.free(days=2 + number))
    Location.objects.update(time_zone=conf.settings.TIME_ZONE)
    Appointment.objects.filter(pk=visit.pk).update(during=during(start, start + 30 * MINUTE))
    Message.objects.all().delete()
    return Appointment.objects.for_reading().get(pk=visit.pk)


def steps_of(visit: Appointment) -> list[str]:
    """Return the steps of a visit's history after the booking."""
    return [step.action for step in AppointmentChange.objects.filter(appointment=visit)][1:]


def clock(at: datetime) -> str:
    return date_format(at, "TIME_FORMAT")


def fresh(visit: Appointment) -> Appointment:
    return Appointment.objects.for_reading().get(pk=visit.pk)


# --- by the patient -------------------------------------------------------------------------------


def test_a_patient_says_here_and_reads_when_to_come_in(noon, member, desk):
    visit = visit_at(noon + 30 * MINUTE)
    patient, trail = inside(visit.submission), Trail()
    assert "I am here" in patient.page.text

    for _press in range(2):  # the patient presses twice
        page = patient.post("/my/here/", {"go": "here"})
        assert "You are checked in" in page.text
        assert (
            f"you have been here since {moments.clock_words(fresh(visit).here_since)}" in page.text
        )
        assert "I am here" not in page.text
    assert steps_of(visit) == ["arrive"]
    (event,) = trail.events(action="state")
    assert event.actor == f"patient:{visit.submission.reference}"
    assert event.detail["to"] == "arrive"

    assert f"Here since {clock(fresh(visit).here_since)}, waits 0 min" in words(desk.get(VISITS))
    for _press in range(2):  # two receptionists press
        said = desk.post(visit_page(visit, "call_in"), {"back": VISITS}, follow=True)
        assert said.redirect_chain == [(VISITS, 302)]
        assert "The patient’s page says: please come in. An e-mail goes out" in words(said)
    assert steps_of(visit) == ["arrive", "call_in"]
    assert "Please come in" in patient.get("/my/").text
    (letter,) = sent("come_in")
    assert "please come in now" in letter.body
    assert not [word for word in HEALTH if word in f"{letter.subject} {letter.body}".lower()]
    assert f"In since {clock(fresh(visit).in_since)}" in words(desk.get(VISITS))


def test_a_patient_is_told_from_when_on_and_other_kinds_of_visits_are_not_asked(noon, settings):
    settings.APPOINTMENT_ARRIVAL_MINUTES = 60
    visit = visit_at(noon + 2 * HOUR)
    patient = inside(visit.submission)
    opens = f"from {moments.clock_words(visit.starts - HOUR)} on"
    assert opens in patient.page.text
    page = patient.post("/my/here/", {"go": "here"})
    assert (page.status, opens in page.text) == (409, True)

    video = book.visit_type(title="Video", kind="video")
    Appointment.objects.filter(pk=visit.pk).update(visit_type=video, during=visit.during)
    assert "When you have come, you can tell us here" not in patient.get("/my/").text
    page = patient.post("/my/here/", {"go": "here"})
    assert (page.status, "This visit is not at the clinic." in page.text) == (409, True)
    assert steps_of(visit) == []


OLD_TABS = {
    "moved to another day": lambda visit: Appointment.objects.filter(pk=visit.pk).update(
        during=during(visit.starts + DAY, visit.ends + DAY)
    ),
    "cancelled": lambda visit: changing.cancel(appointment=visit, by=builders.member("front desk")),
}
SAYS = {
    "moved to another day": "On that day you can tell us here",
    "cancelled": "We have no visit for you today.",
}


@pytest.mark.parametrize("what", OLD_TABS)
def test_an_old_tab_says_what_became_of_the_visit(what, noon, desk):
    visit = visit_at(noon + 10 * MINUTE)
    patient = inside(visit.submission)
    OLD_TABS[what](visit)
    before = steps_of(visit)

    page = patient.post("/my/here/", {"go": "here"})
    assert (page.status, SAYS[what] in page.text) == (409, True)
    for button in ("arrive", "call_in"):
        page = desk.post(visit_page(visit, button))
        assert (page.status_code, "Nothing was stored" in words(page)) == (409, True)
    assert steps_of(visit) == before


# --- days and zones -------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["America/New_York", "America/Los_Angeles", "Pacific/Honolulu"])
@pytest.mark.parametrize("hours", [-36, -13, -8, 0, 8, 13, 36])
def test_the_day_of_a_visit_is_that_of_its_place(zone, hours, noon, member, desk):
    """The clinic's day ends while the day of a place further west goes on."""
    visit = visit_at(noon + hours * HOUR)
    Location.objects.update(time_zone=zone)
    visit = fresh(visit)
    is_today = visit.starts.date() == noon.astimezone(ZoneInfo(zone)).date()

    assert (visit.submission.reference in words(desk.get(VISITS))) is (
        visit.starts.date() == timezone.localdate()
    )
    if is_today:
        arrival.arrive(appointment=visit, by=member)
    else:
        with pytest.raises(REFUSALS, match=r"This visit is not today\."):
            arrival.arrive(appointment=visit, by=member)
    assert (fresh(visit).here_since is not None) is is_today


def test_an_arrival_on_another_day_does_not_count(noon, member):
    """The release before moves a visit and keeps the arrival."""
    visit = arrival.arrive(appointment=visit_at(noon), by=member)
    Appointment.objects.filter(pk=visit.pk).update(
        during=during(visit.starts + DAY, visit.ends + DAY)
    )
    assert (fresh(visit).state, fresh(visit).here_since) == ("confirmed", None)


def test_a_moved_visit_has_not_arrived(noon, member):
    visit = arrival.arrive(appointment=visit_at(noon + HOUR), by=member)
    slot = book.free(days=9)
    changing.reschedule(appointment=visit, slot=slot.key, by=member)
    moved = fresh(visit)
    assert (moved.arrived_at, moved.called_in_at) == (None, None)


# --- no-shows -------------------------------------------------------------------------------------


def test_a_patient_who_does_not_come_is_asked_about_and_told_how_to_book_again(noon, desk):
    visit = visit_at(noon - 10 * MINUTE)
    submission = visit.submission
    assert "Did not come" not in cells(desk.get(VISITS), "acts")[0]
    start = noon - 20 * MINUTE
    Appointment.objects.filter(pk=visit.pk).update(during=during(start, start + 30 * MINUTE))
    page = desk.get(VISITS)
    assert cells(page, "state") == ["Not here, 20 min late"]
    assert "Did not come" in cells(page, "acts")[0]

    for _press in range(2):
        said = words(desk.post(visit_page(visit, "miss"), {"back": VISITS}, follow=True))
        assert "Stored: the patient did not come. An e-mail goes out to the patient now." in said
        assert "Book again" in said
    assert steps_of(visit) == ["miss"]
    (letter,) = sent("appointment_missed")
    assert "You can ask for another time on your page" in letter.body
    assert not [word for word in HEALTH if word in f"{letter.subject} {letter.body}".lower()]

    patient = inside(submission)
    assert "The visit was missed." in patient.page.text
    patient.post("/my/again/", {"go": "again"})
    assert patient.post("/my/again/", {"go": "again"}).path == "/my/"
    assert book.progress(submission) == "requested"


def test_a_patient_without_a_way_is_owed_a_call_until_there_is_another_visit(noon, desk):
    visit = visit_at(noon - HOUR)
    submission = reach(visit.submission, "phone alone")
    said = words(desk.post(visit_page(visit, "miss"), {"back": VISITS}, follow=True))
    assert "Nobody has told the patient: call." in said
    assert "1 call owed" in said
    (task,) = CallTask.objects.open()
    assert task.reason == CallTask.Reason.MISSED
    assert task.due_at > timezone.now()

    book.booked(submission, book.free(days=4))
    assert not CallTask.objects.open().exists()


def test_a_no_show_of_long_ago_is_a_correction_and_nobody_is_told(noon, desk):
    visit = visit_at(noon - 8 * DAY)
    said = words(desk.post(visit_page(visit, "miss"), follow=True))
    assert "Stored: the patient did not come." in said
    assert "tells the patient" not in said
    assert not Message.objects.exists()


def test_a_patient_who_comes_after_the_no_show_is_here_and_can_be_seen(noon, desk, member):
    visit = visit_at(noon - 40 * MINUTE)
    changing.record_no_show(appointment=visit, by=member, request_id="r")
    calls.owe(submission=visit.submission, reason="missed", occasion=f"{visit.pk}:0")
    # another patient has the time by now, and this patient has another visit
    book.booked(visit.submission, book.free(days=4))

    desk.post(visit_page(visit, "arrive"))
    assert fresh(visit).state == "here"
    assert not CallTask.objects.open().exists()
    assert sent("appointment_missed") == []
    desk.post(visit_page(visit, "call_in"))
    assert fresh(visit).state == "called_in"
    desk.post(visit_page(visit, "complete"))
    assert fresh(visit).state == "completed"


def test_a_late_patient_says_here_on_the_own_page(noon, member):
    visit = visit_at(noon - 40 * MINUTE)
    changing.record_no_show(appointment=visit, by=member, request_id="r")
    patient = inside(visit.submission)
    page = patient.post("/my/here/", {"go": "here"})
    assert "You are checked in" in page.text
    assert "The visit was missed" not in page.text


def test_a_patient_who_is_here_is_no_no_show_until_the_arrival_is_taken_back(noon, desk):
    visit = visit_at(noon - 20 * MINUTE)
    desk.post(visit_page(visit, "arrive"))
    page = desk.post(visit_page(visit, "miss"))  # from an old tab
    assert (page.status_code, "The patient has been here since" in words(page)) == (409, True)
    for _press in range(2):
        desk.post(visit_page(visit, "leave"))
    desk.post(visit_page(visit, "miss"))
    assert steps_of(visit) == ["arrive", "leave", "miss"]


# --- the table of moves ---------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["held", "confirmed", "cancelled", "completed", "no_show"])
@pytest.mark.parametrize("is_here", [False, True])
@pytest.mark.parametrize("act", [arrival.arrive, arrival.call_in, arrival.leave])
def test_each_act_in_each_state_is_stored_once_or_refused_whole(act, status, is_here, noon, member):
    visit = visit_at(noon)
    facts = {"status": status, "arrived_at": noon if is_here else None}
    if status == "held":
        facts["held_until"] = noon + HOUR
    Appointment.objects.filter(pk=visit.pk).update(**facts)
    trail, name = Trail(), act.__name__
    allowed = {
        "arrive": status in ("confirmed", "no_show"),
        "call_in": status in ("confirmed", "no_show") and is_here,
        "leave": status in ("confirmed", "no_show", "completed"),
    }[name]
    changes = allowed and (name == "call_in" or is_here is (name == "leave"))

    for _press in range(2):
        if allowed:
            act(appointment=visit, by=member, request_id="r")
        else:
            with pytest.raises(REFUSALS):
                act(appointment=visit, by=member, request_id="r")
    assert steps_of(visit) == [name] * changes
    assert len(trail.events()) == changes
    assert fresh(visit).status == status


# --- the list -------------------------------------------------------------------------------------


def test_the_list_shows_who_comes_today_with_what_is_owed(noon, desk, monkeypatch):
    first, second = visit_at(noon + HOUR, 1), visit_at(noon + 2 * HOUR, 2)
    visit_at(noon + DAY, 3)
    changing.cancel(appointment=second, by=builders.member("front desk"), reason="clinic")
    for occasion in "12":
        calls.owe(submission=first.submission, reason="message", occasion=occasion)
    column = day_list.DayColumn("paperwork", "Paperwork", lambda rows: {rows[0].pk: "Complete"})
    monkeypatch.setattr(day_list, "COLUMNS", [column])
    trail = Trail()
    page = desk.get(VISITS)

    assert cells(page, "patient") == ["Quentin Canary1", "Quentin Canary2"]
    assert cells(page, "born") == ["March 27, 1982"] * 2
    assert cells(page, "state") == ["Booked", "Cancelled"]
    assert cells(page, "owed") == ["2 calls owed", ""]
    assert cells(page, "paperwork") == ["Complete", ""]
    assert trail.names(page, first.submission)
    tomorrow = (noon + DAY).date().isoformat()
    assert cells(desk.get(VISITS, {"when": tomorrow}), "patient") == ["Quentin Canary3"]
    for typed in ("9999-12-31", "0001-01-01", "2026-02-30", "x"):
        assert len(cells(desk.get(VISITS, {"when": typed}), "patient")) == 2, "today"


def test_the_list_needs_as_many_queries_for_forty_visits_as_for_one(noon, desk):
    counts = []
    for number in range(4):
        visit_at(noon + number * HOUR, number)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            desk.get(VISITS)
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert counts[0] <= 18


def test_a_clinician_asks_own_patients_in_and_nobody_elses(noon, lee, member):
    lee.user = builders.member("clinician", "dr-lee")
    lee.save()
    visit = arrival.arrive(appointment=visit_at(noon), by=member)
    mine = builders.staff_client("clinician", "dr-lee")
    assert "Please come in" in words(mine.get(VISITS))
    assert builders.staff_client("clinician").post(visit_page(visit, "call_in")).status_code == 403
    for button in ("arrive", "leave", "miss"):
        assert mine.post(visit_page(visit, button)).status_code == 403
    mine.post(visit_page(visit, "call_in"))
    assert fresh(visit).state == "called_in"
