"""Text messages through Twilio: each is sent once, and a number that is refused is remembered."""

import uuid
from urllib.parse import urlencode

import pytest
from django.conf import settings

from clinic.models import Message
from clinic.outgoing import addresses, outbox, oversight, results, smsurl, twilio
from clinic.outgoing.outbox import Letter
from clinic.outgoing.results import KNOWN
from tests.clinic.outgoing.notes import now, put, soon
from tests.faults.twilio import TOKEN, Twilio

NUMBER = "+12025550123"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("closed")]


@pytest.fixture
def closed(monkeypatch):
    """The addresses that were passed on as closed."""
    found = []
    monkeypatch.setattr(addresses, "_keepers", [found.append])
    monkeypatch.setattr(addresses, "_is_open", [])
    return found


@pytest.fixture
def server(settings, say):
    """A Twilio to which the program sends its texts: all with the same words."""
    with Twilio() as running:
        settings.TWILIO = smsurl.read(running.url, demo=True)
        settings.SMS_BACKEND = "clinic.outgoing.twilio.send"
        settings.OUTBOX_LEASE_SECONDS = 4
        say(lambda message: Letter((NUMBER,), "", "Words & é", "sms"))
        yield running


@pytest.fixture
def unsent(monkeypatch):
    """The messages that were followed up because they did not reach their person."""
    found = []
    monkeypatch.setattr(results, "unsents", {"note": found.append})
    return found


def report(client, message, status, **more):
    """Send Twilio's signed report about a message."""
    address = f"/webhooks/twilio/status/{getattr(message, 'pk', message)}/"
    fields = {"MessageSid": "SMreport", "MessageStatus": status, "To": NUMBER, **more}
    signature = twilio.signature(TOKEN, settings.SITE_ORIGIN + address, fields.items())
    return client.post(
        address,
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )


# --- sending --------------------------------------------------------------------------------------


def test_a_text_is_sent_once_and_its_id_is_kept(server):
    message = put()
    outbox.deliver_due()

    (sms,) = server.texts
    stored = now(message)
    assert (sms.to, sms.body, stored.state) == (NUMBER, "Words & é", "sent")
    assert stored.provider_id == sms.sid
    assert sms.report_to == f"{settings.SITE_ORIGIN}/webhooks/twilio/status/{message.pk}/"
    assert server.asked == 0


@pytest.mark.parametrize("mode", ["cut", "late"])
def test_a_text_whose_answer_was_lost_is_found_and_not_sent_again(server, mode):
    message = put()
    server.mode = mode
    outbox.deliver_due()
    assert now(message).state == "waiting"
    server.mode = "ok"
    soon(message)
    outbox.deliver_due()

    (sms,) = server.texts
    assert (now(message).state, now(message).provider_id) == ("sent", sms.sid)


def test_a_text_that_another_message_sent_with_the_same_words_is_not_mistaken_for_it(server):
    put("first")
    outbox.deliver_due()
    message = put("second")
    server.mode = "never"
    outbox.deliver_due()
    server.mode = "ok"
    soon(message)
    outbox.deliver_due()

    assert len(server.texts) == 2
    assert now(message).provider_id == server.texts[1].sid


def test_while_twilio_cannot_be_asked_nothing_is_sent_again(server, unsent):
    message = put()
    server.mode = "blind"
    for _try in range(len(results.PAUSES[outbox.Lane.ORDINARY]) + 1):
        soon(message)
        outbox.deliver_due()

    assert len(server.texts) == 1
    assert now(message).state == "failed"
    assert [each.pk for each in unsent] == [message.pk]


@pytest.mark.parametrize("mode", ["429", "500", "503", "20003"])
def test_a_trouble_of_twilio_or_of_our_account_is_tried_again(server, mode):
    message = put()
    server.mode = mode
    outbox.deliver_due()
    assert now(message).state == "waiting"
    server.mode = "ok"
    soon(message)
    outbox.deliver_due()

    assert now(message).state == "sent"


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("21211", "dead"),
        ("21614", "dead"),
        ("21610", "revoked"),
        ("21408", None),
        ("21612", None),
    ],
)
def test_a_refused_number_is_passed_on_and_followed_up(server, closed, unsent, code, why):
    message = put()
    server.mode = code
    outbox.deliver_due()

    assert (now(message).state, now(message).error) == ("failed", f"twilio {code}")
    assert [(each.address, each.why, each.trouble) for each in closed] == (
        [(NUMBER, why, f"twilio {code}")] if why else []
    )
    assert len(unsent) == 1


def test_a_closed_number_gets_no_text(server, unsent, monkeypatch):
    monkeypatch.setattr(addresses, "_is_open", [lambda channel, address: address != NUMBER])
    message = put()
    outbox.deliver_due()

    assert (now(message).state, now(message).error) == ("dropped", "no way")
    assert not server.texts
    assert len(unsent) == 1


# --- reports --------------------------------------------------------------------------------------


def test_reports_may_come_twice_and_in_any_order(client, server, unsent):
    message = put()
    outbox.deliver_due()
    for status in ("delivered", "sent", "queued", "delivered", "undelivered", "failed"):
        assert report(client, message, status, ErrorCode="30005").status_code == 204

    assert (now(message).delivery, now(message).delivery_trouble) == ("delivered", "")
    assert not unsent


def test_a_lost_text_is_followed_up_once(client, server, unsent, closed):
    message = put()
    outbox.deliver_due()
    for status in ("undelivered", "undelivered", "failed", "sent"):
        report(client, message, status, ErrorCode="30003")

    stored = now(message)
    assert (stored.state, stored.delivery) == ("failed", "undelivered")
    assert stored.delivery_trouble == "twilio 30003"
    assert [each.pk for each in unsent] == [message.pk]
    assert not closed  # a phone that is off may be on tomorrow

    report(client, message, "delivered")
    assert now(message).delivery == "delivered"


def test_a_lost_text_whose_news_the_person_knows_asks_for_no_call(client, server, unsent):
    message = put(payload=KNOWN)
    outbox.deliver_due()
    report(client, message, "undelivered", ErrorCode="30006")

    assert [each.payload for each in unsent] == [KNOWN]
    assert now(message).payload is None


@pytest.mark.parametrize(
    ("code", "why"), [("30005", "dead"), ("30006", "dead"), ("21610", "revoked")]
)
def test_a_report_closes_the_number(client, server, closed, code, why):
    message = put()
    outbox.deliver_due()
    report(client, message, "undelivered", ErrorCode=code)

    assert [(each.address, each.why) for each in closed] == [(NUMBER, why)]


def test_a_report_that_comes_before_the_answer_saves_a_second_text(client, server):
    message = put()
    server.mode = "cut"
    outbox.deliver_due()
    report(client, message, "sent")
    server.mode = "blind"
    soon(message)
    outbox.deliver_due()

    assert (now(message).state, now(message).provider_id) == ("sent", "SMreport")
    assert len(server.texts) == 1


def test_a_text_that_failed_in_doubt_and_arrived_is_sent_after_all(client, server):
    message = put()
    Message.objects.update(state="failed", error="TimeoutError")
    report(client, message, "delivered")

    assert (now(message).state, now(message).error) == ("sent", "")


@pytest.mark.parametrize("status", ["", "sent", "delivered", "undelivered", "no such word"])
def test_a_report_about_an_unknown_message_is_answered_and_changes_nothing(
    client, server, closed, status
):
    assert report(client, uuid.uuid4(), status, ErrorCode="30005").status_code == 204
    assert not closed


@pytest.mark.parametrize("code", ["", "x", "9" * 40, "-1", "٣"])
def test_a_strange_error_code_is_no_error(client, server, code):
    message = put()
    outbox.deliver_due()

    assert report(client, message, "undelivered", ErrorCode=code).status_code == 204
    assert now(message).delivery == "undelivered"


def test_a_lost_text_that_staff_try_again_is_a_new_text(client, server):
    message = put()
    outbox.deliver_due()
    report(client, message, "undelivered", ErrorCode="30003")
    oversight.try_again(message=now(message), actor="system:test")
    outbox.deliver_due()

    assert len(server.texts) == 2
    assert (now(message).state, now(message).provider_id) == ("sent", server.texts[1].sid)
