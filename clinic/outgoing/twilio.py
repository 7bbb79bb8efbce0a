"""Send text messages with Twilio, and check the signature of Twilio's requests to us."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest

MOST_FIELDS = 200  # Twilio sends about 25 fields, and adds new ones without notice


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
