"""Many patients want a slot at once, each in a thread with its own connection. One patient wins."""

from collections import Counter
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, transaction

from clinic.ids import uuid7
from clinic.models import Message
from intake.appointments import booking, changing, claims, free_times, sql, waiting_list
from intake.appointments import offers as offers_module
from intake.appointments.offers import accept, lapse, withdraw_offers
from intake.appointments.slot_gone import SlotGone
from intake.domain import workflow
from intake.errors import Refused
from intake.models.appointments import Appointment, Offer, WaitlistEntry
from intake.models.clinic_time import Clinician
from intake.my_page import replies
from intake.questionnaire import sending
from tests import builders
from tests.intake import book
from tests.intake.my_visit import inside
from tests.intake.questionnaire.test_races import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("roomy")]
REFUSED = (SlotGone, Refused, workflow.NotAllowed)


@pytest.fixture(autouse=True)
def _open_clinic():
    book.clinician()


def told(act):
    """Wrap an act so that it returns "won", or the name of the exception that refused the act."""

    def run() -> str:
        try:
            act()
        except REFUSED as refusal:
            assert str(refusal)  # noqa: PT017 - a sentence for a person
            return type(refusal).__name__
        return "won"

    return run


def outcome(*acts) -> Counter:
    return Counter(at_once([told(act) for act in acts]))


def holding(submission, slot):
    return lambda: book.hold(submission=submission, slot=slot.key, visit_type=slot.visit_type)


def accepting(offer, submission):
    return lambda: accept(offer=offer, submission=submission)


def confirming(submission, slot, by):
    return lambda: booking.confirm_by_call(
        submission=submission, slot=slot.key, visit_type=slot.visit_type, by=by, request_id="r"
    )


def no_overlap() -> bool:
    rows = list(Appointment.objects.taking().order_by("clinician", "seat", "during"))
    return not [
        1
        for a in rows
        for b in rows
        if a.pk < b.pk
        and (a.clinician_id, a.seat) == (b.clinician_id, b.seat)
        and a.during.lower < b.during.upper
        and b.during.lower < a.during.upper
    ]


def test_two_at_the_front_desk_confirm_two_requests_into_one_time():
    for days in range(7, 12):
        slot = book.free(days)
        first, second = book.patient(2 * days), book.patient(2 * days + 1)
        desks = [builders.member("front desk", name) for name in ("maria", "joe")]
        acts = [confirming(row, slot, by) for row, by in zip((first, second), desks, strict=True)]
        assert outcome(*acts) == {"won": 1, "SlotGone": 1}
        assert sorted(map(book.progress, (first, second))) == ["booked", "requested"]
    assert Appointment.objects.count() == 5


def test_one_click_that_arrives_eight_times_books_once():
    submission, slot, by = book.patient(), book.free(), builders.member("front desk")
    assert outcome(*[confirming(submission, slot, by)] * 8) == {"won": 8}
    other, later = book.patient(1), book.free(9)
    assert outcome(*[holding(other, later)] * 8) == {"won": 8}
    assert Appointment.objects.count() == 2
    assert Message.objects.filter(kind="appointment_confirmed").count() == 1


def test_one_request_confirmed_by_two_into_two_times_has_one_visit():
    submission, by = book.patient(), builders.member("front desk")
    acts = [confirming(submission, book.free(days), by) for days in (7, 8, 9, 10)]
    found = outcome(*acts)
    assert found["won"] == 1
    assert Appointment.objects.taking().count() == 1
    assert Message.objects.filter(kind="appointment_confirmed").count() == 1


def test_a_time_is_chosen_in_one_tab_while_the_other_sends():
    """One tab locks the draft, the other locks the day, and neither waits for the other."""
    draft, slot = builders.draft()[0], book.free()
    with transaction.atomic():
        sending._locked(draft)
        choosing = told(lambda: book.hold(draft=draft, slot=slot.key, visit_type=slot.visit_type))
        assert at_once([choosing]) == ["won"]


def test_a_group_of_three_takes_exactly_three():
    Clinician.objects.get().hours.update(capacity=3)
    slot = book.free()
    acts = [holding(book.patient(n), slot) for n in range(10)]
    assert outcome(*acts) == {"won": 3, "SlotGone": 7}
    assert sorted(Appointment.objects.values_list("seat", flat=True)) == [0, 1, 2]


def test_times_that_overlap_without_being_equal_end_in_no_deadlock():
    who = Clinician.objects.get()
    kinds = [book.visit_type(m, title=f"{m}", kind="in_person") for m in (20, 30, 40, 60)]
    who.visit_types.add(*kinds)
    for days in (7, 8):
        start, end = book.in_days(days, "10:00"), book.in_days(days, "11:00")
        slots = [
            slot
            for kind in kinds
            for slot in free_times.free_slots(visit_type=kind, start=start, end=end)
        ]
        assert len(slots) >= 7
        acts = [holding(book.patient(100 * days + n), slot) for n, slot in enumerate(slots)]
        found = outcome(*acts)
        assert set(found) == {"won", "SlotGone"}
        assert no_overlap()


def test_a_batch_offer_accepted_by_all_at_once_is_won_by_one(settings):
    settings.APPOINTMENT_WAITLIST_BATCH = 6
    visit = book.booked(book.patient())
    waiting = [book.patient(n) for n in range(1, 7)]
    for submission in waiting:
        waiting_list.join_waitlist(submission=submission)
    changing.cancel(appointment=visit)
    offers = list(Offer.objects.select_related("appointment", "request__submission"))
    assert len(offers) == 6
    acts = [accepting(one, one.request.submission) for one in offers]
    assert outcome(*acts) == {"won": 1, "SlotGone": 5}
    assert Counter(Offer.objects.values_list("state", flat=True)) == {"accepted": 1, "lost": 5}
    assert Message.objects.filter(kind="offer_lost").count() == 5
    assert Appointment.objects.taking().count() == 1
    assert WaitlistEntry.objects.count() == 5


def test_one_patient_accepts_all_three_offers_at_once_and_has_one_visit():
    for number in range(3):
        submission, kind = book.patient(number), book.visit_type()
        offers = offers_module.offer(
            submission=submission,
            slots=[book.free(days).key for days in (7, 8, 9)],
            visit_type=kind,
            by=builders.member("front desk"),
        )
        acts = [accepting(one, submission) for one in offers]
        found = outcome(*acts)
        assert found["won"] >= 1
        assert set(found) <= {"won", "SlotGone"}
        mine = Appointment.objects.filter(submission=submission, status="confirmed")
        assert mine.count() == 1
        assert not Appointment.objects.filter(status="held").exists()
        assert no_overlap()


def test_an_offer_is_accepted_while_the_front_desk_takes_it_back():
    for number in range(5):
        submission, by = book.patient(number), builders.member("front desk")
        (one,) = offers_module.offer(
            submission=submission, slots=[book.free(7 + number).key],
            visit_type=book.visit_type(), by=by,
        )  # fmt: skip
        found = outcome(
            accepting(one, submission),
            lambda row=submission: withdraw_offers(
                submission=row, by=builders.member("front desk"), request_id="r"
            ),
        )
        one.refresh_from_db()
        one.appointment.refresh_from_db()
        booked = one.state == "accepted"
        assert one.appointment.status == ("confirmed" if booked else "cancelled")
        assert book.progress(submission) == ("booked" if booked else "requested")
        assert found["won"] >= 1


def test_a_visit_is_cancelled_while_its_earlier_time_is_accepted():
    for number in range(5):
        mine, other = book.patient(2 * number), book.patient(2 * number + 1)
        early = book.booked(other, book.free(7 + number))
        visit = book.booked(mine, book.free(30 + number))
        waiting_list.join_waitlist(submission=mine)
        changing.cancel(appointment=early)
        one = Offer.objects.select_related("appointment").get(request__submission=mine)
        outcome(
            accepting(one, mine),
            lambda visit=visit: changing.cancel(appointment=visit),
        )
        confirmed = Appointment.objects.filter(submission=mine, status="confirmed").count()
        progress = book.progress(mine)
        assert (confirmed, progress) in {(0, "withdrawn"), (1, "booked")}
        assert no_overlap()


def test_a_cancelled_visit_is_taken_up_again_by_four_clicks_while_another_takes_its_time():
    for number in range(5):
        mine, other = book.patient(2 * number), book.patient(2 * number + 1)
        slot, by = book.free(7 + number), builders.member("front desk")
        visit = book.booked(mine, slot)
        changing.cancel(appointment=visit)
        outcome(
            *(lambda visit=visit: booking.restore(appointment=visit) for _click in range(4)),
            confirming(other, slot, by),
        )
        owners = Appointment.objects.filter(status="confirmed", submission__in=(mine, other))
        (owner,) = owners.values_list("submission_id", flat=True)
        assert book.progress(mine) == ("booked" if owner == mine.pk else "withdrawn")
        assert no_overlap()


def test_everything_is_taken_back_while_the_front_desk_books():
    for number in range(5):
        submission, by = book.patient(number), builders.member("front desk")
        slot = book.free(7 + number)
        outcome(
            lambda row=submission: replies.withdraw(submission=row),
            confirming(submission, slot, by),
        )
        assert book.progress(submission) == "withdrawn"
        assert not submission.appointments.taking().exists()


def test_who_takes_everything_back_while_somebody_books_that_day_is_asked_to_try_again(
    monkeypatch,
):
    monkeypatch.setattr(sql, "LOCK_DAYS", sql.LOCK_DAYS.replace("3s", "50ms"))
    mine = book.patient()
    visit = book.booked(mine)
    patient, is_locked, is_done = inside(mine), Barrier(2), Barrier(2)

    def book_slowly():
        with transaction.atomic():
            claims.lock([claims.span_of(visit)])
            is_locked.wait(5)
            is_done.wait(5)

    def take_back():
        is_locked.wait(5)
        try:
            return patient.post("/my/withdraw/", {})
        finally:
            is_done.wait(5)

    _nothing, page = at_once([book_slowly, take_back])
    assert page.status == 409
    assert "Please try again." in page.text
    assert book.progress(mine) == "booked"
    assert "You withdrew this request." in patient.post("/my/withdraw/", {}).text


def test_two_visits_moved_into_one_time_and_one_moved_twice():
    kind = book.visit_type()
    visits = [book.booked(book.patient(n), book.free(7 + n)) for n in range(2)]
    goal = book.free(12)
    found = outcome(
        *(
            lambda v=v: changing.reschedule(appointment=v, slot=goal.key, visit_type=kind)
            for v in visits
        )
    )
    assert found == {"won": 1, "SlotGone": 1}
    assert Appointment.objects.filter(status="confirmed").count() == 2
    assert no_overlap()


def test_a_hold_that_ends_is_taken_once_by_many_while_the_job_runs():
    slot = book.free()
    held = holding(book.patient(), slot)()
    Appointment.objects.update(held_until=held.created_at - timedelta(seconds=1))
    acts = [holding(book.patient(n), slot) for n in range(1, 6)]
    found = outcome(*acts, lapse)
    assert found == {"won": 2, "SlotGone": 4}  # one patient wins, and the job `lapse` succeeds
    held.refresh_from_db()
    assert held.status == "expired"


def test_without_any_lock_the_constraint_alone_holds(monkeypatch):
    monkeypatch.setattr("intake.appointments.claims.lock", lambda spans: None)
    monkeypatch.setattr("intake.appointments.holds.free_seat", lambda free, **_k: 0)
    slot = book.free()
    acts = [holding(book.patient(n), slot) for n in range(6)]
    assert outcome(*acts) == {"won": 1, "SlotGone": 5}
    row = Appointment.objects.get(status="held")
    row.pk = uuid7()
    with pytest.raises(IntegrityError, match="appointment_once"):
        row.save(force_insert=True)
