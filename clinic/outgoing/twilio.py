"""Send text messages with Twilio, and check the signature of Twilio's requests to us.

Twilio's documentation names no idempotency key for sending: a request that is sent twice makes two
text messages. So before a second try we look the first one up (decision 0038).
"""

import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from clinic.models import Message
from clinic.outgoing.sms import NumberRefused, ProviderTrouble
from clinic.outgoing.smsurl import TIMEOUT, TwilioWay

# https://www.twilio.com/docs/api/errors. 21211, 21217 and 21614: not a number of a mobile phone;
# 30005: no such phone; 30006 and 21635: a landline, or a phone that no carrier reaches
DEAD = {21211, 21217, 21614, 21635, 30005, 30006}
REVOKED = {21610}  # the owner of the number wrote STOP
# 21408, 21612: we may not or cannot send to this country or carrier; 30003: the phone is off;
# 30004: blocked; 30007: a carrier took the text for spam; 30008: unknown
USELESS = {*DEAD, *REVOKED, 21408, 21612, 30003, 30004, 30007, 30008}
# the texts that Twilio answers itself, with a confirmation
# (https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out)
ANSWERED = frozenset("STOP STOPALL UNSUBSCRIBE END QUIT REVOKE OPTOUT CANCEL START UNSTOP".split())
CLOCKS = timedelta(minutes=2)  # by how much our clock and Twilio's may differ
MOST_LISTED = 50  # texts to one number that a look-up reads
MOST_BYTES = 1_000_000  # of an answer of Twilio

MOST_FIELDS = 200  # Twilio sends about 25 fields, and adds new ones without notice


# --- sending --------------------------------------------------------------------------------------


def send(*, to: str, text: str, key: str, tried_at: datetime | None = None) -> str:
    """Send one text message. Returns Twilio's id of the message.

    `key` is the id of our message, which Twilio repeats in its reports. With `tried_at`, the text
    is looked up first, and sent only if Twilio does not have it. Raises sms.NumberRefused if
    another try is useless, and sms.ProviderTrouble or OSError if Twilio did not accept the text
    now.
    """
    way: TwilioWay = settings.TWILIO  # type: ignore[assignment] # `sms.send` has looked
    if tried_at and (found := _find(way, to, text, tried_at)):
        return found
    sender = "MessagingServiceSid" if way.sender.startswith("MG") else "From"
    report_to = settings.SITE_ORIGIN + reverse("webhook_twilio_status", args=[key])
    fields = {"To": to, "Body": text, sender: way.sender, "StatusCallback": report_to}
    status, answer = _ask(way, "POST", fields)
    if status == 201 and answer.get("sid"):
        return str(answer["sid"])
    code = answer.get("code")
    trouble = f"twilio {code}" if isinstance(code, int) else f"http {status}"
    if code in USELESS:
        raise NumberRefused(trouble, why_of(code))
    raise ProviderTrouble(trouble)


def why_of(code: int | None) -> Literal["", "dead", "revoked"]:
    """Return what an error code of Twilio says about the number, '' if nothing for good."""
    return "dead" if code in DEAD else "revoked" if code in REVOKED else ""


def _find(way: TwilioWay, to: str, text: str, since: datetime) -> str | None:
    """Return Twilio's id of a text that an earlier try sent, or None if Twilio has no such text.

    Two of our messages may have the same words, so a text that belongs to another message is
    left out.
    """
    asked = {
        "To": to,
        "DateSent>": f"{since - CLOCKS:%Y-%m-%d}",
        "PageSize": str(MOST_LISTED),
    }
    status, answer = _ask(way, "GET", asked)
    if status != 200:
        raise ProviderTrouble(f"http {status}")
    found = [
        str(row["sid"])
        for row in answer.get("messages", ())
        if row.get("body") == text
        and row.get("status") not in ("failed", "canceled", "received", "receiving")
        and parsedate_to_datetime(row["date_created"]) >= since - CLOCKS
    ]
    known = Message.objects.filter(provider_id__in=found).values_list("provider_id", flat=True)
    return next(iter(sorted(set(found) - set(known))), None)


def _ask(way: TwilioWay, method: str, fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Send a request to Twilio. Returns the status and the JSON of the answer, by default {}.

    The request of a text and its look-up together end well within half of the outbox's lease.
    """
    url = urlsplit(way.api)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    seconds = min(TIMEOUT, settings.OUTBOX_LEASE_SECONDS / 8)
    connection = kind(str(url.hostname), url.port, timeout=seconds)
    path = f"/2010-04-01/Accounts/{way.account}/Messages.json"
    credentials = base64.b64encode(f"{way.account}:{way.token}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Accept": "application/json"}
    body = None
    if method == "POST":
        body = urlencode(fields).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    else:
        path += f"?{urlencode(fields)}"
    with contextlib.closing(connection):
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            data = response.read(MOST_BYTES)
        except HTTPException as error:
            raise ProviderTrouble(f"http {type(error).__name__}") from None
    try:
        answer = json.loads(data)
    except ValueError:
        answer = {}
    return response.status, answer if isinstance(answer, dict) else {}


# --- reports --------------------------------------------------------------------------------------


def is_genuine(request: HttpRequest) -> bool:
    """Whether Twilio signed this request with our token.

    The signature covers the address as we gave it to Twilio, so SITE_ORIGIN counts and not the
    header Host.
    """
    if settings.TWILIO is None:
        return False
    query = request.META.get("QUERY_STRING", "")
    url = f"{settings.SITE_ORIGIN}{request.path}{'?' if query else ''}{query}"
    try:
        expected = signature(settings.TWILIO.token, url, fields_of(request.body))
    except ValueError:
        return False
    given = request.headers.get("X-Twilio-Signature", "")
    return hmac.compare_digest(expected.encode(), given.encode())


def signature(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """Return Twilio's signature of a request: HMAC-SHA1 over the address and the sorted fields.

    https://www.twilio.com/docs/usage/webhooks/webhooks-security
    """
    signed = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def fields_of(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form. Raises ValueError if the form is malformed."""
    return parse_qsl(
        body.decode("ascii"),
        keep_blank_values=True,
        strict_parsing=bool(body),
        errors="strict",
        max_num_fields=MOST_FIELDS,
    )
