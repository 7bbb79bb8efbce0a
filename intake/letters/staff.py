"""Letters to staff: submissions to read today, alarm words, and red flags that still wait."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Lane, Letter
from intake import calendars
from intake.domain import workflow
from intake.letters.composing import (
    references_of_communications,
    references_of_submissions,
    submission_of,
    submission_text,
    submissions_of,
    text_of,
    urgency_words,
)
from intake.models.calls import Call
from intake.models.submissions import EVERYBODY_FROM, Submission
from intake.ways import alarms

ALERTED = ("clinician", "front desk")
ESCALATED = ("duty",)
EVERYBODY = (*ALERTED, *ESCALATED)


@outbox.composer("alert", about=references_of_submissions, lane=Lane.ALERT)
def alert(message: Message) -> Letter | None:
    """Say that a submission must be read today. Returns None when it is decided or closed."""
    submission = submission_of(message)
    if submission is None or submission.status not in workflow.OPEN:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("%(urgency)s: %(reference)s") % {
            "urgency": urgency_words(submission),
            "reference": submission.reference,
        }
        to = _with_on_call(ALERTED, submission)
        return Letter(to, subject, submission_text("alert", submission))


@outbox.composer("alarm", about=references_of_communications, lane=Lane.ALERT)
def alarm(message: Message) -> Letter | None:
    """Say which patients wrote alarm words.

    The letter lists every message that no letter has listed yet. Returns None if another letter
    has listed this message, or if staff have answered all these patients.
    """
    if alarms.is_told(message):
        return None
    submissions = [row for row in submissions_of(alarms.waiting()) if row.reply_due_at]
    if not submissions:
        return None
    to = {address for row in submissions for address in _with_on_call(ALERTED, row)}
    with translation.override(settings.LANGUAGE_CODE):
        if len(submissions) == 1:
            subject = _("A patient wrote: %(reference)s") % {"reference": submissions[0].reference}
            return Letter(tuple(sorted(to)), subject, submission_text("alert", submissions[0]))
        subject = _("%(count)s patients wrote words of danger") % {"count": len(submissions)}
        rows = [f"{row.reference} ({urgency_words(row)})" for row in submissions]
        return Letter(tuple(sorted(to)), subject, text_of("alarms", rows=rows))


@outbox.composer("escalation", about=references_of_submissions, lane=Lane.ALERT)
def escalation(message: Message) -> Letter | None:
    """Tell staff that a red flag still waits.

    Steps before EVERYBODY_FROM go to the duty role and to the persons on call, or to all staff if
    there is neither. Later steps go to all staff. Returns None when the escalation has
    ended, or when a letter about a later step was ordered.
    """
    submission = submission_of(message)
    step = int(message.occasion.split(":")[1]) if ":" in message.occasion else 0
    if submission is None or not _is_current(submission, step):
        return None
    addresses = _with_on_call(ESCALATED, submission) if step < EVERYBODY_FROM else ()
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Nobody has seen to it yet: %(reference)s") % {
            "reference": submission.reference
        }
        text = submission_text("escalation", submission)
        return Letter(addresses or _with_on_call(EVERYBODY, submission), subject, text)


def _is_current(submission: Submission, step: int) -> bool:
    """Whether `step` is the newest step of the escalation.

    Step 0 stands for a message of the previous release. That release had only one step, and stored
    no `escalate_at` in the submission. When `escalate_at` is stored, the sweep orders other letters
    instead, and step 0 is not current.
    """
    if step:
        return submission.escalate_at is not None and submission.escalations == step
    seen = submission.calls.filter(outcome__in=Call.SPOKE, by_clinician=True)
    is_new = submission.escalate_at is None and not submission.escalations
    undecided = submission.status in workflow.OPEN and not submission.decisions.exists()
    return is_new and undecided and not seen.exists()


def _with_on_call(roles: tuple[str, ...], submission: Submission) -> tuple[str, ...]:
    """Return the addresses of some roles, and of the persons on call if the clinic is closed."""
    on_call = calendars.on_call(timezone.now(), submission.location_id)
    return tuple(sorted({*_addresses(roles), *(shift.address for shift in on_call)}))


def _addresses(roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the e-mail addresses of all active staff with one of these roles."""
    people = get_user_model().objects.filter(is_active=True, groups__name__in=roles)
    addresses = people.exclude(email="").values_list("email", flat=True)
    return tuple(sorted(set(addresses)))
