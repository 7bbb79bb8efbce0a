"""Staff move, cancel and record visits.

Also tested: which staff see which visits, and patients who wait for a visit.
"""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from intake.appointments import waiting_list
from intake.models.appointments import Appointment, Offer, WaitlistEntry, during
from intake.models.submissions import Submission, Urgency
from tests import builders
from tests.desk import (
    VISITS,
    WAITING,
    Trail,
    cells,
    desk_page_of,
    find,
    press,
    visit_page,
    words,
)
from tests.intake import book

pytestmark = pytest.mark.django_db


# --- the visit ------------------------------------------------------------------------------------


def test_a_visit_is_moved_and_its_page_tells_the_story(desk, lee):
    visit = book.booked(book.patient())
    slot = book.free(days=8)
    page = desk.get(visit_page(visit, "move"), {"week": slot.start.date().isoformat()})
    assert slot.key in page.content.decode()
    given = {"type": str(book.visit_type().pk), "slot": slot.key}
    assert desk.post(visit_page(visit, "move"), given).status_code == 302

    visit.refresh_from_db()
    assert (visit.starts, visit.sequence) == (slot.start, 1)
    text = words(desk.get(visit_page(visit)))
    assert text.index("Confirmed :") < text.index("Moved :")


def test_moving_to_a_time_that_has_gone_keeps_the_old_one(desk, lee):
    visit, slot = book.booked(book.patient(1)), book.free(days=8)
    book.booked(book.patient(2), slot)
    given = {"type": str(book.visit_type().pk), "slot": slot.key}
    page = desk.post(visit_page(visit, "move"), given)

    assert page.status_code == 409
    assert "The nearest free times" in words(page)
    visit.refresh_from_db()
    assert visit.sequence == 0


def test_a_visit_is_cancelled_with_a_reason_and_the_patient_waits_again(desk, lee):
    submission = book.patient()
    visit = book.booked(submission)
    assert desk.post(visit_page(visit, "cancel"), {"reason": ""}).status_code == 422
    given = {"reason": "clinician", "note": "At a funeral"}
    assert desk.post(visit_page(visit, "cancel"), given).status_code == 302

    visit.refresh_from_db()
    assert visit.status == "cancelled"
    assert book.progress(submission) == "requested"
    text = words(desk.get(visit_page(visit)))
    assert "The clinician is away" in text
    assert "At a funeral" in text
    assert "Cancel the appointment" not in text


def test_a_visit_that_took_place_or_not_is_noted_only_after_it_began(desk, lee):
    submission = book.patient()
    visit = book.booked(submission)
    assert "Did not come" not in words(desk.get(visit_page(visit)))
    page = desk.post(visit_page(visit, "complete"))
    assert page.status_code == 409
    assert "The visit has not begun yet." in words(page)

    begin_now(visit)
    assert "Did not come" in words(desk.get(visit_page(visit)))
    desk.post(visit_page(visit, "miss"))
    visit.refresh_from_db()
    assert (visit.status, book.progress(submission)) == ("no_show", "missed")
    desk.post(visit_page(visit, "complete"))
    visit.refresh_from_db()
    assert (visit.status, book.progress(submission)) == ("completed", "done")
    desk.post(visit_page(visit, "miss"))
    assert book.progress(submission) == "missed"


@pytest.mark.parametrize("button", ["complete", "miss"])
def test_after_the_visit_nobody_waits_for_an_earlier_one(desk, lee, button):
    submission = book.patient()
    visit = book.booked(submission)
    waiting_list.join_waitlist(submission=submission)
    begin_now(visit)
    desk.post(visit_page(visit, button))
    assert submission.reference not in words(desk.get(WAITING))


def test_an_earlier_visit_noted_anew_leaves_the_one_to_come_as_it_is(desk, lee):
    submission = book.patient()
    missed = book.booked(submission)
    begin_now(missed)
    desk.post(visit_page(missed, "miss"))
    to_come = book.booked(submission, book.free(8))
    desk.post(visit_page(missed, "complete"))
    to_come.refresh_from_db()
    assert (to_come.status, book.progress(submission)) == ("confirmed", "booked")


@pytest.mark.parametrize("button", ["move", "cancel", "complete", "miss"])
def test_a_time_that_is_only_held_has_no_buttons_of_a_visit(desk, lee, button):
    slot = book.free()
    press(desk, book.patient(), "offer", slot)
    held = Appointment.objects.get()
    begin_now(held)
    posted = {"type": str(book.visit_type().pk), "slot": book.free(9).key, "reason": "clinic"}
    page = desk.post(visit_page(held, button), posted)
    assert page.status_code == 409
    assert "This cannot be done any more: the appointment is “held”." in words(page)
    held.refresh_from_db()
    assert held.status == "held"


def begin_now(visit):
    start = timezone.now() - timedelta(minutes=10)
    Appointment.objects.filter(pk=visit.pk).update(
        during=during(start, start + timedelta(minutes=30))
    )


def test_a_freed_time_goes_to_the_first_who_waits(desk, lee):
    booked, waits = book.patient(1, wish={}), book.patient(2, wish={})
    visit = book.booked(booked)
    press(desk, waits, "wait", to="join")
    desk.post(visit_page(visit, "cancel"), {"reason": "patient"})

    (offer,) = Offer.objects.filter(state="open")
    assert offer.request.submission == waits
    text = words(desk.get(desk_page_of(waits)))
    assert "from the waiting list" in text


def test_the_list_shows_today_and_more_when_asked(desk, lee):
    today, later = book.patient(1), book.patient(2)
    begin_now(book.booked(today, book.free(days=2)))
    visit = book.booked(later, book.free(days=30))
    page = desk.get(VISITS)
    assert cells(page, "opens") == [today.reference]
    assert cells(page, "patient") == ["Quentin Canary1"]
    assert "When: Today" in words(page)
    assert cells(desk.get(VISITS, {"when": "coming"}), "opens") == [
        today.reference,
        later.reference,
    ]
    other = book.clinician("Dr. Okafor")
    for query, count in (
        ({"when": "all", "clinician": other.pk}, 0),
        ({"when": "all", "clinician": lee.pk}, 2),
        ({"when": "all", "location": visit.location_id}, 2),
        ({"when": "all", "status": "cancelled"}, 0),
        ({"when": "all", "status": "all"}, 2),
    ):
        assert len(cells(desk.get(VISITS, query), "opens")) == count, query


def test_a_visit_is_found_by_the_name_of_the_patient_on_any_day(desk, lee):
    submission = builders.submission({"name": "Beatriz Hansen"})
    book.booked(submission, book.free(days=30))
    book.booked(book.patient(8), book.free(days=31))

    for typed in ("beatris hanson", submission.reference):
        assert cells(find(desk, VISITS, typed), "opens") == [submission.reference]
    assert cells(find(desk, VISITS, "Zoltan"), "opens") == []
    assert desk.get(f"{VISITS}?submission__person__contains=x").status_code == 400


# --- a clinician's own visits ---------------------------------------------------------------------


def test_a_clinician_sees_their_own_visits_and_changes_none(lee):
    lee.user = builders.member("clinician", "dr-lee")
    lee.save()
    other = book.clinician("Dr. Okafor", starts="18:00", ends="20:00")
    mine, theirs = book.patient(1), book.patient(2)
    visit = book.booked(mine, book.free(days=3))
    not_mine = book.booked(theirs, book.free(days=3, wall="18:00"))
    assert not_mine.clinician == other
    client, trail = builders.staff_client("clinician", "dr-lee"), Trail()

    page = client.get(VISITS, {"when": "all"})
    assert cells(page, "opens") == [mine.reference]
    assert "Canary1" in words(client.get(visit_page(visit)))
    refused = client.get(visit_page(not_mine))
    assert refused.status_code == 403
    (event,) = trail.of(refused)
    assert (event.action, event.subject) == ("deny", str(not_mine.pk))
    assert "Cancel" not in words(client.get(visit_page(visit)))
    for name in ("move", "cancel", "complete", "miss"):
        assert client.post(visit_page(visit, name), {}).status_code == 403


# --- the waiting list -----------------------------------------------------------------------------


def test_the_waiting_list_is_in_the_order_in_which_they_are_asked(desk, lee):
    first, second, urgent = (book.patient(n) for n in range(3))
    Submission.objects.filter(pk=urgent.pk).update(urgency=Urgency.URGENT)
    for row in (first, second, urgent):
        press(desk, row, "wait", to="join")
    page = desk.get(WAITING)

    assert cells(page, "opens") == [r.reference for r in (urgent, first, second)]
    assert "0 min, since" in cells(page, "waits")[0]
    assert "In person" in cells(page, "wish")[0]
    assert cells(page, "has_visit") == ["no appointment"] * 3
    entry = WaitlistEntry.objects.get(request__submission=first)
    desk.post(reverse("admin:intake_waitlistentry_leave", args=[entry.pk]))
    assert cells(desk.get(WAITING), "opens") == [urgent.reference, second.reference]
