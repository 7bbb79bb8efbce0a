"""Reports as mail providers send them: for each provider, how it signs and how it says an event.

The events are those of the providers' documentation, cut to what is read.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from django.conf import settings

SECRET = "clinic:0123456789abcdef"
KEY = "key-0123456789"
BASIC = {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
# what our tests ask of each provider
KINDS = ("delivered", "deferred", "hard", "soft", "complained")


@dataclass(frozen=True)
class Provider:
    """How one provider says events. `event` takes kind, address, the ids of message and mail."""

    settings: dict[str, str]
    event: Callable[[str, str, str, str], Any]
    pack: Callable[[list[Any]], Any]
    sign: Callable[[bytes], dict[str, str]] = lambda body: BASIC
    kinds: tuple[str, ...] = KINDS
    has_metadata: bool = True


def first(events: list[Any]) -> Any:
    (event,) = events
    return event


def in_turn(*words: str) -> dict[str, str]:
    return dict(zip(KINDS, words, strict=True))


def _brevo(kind, to, ours, theirs):
    words = dict(
        zip(KINDS, ("delivered", "deferred", "hard_bounce", "soft_bounce", "spam"), strict=True)
    )
    custom = json.dumps({"message": ours})
    return {"event": words[kind], "email": to, "message-id": theirs, "X-Mailin-custom": custom}


def _mailersend(kind, to, ours, theirs):
    words = dict(
        zip(KINDS, ("delivered", "", "hard_bounced", "soft_bounced", "spam_complaint"), strict=True)
    )
    email = {"message": {"id": theirs}, "recipient": {"email": to}}
    data = {"type": words[kind], "email": email}
    if kind == "hard":
        data["morph"] = {"object": "recipient_bounce", "reason": "no such mailbox"}
    return {"type": f"activity.{words[kind]}", "data": data}


def _mailgun(kind, to, ours, theirs):
    event = {"recipient": to, "user-variables": {"message": ours}, "timestamp": 1_700_000_000.5}
    event |= {"message": {"headers": {"message-id": theirs}}}
    event |= {
        "delivered": {"event": "delivered"},
        "deferred": {"event": "failed", "severity": "temporary", "reason": "generic"},
        "hard": {"event": "failed", "severity": "permanent", "reason": "bounce"},
        "soft": {
            "event": "failed",
            "severity": "permanent",
            "reason": "bounce",
            "delivery-status": {"message": "552 5.2.2 mailbox full", "code": 552},
        },
        "complained": {"event": "complained"},
    }[kind]
    stamp, token = "1700000000", "0" * 50
    sign = hmac.new(KEY.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"timestamp": stamp, "token": token, "signature": sign},
        "event-data": event,
    }


def _mailjet(kind, to, ours, theirs):
    event = {"email": to, "MessageID": theirs, "Payload": json.dumps({"message": ours}), "time": 1}
    return (
        event
        | {
            "delivered": {"event": "sent"},
            "deferred": {"event": "bounce", "hard_bounce": False, "error": "greylisted"},
            "hard": {"event": "bounce", "hard_bounce": True, "error": "user unknown"},
            "soft": {"event": "bounce", "hard_bounce": False, "error": "quota exceeded"},
            "complained": {"event": "spam"},
        }[kind]
    )


def _mailtrap(kind, to, ours, theirs):
    words = in_turn("delivery", "soft bounce", "bounce", "", "spam")
    event = {"event": words[kind], "email": to, "message_id": theirs, "timestamp": 1}
    return event | {"custom_variables": {"message": ours}}


def _mandrill(kind, to, ours, theirs):
    words = in_turn("", "deferral", "hard_bounce", "soft_bounce", "spam")
    event = {"event": words[kind], "_id": theirs, "ts": 1}
    return event | {"msg": {"email": to, "metadata": {"message": ours}}}


def _postal(kind, to, ours, theirs):
    message = {"id": theirs, "to": to}
    if kind == "soft":
        return {"payload": {"original_message": message, "bounce": {"id": 2}}, "timestamp": 1}
    words = {"delivered": "Sent", "deferred": "SoftFail"}
    return {"payload": {"status": words[kind], "message": message}, "timestamp": 1}


def _postmark(kind, to, ours, theirs):
    event = {"MessageID": theirs, "Metadata": {"message": ours}}
    bounce = event | {"RecordType": "Bounce", "Email": to}
    return {
        "delivered": event | {"RecordType": "Delivery", "Recipient": to},
        "deferred": bounce | {"Type": "Transient"},
        "hard": bounce | {"Type": "HardBounce"},
        "soft": bounce | {"Type": "SoftBounce"},
        "complained": bounce | {"RecordType": "SpamComplaint", "Type": "SpamComplaint"},
    }[kind]


def _resend(kind, to, ours, theirs):
    words = dict(
        zip(
            KINDS,
            ("delivered", "delivery_delayed", "bounced", "bounced", "complained"),
            strict=True,
        )
    )
    headers = [{"name": "X-Metadata", "value": json.dumps({"message": ours})}]
    data = {"email_id": theirs, "to": [to], "headers": headers}
    if kind in ("hard", "soft"):
        how = "Permanent" if kind == "hard" else "Transient"
        data["bounce"] = {"message": "A bounce message came back.", "type": how}
    return {"type": f"email.{words[kind]}", "created_at": "2026-11-30T00:00:00Z", "data": data}


def _sendgrid(kind, to, ours, theirs):
    event = {"email": to, "message": ours, "anymail_id": theirs, "timestamp": 1}
    return (
        event
        | {
            "delivered": {"event": "delivered"},
            "deferred": {"event": "deferred"},
            "hard": {"event": "bounce", "type": "bounce", "reason": "550 5.1.1 no such user"},
            "soft": {"event": "bounce", "type": "blocked", "reason": "550 spam"},
            "complained": {"event": "spamreport"},
        }[kind]
    )


def _sparkpost(kind, to, ours, theirs):
    event = {"transmission_id": theirs, "raw_rcpt_to": to, "rcpt_meta": {"message": ours}}
    event |= {
        "delivered": {"type": "delivery"},
        "deferred": {"type": "delay", "bounce_class": "70"},
        "hard": {"type": "bounce", "bounce_class": "10"},
        "soft": {"type": "bounce", "bounce_class": "22"},
        "complained": {"type": "spam_complaint"},
    }[kind]
    return {"msys": {"message_event": event | {"timestamp": "1"}}}


def _unisender(kind, to, ours, theirs):
    words = dict(
        zip(
            KINDS,
            ("delivered", "soft_bounced", "hard_bounced", "hard_bounced", "spam"),
            strict=True,
        )
    )
    data = {"status": words[kind], "email": to, "job_id": theirs, "event_time": "2026-11-30"}
    data |= {"metadata": {"message": ours}}
    if kind in ("hard", "soft"):
        why = "err_user_unknown" if kind == "hard" else "err_mailbox_full"
        data["delivery_info"] = {"delivery_status": why}
    return {"event_name": "transactional_email_status", "event_data": data}


def _unisender_pack(events):
    body = json.dumps({"auth": KEY, "events_by_user": [{"events": events}]})
    return body.replace(KEY, hashlib.md5(body.encode()).hexdigest())


def _mandrill_body(events):
    return urlencode({"mandrill_events": json.dumps(events)})


def _mandrill_sign(body):
    url = settings.SITE_ORIGIN + "/webhooks/mail/mandrill/"
    words = url + "".join(name + value for name, value in sorted(parse_qsl(body.decode())))
    sign = hmac.new(KEY.encode(), words.encode(), hashlib.sha1).digest()
    return {"X-Mandrill-Signature": base64.b64encode(sign).decode()}


@cache
def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 1024)


@cache
def _ec() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _public(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()
    return "".join(pem.splitlines()[1:-1])


def _postal_sign(body):
    sign = _rsa().sign(body, padding.PKCS1v15(), hashes.SHA1())
    return {"X-Postal-Signature": base64.b64encode(sign).decode()}


def _sendgrid_sign(body):
    sign = _ec().sign(b"1700000000" + body, ec.ECDSA(hashes.SHA256()))
    return {
        "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(sign).decode(),
        "X-Twilio-Email-Event-Webhook-Timestamp": "1700000000",
    }


def _hmac(header: str) -> Callable[[bytes], dict[str, str]]:
    return lambda body: {header: hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()}


def providers() -> dict[str, Provider]:
    """Return how each provider reports; makes the keys of those who sign with a private key."""
    basic = {"WEBHOOK_SECRET": SECRET}
    sendgrid = {"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": _public(_ec())}

    def in_events(events: list[Any]) -> Any:
        return {"events": events}

    def in_body(body: bytes) -> dict[str, str]:
        return {}

    def without(*missing: str) -> tuple[str, ...]:
        return tuple(kind for kind in KINDS if kind not in missing)

    mailersend = Provider({"MAILERSEND_SIGNING_SECRET": KEY}, _mailersend, first)
    mailtrap = Provider({"MAILTRAP_TRACKING_SECRET": KEY}, _mailtrap, in_events)
    mandrill = Provider({"MANDRILL_WEBHOOK_KEY": KEY}, _mandrill, _mandrill_body, _mandrill_sign)
    postal = Provider({"POSTAL_WEBHOOK_KEY": _public(_rsa())}, _postal, first, _postal_sign)
    return {
        "brevo": Provider(basic, _brevo, first),
        "mailersend": replace(
            mailersend, sign=_hmac("Signature"), kinds=without("deferred"), has_metadata=False
        ),
        "mailgun": Provider({"MAILGUN_API_KEY": KEY}, _mailgun, first, in_body),
        "mailjet": Provider(basic, _mailjet, list),
        "mailtrap": replace(mailtrap, sign=_hmac("Mailtrap-Signature"), kinds=without("soft")),
        "mandrill": replace(mandrill, kinds=without("delivered")),
        "postal": replace(postal, kinds=without("hard", "complained"), has_metadata=False),
        "postmark": Provider(basic, _postmark, first),
        "resend": Provider(basic, _resend, first),
        "sendgrid": Provider(sendgrid, _sendgrid, list, _sendgrid_sign),
        "sparkpost": Provider(basic, _sparkpost, list),
        "unisender_go": Provider(
            {"UNISENDER_GO_API_KEY": KEY}, _unisender, _unisender_pack, in_body
        ),
    }
