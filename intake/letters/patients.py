"""Letters to patients about their submission: confirmation, news, the reminder to answer.

Letters about offers and visits are in appointments.py, codes and saved answers in access_codes.py.
"""

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Letter
from intake.letters.composing import (
    communication_of,
    references_of_communications,
    references_of_decisions,
    references_of_submissions,
    required_way,
    submission_of,
    submission_text,
    text_of,
)
from intake.models.submissions import Decision, Submission
from intake.ways import safe_contact


@outbox.composer("confirmation", about=references_of_submissions)
def confirmation(message: Message) -> Letter | None:
    """Confirm that a submission arrived, and say what happens next and how to come back."""
    submission = submission_of(message)
    if submission is None:
        return None
    channel, address = required_way(submission, message)
    with translation.override(submission.language):
        subject = _("Your request to %(clinic)s") % {"clinic": settings.CLINIC_SHORT_NAME}
        name = "confirmation_sms" if channel == "sms" else "confirmation"
        return Letter((address,), subject, submission_text(name, submission), channel)


@outbox.composer("news", about=references_of_communications)
def news(message: Message) -> Letter | None:
    """Say that the patient's own page shows a new message from the clinic."""
    communication = communication_of(message)
    if communication is None:
        return None
    return _news(communication.submission, message)


@outbox.composer(safe_contact.WAY_OPEN, about=references_of_submissions)
def way_open(message: Message) -> Letter | None:
    """Say that the own page shows news, which had no safe way before. None if it was told since."""
    submission = submission_of(message)
    if submission is None or not submission.call_tasks.open().filter(may_call=False).exists():
        return None
    return _news(submission, message)


def _news(submission: Submission, message: Message) -> Letter:
    channel, address = required_way(submission, message)
    with translation.override(submission.language):
        subject = _("A message from %(clinic)s") % {"clinic": settings.CLINIC_SHORT_NAME}
        text = text_of("news", reference=submission.reference)
        return Letter((address,), subject, text, channel)


@outbox.composer("more_reminder", about=references_of_decisions)
def more_reminder(message: Message) -> Letter | None:
    """Remind the patient that the clinic waits for an answer.

    Returns None when the patient has answered, or when staff have decided or asked again.
    """
    decision = Decision.objects.select_related("submission").filter(pk=message.occasion).first()
    if decision is None or decision != decision.submission.decisions.first():
        return None
    submission = decision.submission
    if not submission.waits_for_patient:
        return None
    channel, address = required_way(submission, message)
    with translation.override(submission.language):
        subject = _("We are waiting for your answer: %(clinic)s") % {
            "clinic": settings.CLINIC_SHORT_NAME
        }
        text = text_of("more_reminder", reference=submission.reference)
        return Letter((address,), subject, text, channel)
