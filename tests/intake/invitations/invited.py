"""People whom the clinic invited, and the steps by which they open the invitation."""

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone

from intake.invitations import inviting
from intake.invitations.inviting import Invited
from intake.models.invitations import Invitation
from intake.staff import paperwork
from tests import builders
from tests.intake.patient import CONTACT, Page, Patient, born
from tests.intake.way_in import letters

PERSON: dict[str, Any] = {
    "name": "Quentin Canary",
    "birth_date": f"{timezone.localdate().year - 44}-01-01",
    "callback_phone": "+12025550147",
    "email": "quentin.canary@example.org",
}
GUARDIAN = {"name": "Petra Canary", "relation": "mother"}
WRONG = {"birth_date_month": "1", "birth_date_day": "2", "birth_date_year": "1950"}


def child() -> dict[str, Any]:
    return PERSON | {"birth_date": f"{timezone.localdate().year - 12}-01-01"}


def invite(
    person: dict[str, Any] | None = None,
    *,
    appointment: Any = None,
    guardian: dict[str, str] | None = None,
    days: int | None = None,
) -> Invitation:
    """Invite a person. `days`: the clinic's own calendar has a visit in so many days."""
    if appointment is not None:
        invited = inviting.of_visit(appointment, guardian or {})
    else:
        visit_at = timezone.now() + timedelta(days=days) if days is not None else None
        invited = Invited(person=person or PERSON, guardian=guardian or {}, visit_at=visit_at)
    return inviting.invite(
        invited=invited,
        protocol="legs",
        language="en",
        by=builders.member("front desk"),
        request_id="r",
        appointment=appointment,
    )


def code_of(row: Invitation) -> str:
    return Invitation.objects.get(pk=row.pk).code["code"]


def code_in_letter() -> str:
    (code,) = re.findall(r"Enter this code: (\S+)", "\n".join(letters()))
    return code


def enter(patient: Patient, code: str, button: str = "mine", **date: str) -> Page:
    """Type the code and a birth date on the page of invitations, and press a button."""
    patient.get("/i/")
    given = {"code": code, **born(patient.says["age_years"]), **date}
    return patient.press(button, given)


def opened(row: Invitation, **says: Any) -> Patient:
    """Return a patient who has opened the invitation in a new browser."""
    patient = Patient(**says)
    page = enter(patient, code_of(row))
    assert page.status == 200, page.errors
    return patient


def contact_typed() -> dict[str, Any]:
    """Return the contact step as the patient fills it in: name, date and phone are known."""
    return dict(CONTACT)


def state_of(row: Invitation) -> str:
    return paperwork.standings([row.pk])[row.pk].words
