"""When the audit trail fails at the commit, an act of staff is undone, and no message is sent."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django.utils import timezone

from clinic.models import Message
from intake.appointments import waiting_list
from intake.models.appointments import Appointment, WaitlistEntry
from intake.models.clinic_time import Location
from intake.models.submissions import Decision, Submission
from tests import builders
from tests.clinic.people.test_people import PASSWORD, PEOPLE, filled, url
from tests.desk import (
    FRONT_DESK,
    VISITS,
    WORKLIST,
    desk_page_of,
    find,
    page_of,
    verdict,
    visit_page,
    waiting,
    words,
)
from tests.education import desk as editing
from tests.education.browser import at
from tests.education.conftest import load
from tests.intake import book
from tests.trail import recorded, unchained

pytestmark = pytest.mark.django_db(transaction=True)


def acts(asks: Submission, comes: Submission, colleague: User) -> Iterator[tuple[str, str, Any]]:
    """Yield for each act a role, the address of a button, and the posted values.

    Each act would succeed if it could be recorded. The patient of `asks` asks for an appointment.
    The patient of `comes` has an appointment and waits for an earlier time.
    """
    read = {"revision": 0}
    yield "clinician", page_of(asks, "decide"), verdict(asks)
    yield "clinician", page_of(asks, "decide"), verdict(asks, outcome="")
    yield "clinician", page_of(asks, "assign"), {**read, "to": "me"}
    yield "clinician", page_of(asks, "message"), {**read, "message": "call_us"}
    yield "clinician", page_of(asks, "settle"), read
    yield "clinician", page_of(asks, "trust"), read

    time = {"type": str(book.visit_type().pk), "slot": book.free(8).key}
    yield "front desk", desk_page_of(asks, "progress"), {**read, "progress": "called"}
    yield "front desk", desk_page_of(asks, "offer"), {**time, "hours": "24"}
    yield "front desk", desk_page_of(asks, "call"), time
    yield "front desk", desk_page_of(asks, "call"), {}
    yield "front desk", desk_page_of(asks, "wait"), {}
    visit = Appointment.objects.get(submission=comes)
    yield "front desk", visit_page(visit, "move"), time
    yield "front desk", visit_page(visit, "cancel"), {"reason": "patient"}
    entry = WaitlistEntry.objects.get()
    yield "front desk", reverse("admin:intake_waitlistentry_leave", args=[entry.pk]), {}
    place = {"name": "Annex", "time_zone": "America/New_York", "is_active": "on"}
    yield "front desk", reverse("admin:intake_location_add"), place
    today = timezone.localdate()
    days = {"first_day": today, "last_day": today + timedelta(days=300)}
    yield "front desk", reverse("admin:intake_closure_add"), days

    failed = Message.objects.filter(state="failed")[0]
    for name in ("again", "aside"):
        yield "clinician", reverse(f"admin:clinic_message_{name}", args=[failed.pk]), {}

    passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    groups = [Group.objects.get(name="clinician").pk]
    yield "administrator", f"{PEOPLE}add/", {"username": "dr-new", "groups": groups}
    yield "administrator", url(colleague), filled(colleague, "clinician")
    yield "administrator", url(colleague, "password"), passwords
    yield "administrator", url(colleague, "factor"), {}

    page = load()["knees/creaking"]
    yield "content editor", at(page, "ask_for_review"), {"read": editing.read(page)}


@pytest.fixture
def patients() -> tuple[Submission, Submission]:
    asks, comes = waiting("Quentin Canary-a"), waiting("Quentin Canary-b")
    book.clinician()
    book.booked(comes, book.free())
    waiting_list.join_waitlist(submission=comes)
    Message.objects.update(state="failed", payload=None, finished_at=timezone.now())
    return asks, comes


def test_what_is_lost_at_the_commit_is_neither_done_nor_shown_nor_told(patients):
    colleague = builders.member("front desk", "desk-mia")
    todo = list(acts(*patients, colleague))
    clients = {role: builders.staff_client(role) for role, _where, _posted in todo}
    before = stored()
    with unchained():
        for role, where, posted in todo:
            with recorded() as events:
                response = clients[role].post(where, posted)
            assert events, where
            assert response.status_code == 503, where
            assert response["Retry-After"] == "30"
            assert b"We are busy right now" in response.content
            assert b"Canary" not in response.content
            assert "_messages" not in clients[role].session, where

    assert stored() == before


def stored() -> dict[str, Any]:
    """Return everything in the database that the acts of `acts` would change."""
    return {
        "submissions": list(Submission.objects.order_by("pk").values_list("revision", "status")),
        "decisions": Decision.objects.count(),
        "visits": list(Appointment.objects.values_list("status", "sequence")),
        "waiting": WaitlistEntry.objects.count(),
        "places": Location.objects.count(),
        "failed": Message.objects.exclude(state="failed").count(),
        "people": list(User.objects.order_by("pk").values_list("username", "password")),
        "roles": list(User.groups.through.objects.order_by("pk").values_list("user", "group")),
    }


def test_a_search_that_cannot_be_recorded_finds_nobody(patients, written_log):
    clinician = builders.staff_client("clinician")
    with unchained():
        for where in (WORKLIST, VISITS):
            response = find(clinician, where, "canary")
            assert response.status_code == 503
            assert b"Canary" not in response.content
    assert written_log.getvalue().count('"event": "database trouble", "status": "58000"') == 2
    assert "anary" not in written_log.getvalue()


def test_a_refusal_stands_when_it_cannot_be_written_down(patients):
    desk = builders.staff_client("front desk")
    with unchained(), recorded() as events:
        assert desk.get(page_of(patients[0])).status_code == 403
    assert events


def test_afterwards_everything_goes_on_and_the_own_look_is_told_of(patients):
    clinician = builders.staff_client("clinician")
    with unchained():
        assert clinician.get(page_of(patients[0])).status_code == 503
    first = words(clinician.get(page_of(patients[0])))
    assert "That you opened this page is recorded, too." in first
    assert "Opened: " not in first
    # the page lists when it was opened earlier, but not that it is being opened now
    second = words(clinician.get(page_of(patients[0])))
    assert second.count("Opened: clinician") == 1
    assert builders.staff_client("front desk").get(FRONT_DESK).status_code == 200
