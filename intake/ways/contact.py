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


def reply_way(
    person: Mapping[str, Any], *, by_phone: bool = False
) -> tuple[Literal["phone"] | Channel, str] | None:
    """Return how the clinic answers a patient, with number or address; None without a way.

    A letter is sent to a patient who prefers letters. `by_phone`: the answer is a call, if the
    clinic knows a number.
    """
    letters, phone = way_to(person), person.get(PHONE)
    if letters and person.get("prefer") != "phone" and not by_phone:
        return letters
    return ("phone", phone) if phone else letters


def return_way(person: Mapping[str, Any]) -> Channel | None:
    """Return by which way a one-time code reaches a patient; None without a way."""
    if person.get("email"):
        return "email"
    return "sms" if person.get(PHONE) and sms.is_on() else None
