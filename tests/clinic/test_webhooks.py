"""Reports of providers: only what the provider signed is read, and nothing of it is logged."""

import logging
from urllib.parse import urlencode

import hypothesis
import pytest
from django.conf import settings
from django.test import RequestFactory, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import given
from hypothesis import strategies as st

from clinic import limits
from clinic.outgoing import smsurl, twilio
from tests.examples import examples

FORM = "application/x-www-form-urlencoded"
TOKEN = "0123456789abcdef0123456789abcdef"
WAY = smsurl.TwilioWay("AC" + "0" * 32, TOKEN, "+12025550123", "https://api.twilio.com")
TEXT = "/webhooks/twilio/text/"
FIELDS = {"MessageSid": "SM1", "From": "+12025550199", "Body": "Hello & goodbye", "NumMedia": "0"}


@pytest.fixture(autouse=True)
def _twilio(settings):
    settings.TWILIO = WAY


def signed(client, address=TEXT, fields=FIELDS, *, signs=TOKEN, origin=None, **more):
    url = (origin or settings.SITE_ORIGIN) + address
    signature = twilio.signature(signs, url, fields.items())
    return client.post(
        address,
        urlencode(fields),
        content_type=FORM,
        headers={"X-Twilio-Signature": signature},
        **more,
    )


def views_of(patterns, prefix=""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from views_of(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern


# --- which requests are taken ---------------------------------------------------------------------


def test_only_webhooks_go_without_a_form_token():
    exempt = {
        pattern.name
        for _address, pattern in views_of(get_resolver().url_patterns)
        if getattr(pattern.callback, "csrf_exempt", False)
    }
    webhooks = {
        pattern.name
        for address, pattern in views_of(get_resolver().url_patterns)
        if address.startswith("webhooks/")
    }

    assert exempt == webhooks
    assert all(name.startswith("webhook_") for name in webhooks)


@pytest.mark.django_db
def test_a_signed_report_is_answered_without_a_session(client):
    answer = signed(client)

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/xml")
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies


def test_twilios_own_example_has_twilios_signature():
    fields = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"

    assert twilio.signature("12345", url, fields.items()) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


# the database is closed to these tests, so they also show that a forged report reads no row


@pytest.mark.parametrize(
    "more",
    [
        {"signs": "another token 0123456789"},
        {"origin": "https://elsewhere.example"},
        {"query_params": {"more": "1"}},
    ],
)
def test_a_report_with_another_signature_is_refused(client, more):
    assert signed(client, **more).status_code == 403


def test_a_report_without_a_signature_or_setting_is_refused(client, settings):
    unsigned = client.post(TEXT, urlencode(FIELDS), content_type=FORM)
    settings.TWILIO = None

    assert unsigned.status_code == 403
    assert signed(client, signs="").status_code == 403


WORDS = st.text(st.characters(codec="utf-8"), max_size=40)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9)


@hypothesis.settings(max_examples=examples(40), deadline=None)
@given(fields=st.dictionaries(NAMES, WORDS, min_size=1, max_size=6), data=st.data())
def test_a_report_passes_unchanged_and_never_changed(fields, data):
    with override_settings(TWILIO=WAY):
        signature = twilio.signature(TOKEN, settings.SITE_ORIGIN + TEXT, fields.items())

        def passes(fields):
            request = RequestFactory().post(TEXT, urlencode(fields), content_type=FORM)
            request.META["HTTP_X_TWILIO_SIGNATURE"] = signature
            return twilio.is_genuine(request)

        name = data.draw(st.sampled_from(sorted(fields)))
        assert passes(fields)
        assert not passes(fields | {name: fields[name] + "x"})
        assert not passes({field: words for field, words in fields.items() if field != name})


@pytest.mark.parametrize("body", [b"a=%ff", b"\xff\xfe=1", b"=" * 5000, b"a=1&" * 300, b""])
def test_a_malformed_body_is_refused(client, body):
    answer = client.post(TEXT, body, content_type=FORM, headers={"X-Twilio-Signature": "x"})

    assert answer.status_code == 403


def test_a_long_body_is_refused_before_it_is_read(client):
    answer = signed(client, fields=FIELDS | {"Body": "x" * 45_000})

    assert answer.status_code == 413


def test_only_a_post_is_a_report(client):
    assert client.get(TEXT).status_code == 405


@pytest.mark.django_db
def test_a_flood_is_told_to_come_back(client, monkeypatch):
    monkeypatch.setattr(limits, "take_all", lambda *_limits: 7)
    answer = signed(client)

    assert (answer.status_code, answer["Retry-After"]) == (429, "7")


@pytest.mark.django_db
def test_nothing_of_a_report_is_logged(client, caplog):
    caplog.set_level(logging.DEBUG)
    canary = FIELDS | {"Body": "CANARY", "From": "+12025550177"}
    signed(client, fields=canary)
    signed(client, fields=canary, signs="another token 0123456789")

    told = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "webhook refused" in told
    assert "CANARY" not in told
    assert "5550177" not in told
