"""At an emergency, the front desk tells a clinician at once and notes its own call."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from clinic.outgoing import outbox
from intake.models.calls import Call
from intake.models.submissions import Kind, Submission, Urgency
from intake.ways import calls
from tests import builders
from tests.desk import Trail, desk_page_of, waiting, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return builders.staff_client("front desk")


@pytest.fixture
def stopped():
    duty = builders.member("duty")
    duty.email = "duty@example.org"
    duty.save()
    later = timezone.now() + timedelta(hours=1)
    return waiting(urgency=Urgency.EMERGENCY, kind=Kind.STOPPED, escalate_at=later)


def test_a_button_tells_staff_now_and_once(desk, stopped):
    page = words(desk.get(desk_page_of(stopped)))
    assert "Told so far: clinicians, front desk." in page
    mail.outbox.clear()
    trail = Trail()
    answer = desk.post(desk_page_of(stopped, "tell"))
    outbox.deliver_due()
    letters = [each for each in mail.outbox if "Nobody has seen to it yet" in each.subject]
    assert [stopped.reference in letter.subject for letter in letters] == [True]
    row = Submission.objects.get(pk=stopped.pk)
    assert row.escalations == 1
    assert row.escalate_at > timezone.now()
    (event,) = [each for each in trail.of(answer) if each.action == "state"]
    assert event.detail == {"kind": "escalation", "step": 1}

    again = desk.post(desk_page_of(stopped, "tell"))
    assert again.status_code == 409
    assert "Staff were told a moment ago." in words(again)
    assert Submission.objects.get(pk=stopped.pk).escalations == 1


def test_a_call_of_the_front_desk_is_noted_and_ends_nothing(desk, stopped):
    given = {"call": "reached", "revision": stopped.revision, "call_note": "Is on the way."}
    assert desk.post(desk_page_of(stopped, "noted"), given).status_code == 302
    assert Call.objects.get().by_clinician is False
    page = words(desk.get(desk_page_of(stopped)))
    assert "Tell a clinician now" in page
    assert Submission.objects.get(pk=stopped.pk).escalate_at


@pytest.mark.parametrize("typed", [{}, {"call": "flew"}])
def test_a_slip_in_a_call_is_said_and_keeps_the_note(typed, desk, stopped):
    given = {"revision": stopped.revision, "call_note": "Is on the way.", **typed}
    page = desk.post(desk_page_of(stopped, "noted"), given)
    assert page.status_code == 422
    assert "Say what became of the call." in words(page)
    assert "Is on the way." in page.content.decode()


def test_after_a_clinician_reached_the_patient_nobody_is_told(desk, stopped):
    calls.record(
        submission=stopped, outcome="reached", by=builders.member("clinician"), request_id="r"
    )
    page = words(desk.get(desk_page_of(stopped)))
    assert "A clinician has dealt with it." in page
    assert "Note a call" not in page
    refused = desk.post(desk_page_of(stopped, "tell"))
    assert refused.status_code == 409
    assert "Nobody has to be told." in words(refused)
