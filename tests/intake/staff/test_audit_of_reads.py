"""Each time staff open a page about a patient, an event is recorded before the page is sent."""

from datetime import timedelta

import pytest
from django.db import OperationalError, ProgrammingError, connection
from django.utils import timezone

from clinic import audit
from intake.appointments import waiting_list
from intake.models.appointments import Appointment
from intake.models.calls import Call, CallTask
from intake.models.submissions import Decision, Submission, Urgency
from intake.ways import calls
from tests import builders
from tests.desk import (
    CALLS,
    FRONT_DESK,
    VISITS,
    WAITING,
    WORKLIST,
    Trail,
    desk_page_of,
    find,
    page_of,
    verdict,
    visit_page,
    waiting,
    words,
)
from tests.intake import book

pytestmark = pytest.mark.django_db


@pytest.fixture
def canaries():
    return [waiting(f"Quentin Canary-{letter}", Urgency.SOON) for letter in "abc"]


@pytest.fixture
def visits(canaries):
    """A visit of each patient with the clinician who signs in below.

    The first patient is also on the waiting list, and the clinic owes each patient a call.
    """
    lee = book.clinician()
    lee.user = builders.member("clinician")
    lee.save()
    times = ("09:00", "10:00", "11:00")
    booked = [
        book.booked(row, book.free(wall=wall)) for row, wall in zip(canaries, times, strict=True)
    ]
    waiting_list.join_waitlist(submission=canaries[0])
    for row in canaries:
        calls.owe(submission=row, reason="message", occasion=str(row.pk))
    return booked


def every_answer_of_appointments(client, rows, visits):
    """Yield the pages of visits, the calendar, the waiting list and the call list."""
    for where in (f"{VISITS}?when=all", f"{VISITS}?when=coming", VISITS, WAITING, CALLS):
        yield client.get(where)
        yield find(client, where, "canary")
        yield find(client, where, rows[0].reference)
    for visit in visits:
        for name in ("change", "move"):
            yield client.get(visit_page(visit, name))
        yield client.get(visit_page(visit, "history"), follow=True)
        for name in ("move", "cancel", "complete", "miss"):
            yield client.post(visit_page(visit, name), {}, follow=True)
    for name in ("offer", "call", "overbook", "withdraw", "wait"):
        yield client.post(desk_page_of(rows[0], name), {}, follow=True)
    today = timezone.localdate()
    given = {"first_day": today, "last_day": today + timedelta(days=300)}
    yield client.post("/admin/intake/closure/add/", given)


def shown(response, rows):
    """Return the submissions whose patient the response names."""
    body = response.content.decode()
    return [row for letter, row in zip("abc", rows, strict=True) if f"Canary-{letter}" in body]


def every_answer(client, rows):
    """Yield the responses of all pages and buttons that could show a patient."""
    row = rows[0]
    lists = (WORKLIST, FRONT_DESK)
    for query in ("", "?status=all", "?urgency=soon", "?p=1"):
        for where in lists:
            yield client.get(where + query)
            yield find(client, where + query, "canary")
            yield find(client, where + query, row.reference)
    for submission in rows:
        for url in (page_of(submission), desk_page_of(submission)):
            yield client.get(url)
            yield client.get(url.replace("/change/", "/history/"), follow=True)
            yield client.get(url.replace("/change/", "/delete/"))
            yield client.get(url.replace("/change/", "/"), follow=True)
            yield client.post(url, {})
            yield client.head(url)
    yield client.post(page_of(row, "decide"), verdict(row, outcome=""))
    yield client.post(page_of(row, "decide"), verdict(row, revision=99))
    yield client.post(page_of(row, "move"), {"revision": 0, "action": "close"}, follow=True)
    yield client.post(page_of(row, "assign"), {"revision": 9, "to": "me"}, follow=True)
    yield client.post(desk_page_of(row, "progress"), {"revision": 0}, follow=True)
    yield client.get("/admin/", follow=True)
    yield client.get("/admin/intake/")
    yield client.get("/admin/clinic/event/", follow=True)
    yield client.get("/admin/autocomplete/")
    yield client.get("/")


@pytest.mark.parametrize("role", ["clinician", "front desk", "content editor", "auditor"])
def test_every_page_that_names_a_patient_has_its_event(role, canaries):
    client, trail, seen = builders.staff_client(role), Trail(), 0
    for response in every_answer(client, canaries):
        for submission in shown(response, canaries):
            seen += 1
            assert trail.names(response, submission), response.request["PATH_INFO"]

    assert (seen > 10) == (role in ("clinician", "front desk"))
    assert "anary" not in str([event.detail for event in trail.events()])


@pytest.mark.parametrize("role", ["clinician", "front desk", "content editor", "auditor"])
def test_so_has_every_page_of_visits_and_the_waiting_list(role, canaries, visits):
    client, trail, seen = builders.staff_client(role), Trail(), 0
    for response in every_answer_of_appointments(client, canaries, visits):
        body = response.content.decode()
        named = [row for row in canaries if row.reference in body]
        for submission in {*named, *shown(response, canaries)}:
            seen += 1
            assert trail.names(response, submission), response.request["PATH_INFO"]

    assert (seen > 10) == (role in ("clinician", "front desk"))
    assert "anary" not in str([event.detail for event in trail.events()])


def test_a_list_names_exactly_whom_it_showed(canaries):
    client, trail = builders.staff_client("clinician"), Trail()
    page = find(client, WORKLIST, canaries[1].reference)

    (event,) = trail.of(page)
    assert event.detail["ids"] == [str(canaries[1].pk)]
    assert event.detail["page"] == "submission"
    assert event.purpose == "TREAT"


def test_an_empty_list_is_written_down_as_well():
    client, trail = builders.staff_client("clinician"), Trail()
    (event,) = trail.of(client.get(WORKLIST))

    assert event.detail["ids"] == []


@pytest.mark.parametrize("model", ["draft", "appointmentrequest", "decision", "statuschange"])
def test_the_admins_look_up_for_select_boxes_finds_nobody(model, canaries):
    asked = {"app_label": "intake", "model_name": model, "field_name": "submission"}
    for role in ("clinician", "front desk", "administrator"):
        for term in ("", "canary", canaries[0].reference):
            page = builders.staff_client(role).get("/admin/autocomplete/", {**asked, "term": term})
            assert page.status_code == 403
            assert canaries[0].reference not in page.content.decode()


@pytest.mark.parametrize("error", [OperationalError("gone"), ProgrammingError("denied")])
def test_without_the_event_nobody_is_shown(error, canaries, visits, monkeypatch):
    def broken(**event):
        raise error

    clinician, desk = builders.staff_client("clinician"), builders.staff_client("front desk")
    clinician.raise_request_exception = desk.raise_request_exception = False
    monkeypatch.setattr(audit, "record", broken)
    status = 503 if isinstance(error, OperationalError) else 500
    row = canaries[0]
    answers = [
        clinician.get(WORKLIST),
        find(clinician, WORKLIST, "canary"),
        clinician.get(page_of(row)),
        clinician.post(page_of(row, "decide"), verdict(row, outcome="")),
        clinician.post(page_of(row, "decide"), verdict(row)),
        clinician.post(page_of(row, "assign"), {"revision": 0, "to": "me"}),
        desk.get(FRONT_DESK),
        desk.get(desk_page_of(row)),
        desk.post(desk_page_of(row, "progress"), {"revision": 0, "progress": "withdrawn"}),
        desk.get(f"{VISITS}?when=all"),
        desk.get(WAITING),
        desk.get(CALLS),
        desk.post(f"{CALLS}{CallTask.objects.all()[0].pk}/reached/"),
        desk.get(visit_page(visits[0])),
        desk.get(visit_page(visits[0], "move")),
        desk.post(visit_page(visits[0], "cancel"), {"reason": "patient"}),
        clinician.get(f"{VISITS}?when=all"),
    ]

    for response in answers:
        assert response.status_code == status
        assert b"Canary" not in response.content
    assert not Decision.objects.exists()
    assert not Call.objects.exists()
    assert CallTask.objects.open().count() == len(canaries)
    assert set(Submission.objects.values_list("revision", flat=True)) == {0}
    assert set(Appointment.objects.values_list("status", flat=True)) == {"confirmed"}


def test_a_trail_that_takes_no_more_events_is_an_outage_and_shows_nobody(canaries, written_log):
    clinician = builders.staff_client("clinician")
    with connection.cursor() as cursor:
        cursor.execute("alter table aud.inbox rename to gone")

    for page in (WORKLIST, page_of(canaries[0])):
        response = clinician.get(page)
        assert (response.status_code, response["Retry-After"]) == (503, "30")
        assert b"Canary" not in response.content
    assert written_log.getvalue().count('"event": "event not recorded"') == 2


# --- refusals -------------------------------------------------------------------------------------


def test_a_refusal_is_written_down_with_who_and_of_whom(canaries):
    desk, trail, row = builders.staff_client("front desk"), Trail(), canaries[0]
    somebody, nobody = str(row.pk), "-"
    asked = [
        (desk.get(page_of(row)), somebody),
        (desk.get(page_of(row, "history")), somebody),
        (desk.get(page_of(row, "delete")), somebody),
        (desk.post(page_of(row, "decide"), verdict(row)), somebody),
        (find(desk, WORKLIST, "canary"), nobody),
        (desk.get("/admin/autocomplete/", {"term": "canary"}), nobody),
        (desk.get(f"{WORKLIST}Quentin Canary-a/change/"), nobody),
        (desk.get(f"{WORKLIST}{'9' * 300}/change/"), nobody),
    ]

    for response, subject in asked:
        assert response.status_code == 403
        (event,) = trail.of(response)
        assert (event.action, event.subject) == ("deny", subject)
        assert event.actor == audit.staff(builders.member("front desk"))
        assert "anary" not in str(event.detail)
    assert event.detail == {"page": "intake_submission_change"}


def test_the_page_of_a_submission_shows_who_was_refused(canaries):
    builders.staff_client("front desk").get(page_of(canaries[0]))

    assert "Refused" in words(builders.staff_client("clinician").get(page_of(canaries[0])))


def test_a_stranger_is_asked_to_sign_in_and_not_written_down(client, canaries):
    trail = Trail()

    assert client.get(page_of(canaries[0])).status_code == 302
    assert trail.events() == []


def test_a_refusal_stands_when_the_database_cannot_write_it_down(canaries, monkeypatch):
    def gone(**event):
        raise OperationalError("gone")

    desk = builders.staff_client("front desk")
    monkeypatch.setattr(audit, "record", gone)

    assert desk.get(page_of(canaries[0])).status_code == 403
