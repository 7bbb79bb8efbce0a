"""The way by which a letter reaches a patient."""

from collections.abc import Mapping
from typing import Any, Literal

from clinic.outgoing import sms
from intake.domain.stored import PHONE

Channel = Literal["email", "sms"]


def way_to(person: Mapping[str, Any]) -> tuple[Channel, str] | None:
    """Return the channel and address of a patient, or None when no letter reaches the patient.

    A text message is sent only to a patient who prefers text messages.
    """
    if person.get("email"):
        return "email", person["email"]
    if person.get("prefer") == "text" and person.get(PHONE) and sms.is_on():
        return "sms", person[PHONE]
    return None
