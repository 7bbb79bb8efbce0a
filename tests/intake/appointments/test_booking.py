"""From a free time to a visit: hold, book, overbook, move, cancel, close."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.ids import uuid7
from clinic.models import Event, Message
from intake.appointments import booking, changing, free_times, holds, offers
from intake.appointments.slot_gone import SlotGone
from intake.appointments.week import calendar
from intake.domain import workflow
from intake.errors import Refused
from intake.models.appointments import Appointment, AppointmentChange
from intake.models.clinic_time import Closure, OpeningHours
from intake.models.submissions import Submission, Urgency
from intake.my_page import replies
from intake.questionnaire import sending
from tests import builders
from tests.intake import book

pytestmark = pytest.mark.django_db
NUMBERS = count(1)


@pytest.fixture(autouse=True)
def _open_clinic():
    book.clinician()


@pytest.fixture
def desk():
    return builders.member("front desk")


def kinds(appointment: Appointment) -> list[str]:
    rows = Message.objects.filter(occasion__startswith=str(appointment.pk)).order_by("id")
    return [f"{row.kind} {row.occasion.partition(':')[2]}" for row in rows]


def hold(submission: Submission, slot=None) -> Appointment:
    slot = slot or book.free()
    return book.hold(submission=submission, slot=slot.key, visit_type=slot.visit_type)


# --- free times -----------------------------------------------------------------------------------


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
            hold(submission)
        return
    assert found[0].start >= now + timedelta(hours=settings.APPOINTMENT_LEAD_HOURS)
    assert now + timedelta(days=days - 2) < found[-1].start < now + timedelta(days=days)
    if days == 14:
        with pytest.raises(SlotGone) as gone:
            hold(submission, book.free(20))
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


# --- a key that is none ---------------------------------------------------------------------------


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


# --- holding --------------------------------------------------------------------------------------


def test_a_held_time_is_nobody_elses_and_becomes_the_visit():
    submission, slot = book.patient(), book.free()
    held = hold(submission, slot)
    assert holds.held_by(submission=submission) == held
    with pytest.raises(SlotGone, match="just gone") as gone:
        hold(book.patient(1), slot)
    assert slot.key not in [free.key for free in gone.value.nearest]
    assert gone.value.nearest

    visit = booking.confirm_hold(appointment=held, submission=submission)
    assert booking.confirm_hold(appointment=held, submission=submission).pk == visit.pk
    assert (visit.pk, visit.status, visit.sequence) == (held.pk, "confirmed", 0)
    assert book.progress(submission) == "booked"
    assert kinds(visit) == [
        "appointment_confirmed 0", "appointment_reminder 0:3", "appointment_reminder 0:1",
    ]  # fmt: skip
    assert [c.action for c in visit.changes.all()] == ["hold", "confirm"]


def test_who_chooses_another_time_gives_the_first_one_back():
    submission = book.patient()
    first, second = hold(submission), hold(submission, book.free(8))
    first.refresh_from_db()
    assert (first.status, second.status) == ("cancelled", "held")
    holds.release(appointment=second, submission=book.patient(1))
    assert holds.held_by(submission=submission) == second
    for _twice in range(2):
        holds.release(appointment=second, submission=submission)
    assert holds.held_by(submission=submission) is None


def test_a_hold_that_ended_is_free_for_others_before_any_job_has_run():
    first, slot = book.patient(), book.free()
    held = hold(first, slot)
    Appointment.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert holds.held_by(submission=first) is None
    assert book.free().key == slot.key
    hold(book.patient(1), slot)
    held.refresh_from_db()
    assert held.status == "expired"
    with pytest.raises(SlotGone):
        booking.confirm_hold(appointment=held, submission=first)


def test_a_hold_that_ended_is_still_theirs_if_nobody_took_it():
    submission = book.patient()
    held = hold(submission)
    Appointment.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert offers.lapse() == 1
    visit = booking.confirm_hold(appointment=held, submission=submission)
    assert visit.status == "confirmed"


def test_a_time_is_held_for_a_draft_until_it_is_sent():
    draft, _key = builders.draft()
    slot, other = book.free(), book.patient(1)
    held = book.hold(draft=draft, slot=slot.key, visit_type=slot.visit_type)
    assert holds.held_by(draft=draft) == held
    submission = sending.submit(draft=draft)
    with pytest.raises(SlotGone):
        booking.confirm_hold(appointment=held, submission=other)
    booking.confirm_hold(appointment=held, submission=submission)
    assert book.progress(submission) == "booked"


def test_one_person_has_only_so_many_open_requests(settings):
    settings.APPOINTMENT_OPEN_REQUESTS = 2
    draft, _key = builders.draft()
    slot = book.free()
    builders.submission()
    builders.submission({"name": "Somebody Else"})
    held = book.hold(draft=draft, slot=slot.key, visit_type=slot.visit_type)
    holds.release(appointment=held, draft=draft)
    builders.submission()
    with pytest.raises(Refused, match="as many open requests"):
        book.hold(draft=draft, slot=slot.key, visit_type=slot.visit_type)


def test_holds_that_nobody_took_are_deleted_after_a_week():
    held = hold(book.patient())
    holds.release(appointment=held, submission=held.submission)
    draft, _key = builders.draft()
    slot = book.free()
    forgotten = book.hold(draft=draft, slot=slot.key, visit_type=slot.visit_type)
    Appointment.objects.update(held_until=timezone.now() - timedelta(days=9))
    offers.lapse()
    Appointment.objects.update(changed_at=timezone.now() - timedelta(days=8))
    assert holds.prune_holds(days=7) == 1
    assert not Appointment.objects.filter(pk=forgotten.pk).exists()
    assert Appointment.objects.filter(pk=held.pk).exists()  # it is a patient's


# --- the front desk -------------------------------------------------------------------------------


def test_after_a_call_the_front_desk_books_at_once_and_it_is_recorded(desk):
    submission = book.patient()
    visit = book.booked(submission)
    assert (visit.status, visit.submission_id) == ("confirmed", submission.pk)
    event = Event.objects.first()
    assert (event.actor, event.action) == (f"staff:{desk.pk}", "create")
    assert event.detail["ids"] == [str(visit.pk)]
    with pytest.raises(Refused, match="already"):
        book.booked(submission, book.free(9))


def test_overbooking_takes_a_seat_above_and_names_who_and_why(desk):
    slot = book.free()
    book.booked(book.patient(), slot)
    order = {
        "clinician": slot.clinician, "location": slot.location, "visit_type": slot.visit_type,
        "start": slot.start, "by": desk, "request_id": "r",
    }  # fmt: skip
    with pytest.raises(ValueError, match="Say why"):
        booking.overbook(submission=book.patient(1), reason=" ", **order)
    extra = booking.overbook(submission=book.patient(1), reason="Came from far", **order)
    third = booking.overbook(submission=book.patient(2), reason="Twins", **order)
    assert [(v.seat, v.capacity, v.is_overbooked) for v in (extra, third)] == [
        (1, 1, True), (2, 1, True),
    ]  # fmt: skip
    extra.refresh_from_db()
    assert (extra.overbooked_by, extra.overbook_reason) == (desk, {"text": "Came from far"})


def test_off_the_grid_an_ordinary_seat_is_taken_where_there_is_one(desk):
    slot = book.free(7, "10:00")
    visit = booking.overbook(
        submission=book.patient(), clinician=slot.clinician, location=slot.location,
        visit_type=slot.visit_type, start=book.in_days(7, "10:10"), reason="Bus at 10",
        by=desk, request_id="r",
    )  # fmt: skip
    visit.refresh_from_db()
    assert (visit.seat, visit.is_overbooked, visit.note) == (0, False, {"text": "Bus at 10"})
    assert book.free(7, "10:00").start == book.in_days(7, "11:00")
    changing.cancel(appointment=visit, by=desk, note="Missed the bus")
    visit.refresh_from_db()
    assert visit.note == {"text": "Bus at 10\nMissed the bus"}


def test_a_visit_in_a_seat_that_the_hours_have_no_more_leaves_no_room(desk):
    OpeningHours.objects.update(capacity=2)
    slot = book.free()
    first = book.booked(book.patient(), slot)
    second = book.booked(book.patient(1), slot)
    changing.cancel(appointment=first, by=desk, reason="patient", request_id="r")
    OpeningHours.objects.update(capacity=1)
    assert book.free().start != slot.start
    with pytest.raises(SlotGone):
        hold(book.patient(2), slot)
    extra = booking.overbook(
        submission=book.patient(3), clinician=slot.clinician, location=slot.location,
        visit_type=slot.visit_type, start=slot.start, reason="Twins", by=desk, request_id="r",
    )  # fmt: skip
    assert (second.seat, extra.seat, extra.is_overbooked) == (1, 2, True)


def test_a_second_click_is_the_same_as_one(desk):
    slot, first, second = book.free(), book.patient(), book.patient(1)
    assert hold(first, slot) == hold(first, slot)
    other = book.free(9)
    assert book.booked(second, other) == book.booked(second, other)
    assert Appointment.objects.count() == 2
    assert Message.objects.filter(kind="appointment_confirmed").count() == 1


def test_outside_of_hours_only_on_purpose(desk):
    slot = book.free()
    visit = booking.overbook(
        submission=book.patient(), clinician=slot.clinician, location=slot.location,
        visit_type=slot.visit_type, start=book.in_days(7, "20:00"), reason="After work",
        by=desk, request_id="r",
    )  # fmt: skip
    assert (visit.seat, visit.capacity) == (0, 0)
    with pytest.raises(Refused, match="past"):
        booking.overbook(
            submission=book.patient(1), clinician=slot.clinician, location=slot.location,
            visit_type=slot.visit_type, start=book.in_days(-1), reason="x", by=desk,
            request_id="r",
        )  # fmt: skip


def test_the_database_itself_refuses_what_no_service_would_do():
    visit = book.booked(book.patient())
    fields = {f.attname: getattr(visit, f.attname) for f in Appointment._meta.concrete_fields}
    fields |= {"id": None, "submission_id": book.patient(1).pk, "overbook_reason": None}
    overlapping = (visit.during.lower + timedelta(minutes=10), visit.during.upper)
    for wrong, name in (
        ({}, "appointment_once"),
        ({"during": overlapping}, "appointment_once"),
        ({"seat": 1}, "appointment_overbooked_by_somebody"),
        ({"capacity": 0}, "appointment_overbooked_by_somebody"),
        ({"seat": 1, "capacity": 2, "overbook_reason": {"text": "x"}}, "overbooked_by_somebody"),
        ({"submission_id": None, "seat": 1, "capacity": 2}, "appointment_of_somebody"),
        ({"status": "held", "seat": 1, "capacity": 2}, "appointment_hold_ends"),
        ({"status": "eaten"}, "appointment_status_known"),
        ({"during": (None, visit.during.upper), "status": "expired"}, "appointment_bounded"),
        ({"submission_id": visit.submission_id, "seat": 1, "capacity": 2}, "one_to_come"),
    ):
        row = Appointment(**fields | wrong)
        row.id = uuid7()
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            row.save(force_insert=True)


# --- moving and cancelling ------------------------------------------------------------------------


def test_a_visit_is_moved_and_the_old_time_is_free_in_the_same_breath():
    submission, slot = book.patient(), book.free()
    visit = book.booked(submission, slot)
    other = book.free(9, "15:00")
    moved = changing.reschedule(appointment=visit, slot=other.key)
    assert (moved.pk, moved.sequence, moved.starts) == (visit.pk, 1, other.start)
    assert book.free().key == slot.key
    assert "appointment_changed 1" in kinds(visit)
    assert "appointment_reminder 1:3" in kinds(visit)
    assert [c.during.lower for c in visit.changes.filter(action="move")] == [other.slot.moment]


def test_moving_to_a_time_that_has_gone_leaves_the_visit_where_it_was():
    visit, taken = book.booked(book.patient()), book.free(9)
    book.booked(book.patient(1), taken)
    with pytest.raises(SlotGone):
        changing.reschedule(appointment=visit, slot=taken.key)
    before = visit.during
    visit.refresh_from_db()
    assert (visit.during, visit.sequence, visit.status) == (before, 0, "confirmed")


def test_a_visit_can_be_moved_by_half_its_own_length():
    book.clinician("Dr. Okafor", starts="09:15")
    visit = book.booked(book.patient(), book.free(7, "09:15"))
    keys = [free for free in free_times.free_slots(visit_type=book.visit_type(), limit=400)
            if free.clinician.pk == visit.clinician_id]  # fmt: skip
    assert all(free.slot.moment != visit.during.lower for free in keys)


def test_patients_change_it_until_a_day_before_and_staff_always(settings, desk):
    visit = book.booked(book.patient(), book.free(2))
    settings.APPOINTMENT_CANCEL_HOURS = 72
    with pytest.raises(Refused, match="too late"):
        changing.cancel(appointment=visit)
    with pytest.raises(Refused, match="too late"):
        changing.reschedule(appointment=visit, slot=book.free(9).key)
    changing.cancel(appointment=visit, by=desk, reason="clinician", request_id="r")
    visit.refresh_from_db()
    assert (visit.status, visit.cancel_reason, visit.sequence) == ("cancelled", "clinician", 1)


@pytest.mark.parametrize(
    ("by", "reason", "again", "progress"),
    [
        (False, "patient", False, "withdrawn"),
        (False, "patient", True, "requested"),
        (True, "clinician", False, "requested"),
        (True, "patient", False, "withdrawn"),
    ],
)
def test_what_a_cancelled_visit_leaves_behind(by, reason, again, progress, desk):
    submission, slot = book.patient(), book.free()
    visit = book.booked(submission, slot)
    for _twice in range(2):
        changing.cancel(
            appointment=visit, by=desk if by else None, reason=reason, again=again,
            note="Said so on the phone",
        )  # fmt: skip
    assert book.progress(submission) == progress
    assert book.free().key == slot.key
    assert kinds(visit)[-1] == "appointment_cancelled 1"
    visit.refresh_from_db()
    assert visit.note == {"text": "Said so on the phone"}
    with pytest.raises(workflow.NotAllowed):
        changing.reschedule(appointment=visit, slot=slot.key)


def test_who_takes_everything_back_has_no_visit_any_more():
    submission, slot = book.patient(), book.free()
    visit = book.booked(submission, slot)
    for _twice in range(2):
        replies.withdraw(submission=submission)
    visit.refresh_from_db()
    assert (visit.status, book.progress(submission)) == ("cancelled", "withdrawn")
    assert book.free().key == slot.key


def test_after_the_visit_it_is_noted_who_came(desk):
    came, stayed_away = book.booked(book.patient()), book.booked(book.patient(1), book.free(8))
    with pytest.raises(Refused, match="not begun"):
        changing.record_attendance(appointment=came, by=desk, request_id="r")
    for hours, visit in ((2, came), (3, stayed_away)):
        start = timezone.now() - timedelta(hours=hours)
        Appointment.objects.filter(pk=visit.pk).update(
            during=(start, start + timedelta(minutes=30))
        )
    changing.record_attendance(appointment=came, by=desk, request_id="r")
    changing.record_no_show(appointment=stayed_away, by=desk, request_id="r")
    assert [book.progress(v.submission) for v in (came, stayed_away)] == ["done", "missed"]
    with pytest.raises(workflow.NotAllowed):
        changing.cancel(appointment=came, by=desk)
    changing.record_no_show(appointment=came, by=desk, request_id="r")  # noted by mistake
    assert AppointmentChange.objects.filter(appointment=came).count() == 3


# --- the clock changes ----------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Sydney"])
def test_both_of_two_equal_wall_times_are_booked_once_each(zone, monkeypatch):
    back = {"America/New_York": date(2027, 11, 7), "Europe/Berlin": date(2027, 10, 31),
            "Australia/Sydney": date(2027, 4, 4)}[zone]  # fmt: skip
    noon_before = datetime(back.year, back.month, back.day, 12, tzinfo=UTC) - timedelta(days=2)
    monkeypatch.setattr(timezone, "now", lambda: noon_before)
    place = book.location("Night clinic", zone)
    book.clinician("Dr. Night", starts="00:00", ends="05:00", place=place)
    found = [
        free for free in free_times.free_slots(visit_type=book.visit_type(), location=place)
        if free.start.date() == back
    ]  # fmt: skip
    assert len(found) == 12
    for number, free in enumerate(found):
        visit = book.booked(book.patient(number), free)
        assert visit.during.lower == free.slot.moment
    walls = [f"{row.starts:%H:%M}" for row in Appointment.objects.order_by("during")]
    assert len(walls) - len(set(walls)) == 2
