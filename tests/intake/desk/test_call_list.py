"""The call list: which patients to call, by when, with which news; and its buttons."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.outgoing import outbox
from intake.appointments import changing, offers
from intake.desk import patient_messages
from intake.models.appointments import Appointment, Offer
from intake.models.calls import Call, CallTask
from intake.models.submissions import Submission
from intake.ways import calls
from tests import builders
from tests.desk import (
    CALLS,
    FRONT_DESK,
    Trail,
    cells,
    desk_page_of,
    find,
    page_of,
    references,
    visit_page,
    words,
)
from tests.intake import book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lee")]
OLD = {"email": "", "prefer": "phone"}  # no letter reaches a patient with these contact details


def moved(name: str = "Quentin Canary", days: int = 7, **contact) -> Appointment:
    """Return a visit that the front desk moved by a day, of a patient whom no letter reaches."""
    submission = builders.submission({**OLD, "name": name, **contact})
    visit, by = book.booked(submission, book.free(days)), builders.member("front desk")
    later = book.free(days + 1, wall="11:00")
    return changing.reschedule(appointment=visit, slot=later.key, by=by)


def button(task: CallTask, name: str) -> str:
    return reverse(f"admin:intake_calltask_{name}", args=[task.pk])


# --- the list -------------------------------------------------------------------------------------


def test_the_list_says_whom_to_call_by_when_and_what_to_say(desk):
    visit = moved()
    visit = Appointment.objects.for_reading().get(pk=visit.pk)
    page = desk.get(CALLS)

    assert cells(page, "patient") == ["Quentin Canary"]
    assert '<a class="tel" href="tel:+12025550147">(202) 555-0147</a>' in page.content.decode()
    (why,) = cells(page, "why")
    assert why.startswith("The appointment is moved")
    assert f"{visit.starts:%A, %B} " in why
    assert "11:00 am" in why
    assert "Eastern time" in why
    assert "Dr. Lee, Main clinic" in why
    assert references(page) == [visit.submission.reference]
    assert f'href="{desk_page_of(visit.submission)}"' in page.content.decode()
    clinician = builders.staff_client("clinician").get(CALLS)
    assert f'href="{page_of(visit.submission)}"' in clinician.content.decode()


def test_each_reason_says_what_the_patient_has_to_hear(desk):
    """The call list has a sentence for each reason to call and each subject, never an error."""
    visit = moved()
    mine, by = visit.submission, builders.member("front desk")
    given = {"submission": mine, "by": by, "request_id": ""}
    patient_messages.send(text="Por favor llame.", english="Please call.", revision=0, **given)
    letter = mine.communications.get()
    made = offers.offer(
        submission=book.patient(1),
        slots=[book.free(days=12).key],
        visit_type=book.visit_type(),
        by=by,
    )
    CallTask.objects.all().delete()
    occasions = {
        "message": str(letter.pk),
        "offer": str(made[0].pk),
        "lost": str(made[0].pk),
        **dict.fromkeys(("confirmed", "changed", "cancelled", "missed"), f"{visit.pk}:1"),
        "more": "of another kind",
        "invited": f"{visit.pk}:1",
        **dict.fromkeys(("nurse", "reference"), str(mine.pk)),
        "line": f"{mine.pk}:0",
    }
    assert set(occasions) == set(CallTask.Reason.values)
    for reason, occasion in occasions.items():
        calls.owe(submission=mine, reason=reason, occasion=occasion)
        calls.owe(submission=mine, reason=reason, occasion="gone:0")
    page = desk.get(CALLS)

    told = cells(page, "why")
    assert len(told) == 2 * len(occasions)
    for reason in CallTask.Reason:
        assert sum(line.startswith(str(reason.label)) for line in told) == 2, reason
    for line in ("Please call.", "11:00 am", "9:00 am", "The offer has ended."):
        assert any(line in cell for cell in told), line
    for where in (desk_page_of(mine), visit_page(visit)):
        assert desk.get(where).status_code == 200


def test_what_is_due_first_stands_first_and_what_is_late_is_marked(desk):
    rows = [moved(name, days).submission for name, days in (("Ann", 3), ("Bea", 6), ("Cy", 9))]
    for row, hours in zip(rows, (5, -1, 2), strict=True):
        due = timezone.now() + timedelta(hours=hours)
        CallTask.objects.filter(submission=row).update(due_at=due)
    page = desk.get(CALLS)

    assert cells(page, "patient") == ["Bea", "Cy", "Ann"]
    assert page.content.decode().count('<strong class="overdue">') == 1


def test_what_was_settled_today_is_a_filter_away(desk):
    first, second = moved("Ann", 3), moved("Bea", 6)
    desk.post(button(CallTask.objects.get(submission=first.submission), "reached"))
    calls.drop(submission_id=second.submission_id, about=second.pk)
    assert cells(desk.get(CALLS), "patient") == []
    assert "No calls to make." in words(desk.get(CALLS))
    page = desk.get(CALLS, {"settled": "today"})

    assert sorted(cells(page, "patient")) == ["Ann", "Bea"]
    due = " ".join(cells(page, "due"))
    assert "front-desk" in due
    assert "no longer needed" in due
    assert set(cells(page, "acts")) == {""}
    CallTask.objects.update(settled_at=timezone.now() - timedelta(days=2))
    assert cells(desk.get(CALLS, {"settled": "today"}), "patient") == []


def test_a_patient_is_found_by_name_and_reference_alone(desk):
    ann, bea = moved("Ann Hansen", 3), moved("Bea Lopez", 6)
    assert cells(find(desk, CALLS, "hanson"), "patient") == ["Ann Hansen"]
    assert cells(find(desk, CALLS, bea.submission.reference), "patient") == ["Bea Lopez"]
    assert cells(find(desk, CALLS, "Zoltan"), "patient") == []
    assert desk.get(f"{CALLS}?submission__person__contains=x").status_code == 400
    assert ann


def test_a_patient_without_a_safe_way_stands_apart_from_the_calls_to_make(desk):
    moved(callback_phone="")
    listed = desk.get(CALLS, {"settled": "no_way"})
    assert cells(listed, "phone") == ["No safe way: do not call"]
    assert cells(desk.get(CALLS), "phone") == []


def test_the_list_costs_the_same_for_two_and_for_twenty(desk):
    costs = []
    desk.get(CALLS)
    for numbers in (range(2), range(2, 20)):
        for number in numbers:
            visit = moved(f"Canary {number}", 3 + 2 * number)
            mine = visit.submission
            calls.owe(submission=mine, reason="message", occasion=str(mine.pk))
        with CaptureQueriesContext(connection) as queries:
            page = desk.get(CALLS)
        costs.append(len(queries))

    assert len(cells(page, "patient")) == 25
    assert len(set(costs)) == 1, costs
    # one query is for the news about visits, one for the news in messages, one for the banner of
    # red flags and the number of calls, two for the ways to the patients, one for the texts to our
    # number, one for callers who could not talk freely, one for the tries, one for the procedure,
    # one for the counts of the front desk's tabs
    assert costs[0] == 22
    assert not [query for query in queries if '"answers"' in query["sql"]]


# --- the header of each page ----------------------------------------------------------------------


@pytest.mark.parametrize("role", ["clinician", "duty", "front desk"])
def test_the_head_counts_the_calls_in_one_query(role):
    client = builders.staff_client(role)
    where = FRONT_DESK if role == "front desk" else "/admin/intake/leave/"
    assert '<span class="count">' not in client.get(where).content.decode()
    visit = moved()
    with CaptureQueriesContext(connection) as queries:
        page = client.get(where)
    assert '<span class="count">1</span>' in page.content.decode()
    asked = [query["sql"] for query in queries if "intake_calltask" in query["sql"]]
    tabs = [sql for sql in asked if "intake_waitlistentry" in sql]  # they count every list
    assert len(asked) - len(tabs) == 1

    for number in range(120):
        calls.owe(submission=visit.submission, reason="offer", occasion=str(number))
    assert '<span class="count">99+</span>' in client.get(where).content.decode()


def test_others_hear_nothing_of_calls():
    moved()
    for role, where in (
        ("auditor", "/admin/clinic/event/"),
        ("administrator", "/admin/auth/user/"),
    ):
        page = builders.staff_client(role).get(where)
        assert page.status_code == 200
        assert "Calls to make" not in words(page)


# --- the buttons ----------------------------------------------------------------------------------


def test_a_patient_who_was_reached_leaves_the_list(desk):
    visit, trail = moved(), Trail()
    answer = desk.post(button(CallTask.objects.get(), "reached"), follow=True)

    assert "Noted: the patient was reached." in words(answer)
    assert "Nobody has told the patient" not in words(desk.get(visit_page(visit)))
    call = Call.objects.get()
    assert (call.outcome, call.by) == ("reached", builders.member("front desk"))
    assert CallTask.objects.get().settled_by == call.by
    events = trail.events(subject=str(visit.submission_id), action="create")
    assert [event.detail for event in events] == [{"kind": "call", "outcome": "reached"}]


@pytest.mark.parametrize("name", ["left_word", "not_reached"])
def test_a_patient_who_was_not_reached_stays_with_the_next_try(desk, name):
    moved()
    desk.post(button(CallTask.objects.get(), name))

    task = CallTask.objects.open().get()
    assert task.due_at == Call.objects.get(outcome=name).again_at


def test_who_was_told_already_leaves_the_list_without_a_call(desk):
    visit, trail = moved(), Trail()
    answer = desk.post(button(CallTask.objects.get(), "told"))

    assert not CallTask.objects.open().exists()
    assert not Call.objects.exists()
    (event,) = trail.of(answer)
    assert (event.subject, event.action) == (str(visit.submission_id), "state")
    assert event.detail == {"kind": "call", "to": "settled"}


@pytest.mark.parametrize("name", ["reached", "left_word", "not_reached", "wrong", "told"])
def test_a_second_click_and_an_old_tab_do_no_harm(desk, name):
    moved()
    task = CallTask.objects.get()
    for _click in range(2):
        assert desk.post(button(task, name), follow=True).status_code == 200
    before = CallTask.objects.get()
    other = builders.staff_client("clinician")
    assert other.post(button(task, "told"), follow=True).status_code == 200

    assert Call.objects.count() == (name != "told")
    if before.settled_at:  # a later click does not change the time
        assert CallTask.objects.get().settled_at == before.settled_at


def test_the_list_shows_each_try_and_a_wrong_number_by_the_number(desk):
    visit = moved()
    task = CallTask.objects.get()
    assert cells(desk.get(CALLS), "tries") == [""]
    answer = desk.post(button(task, "wrong"), follow=True)
    assert "Noted: wrong number. The call stays on the list, due as before." in words(answer)
    other = builders.staff_client("clinician")
    answer = other.post(button(task, "not_reached"), follow=True)
    assert "A colleague called, too: Wrong number (front-desk, " in words(answer)

    (tries,) = cells(answer, "tries")
    assert re.match(r"2 triesNot reached \(clinician, .+\)Wrong number \(front-desk, .+\)$", tries)
    wrong = "This number is wrong: front-desk reached a stranger. Look for another number."
    for client, where in (
        (desk, CALLS),
        (desk, desk_page_of(visit.submission)),
        (desk, visit_page(visit)),
        (other, page_of(visit.submission)),
    ):
        assert wrong in words(client.get(where))
    other.post(button(task, "reached"))
    assert wrong not in words(desk.get(desk_page_of(visit.submission)))
    assert "Reached the patient (clinician, " in words(desk.get(desk_page_of(visit.submission)))


def test_a_call_from_an_old_page_does_not_say_that_the_patient_is_still_on_the_list(desk):
    moved()
    task = CallTask.objects.get()
    builders.staff_client("clinician").post(button(task, "reached"))
    answer = words(desk.post(button(task, "not_reached"), follow=True))
    assert "The call is noted. It was off the list before: clinician, " in answer
    assert "stays on the list" not in answer
    assert "A colleague called, too: Reached the patient (clinician, " in answer


def test_what_we_asked_for_is_owed_until_the_patient_was_reached(desk):
    visit = moved()
    calls.owe(submission=visit.submission, reason="more", occasion="1")
    more = CallTask.objects.get(reason="more")
    page = desk.get(CALLS).content.decode()
    assert button(more, "reached") in page
    assert button(more, "told") not in page
    posted = [str(task.pk) for task in CallTask.objects.all()]
    desk.post(button(more, "told"), {"task": posted})  # from an old tab
    assert CallTask.objects.open().get() == more
    assert "Told already" not in words(desk.get(desk_page_of(visit.submission)))
    desk.post(button(more, "reached"))
    assert not CallTask.objects.open().exists()


def test_opening_the_address_of_a_button_changes_nothing(desk):
    moved()
    for name in ("reached", "left_word", "not_reached", "wrong", "told"):
        assert desk.get(button(CallTask.objects.get(), name)).headers["Location"] == CALLS

    assert CallTask.objects.open().exists()
    assert not Call.objects.exists()


# --- on the patient's pages -----------------------------------------------------------------------


def test_every_page_of_the_patient_shows_it_until_it_is_ticked(desk):
    visit = moved()
    clinician = builders.staff_client("clinician")
    pages = [
        (desk, desk_page_of(visit.submission)),
        (desk, visit_page(visit)),
        (clinician, page_of(visit.submission)),
    ]
    for client, where in pages:
        text = words(client.get(where))
        assert "Nobody has told the patient The appointment is moved" in text
        assert "Call (202) 555-0147 by" in text
        assert "Reached Left word Not reached Wrong number Told already" in text
    task = CallTask.objects.get()
    given = {"task": [str(task.pk)], "back": visit_page(visit)}
    assert desk.post(button(task, "reached"), given).headers["Location"] == visit_page(visit)

    for client, where in pages:
        assert "Nobody has told the patient" not in words(client.get(where))


def test_one_button_of_a_page_ticks_what_the_page_showed_and_no_more(desk):
    visit = moved()
    calls.owe(submission=visit.submission, reason="message", occasion="seen")
    page = desk.get(desk_page_of(visit.submission)).content.decode()
    shown = list(CallTask.objects.open())
    assert all(f'name="task" value="{task.pk}"' in page for task in shown)
    calls.owe(submission=visit.submission, reason="message", occasion="meanwhile")
    other = moved("Somebody Else", 12)
    theirs = CallTask.objects.get(submission=other.submission)
    posted = [*(str(task.pk) for task in (*shown, theirs)), "x", "9" * 5000]
    desk.post(button(shown[0], "reached"), {"task": posted})

    left = CallTask.objects.open().exclude(pk=theirs.pk)
    assert [task.occasion for task in left] == ["meanwhile"]
    assert CallTask.objects.open().filter(pk=theirs.pk).exists()


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/admin/\\evil",
        "/my/",
        "\n",
        "x" * 9999,
    ],
)
def test_the_way_back_leads_to_pages_of_staff_alone(desk, back):
    moved()
    answer = desk.post(button(CallTask.objects.get(), "told"), {"back": back})

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/admin/")


def test_a_clinician_sees_it_on_a_visit_of_theirs(lee):
    lee.user = builders.member("clinician")
    lee.save()
    visit = moved()
    assert "Nobody has told the patient" in words(
        builders.staff_client("clinician").get(visit_page(visit))
    )


def test_a_held_time_of_nobody_shows_no_calls(desk):
    offers.offer(
        submission=book.patient(),
        slots=[book.free().key],
        visit_type=book.visit_type(),
        by=builders.member("front desk"),
    )
    held = Appointment.objects.get()
    assert Offer.objects.exists()
    assert "Nobody has told the patient" not in words(desk.get(visit_page(held)))


# --- patients' own pages --------------------------------------------------------------------------


def test_nothing_of_a_person_is_in_the_sessions_of_staff(desk):
    """The session stores the message about an act, so the message has no name or phone number."""
    visit = moved()
    given = {"type": str(book.visit_type().pk), "slot": book.free(days=20).key}
    desk.post(visit_page(visit, "move"), given)
    said = str(dict(desk.session.items()))

    assert "Nobody has told the patient: call." in said
    assert "555-0147" not in said
    assert "5550147" not in said  # not "147" alone, which may be part of a time
    assert "anary" not in said
    outbox.deliver_due()
    assert Submission.objects.count() == 1
