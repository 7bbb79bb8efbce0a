"""Steps of a patient who comes back: save, ask for a code, enter the code, be on the own page."""

import re

from django.core import mail
from django.test import Client

from clinic.outgoing import outbox
from intake.models.submissions import Draft, Submission
from tests.builders import CONTACT_DETAILS
from tests.intake.patient import Page, Patient

MAILBOX = CONTACT_DETAILS["email"]
OTHER = "somebody.else@example.org"


def letters() -> list[str]:
    """Return the texts of all mails that are sent now."""
    mail.outbox.clear()
    outbox.deliver_due()
    return [f"{letter.to} {letter.subject}\n{letter.body}" for letter in mail.outbox]


def code_in(texts: list[str]) -> str:
    (code,) = re.findall(r"Your code: (\S+)", "\n".join(texts))
    return code


def asking(reference: str, address: str = MAILBOX, client: Client | None = None) -> Patient:
    """Return a patient who has just asked for a code."""
    patient = Patient(client=client)
    patient.get("/my/")
    patient.post("/my/", {"reference": reference, "address": address, "go": "send"})
    return patient


def enter(patient: Patient, code: str) -> Page:
    return patient.post("/my/code/", {"code": code, "go": "enter"})


def inside(submission: Submission) -> Patient:
    """Return the submission's patient, who has opened the own page with a code."""
    patient = asking(submission.reference)
    page = enter(patient, code_in(letters()))
    assert page.path == "/my/"
    return patient


def saved(step: str, address: str = MAILBOX, **says) -> tuple[Patient, str]:
    """Return a patient who saved the draft at a step, and the reference of the draft."""
    patient = Patient(**says)
    patient.start()
    patient.walk_to(step)
    patient.press("save", patient.filled())
    page = patient.post("/intake/save/", {"address": address, "go": "save"})
    assert page.status == 200, page.errors
    return patient, Draft.objects.get(submission=None).reference
