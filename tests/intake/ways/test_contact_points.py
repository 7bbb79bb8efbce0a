"""An address that its owner or a provider closed stays closed for all of its spellings."""

import pytest

from clinic.models import Event
from intake.models.contact_points import ContactPoint
from intake.ways import contact_points
from tests import builders

pytestmark = pytest.mark.django_db
ONE_ADDRESS = [
    ("email", ["sam@münchen.example", "SAM@xn--mnchen-3ya.example", " Sam@MÜNCHEN.example"]),
    ("sms", ["+12025550123", "+12025550123;ext=12"]),
]


@pytest.mark.parametrize(("channel", "spellings"), ONE_ADDRESS)
@pytest.mark.parametrize("close", ["revoke", "mark_dead"])
def test_a_closed_address_is_closed_in_every_spelling_and_no_other_address_is(
    channel, spellings, close
):
    more = {"trouble": "smtp 550"} if close == "mark_dead" else {}
    close = getattr(contact_points, close)

    assert close(channel=channel, address=spellings[0], actor="system:outbox", **more)
    assert not close(channel=channel, address=spellings[-1], actor="system:outbox", **more)

    assert not any(contact_points.is_open(channel, spelling) for spelling in spellings)
    other = {"email": "ana@münchen.example", "sms": "+12025550124"}[channel]
    assert contact_points.is_open(channel, other)
    assert Event.objects.filter(subject=ContactPoint.objects.get().pk).count() == 1


def test_staff_open_an_address_again_and_both_acts_are_recorded():
    desk = builders.member("front desk")
    sms = {"channel": "sms", "address": "+12025550123"}
    contact_points.revoke(actor="system:sms", **sms)

    assert contact_points.allow_again(by=desk, request_id="r-1", **sms)
    assert not contact_points.allow_again(by=desk, request_id="r-2", **sms)

    assert contact_points.is_open(*sms.values())
    events = Event.objects.filter(subject=ContactPoint.objects.get().pk).order_by("seq")
    said = [event.detail["to"] for event in events]
    assert said == ["revoked", "opened"]


def test_a_row_names_no_address():
    contact_points.verify(channel="email", address="sam@example.org", actor="patient:ABCD-EFGH")

    row = ContactPoint.objects.values().get()
    assert "sam" not in repr(row)
    assert bytes(row["key"]) == contact_points.key_of("email", "sam@example.org")
