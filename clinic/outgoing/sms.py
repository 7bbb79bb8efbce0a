"""Send text messages with the function that SMS_BACKEND names. A laptop prints them instead."""

import sys
from datetime import datetime
from typing import Literal

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class NumberRefused(Exception):
    """The number cannot receive text messages, so another try is useless.

    `trouble` is the provider's code. `why` is set if the number is dead, or if its owner wants no
    more text messages.
    """

    def __init__(
        self, trouble: str = "sms refused", why: Literal["", "dead", "revoked"] = ""
    ) -> None:
        super().__init__(trouble)
        self.trouble, self.why = trouble, why


class ProviderTrouble(Exception):
    """The provider did not accept the text message now. `trouble` is its code."""

    def __init__(self, trouble: str) -> None:
        super().__init__(trouble)
        self.trouble = trouble


def is_on() -> bool:
    return bool(settings.SMS_BACKEND)


def send(*, to: str, text: str, key: str, tried_at: datetime | None = None) -> str:
    """Send one text message to a number such as +12025550123. Returns the provider's id, or ''.

    `key` is the same for each try of a message, for providers that send only one text message for a
    key. `tried_at` is the time of an earlier try, which the provider may have accepted. Raises
    NumberRefused if another try is useless, and any exception of the provider's function.
    """
    if not is_on():
        raise NumberRefused
    more = {"tried_at": tried_at} if settings.TWILIO else {}
    return import_string(settings.SMS_BACKEND)(to=to, text=text, key=key, **more) or ""


def console(*, to: str, text: str, key: str) -> None:
    """Print the text message. Refused on a server, whose log must not show a patient's number."""
    if not settings.DEMO:
        raise ImproperlyConfigured("clinic.outgoing.sms.console is for a laptop (DEMO=on).")
    sys.stdout.write(f"\n  Text message to {to}:\n  {text}\n")
    sys.stdout.flush()
