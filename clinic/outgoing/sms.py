"""Send text messages with the function that SMS_BACKEND names. A laptop prints them instead."""

import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class NumberRefused(Exception):
    """The number cannot receive text messages, so another try is useless."""


def is_on() -> bool:
    return bool(settings.SMS_BACKEND)


def send(*, to: str, text: str, key: str) -> None:
    """Send one text message to a number such as +12025550123.

    `key` is the same for each try of a message, for providers that send only one text message for a
    key. Raises NumberRefused if another try is useless, and any exception of the provider's
    function.
    """
    if not is_on():
        raise NumberRefused
    import_string(settings.SMS_BACKEND)(to=to, text=text, key=key)


def console(*, to: str, text: str, key: str) -> None:
    """Print the text message. Refused on a server, whose log must not show a patient's number."""
    if not settings.DEMO:
        raise ImproperlyConfigured("clinic.outgoing.sms.console is for a laptop (DEMO=on).")
    sys.stdout.write(f"\n  Text message to {to}:\n  {text}\n")
    sys.stdout.flush()
