"""Offers and the waiting list.

The first patient to accept an offered slot gets it. A slot that nobody accepted in time is offered
to the next patient.
"""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox
from intake.appointments import changing, free_times, waiting_list
from intake.appointments import offers as offers_module
from intake.appointments.offers import accept, decline, open_offers, withdraw_offers
from intake.appointments.slot_gone import SlotGone
from intake.desk import transitions
from intake.domain import workflow
from intake.errors import Refused
from intake.models.appointments import Appointment, CancelReason, Offer, WaitlistEntry
from intake.models.clinic_time import OpeningHours, VisitType
from intake.models.submissions import Submission, Urgency
from tests import builders
from tests.intake import book

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open_clinic():
    book.clinician()


@pytest.fixture
def desk():
    return builders.member("front desk")


def offer(submission: Submission, *slots, hours: int | None = None) -> list[Offer]:
    return offers_module.offer(
        submission=submission,
        slots=[slot.key for slot in slots or (book.free(7), book.free(8), book.free(9))],
        visit_type=book.visit_type(),
        by=builders.member("front desk"),
        hours=hours,
        request_id="r",
    )


def lapse(offers: list[Offer]) -> int:
    past = timezone.now() - timedelta(seconds=1)
    Offer.objects.filter(pk__in=[o.pk for o in offers]).update(expires_at=past)
    Appointment.objects.filter(offers__in=offers).update(held_until=past)
    return offers_module.lapse()


def states(*offers: Offer) -> list[str]:
    return [Offer.objects.get(pk=each.pk).state for each in offers]


def cancel(visit: Appointment, **more) -> None:
    changing.cancel(appointment=visit, **more)


def wait(*patients: Submission) -> None:
    for submission in patients:
        waiting_list.join_waitlist(submission=submission)


def waitlist_offers() -> list[Offer]:
    return list(Offer.objects.filter(from_waitlist=True).order_by("created_at", "pk"))


# --- offers ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "reminded_after"), [(4, None), (11, None), (12, 9), (24, 18), (72, 54), (168, 126)]
)
def test_a_patient_who_has_not_answered_is_reminded_once_a_while_before_the_end(
    hours, reminded_after
):
    offers = offer(book.patient(), hours=hours)

    found = Message.objects.filter(kind="offer_reminder")
    after = [reminder.due_at - offers[0].created_at for reminder in found]
    assert [at.total_seconds() / 3600 for at in after] == (
        [pytest.approx(reminded_after, abs=0.01)] if reminded_after else []
    )


@pytest.mark.parametrize(
    ("language", "says"),
    [("en", "You have not answered yet"), ("es", "Todavía no ha respondido")],
)
@pytest.mark.parametrize("answer", ["", "accepted", "declined", "withdrawn", "lapsed"])
def test_the_reminder_names_what_is_still_held_and_falls_silent_with_any_answer(
    desk, language, says, answer
):
    submission = book.patient()
    Submission.objects.filter(pk=submission.pk).update(language=language)
    offers = offer(submission)
    outbox.deliver_due()
    match answer:
        case "accepted":
            accept(offer=offers[0], submission=submission)
        case "declined":
            for each in offers:
                decline(offer=each, submission=submission)
        case "withdrawn":
            withdraw_offers(submission=submission, by=desk)
        case "lapsed":
            lapse(offers)
        case _:
            decline(offer=offers[0], submission=submission)
    now = timezone.now()
    Message.objects.filter(kind="offer_reminder").update(due_at=now, next_at=now)

    mail.outbox.clear()
    outbox.deliver_due()

    texts = [letter.body for letter in mail.outbox if says in letter.body]
    assert len(texts) == (0 if answer else 1)
    for text in texts:
        assert text.count("Eastern time") + text.count("hora del este") == 1, (
            "one zone for the times and the end"
        )


def test_one_of_three_offered_times_is_accepted_and_the_others_are_free_again():
    submission = book.patient()
    slots = [book.free(days) for days in (7, 8, 9)]
    offers = offer(submission, *slots)
    assert book.progress(submission) == "offered"
    assert open_offers(submission=submission) == offers
    assert Message.objects.filter(kind="appointment_offer").count() == 1
    assert book.free(8).key != slots[1].key

    for _twice in range(2):
        visit = accept(offer=offers[1], submission=submission)
        assert visit.status == "confirmed"
    assert visit.during.lower == slots[1].slot.moment
    assert states(*offers) == ["withdrawn", "accepted", "withdrawn"]
    assert [book.free(days).key for days in (7, 9)] == [slots[0].key, slots[2].key]
    assert book.progress(submission) == "booked"
    assert Appointment.objects.filter(status="confirmed").count() == 1


@pytest.mark.parametrize("times", [0, 4])
def test_one_to_three_times_are_offered(times):
    slots = [book.free(days) for days in range(7, 7 + times)]
    with pytest.raises(ValueError, match="one to three"):
        offers_module.offer(
            submission=book.patient(), slots=[slot.key for slot in slots],
            visit_type=book.visit_type(), by=builders.member("front desk"),
        )  # fmt: skip


def test_of_three_times_one_has_gone_and_none_is_offered():
    slots = [book.free(days) for days in (7, 8)]
    book.booked(book.patient(1), slots[1])
    submission = book.patient()
    with pytest.raises(SlotGone) as gone:
        offer(submission, *slots)
    assert gone.value.nearest
    assert (Offer.objects.count(), book.progress(submission)) == (0, "requested")
    assert book.free(7).key == slots[0].key


def test_new_offers_take_the_old_ones_back():
    submission = book.patient()
    old = offer(submission)
    new = offer(submission, book.free(11))
    assert states(*old, *new) == ["withdrawn"] * 3 + ["open"]
    with pytest.raises(SlotGone, match="already answered or withdrawn"):
        accept(offer=old[0], submission=submission)


def test_what_is_declined_is_free_and_the_request_waits_again():
    submission, slot = book.patient(), book.free()
    (only,) = offer(submission, slot)
    for _twice in range(2):
        decline(offer=only, submission=submission)
    assert states(only) == ["declined"]
    assert (book.progress(submission), book.free().key) == ("requested", slot.key)


def test_an_unanswered_offer_lapses_by_the_clock_and_by_the_job():
    submission, slot = book.patient(), book.free()
    offers = offer(submission, slot)
    past = timezone.now() - timedelta(seconds=1)
    Offer.objects.update(expires_at=past)
    assert open_offers(submission=submission) == []
    with pytest.raises(SlotGone, match="has ended"):
        accept(offer=offers[0], submission=submission)
    assert lapse(offers) == 1
    assert offers_module.lapse() == 0
    assert states(*offers) == ["lapsed"]
    assert (book.progress(submission), book.free().key) == ("requested", slot.key)


def test_an_offer_of_somebody_else_is_nobodys_business():
    offers = offer(book.patient(), book.free())
    stranger = book.patient(1)
    with pytest.raises(SlotGone):
        accept(offer=offers[0], submission=stranger)
    with pytest.raises(SlotGone):
        decline(offer=offers[0], submission=stranger)
    assert states(*offers) == ["open"]


@pytest.mark.parametrize("urgency", [Urgency.EMERGENCY, Urgency.SAME_DAY])
def test_what_cannot_wait_is_never_offered_a_later_time(urgency, desk):
    submission = book.patient(urgency=urgency)
    with pytest.raises(Refused, match="Call the patient"):
        offer(submission)
    with pytest.raises(Refused, match="call us now"):
        wait(submission)
    assert free_times.fitting(
        request=submission.appointment_request, visit_type=book.visit_type()
    ) == []  # fmt: skip
    # after a call, the front desk may still book a slot
    assert book.booked(submission).status == "confirmed"


def test_urgent_is_offered_the_next_two_weeks():
    submission = book.patient(urgency=Urgency.URGENT)
    with pytest.raises(Refused, match="too late"):
        offer(submission, book.free(20))
    assert offer(submission, book.free(10))


def test_a_booking_by_phone_takes_the_open_offers_back(desk):
    submission = book.patient()
    offers = offer(submission)
    book.booked(submission, book.free(12))
    assert set(states(*offers)) == {"withdrawn"}
    assert not Appointment.objects.filter(status="held").exists()
    with pytest.raises(workflow.NotAllowed):
        transitions.set_progress(
            submission=submission, progress="called", by=desk, revision=0, request_id="r"
        )


def test_the_front_desk_takes_offers_back(desk):
    submission = book.patient()
    offers = offer(submission)
    withdraw_offers(submission=submission, by=desk, request_id="r")
    assert set(states(*offers)) == {"withdrawn"}
    assert book.progress(submission) == "requested"


def test_a_call_noted_just_after_the_visit_was_booked_leaves_it_booked(desk):
    mine = book.patient()
    as_read = Submission.objects.select_related("appointment_request").get(pk=mine.pk)
    book.booked(mine)
    with pytest.raises(workflow.NotAllowed):
        transitions.set_progress(
            submission=as_read, progress="called", by=desk, revision=0, request_id="r"
        )
    assert book.progress(mine) == "booked"


def test_noted_as_not_wanted_any_more_ends_what_was_booked(desk):
    submission = book.patient()
    visit = book.booked(submission)
    transitions.set_progress(
        submission=submission, progress="withdrawn", by=desk, revision=0, request_id="r"
    )
    visit.refresh_from_db()
    assert (visit.status, book.progress(submission)) == ("cancelled", "withdrawn")


# --- the waitlist ---------------------------------------------------------------------------------


def test_a_freed_time_goes_to_the_most_urgent_then_to_who_waited_longest():
    visit = book.booked(book.patient())
    first, second = book.patient(1), book.patient(2)
    urgent = book.patient(3, urgency=Urgency.URGENT)
    wait(first, second, urgent)
    wait(first)  # a patient who waits already is not entered twice
    assert WaitlistEntry.objects.count() == 3
    cancel(visit)
    (one,) = waitlist_offers()
    assert one.request.submission == urgent
    decline(offer=one, submission=urgent)
    _, two = waitlist_offers()
    assert two.request.submission == first
    lapse([two])
    *_, three = waitlist_offers()
    assert three.request.submission == second
    taken = accept(offer=three, submission=second)
    assert taken.during == visit.during
    assert {e.request.submission for e in WaitlistEntry.objects.all()} == {first, urgent}


def test_only_whom_it_fits_is_offered_it():
    slot = book.free(7, "09:00")
    visit = book.booked(book.patient(), slot)
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[slot.start.weekday()]
    other = {"mon": "tue"}.get(day, "mon")
    wish = {"days": [other], "times": [], "place": "", "clinician": ""}
    wait(book.patient(1, wish=wish), book.patient(2, wish=wish | {"days": [], "place": "North"}))
    wait(book.patient(3, wish=wish | {"days": [], "times": ["afternoon"]}))
    book.location("North")
    fits = book.patient(4, wish=wish | {"days": [day], "times": ["morning"]})
    wait(fits)
    cancel(visit)
    (only,) = waitlist_offers()
    assert only.request.submission == fits


def test_a_batch_is_one_held_row_and_the_first_to_accept_wins(settings):
    settings.APPOINTMENT_WAITLIST_BATCH = 3
    visit = book.booked(book.patient())
    waiting = [book.patient(n) for n in (1, 2, 3, 4)]
    wait(*waiting)
    cancel(visit)
    offers = waitlist_offers()
    assert len(offers) == 3
    assert len({each.appointment_id for each in offers}) == 1
    winner = offers[1].request.submission
    accept(offer=offers[1], submission=winner)
    assert states(*offers) == ["lost", "accepted", "lost"]
    with pytest.raises(SlotGone, match="Another patient"):
        accept(offer=offers[0], submission=offers[0].request.submission)
    assert Message.objects.filter(kind="offer_lost").count() == 2
    assert WaitlistEntry.objects.count() == 3  # the patients who lost still wait
    assert [book.progress(row) for row in waiting[:3:2]] == ["requested", "requested"]


def test_who_has_a_visit_is_moved_to_the_earlier_time_and_theirs_goes_on():
    early, late = book.free(7), book.free(20)
    visit, mine = book.booked(book.patient(), early), book.patient(1)
    theirs = book.booked(mine, late)
    wait(mine)
    cancel(visit)
    (earlier,) = waitlist_offers()
    assert book.progress(mine) == "booked"
    wait(third := book.patient(2))
    moved = accept(offer=earlier, submission=mine)
    assert (moved.pk, moved.sequence) == (theirs.pk, 1)
    assert moved.during.lower == early.slot.moment
    *_, next_one = waitlist_offers()
    assert next_one.request.submission == third
    assert next_one.appointment.during.lower == late.slot.moment


@pytest.mark.parametrize(
    ("again", "state", "progress"), [(False, "withdrawn", "withdrawn"), (True, "open", "offered")]
)
def test_who_cancels_keeps_what_is_offered_only_if_another_time_is_wanted(again, state, progress):
    early, mine = book.free(7), book.patient(1)
    visit, theirs = book.booked(book.patient(), early), book.booked(mine, book.free(20))
    wait(mine)
    cancel(visit)
    (earlier,) = waitlist_offers()
    cancel(theirs, again=again)
    assert (states(earlier), book.progress(mine)) == ([state], progress)
    assert (book.free(7).key == early.key) is not again


def test_a_later_time_is_not_offered_to_who_has_an_earlier_one():
    visit, mine = book.booked(book.patient(), book.free(20)), book.patient(1)
    book.booked(mine, book.free(7))
    wait(mine)
    cancel(visit)
    assert waitlist_offers() == []


@pytest.mark.parametrize("reason", [CancelReason.CLINICIAN, CancelReason.CLINIC])
def test_a_time_without_clinician_is_offered_to_nobody(reason, desk):
    visit = book.booked(book.patient())
    wait(book.patient(1))
    cancel(visit, by=desk, reason=reason)
    assert waitlist_offers() == []


@pytest.mark.parametrize("change", ["sort retired", "hours for another sort", "fewer at once"])
def test_a_freed_time_that_the_hours_have_no_more_is_offered_to_nobody(change):
    slot = book.free()
    OpeningHours.objects.update(capacity=2)
    visit, beside = book.booked(book.patient(), slot), book.booked(book.patient(1), slot)
    assert (visit.seat, beside.seat) == (0, 1)
    wait(book.patient(2))
    match change:
        case "sort retired":
            VisitType.objects.update(is_active=False)
        case "hours for another sort":
            for hours in OpeningHours.objects.all():
                hours.visit_types.set([book.visit_type(45)])
        case "fewer at once":
            OpeningHours.objects.update(capacity=1)
    cancel(visit)
    assert waitlist_offers() == []


def test_a_freed_time_costs_the_same_queries_however_many_wait():
    def queries_of_cancelling(number: int) -> int:
        visit = book.booked(book.patient(number))
        with CaptureQueriesContext(connection) as queries:
            cancel(visit)
        return len(queries)

    elsewhere = {"days": [], "times": [], "place": "", "clinician": "nobody"}
    wait(*(book.patient(number, wish=elsewhere) for number in range(1, 3)))
    few = queries_of_cancelling(0)
    for number in range(3, 12):
        wait(submission := book.patient(number, wish=elsewhere))
        if number > 9:  # these patients have a visit that is sooner than the freed slot
            book.booked(submission, book.free(3))
            wait(submission)
    assert queries_of_cancelling(12) == few


def test_who_leaves_the_list_hears_nothing_more():
    visit, submission = book.booked(book.patient()), book.patient(1)
    wait(submission)
    for _twice in range(2):
        waiting_list.leave_waitlist(submission=submission)
    cancel(visit)
    assert waitlist_offers() == []


def test_a_freed_time_too_near_is_left_to_the_front_desk(desk, settings):
    settings.APPOINTMENT_LEAD_HOURS = 48
    visit = book.booked(book.patient(), book.free(1))
    wait(book.patient(1))
    cancel(visit, by=desk)
    assert waitlist_offers() == []


# --- messages -------------------------------------------------------------------------------------


def send_all() -> list:
    Message.objects.filter(state="waiting").update(next_at=timezone.now() - timedelta(seconds=1))
    mail.outbox.clear()
    outbox.deliver_due()
    return [letter for letter in mail.outbox if "request" not in letter.subject]


def test_what_is_told_is_decided_at_sending_and_names_the_zone():
    submission, slot = book.patient(), book.free()
    visit = book.booked(submission, slot)
    letters = send_all()  # the confirmation, and two reminders that are due already
    assert len(letters) == 3
    for letter in letters:
        assert letter.body.count("Eastern time") == 1
        assert submission.reference in letter.body
        for secret in ("Canary", "restless", "vein", "Dr.", "1982"):
            assert secret not in letter.body
    changing.reschedule(appointment=visit, slot=book.free(9).key)
    cancel(visit)
    letters = send_all()  # only the cancellation, neither the change of time nor reminders
    assert [("cancelled" in letter.body) for letter in letters] == [True]


def test_an_answered_offer_is_not_written_about():
    submission = book.patient()
    offers = offer(submission)
    accept(offer=offers[0], submission=submission)
    assert "We hold" not in "".join(letter.body for letter in send_all())
    other = book.patient(1)
    offer(other, book.free(10), book.free(11))
    letters = send_all()  # the offer, and the reminder that is due already
    assert [letter.body.count("Eastern time") for letter in letters] == [1, 1]


def test_staff_see_whom_a_message_was_about():
    submission = book.patient()
    offers = offer(submission)
    accept(offer=offers[0], submission=submission)
    rows = Message.objects.filter(kind__startswith="appointment_")
    assert set(outbox.abouts(rows).values()) == {submission.reference}
