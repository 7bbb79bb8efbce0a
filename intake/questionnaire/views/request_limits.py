"""Limit how often a network begins or sends drafts, and how often one mailbox gets letters."""

import math
from datetime import timedelta

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import ngettext

from clinic import limits
from clinic.requests import Request
from intake.access import codes
from intake.questionnaire.views.browser import phone_call_of

HOUR = timedelta(hours=1)
# how many letters about saved drafts ("save") and submissions ("confirm") one mailbox gets
MAIL_LIMITS = {
    "save": ((3, timedelta(minutes=15)), (10, timedelta(days=1))),
    "confirm": ((3, timedelta(hours=8)),),
}


def count_send(request: Request) -> int:
    """Count a sending from this network. Returns 0, or the seconds until the next is allowed.

    Staff who enter a caller's answers are counted when they begin, and not here.
    """
    if phone_call_of(request) is not None:
        return 0
    key = f"send:{limits.peer(request)}"
    return limits.take_all(limits.Limit(key, settings.LIMIT_INTAKE_SENDS, HOUR))


def may_write_to(address: str, what: str) -> bool:
    """Count a letter to an address that was typed, and return whether it may be sent.

    Without this limit, a stranger could send many forms in a patient's name and fill the patient's
    mailbox. `what` is a key of MAIL_LIMITS.
    """
    mailbox = codes.address_key(address)
    return all(
        limits.take(f"{what}-mailbox-{most}:{mailbox}", capacity=most, per=per)
        for most, per in MAIL_LIMITS[what]
    )


def count_start(request: Request) -> int:
    """Count a new draft from this network. Returns 0, or the seconds until the next is allowed."""
    key = f"start:{limits.peer(request)}"
    return limits.take_all(limits.Limit(key, settings.LIMIT_INTAKE_STARTS, HOUR))


def with_retry_after(response: HttpResponse, seconds: int) -> HttpResponse:
    """Set the header Retry-After of a response with status 429."""
    response["Retry-After"] = str(seconds)
    return response


def too_often_words(seconds: int) -> str:
    """Return words that say in how many minutes to try again, with the clinic's phone number."""
    minutes = math.ceil(seconds / 60)
    words = ngettext(
        "There were too many tries. Please try again in %(minutes)s minute,"
        " or call us at %(phone)s.",
        "There were too many tries. Please try again in %(minutes)s minutes,"
        " or call us at %(phone)s.",
        minutes,
    )
    return words % {"minutes": minutes, "phone": settings.CLINIC_PHONE}
