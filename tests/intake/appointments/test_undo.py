"""A patient takes an own booking, move or cancellation back for 15 minutes, at any time."""

from datetime import timedelta

import pytest
from django.utils import timezone

from clinic.models import Message
from intake.appointments import booking, changing
from intake.appointments.slot_gone import SlotGone
from intake.errors import Refused
from intake.models.appointments import Appointment, AppointmentChange
from intake.my_page import replies
from tests import builders
from tests.intake import book
from tests.intake.my_visit import inside, sent

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("roomy", "codes_without_limit", "lee"),
]


@pytest.fixture(autouse=True)
def near(settings) -> None:
    """Every visit of these tests lies in the notice period."""
    settings.APPOINTMENT_CANCEL_HOURS = 24 * 30


def by_patient() -> Appointment:
    submission = book.patient()
    return booking.confirm_hold(appointment=book.holding(submission), submission=submission)


def by_patient_moved() -> Appointment:
    return changing.reschedule(appointment=by_patient(), slot=book.free(9).key)


def by_staff() -> Appointment:
    return book.booked(book.patient())


def moved_by_staff() -> Appointment:
    desk = builders.member("front desk")
    return changing.reschedule(appointment=by_patient(), slot=book.free(9).key, by=desk)


def wait(minutes: int) -> None:
    """Let all acts so far have happened some minutes ago."""
    then = timezone.now() - timedelta(minutes=minutes)
    AppointmentChange.objects.update(at=then)


@pytest.mark.parametrize("minutes", [0, 14, 16])
@pytest.mark.parametrize("act", [by_patient, by_patient_moved, by_staff, moved_by_staff])
def test_only_the_own_act_of_a_moment_ago_is_taken_back_near_the_visit(act, minutes):
    visit = act()
    if minutes:
        wait(minutes)
    may = act in (by_patient, by_patient_moved) and minutes < 15
    page = inside(visit.submission).page
    assert page.links_to("/my/cancel/") == may
    assert ("You can move or cancel it here until" in page.text) == may
    assert ("please call us now" in page.text) == (not may)
    if may:
        changing.reschedule(appointment=visit, slot=book.free(10).key)
        changing.cancel(appointment=Appointment.objects.get(pk=visit.pk))
    else:
        for change in (
            lambda: changing.reschedule(appointment=visit, slot=book.free(10).key),
            lambda: changing.cancel(appointment=visit),
        ):
            with pytest.raises(Refused, match="too late"):
                change()


def test_a_cancellation_is_undone_on_the_page_and_told_once():
    visit = by_patient()
    patient = inside(visit.submission)
    patient.post("/my/cancel/", {"go": "cancel"})
    assert "Undo: keep this appointment" in patient.page.text
    sent("appointment_cancelled")
    patient.press("restore")
    patient.post("/my/restore/", {"go": "restore"})  # pressed twice

    (again,) = Appointment.objects.filter(status="confirmed")
    assert (again.during, again.clinician) == (visit.during, visit.clinician)
    assert book.progress(visit.submission) == "booked"
    assert "You can move or cancel it here until" in patient.page.text
    assert len(sent("appointment_confirmed")) == 1


def cancelled_long_ago() -> Appointment:
    visit = by_patient()
    changing.cancel(appointment=visit)
    wait(16)
    return visit


def cancelled_by_staff() -> Appointment:
    visit = by_patient()
    desk = builders.member("front desk")
    changing.cancel(appointment=visit, by=desk, reason="clinician", request_id="r")
    return visit


def withdrawn() -> Appointment:
    visit = by_patient()
    replies.withdraw(submission=visit.submission)
    return visit


@pytest.mark.parametrize("act", [cancelled_long_ago, cancelled_by_staff, withdrawn])
def test_no_other_cancellation_is_undone(act):
    visit = act()
    patient = inside(visit.submission)
    assert "Undo" not in patient.page.text
    page = patient.post("/my/restore/", {"go": "restore"})
    assert page.status == 409
    assert not Appointment.objects.filter(status="confirmed").exists()


def test_a_time_that_another_patient_has_by_now_stays_with_them():
    visit = by_patient()
    changing.cancel(appointment=visit)
    other = book.booked(book.patient(1))
    assert other.during == visit.during
    with pytest.raises(SlotGone):
        booking.restore(appointment=visit)
    assert Appointment.objects.get(status="confirmed") == other


def test_a_letter_says_until_when_only_while_it_is_true(settings):
    submission = book.patient()
    book.booked(submission, book.free(7))
    (near,) = sent("appointment_confirmed")
    assert "please call us" in near.body
    assert "You can move or cancel it" not in near.body

    settings.APPOINTMENT_CANCEL_HOURS = 24
    changing.reschedule(
        appointment=Appointment.objects.get(), slot=book.free(9).key, by=builders.member("duty")
    )
    Message.objects.filter(kind="appointment_reminder").update(due_at=timezone.now())
    letters = sent("appointment_changed") + sent("appointment_reminder")
    assert len(letters) >= 2
    for letter in letters:
        assert "You can move or cancel it on your page until" in letter.body


def test_the_default_reminders_come_while_the_patient_can_cancel(settings):
    hours = [24 * days for days in settings.APPOINTMENT_REMIND_DAYS]
    assert settings.APPOINTMENT_REMIND_DAYS == [3, 2]
    assert min(hours) > 24
