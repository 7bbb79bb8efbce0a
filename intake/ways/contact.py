"""By which way a patient can be written to."""

from collections.abc import Mapping
from typing import Any

from clinic.outgoing import sms


def way_to(person: Mapping[str, Any]) -> tuple[Any, str] | None:
    """Channel and address of a patient; None for somebody who gave no address to write to."""
    if person.get("email"):
        return "email", person["email"]
    if person.get("prefer") == "text" and person.get("callback_phone") and sms.is_on():
        return "sms", person["callback_phone"]
    return None
