"""A member of staff who reads the questionnaire to a caller and types the caller's answers."""

from typing import Any

from django.urls import reverse

from intake.models.phone_calls import PhoneCall
from tests import builders
from tests.intake.patient import Page, Patient

CALLS = "/admin/intake/phonecall/"
OPENING = {"phone": "(202) 555-0199", "freely": "yes"}
SELF = {
    "caller": "patient",
    "relation": "",
    "interpreter": "none",
    "interpreter_name": "",
    "language": "en",
    "topic": "legs",
    "kind": "intake",
}
DAUGHTER = {
    **SELF,
    "caller": "other",
    "relation": "daughter",
    "interpreter": "service",
    "interpreter_name": "Voices 800",
}
PROXY = {"who": "caregiver"}


def at_the_phone(role: str = "front desk", username: str = "", **says: Any) -> Patient:
    """Return a member of staff, whose browser walks as a patient's does."""
    return Patient(builders.staff_client(role, username), **says)


def pick_up(staff: Patient, caller: dict[str, str] = SELF, **opening: str) -> Page:
    """Begin a call, and open the first page of questions."""
    staff.post(CALLS + "add/", {**OPENING, **opening})
    return staff.post(staff.page.url, caller)


def call() -> PhoneCall:
    return PhoneCall.objects.select_related("draft", "submission").get()


def address(name: str, **more: Any) -> str:
    return reverse(f"admin:intake_phonecall_{name}", args=[call().pk], kwargs=None, **more)
