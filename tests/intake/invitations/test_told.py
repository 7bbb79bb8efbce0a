"""Every way to a person × every kind of invitation: a letter, a call or no safe way, and words."""

import re

import pytest
from django.core import mail

from clinic.models import Message
from clinic.outgoing import outbox
from intake.invitations import managing
from intake.models.calls import CallTask
from intake.models.invitations import Invitation
from intake.ways import contact_points
from tests import builders
from tests.desk import words
from tests.intake.invitations.invited import GUARDIAN, PERSON, child, invite, state_of
from tests.intake.ways.acts import WAYS, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lee")]

# way → how it ends when the letter can be sent, and when its address turns out to be closed
ENDS = {
    "e-mail": ("mail", "call"),
    "text alone": ("text", "call"),
    "phone alone": ("call", "call"),
    "nothing": ("none", "none"),
}
STATES = {
    "mail": "Invitation sent",
    "text": "Invitation sent",
    "call": "We owe a call",
    "none": "No safe way to reach this person",
}
SAID = {
    "mail": "By: E-mail",
    "text": "By: Text message",
    "call": "By: Call",
    "none": "By: No safe way",
}


def of_visit(way: str) -> Invitation:
    return invite(appointment=visitor(way))


def of_person(way: str) -> Invitation:
    return invite(PERSON | {"prefer": "phone"} | WAYS[way])


def of_child(way: str) -> Invitation:
    return invite(child() | {"prefer": "phone"} | WAYS[way], guardian=GUARDIAN)


@pytest.mark.parametrize("is_closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("way", ENDS)
@pytest.mark.parametrize("kind", [of_visit, of_person, of_child], ids=lambda kind: kind.__name__)
def test_each_invitation_ends_in_a_letter_a_call_or_no_safe_way(
    kind, way, is_closed, capsys, settings
):
    if way == "nothing" and kind is not of_visit:
        return  # refused before anything is stored: test_a_person_without_any_way_is_no_call
    if is_closed:
        for channel, address in (
            *(("email", PERSON["email"]), ("email", "canary0@example.org")),
            ("sms", PERSON["callback_phone"]),
        ):
            contact_points.mark_dead(
                channel=channel, address=address, trouble="t", actor="system:t"
            )
    ending = ENDS[way][is_closed]
    outbox.deliver_due()
    mail.outbox.clear()
    capsys.readouterr()

    row = kind(way)
    outbox.deliver_due()

    code = Invitation.objects.get(pk=row.pk).code["code"]
    letters = [letter for letter in mail.outbox if code in letter.body]
    texts = [text for text in (capsys.readouterr().out,) if code in text]
    owed = CallTask.objects.to_make().filter(reason="invited").count()
    owed += Invitation.objects.to_call().count()
    assert (len(letters), len(texts), owed) == {
        "mail": (1, 0, 0),
        "text": (0, 1, 0),
        "call": (0, 0, 1),
        "none": (0, 0, 0),
    }[ending]
    assert state_of(row) == STATES[ending]
    page = builders.staff_client("front desk").get(f"/admin/intake/invitation/{row.pk}/change/")
    assert SAID[ending] in words(page)
    assert not re.search(r"Sent|goes out", words(page)) or ending in ("mail", "text")


@pytest.mark.parametrize("kind", [of_visit, of_person], ids=lambda kind: kind.__name__)
def test_each_time_that_it_is_sent_again_a_call_is_owed_again(kind):
    row = kind("phone alone")
    desk = builders.staff_client("front desk")
    for _time in range(2):
        assert state_of(row) == "We owe a call"
        if row.submission:
            desk.post(f"/admin/intake/calltask/{CallTask.objects.open().get().pk}/reached/")
        else:
            desk.post(f"/admin/intake/invitation/{row.pk}/reached/")
        assert state_of(row) == "Told by phone"
        desk.post(f"/admin/intake/invitation/{row.pk}/again/")


def test_a_person_whose_only_address_was_closed_since_is_not_said_to_have_a_letter():
    row = invite(PERSON | {"callback_phone": ""})
    outbox.deliver_due()
    contact_points.mark_dead(
        channel="email", address=PERSON["email"], trouble="t", actor="system:t"
    )
    managing.send_again(invitation=row, by=builders.member("front desk"), request_id="r")

    assert state_of(row) == "Invitation not delivered"
    assert not Invitation.objects.to_call().exists()


def test_an_invitation_taken_back_before_it_is_sent_is_not_sent():
    row = invite()
    managing.withdraw(invitation=row, by=builders.member("front desk"), request_id="r")
    mail.outbox.clear()
    outbox.deliver_due()

    assert mail.outbox == []
    assert Message.objects.get().state == "dropped"
