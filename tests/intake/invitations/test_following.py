"""What becomes of an invitation: each state, one reminder, the end, and who is told."""

from datetime import timedelta
from time import sleep
from unittest import mock

import pytest
from django.db import transaction
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox, results
from intake.appointments import changing
from intake.errors import Conflict, Refused
from intake.invitations import following, managing
from intake.models.appointments import Appointment
from intake.models.calls import CallTask
from intake.models.invitations import Invitation
from intake.models.submissions import Draft, Submission, WalkCount
from intake.staff import paperwork
from intake.ways import contact_points
from tests import builders
from tests.desk import Trail, visit_page
from tests.intake import book
from tests.intake.desk.test_races import at_once
from tests.intake.invitations.invited import PERSON, invite, opened, state_of
from tests.intake.way_in import letters

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy", "codes_without_limit")]

INVITATIONS = "/admin/intake/invitation/"
PHONE_ALONE = PERSON | {"email": "", "prefer": "phone"}


def page(row: Invitation, name: str = "change") -> str:
    return f"{INVITATIONS}{row.pk}/{name}/"


def older(row: Invitation, **ago: timedelta) -> None:
    """Move times of an invitation into the past."""
    kept = Invitation.objects.get(pk=row.pk)
    for name, by in ago.items():
        at = getattr(kept, name)
        Invitation.objects.filter(pk=row.pk).update(**{name: at - by})


# --- the states -----------------------------------------------------------------------------------


def test_an_invitation_passes_through_its_states(desk):
    row = invite(days=3)
    seen = [state_of(row)]
    letters()
    seen.append(state_of(row))
    Message.objects.update(delivery="delivered", delivery_at=timezone.now())
    seen.append(state_of(row))
    patient = opened(row)
    seen.append(state_of(row))
    patient.answer()
    seen.append(state_of(row))
    patient.walk_to("contact")
    seen.append(state_of(row))
    patient.answer()
    patient.send()
    seen.append(state_of(row))

    pages = seen[5].rpartition(" of ")[2]
    assert seen[:4] == [
        "Invitation being sent",
        "Invitation sent",
        "Invitation delivered",
        "Opened",
    ]
    assert seen[4].startswith("In progress, page 2 of ")  # later answers add pages
    assert seen[5:] == [f"In progress, page {pages} of {pages}", "Complete"]
    assert "Complete" in desk.get(INVITATIONS).content.decode()


@pytest.mark.parametrize("way", ["refused", "reported", "closed"])
def test_a_letter_that_does_not_arrive_is_a_call_and_no_reminder(way, monkeypatch):
    if way == "closed":
        contact_points.mark_dead(
            channel="email", address=PERSON["email"], trouble="smtp 550", actor="system:t"
        )
    row = invite()
    if way == "refused":
        fail = mock.Mock(side_effect=outbox.NoWay)
        monkeypatch.setattr("intake.letters.invitations._letter", fail)
    assert len(letters()) == (way == "reported")
    if way == "reported":
        with transaction.atomic():
            results.fail_sent(message=Message.objects.get(), error="smtp 550")

    assert state_of(row) == ("We owe a call" if way == "closed" else "Invitation not delivered")
    assert Invitation.objects.to_call().get() == row
    Invitation.objects.update(remind_at=timezone.now())
    following.remind()
    assert letters() == []


def test_a_person_without_any_way_is_no_call(desk):
    with pytest.raises(Refused, match="no safe way"):
        invite(PERSON | {"email": "", "callback_phone": ""})
    assert not Invitation.objects.exists()


def test_a_bounce_of_an_older_letter_changes_nothing():
    row = invite()
    letters()
    older_letter = Message.objects.get()
    managing.send_again(invitation=row, by=builders.member("front desk"), request_id="r")
    with transaction.atomic():
        results.fail_sent(message=older_letter, error="smtp 550")

    assert state_of(row) == "Invitation being sent"
    assert len(letters()) == 1


def test_a_letter_that_waits_is_replaced_by_a_newer_one():
    row = invite()
    Invitation.objects.update(tries=3)
    managing.send_again(invitation=row, by=builders.member("front desk"), request_id="r")

    (letter,) = letters()

    fresh = Invitation.objects.get()
    assert fresh.code["code"] in letter
    assert fresh.code != row.code
    assert fresh.tries == 0


def test_the_desk_is_told_how_the_person_hears_and_calls_until_reached(desk):
    given = {
        "protocol": "legs",
        "language": "en",
        "name": "Quentin Canary",
        "birth_date": "1984-02-29",
        "way": "call",
        "phone": "202 555 0147",
    }
    shown = desk.post(INVITATIONS + "add/", given, follow=True).content.decode()
    row = Invitation.objects.get()

    assert "We owe a call" in shown
    assert "Quentin Canary" in desk.get(INVITATIONS + "?show=call").content.decode()
    assert "1 invited person" in desk.get("/admin/intake/calltask/").content.decode()
    assert not Message.objects.exists()
    desk.post(page(row, "not_reached"))
    assert Invitation.objects.get().call_due_at is not None
    read = desk.post(page(row, "code")).content.decode()
    assert row.code["code"] in read
    assert row.code["code"] not in desk.get(page(row)).content.decode()
    desk.post(page(row, "reached"))
    assert state_of(row) == "Told by phone"


def test_the_form_keeps_what_was_typed_and_says_what_is_missing(desk):
    given = {"protocol": "legs", "language": "en", "name": "Tim", "way": "email"}
    answer = desk.post(INVITATIONS + "add/", given)
    shown = answer.content.decode()

    assert answer.status_code == 422
    assert 'value="Tim"' in shown
    assert "Enter an e-mail address, or choose another way." in shown
    assert "Enter the date of birth." in shown


def test_one_person_is_invited_once():
    invite(days=3)
    with pytest.raises(Conflict, match="still open"):
        invite(days=3)
    assert Invitation.objects.count() == 1


# --- visits ---------------------------------------------------------------------------------------


def test_the_visit_shows_its_paperwork_and_invites(lee, desk):
    visit = book.booked(book.patient())
    shown = desk.get(visit_page(visit)).content.decode()
    address = f"{INVITATIONS}add/?visit={visit.pk}"
    assert address in shown
    assert "Questions: Complete" in shown

    desk.post(address, {"protocol": "legs", "language": "en"})

    row = Invitation.objects.get()
    assert (row.appointment, row.part) == (visit, "part_2")
    shown = desk.get(visit_page(visit)).content.decode()
    assert "Invitation being sent" in shown
    assert page(row) in shown


def test_the_paperwork_of_many_visits_takes_two_queries(lee, django_assert_num_queries):
    visits = [book.booked(book.patient(n), book.free(days=3 + n)) for n in range(3)]
    for visit in visits[:2]:
        invite(appointment=visit)

    rows = list(Appointment.objects.filter(submission__isnull=False))
    with django_assert_num_queries(2):
        found = paperwork.paperwork_of(rows)

    assert {found[visit.pk].words for visit in visits[:2]} == {"Invitation being sent"}
    assert found[visits[2].pk].words == "Questions answered"


def test_an_invitation_follows_a_visit_that_is_moved_and_ends_with_one_that_is_cancelled(lee):
    visit = book.booked(book.patient())
    row = invite(appointment=visit)
    given = {"by": builders.member("front desk"), "request_id": "r"}
    slot = book.free(days=9)
    changing.reschedule(appointment=visit, slot=slot.key, visit_type=slot.visit_type, **given)

    moved = Invitation.objects.select_related("appointment").get()
    assert moved.ends_at == Appointment.objects.get(pk=visit.pk).during.lower > row.expires_at

    letters()
    changing.cancel(appointment=Appointment.objects.get(pk=visit.pk), reason="clinic", **given)
    assert state_of(row) == "Taken back"
    Invitation.objects.update(remind_at=timezone.now())
    following.remind()
    assert not [letter for letter in letters() if "/i/" in letter]


def test_a_patient_of_a_visit_whom_no_letter_reaches_stands_on_the_call_list(lee):
    submission = book.patient()
    person = {**submission.person, "email": "", "prefer": "phone"}
    sealed = Submission._meta.get_field("person").seal_for(submission.pk, person)
    Submission.objects.filter(pk=submission.pk).update(person=sealed)
    visit = book.booked(Submission.objects.get(pk=submission.pk))

    row = invite(appointment=visit)

    assert state_of(row) == "We owe a call"
    assert CallTask.objects.open().filter(reason="invited", submission=submission).exists()
    managing.withdraw(invitation=row, by=builders.member("front desk"), request_id="r")
    assert not CallTask.objects.open().filter(reason="invited").exists()


# --- one reminder ---------------------------------------------------------------------------------


def remind_now() -> list[str]:
    Invitation.objects.exclude(remind_at=None).update(remind_at=timezone.now())
    following.remind()
    return letters()


def test_one_reminder_and_then_silence():
    row = invite()
    letters()

    first, second = remind_now(), remind_now()

    (letter,) = first
    assert "We do not remind you again." in letter
    assert row.code["code"] in letter
    assert second == []


def test_a_reminder_waits_until_a_day_after_the_last_answer():
    row = invite()
    letters()
    opened(row).answer()

    assert remind_now() == []
    Draft.objects.update(updated_at=timezone.now() - timedelta(hours=25))
    assert len(remind_now()) == 1


def stopped_at_an_emergency(row):
    opened(row, em_now=("chest_or_breath",)).answer()


QUIET = {
    "declined": lambda row: managing.decline(invitation=row),
    "withdrawn": lambda row: managing.withdraw(
        invitation=row, by=builders.member("front desk"), request_id="r"
    ),
    "stopped": stopped_at_an_emergency,
    "locked": lambda row: Invitation.objects.update(tries=3),
    "expired": lambda row: older(row, created_at=timedelta(30), expires_at=timedelta(20)),
}


@pytest.mark.parametrize("why", QUIET)
def test_nobody_is_reminded_who_declined_was_stopped_or_cannot_answer(why):
    row = invite()
    letters()
    QUIET[why](row)
    Draft.objects.update(updated_at=timezone.now() - timedelta(hours=25))

    assert remind_now() == []


# --- the end of the row ---------------------------------------------------------------------------


def test_who_never_began_is_deleted_seven_days_after_the_visit_and_counted():
    trail = Trail()
    kept, gone, begun = (
        invite(PERSON | {"name": name}, days=1) for name in ("Ann Lee", "Tim Lee", "Tom Lee")
    )
    opened(begun)
    for row in (gone, begun):
        older(row, created_at=timedelta(10), expires_at=timedelta(days=8, hours=1))

    assert following.forget(days=7) == 1

    assert set(Invitation.objects.values_list("pk", flat=True)) == {kept.pk, begun.pk}
    (event,) = trail.events(action="erase")
    assert event.detail == {"kind": "invitation", "count": 1}


@pytest.mark.django_db(transaction=True)
def test_two_servers_that_delete_invitations_count_each_once(monkeypatch):
    for name in ("Ann Lee", "Tim Lee"):
        older(
            invite(PERSON | {"name": name}, days=1),
            created_at=timedelta(10),
            expires_at=timedelta(days=8, hours=1),
        )
    count = following.counts_of

    def count_slowly(rows):
        counts = count(rows)
        sleep(0.3)  # until the other server has looked, too
        return counts

    monkeypatch.setattr(following, "counts_of", count_slowly)
    assert sorted(at_once(*[lambda: following.forget(days=7)] * 2)) == [0, 2]
    monkeypatch.undo()
    (row,) = WalkCount.objects.filter(event="invited")
    assert (row.kind, row.step, row.number) == ("intake", "expired", 2)
    assert row.day == timezone.localdate() - timedelta(10)
