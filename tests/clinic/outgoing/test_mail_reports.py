"""What mail providers report: a mail that came back has failed, once, and its address is dead."""

import json
import logging
from uuid import uuid4

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic.models import Message
from clinic.outgoing import addresses, dead, mail_reports, mailurl, outbox, oversight, results
from tests.clinic.outgoing.notes import now, put, soon
from tests.clinic.outgoing.providers import FORM, JSON, KEY, SECRET, providers

ALL = providers()
ANA = "ana@example.org"
EACH = [(name, kind) for name, provider in ALL.items() for kind in provider.kinds]
# kind of event → state and delivery of the message, the code, why the address is closed
TOLD = {
    "delivered": ("sent", "delivered", "", None),
    "deferred": ("sent", "", "deferred", None),
    "hard": ("failed", "undelivered", "bounced", "dead"),
    "soft": ("failed", "undelivered", "bounced", None),
    "complained": ("failed", "undelivered", "complained", "dead"),
}


@pytest.fixture
def seen(monkeypatch, say):
    """The follow-ups and the closed addresses."""
    found = {"unsent": [], "closed": []}
    results.unsents["note"] = lambda message: found["unsent"].append(message.occasion)
    monkeypatch.setattr(addresses, "_keepers", [found["closed"].append])
    return found


def use(settings, name):
    settings.EMAIL_PROVIDER, settings.ANYMAIL = name, ALL[name].settings


def sent(occasion="one", provider_id="") -> Message:
    message = put(occasion)
    outbox.deliver_due()
    Message.objects.filter(pk=message.pk).update(provider_id=provider_id)
    return message


def post(client, name, *events, body=None, **headers):
    provider = ALL[name]
    packed = provider.pack(list(events)) if body is None else body
    is_form = name == "mandrill"
    data = packed if isinstance(packed, str) else json.dumps(packed)
    return client.post(
        f"/webhooks/mail/{name}/",
        data.encode(),
        content_type=FORM if is_form else JSON,
        headers=provider.sign(data.encode()) | headers,
    )


def event(name, kind, message, *, to=ANA, theirs="theirs-1"):
    ours = str(message.pk) if ALL[name].has_metadata else ""
    return ALL[name].event(kind, to, ours, theirs)


# --- each provider --------------------------------------------------------------------------------


def test_each_provider_whose_reports_can_be_read_is_tested():
    assert set(mailurl.PROVIDERS) - set(ALL) == {"scaleway"}
    assert set(ALL) == set(mail_reports.VIEWS)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "kind"), EACH)
def test_what_each_provider_reports(client, settings, seen, name, kind):
    use(settings, name)
    message = sent(provider_id="theirs-1")
    report = event(name, kind, message)
    for _twice in range(2):
        assert post(client, name, report).status_code == 204

    state, delivery, trouble, why = TOLD[kind]
    stored = now(message)
    assert (stored.state, stored.delivery, stored.delivery_trouble) == (state, delivery, trouble)
    assert seen["unsent"] == (["one"] if state == "failed" else [])
    closed = {(each.channel, each.address, each.why) for each in seen["closed"]}
    assert closed == ({("email", ANA, why)} if why else set())


@pytest.mark.parametrize("name", ALL)
def test_a_forged_report_is_refused_without_the_database(client, settings, name):
    """The database is closed to this test."""
    use(settings, name)
    message = Message(pk=uuid4())
    body = ALL[name].pack([event(name, "hard" if name != "postal" else "soft", message)])
    data = (body if isinstance(body, str) else json.dumps(body)).replace(KEY, "forged")
    where = f"/webhooks/mail/{name}/"

    def answer(content, kind):
        return client.post(where, content, content_type=kind).status_code

    if name not in ("mailgun", "unisender_go"):  # these sign in the body
        assert answer(data, FORM if name == "mandrill" else JSON) == 403
    for content in (b"", b"[]", b"{}", b"null", b"1", b"\xff\xfe", b'{"signature": 1, "auth": 2}'):
        for kind in (JSON, FORM, "text/plain", "multipart/form-data; boundary=x", ""):
            assert answer(content, kind) == 403


# basic authentication and Mailgun's signature do not cover the body
SIGNED_APART = ("brevo", "mailjet", "postmark", "resend", "sparkpost", "mailgun")


@pytest.mark.django_db
@pytest.mark.parametrize("name", SIGNED_APART)
@pytest.mark.parametrize(
    "body", ["", "[]", "{}", "null", "1", '{"events": 1}', '[{"msys": 1}]', "[" * 50_000]
)
def test_a_genuine_body_that_is_no_report_is_a_bad_request(client, settings, seen, name, body):
    use(settings, name)
    answer = post(client, name, body=body)

    assert answer.status_code in (204, 400, 403)
    assert not seen["unsent"]


# --- batches, order, strangers --------------------------------------------------------------------


@pytest.mark.django_db
def test_a_batch_of_a_thousand(client, settings, seen):
    use(settings, "sendgrid")
    messages = [sent(f"{n}") for n in range(20)]
    events = [event("sendgrid", "hard", each) for each in messages]
    strangers = [event("sendgrid", "hard", Message(pk=uuid4()), theirs=f"x{n}") for n in range(980)]
    with CaptureQueriesContext(connection) as queries:
        answer = post(client, "sendgrid", *strangers, *events)

    assert answer.status_code == 204
    assert sorted(seen["unsent"], key=int) == [str(n) for n in range(20)]
    assert len(seen["closed"]) == 20  # nobody's address is closed by a mail that is not ours
    assert len(queries) < 20 * 10  # unknown messages cost nothing


@pytest.mark.django_db
@pytest.mark.parametrize("order", [("hard", "delivered"), ("delivered", "hard")])
def test_a_mail_that_came_back_stays_lost_in_any_order(client, settings, seen, order):
    use(settings, "sendgrid")
    message = sent()
    for kind in (*order, "deferred", *order, "complained"):
        assert post(client, "sendgrid", event("sendgrid", kind, message)).status_code == 204

    assert (now(message).state, now(message).error) == ("failed", "bounced")
    assert seen["unsent"] == ["one"]


@pytest.mark.django_db
def test_a_report_that_overtakes_the_answer_counts_when_the_answer_is_stored(
    client, settings, seen, say
):
    """The provider reports while the worker still waits for its answer."""
    use(settings, "sendgrid")

    def letter(message):
        assert post(client, "sendgrid", event("sendgrid", "hard", message)).status_code == 204
        return outbox.Letter((ANA,), "Hi", "Words")

    say(letter)
    message = sent()

    assert now(message).state == "failed"
    assert seen["unsent"] == ["one"]


@pytest.mark.django_db
def test_a_mail_whose_delivery_is_reported_is_not_sent_again(client, settings, seen, mailoutbox):
    """The worker died after the provider's answer."""
    use(settings, "sendgrid")
    message = put()
    outbox._claim()
    post(client, "sendgrid", event("sendgrid", "delivered", message))
    Message.objects.update(claimed_until=None)
    soon(message)
    outbox.deliver_due()

    assert now(message).state == "sent"
    assert not mailoutbox


@pytest.mark.django_db
def test_a_code_that_came_back_alarms_nobody_and_closes_the_address(client, settings, seen):
    use(settings, "sendgrid")
    outbox.composer("note", lane=outbox.Lane.SCREEN)(
        lambda message: outbox.Letter((ANA,), "Hi", "Words")
    )
    message = sent()
    post(client, "sendgrid", event("sendgrid", "hard", message))

    assert (now(message).state, now(message).delivery) == ("sent", "undelivered")
    assert seen["unsent"] == []
    assert len(seen["closed"]) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("lane", "state"), [("SCREEN", "dropped"), ("ORDINARY", "failed")])
def test_an_address_that_a_mail_server_refuses_is_closed_at_once(seen, sink, lane, state):
    outbox.composer("note", lane=outbox.Lane[lane])(
        lambda message: outbox.Letter((ANA,), "Hi", "Words")
    )
    sink.mode = "550"
    message = put()
    outbox.deliver_due()

    assert (now(message).state, now(message).error) == (state, "smtp 550")
    assert [(each.address, each.why, each.trouble) for each in seen["closed"]] == [
        (ANA, "dead", "smtp 550")
    ]
    assert seen["unsent"] == (["one"] if state == "failed" else [])


@pytest.mark.parametrize(
    ("code", "text", "says_so"),
    [
        (550, b"5.1.1 no such user", True),
        (550, b"no mailbox here", True),
        (551, b"moved", True),
        (550, b"5.7.1 blocked, see https://example.org/?ip=10.5.1.1", False),
        (552, b"5.2.2 mailbox full", False),
        (550, b"5.2.1 mailbox disabled", True),
        (556, b"5.1.10 null MX", True),
        (554, b"policy", False),
        (550, b"4.2.1 not now", False),
        (450, b"5.1.1 no such user", False),
        (550, "5.1.1 ñ".encode("latin-1"), True),
    ],
)
def test_a_reply_closes_an_address_only_if_it_speaks_of_the_address(code, text, says_so):
    assert dead.is_said_by_smtp(code, text) is says_so


@pytest.mark.django_db
def test_of_several_recipients_the_refused_one_is_noticed(seen, sink, say, monkeypatch):
    async def only_ana(server, session, envelope, address, _options):
        if address != ANA:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    monkeypatch.setattr(sink, "handle_RCPT", only_ana)
    say(lambda message: outbox.Letter((ANA, "bo@example.org"), "Hi", "Words"))
    message = put()
    outbox.deliver_due()

    assert (now(message).state, now(message).error) == ("sent", "1 of 2 refused")
    assert [each.address for each in seen["closed"]] == ["bo@example.org"]


@pytest.mark.django_db
def test_a_follow_up_that_breaks_is_where_staff_see_it(client, settings, seen):
    use(settings, "sendgrid")
    results.unsents["note"] = lambda message: 1 / 0
    message = sent()

    assert post(client, "sendgrid", event("sendgrid", "hard", message)).status_code == 204
    assert (now(message).state, now(message).error) == ("failed", "not followed up")


@pytest.mark.django_db
def test_a_message_that_is_tried_again_can_come_back_again(client, settings, seen):
    use(settings, "sendgrid")
    message = sent()
    post(client, "sendgrid", event("sendgrid", "hard", message))
    outbox.composer("note")(lambda message: outbox.Letter((ANA,), "Hi", "Words"))
    oversight.try_again(message=now(message), actor="system:outbox")
    outbox.deliver_due()
    assert (now(message).state, now(message).delivery) == ("sent", "")
    post(client, "sendgrid", event("sendgrid", "hard", message))
    assert now(message).state == "failed"


# --- addresses, limits, settings ------------------------------------------------------------------


@pytest.mark.django_db
def test_only_the_provider_of_email_url_may_report(client, settings):
    use(settings, "postmark")
    settings.ANYMAIL = {**settings.ANYMAIL, **ALL["sendgrid"].settings}
    for name in ("sendgrid", "nobody", "amazon_ses"):
        answer = client.post(f"/webhooks/mail/{name}/", b"{}", content_type=JSON)
        assert answer.status_code == 403


def test_a_provider_may_look_whether_the_address_exists(client, settings):
    use(settings, "mandrill")
    for method in (client.head, client.get):
        assert method("/webhooks/mail/mandrill/").status_code == 204
    assert client.put("/webhooks/mail/mandrill/").status_code == 405


def test_two_megabytes_are_too_long(client, settings):
    use(settings, "postmark")
    body = '"' + "x" * 2_000_000 + '"'

    assert post(client, "postmark", body=body).status_code == 413


@pytest.mark.django_db
def test_nothing_of_a_report_is_logged(client, settings, seen, written_log, caplog):
    caplog.set_level(logging.DEBUG)
    use(settings, "postmark")
    message = sent()
    canary = event("postmark", "hard", message, to="canary@example.org")
    post(client, "postmark", canary)
    post(client, "postmark", canary, Authorization="Basic canary")
    post(client, "postmark", body='{"RecordType": "canary@example.org", "Metadata": 1}')

    logged = written_log.getvalue()
    assert "webhook refused" in logged
    assert "webhook not read" in logged
    assert "message not delivered" in logged
    assert "canary" not in logged


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("postmark", {}, "neither WEBHOOK_SECRET nor a key"),
        ("sendgrid", {}, "neither WEBHOOK_SECRET nor a key"),
        ("mailersend", {}, "refused: AnymailConfigurationError"),
        ("sendgrid", {"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": "x"}, "refused: "),
        ("resend", {"RESEND_SIGNING_SECRET": "x"}, "refused: AnymailImproperlyInstalled"),
        ("scaleway", {}, "sends no reports that the program can read"),
        *((name, provider.settings, "") for name, provider in ALL.items()),
        ("", {}, ""),
    ],
)
def test_the_start_says_whether_returned_mail_is_noticed(client, settings, name, options, said):
    settings.DEMO, settings.EMAIL_PROVIDER, settings.ANYMAIL = False, name, options
    found = [each.msg for each in run_checks(tags=["mail"])]

    assert [said in each for each in found] == ([True] if said else [])
    if said:
        answer = client.post(f"/webhooks/mail/{name}/", b"{}", content_type=JSON)
        assert answer.status_code == 403
    assert SECRET not in "".join(found)
