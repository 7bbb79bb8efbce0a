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
from intake.models.received_texts import ReceivedText
from intake.models.submissions import EVERYBODY_FROM, Submission
from intake.staff.leaving import GIVEN_BACK
from intake.ways import alarms, on_call

ALERTED = ("clinician", "front desk")
ESCALATED = ("duty",)
EVERYBODY = (*ALERTED, *ESCALATED)
HANDED, TAKEN_OVER = "handed", "taken_over"
"""The letters to one colleague: a submission was handed to, or taken over from, that colleague."""


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

    The letter lists every message that no letter has listed yet, and counts the texts to the
    clinic's number. Returns None if another letter has listed this message, or if staff have
    answered all these patients.
    """
    if alarms.is_told(message):
        return None
    waiting = alarms.waiting()
    submissions = [row for row in submissions_of(waiting) if row.reply_due_at]
    texts = ReceivedText.objects.open().filter(pk__in=waiting).count()
    if not submissions and not texts:
        return None
    to = {address for row in submissions for address in _with_on_call(ALERTED, row)}
    if texts:
        to |= set(_with_on_call(ALERTED))
    with translation.override(settings.LANGUAGE_CODE):
        if texts:
            rows = [f"{row.reference} ({urgency_words(row)})" for row in submissions]
            subject = _("Texts to our number with words of danger: %(count)s") % {"count": texts}
            return Letter(tuple(sorted(to)), subject, text_of("text_alarms", rows=rows))
        if len(submissions) == 1:
            subject = _("A patient wrote: %(reference)s") % {"reference": submissions[0].reference}
            return Letter(tuple(sorted(to)), subject, submission_text("alert", submissions[0]))
        subject = _("%(count)s patients wrote words of danger") % {"count": len(submissions)}
        rows = [f"{row.reference} ({urgency_words(row)})" for row in submissions]
        return Letter(tuple(sorted(to)), subject, text_of("alarms", rows=rows))


@outbox.composer("text_waits", lane=Lane.ALERT)
def text_waits(message: Message) -> Letter | None:
    """Tell all staff that a text with words of danger still waits. None when it is settled."""
    if not ReceivedText.objects.open().filter(pk=message.occasion).exists():
        return None
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Nobody has called yet: a text to our number with words of danger")
        return Letter(_with_on_call(EVERYBODY), subject, text_of("text_alarms", rows=[]))


@outbox.composer(on_call.KIND, lane=Lane.ALERT)
def text_on_call(message: Message) -> Letter | None:
    """Tell the person on call that something urgent waits. None when nothing waits any more."""
    phone = on_call.phone_of(message, timezone.now())
    waits = Submission.objects.filter(escalate_at__isnull=False)
    texts = ReceivedText.objects.open().filter(alarm=True)
    if not phone or not (waits.exists() or texts.exists()):
        return None
    with translation.override(settings.LANGUAGE_CODE):
        return Letter((phone,), "", text_of("on_call_sms"), channel="sms", asked=True)


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


@outbox.composer(GIVEN_BACK)
def given_back(message: Message) -> Letter:
    """Tell the duty role, or all staff, that open work of a colleague came back."""
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Work of a colleague who is away came back")
        to = _addresses(ESCALATED) or _addresses(EVERYBODY)
        return Letter(to, subject, text_of("given_back"))


@outbox.composer(HANDED, about=references_of_submissions)
def handed(message: Message) -> Letter | None:
    """Tell a colleague of a submission handed over. Returns None if another one has it now."""
    return _to_colleague(
        message, _("A submission was handed to you: %(reference)s"), is_theirs=True
    )


@outbox.composer(TAKEN_OVER, about=references_of_submissions)
def taken_over(message: Message) -> Letter | None:
    """Tell a colleague of a submission taken over. Returns None if that colleague has it again."""
    subject = _("A submission was taken over: %(reference)s")
    return _to_colleague(message, subject, is_theirs=False)


def _to_colleague(message: Message, subject: str, *, is_theirs: bool) -> Letter | None:
    submission, person = submission_of(message), message.occasion.split(":")[1]
    people = get_user_model().objects.filter(pk=person, is_active=True).exclude(email="")
    to = tuple(people.values_list("email", flat=True))
    if submission is None or not to or (str(submission.assignee_id) == person) != is_theirs:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        text = text_of(message.kind, reference=submission.reference)
        return Letter(to, subject % {"reference": submission.reference}, text)


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


def _with_on_call(roles: tuple[str, ...], submission: Submission | None = None) -> tuple[str, ...]:
    """Return the addresses of some roles, and of the persons on call if the clinic is closed.

    Without a submission, the first place of the clinic that opens counts.
    """
    location = submission.location_id if submission else None
    on_call = calendars.on_call(timezone.now(), location)
    return tuple(sorted({*_addresses(roles), *(shift.address for shift in on_call)}))


def _addresses(roles: tuple[str, ...]) -> tuple[str, ...]:
    """Return the e-mail addresses of all active staff with one of these roles."""
    people = get_user_model().objects.filter(is_active=True, groups__name__in=roles)
    addresses = people.exclude(email="").values_list("email", flat=True)
    return tuple(sorted(set(addresses)))
