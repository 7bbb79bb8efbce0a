"""Text messages. A provider is a function that SMS_BACKEND names; a laptop prints them."""

import sys

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class Refused(Exception):
    """The number takes no text messages, now or later: trying again would not help."""


def is_on() -> bool:
    return bool(settings.SMS_BACKEND)


def send(*, to: str, text: str, key: str) -> None:
    """Send one text message to a number such as +12025550123.

    `key` is the same for each try of the same message, for a provider that sends a key once only.
    Raises Refused when there is no use in trying again, and whatever the provider's function does.
    """
    if not is_on():
        raise Refused
    import_string(settings.SMS_BACKEND)(to=to, text=text, key=key)


def console(*, to: str, text: str, key: str) -> None:
    """Print it. Only on a laptop: a terminal is no place for a patient's number."""
    if not settings.DEMO:
        raise ImproperlyConfigured("clinic.outgoing.sms.console is for a laptop (DEMO=on).")
    sys.stdout.write(f"\n  Text message to {to}:\n  {text}\n")
    sys.stdout.flush()
