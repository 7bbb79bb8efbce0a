"""From a free time to a visit: hold, book, overbook, move, cancel, close."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic.ids import uuid7
from clinic.models import Event, Message
from intake.appointments import booking, changing, free_times, holds, offers
from intake.appointments.slot_gone import SlotGone
from intake.domain import workflow
from intake.errors import Refused
from intake.models.appointments import Appointment, AppointmentChange
from intake.models.clinic_time import OpeningHours
from intake.my_page import replies
from intake.questionnaire import sending
from tests import builders
from tests.intake import book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lee")]


@pytest.fixture
def desk():
    return builders.member("front desk")


def kinds(appointment: Appointment) -> list[str]:
    rows = Message.objects.filter(occasion__startswith=str(appointment.pk)).order_by("id")
    return [f"{row.kind} {row.occasion.partition(':')[2]}" for row in rows]


# --- holding -------------------------------------------------------------------------------------


def test_a_held_time_is_nobody_elses_and_becomes_the_visit():
    submission, slot = book.patient(), book.free()
    held = book.holding(submission, slot)
    assert holds.held_by(submission=submission) == held
    with pytest.raises(SlotGone, match="no longer free") as gone:
        book.holding(book.patient(1), slot)
    assert slot.key not in [free.key for free in gone.value.nearest]
    assert gone.value.nearest

    visit = booking.confirm_hold(appointment=held, submission=submission)
    assert booking.confirm_hold(appointment=held, submission=submission).pk == visit.pk
    assert (visit.pk, visit.status, visit.sequence) == (held.pk, "confirmed", 0)
    assert book.progress(submission) == "booked"
    assert kinds(visit) == [
        "appointment_confirmed 0", "appointment_reminder 0:3", "appointment_reminder 0:2",
    ]  # fmt: skip
    assert [c.action for c in visit.changes.all()] == ["hold", "confirm"]


def test_who_chooses_another_time_gives_the_first_one_back():
    submission = book.patient()
    first, second = book.holding(submission), book.holding(submission, book.free(8))
    first.refresh_from_db()
    assert (first.status, second.status) == ("cancelled", "held")
    holds.release(appointment=second, submission=book.patient(1))
    assert holds.held_by(submission=submission) == second
    for _twice in range(2):
        holds.release(appointment=second, submission=submission)
    assert holds.held_by(submission=submission) is None


def test_a_hold_that_ended_is_free_for_others_before_any_job_has_run():
    first, slot = book.patient(), book.free()
    held = book.holding(first, slot)
    Appointment.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert holds.held_by(submission=first) is None
    assert book.free().key == slot.key
    book.holding(book.patient(1), slot)
    held.refresh_from_db()
    assert held.status == "expired"
    with pytest.raises(SlotGone):
        booking.confirm_hold(appointment=held, submission=first)


def test_a_hold_that_ended_is_still_theirs_if_nobody_took_it():
    submission = book.patient()
    held = book.holding(submission)
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
    held = book.holding(book.patient())
    holds.release(appointment=held, submission=held.submission)
    draft, _key = builders.draft()
    slot = book.free()
    forgotten = book.hold(draft=draft, slot=slot.key, visit_type=slot.visit_type)
    Appointment.objects.update(held_until=timezone.now() - timedelta(days=9))
    offers.lapse()
    Appointment.objects.update(changed_at=timezone.now() - timedelta(days=8))
    assert holds.prune_holds(days=7) == 1
    assert not Appointment.objects.filter(pk=forgotten.pk).exists()
    # this hold is not deleted, because it still belongs to a patient
    assert Appointment.objects.filter(pk=held.pk).exists()


# --- the front desk ------------------------------------------------------------------------------


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
        book.holding(book.patient(2), slot)
    extra = booking.overbook(
        submission=book.patient(3), clinician=slot.clinician, location=slot.location,
        visit_type=slot.visit_type, start=slot.start, reason="Twins", by=desk, request_id="r",
    )  # fmt: skip
    assert (second.seat, extra.seat, extra.is_overbooked) == (1, 2, True)


def test_a_second_click_is_the_same_as_one(desk):
    slot, first, second = book.free(), book.patient(), book.patient(1)
    assert book.holding(first, slot) == book.holding(first, slot)
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


# --- moving and cancelling -----------------------------------------------------------------------


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
    # the first record, that the patient came, was a mistake, and can be corrected
    changing.record_no_show(appointment=came, by=desk, request_id="r")
    assert AppointmentChange.objects.filter(appointment=came).count() == 3


# --- the clock changes ---------------------------------------------------------------------------


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
