"""Shared by the composers of letters: references, the way to the patient, the text.

A letter names a reference and what to do. A letter holds no name, no birth date, no complaint, no
doctor, and no link that opens anything. A composer writes the letter when it is sent, so that no
letter is out of date. The texts are in templates/email/.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string

from clinic import hours
from clinic.models import Message
from clinic.outgoing import outbox
from intake.models.submissions import Communication, Decision, Kind, Submission, Urgency
from intake.ways.contact import Channel, reach_of

# --- the list of messages -------------------------------------------------------------------------


def references_of_submissions(occasions: list[str]) -> Mapping[str, str]:
    """Map occasions of letters about submissions to references, for staff's list of messages."""
    rows = Submission.objects.filter(pk__in={submission_key(each) for each in occasions})
    known = {str(pk): reference for pk, reference in rows.values_list("pk", "reference")}
    return {occasion: known.get(submission_key(occasion), "") for occasion in occasions}


def references_of_communications(occasions: list[str]) -> Mapping[str, str]:
    """Map occasions of letters about communications to references, for staff's list of messages."""
    rows = Communication.objects.filter(pk__in=occasions)
    return {str(pk): reference for pk, reference in rows.values_list("pk", "submission__reference")}


def references_of_decisions(occasions: list[str]) -> Mapping[str, str]:
    """Map occasions of letters about decisions to references, for staff's list of messages."""
    rows = Decision.objects.filter(pk__in=occasions)
    return {str(pk): reference for pk, reference in rows.values_list("pk", "submission__reference")}


# --- what a composer needs ------------------------------------------------------------------------


def required_way(submission: Submission, message: Message) -> tuple[Channel, str]:
    """Return channel and address of a letter to the submission's patient.

    A message that is sent again is bound to its channel. Raises outbox.NoWay when no letter reaches
    the patient.
    """
    letters = reach_of(submission).letters
    way = next((way for way in letters if message.by in ("", way[0])), None)
    if way is None:
        raise outbox.NoWay
    return way


def submission_key(occasion: str) -> str:
    """Return the submission's id from an occasion. A step's number may follow, after a ':'."""
    return occasion.partition(":")[0]


def submission_of(message: Message) -> Submission | None:
    """Return the submission that a message is about, or None if the submission is deleted."""
    return Submission.objects.filter(pk=submission_key(message.occasion)).first()


def communication_of(message: Message) -> Communication | None:
    """Return the patient's or clinic's message that a letter is about, or None if it is deleted."""
    rows = Communication.objects.select_related("submission")
    return rows.filter(pk=message.occasion).first()


def submissions_of(communications: list[UUID]) -> list[Submission]:
    """Return the submissions of these messages, each once, the most urgent first."""
    rows = Submission.objects.filter(communications__in=communications).distinct()
    return list(rows.order_by("-urgency", "target_at"))


def urgency_words(submission: Submission) -> str:
    """Return the urgency in words. A form that stopped at an emergency counts as an emergency."""
    if submission.kind == Kind.STOPPED:
        return str(Urgency.EMERGENCY.label)
    return str(Urgency(submission.urgency).label)


def submission_text(name: str, submission: Submission) -> str:
    """Render a template with the submission's reference, urgency and time of sending."""
    return text_of(
        name,
        reference=submission.reference,
        urgency=urgency_words(submission),
        sent=hours.day_words(submission.submitted_at),
        minutes=settings.ESCALATE_MINUTES,
    )


def text_of(name: str, **words: Any) -> str:
    """Render a mail template with `words` and the clinic's name, phone and web address."""
    context = {
        "clinic": settings.CLINIC_SHORT_NAME,
        "phone": settings.CLINIC_PHONE,
        "emergency_number": settings.EMERGENCY_NUMBER,
        "origin": settings.SITE_ORIGIN,
    }
    return render_to_string(f"email/{name}.txt", context | words).strip() + "\n"
