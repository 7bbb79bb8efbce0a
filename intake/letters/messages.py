"""What patients and staff are told, and by which way. The words stand in templates/email/.

A message says a reference and what to do, and nothing else: no name, no birth date, no complaint,
no doctor, no link that opens anything. It is written at the moment of sending, so that nobody is
told of what is over.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from clinic import hours
from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Letter, Order
from intake.domain import workflow
from intake.models.submissions import (
    EVERYBODY_FROM,
    Communication,
    Decision,
    Kind,
    Submission,
    Urgency,
)
from intake.ways.contact import way_to

ALERTED = ("clinician", "front desk")
ESCALATED = ("duty",)
EVERYBODY = (*ALERTED, *ESCALATED)


def orders_for_sending(submission: Submission, *, confirm: bool) -> list[Order]:
    """What a submission just sent gives reason to tell; `confirm`: the patient, too."""
    occasion, orders = str(submission.pk), []
    if confirm and submission.kind != Kind.STOPPED and way_to(submission.person):
        orders.append(Order(kind="confirmation", occasion=occasion))
    if submission.is_for_today:
        orders.append(Order(kind="alert", occasion=occasion))
    return orders


def references(occasions: list[str]) -> Mapping[str, str]:
    """Occasion → reference, for staff who look at the list of messages."""
    rows = Submission.objects.filter(pk__in={_key(occasion) for occasion in occasions})
    known = {str(pk): reference for pk, reference in rows.values_list("pk", "reference")}
    return {occasion: known.get(_key(occasion), "") for occasion in occasions}


def references_of_letters(occasions: list[str]) -> Mapping[str, str]:
    """The same for what clinic and patient wrote to each other."""
    rows = Communication.objects.filter(pk__in=occasions)
    return {str(pk): told for pk, told in rows.values_list("pk", "submission__reference")}


def references_of_decisions(occasions: list[str]) -> Mapping[str, str]:
    """The same for decisions."""
    rows = Decision.objects.filter(pk__in=occasions)
    return {str(pk): told for pk, told in rows.values_list("pk", "submission__reference")}


# --- to the patient -------------------------------------------------------------------------------


@outbox.composer("confirmation", about=references)
def confirmation(message: Message) -> Letter | None:
    """We have it; this happens next; this is how to come back."""
    submission = _submission(message)
    if submission is None:
        return None
    channel, address = required_way(submission)
    with translation.override(submission.language):
        subject = _("Your request to %(clinic)s") % {"clinic": settings.CLINIC_SHORT_NAME}
        name = "confirmation_sms" if channel == "sms" else "confirmation"
        return Letter((address,), subject, _text(name, submission), channel)


def required_way(submission: Submission) -> tuple[Any, str]:
    """Channel and address of a letter to a submission's patient. Raises outbox.NoWay."""
    way = way_to(submission.person)
    if way is None:
        raise outbox.NoWay
    return way


@outbox.composer("news", about=references_of_letters)
def news(message: Message) -> Letter | None:
    """There is something to read on the patient's page."""
    row = Communication.objects.select_related("submission").filter(pk=message.occasion).first()
    if row is None:
        return None
    channel, address = required_way(row.submission)
    with translation.override(row.submission.language):
        subject = _("A message from %(clinic)s") % {"clinic": settings.CLINIC_SHORT_NAME}
        text = text_of("news", reference=row.submission.reference)
        return Letter((address,), subject, text, channel)


@outbox.composer("more_reminder", about=references_of_decisions)
def more_reminder(message: Message) -> Letter | None:
    """We still wait for an answer. Not if the patient answered, or we decided or asked again."""
    decision = Decision.objects.select_related("submission").filter(pk=message.occasion).first()
    if decision is None or decision != decision.submission.decisions.first():
        return None
    submission = decision.submission
    if not submission.waits_for_patient:
        return None
    channel, address = required_way(submission)
    with translation.override(submission.language):
        subject = _("We wait for your answer: %(clinic)s") % {"clinic": settings.CLINIC_SHORT_NAME}
        text = text_of("more_reminder", reference=submission.reference)
        return Letter((address,), subject, text, channel)


# --- to staff -------------------------------------------------------------------------------------


@outbox.composer("alert", about=references)
def alert(message: Message) -> Letter | None:
    """Something came that must be read today. Not if it is decided by now."""
    submission = _submission(message)
    if submission is None or submission.status not in workflow.OPEN:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("%(urgency)s: %(reference)s") % {
            "urgency": _word(submission),
            "reference": submission.reference,
        }
        return Letter(_addresses(ALERTED), subject, _text("alert", submission))


@outbox.composer("alarm", about=references_of_letters)
def alarm(message: Message) -> Letter | None:
    """A patient wrote something that sounds like danger. Not if it is answered by now."""
    row = Communication.objects.select_related("submission").filter(pk=message.occasion).first()
    if row is None or row.submission.reply_due_at is None:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("A patient wrote: %(reference)s") % {"reference": row.submission.reference}
        return Letter(_addresses(ALERTED), subject, _text("alert", row.submission))


@outbox.composer("escalation", about=references)
def escalation(message: Message) -> Letter | None:
    """A red flag still waits: to the duty role, then to everybody. Not if it has ended, nor if the
    next step is told by now."""
    submission = _submission(message)
    step = int(message.occasion.split(":")[1]) if ":" in message.occasion else 0
    if submission is None or not _is_on(submission, step):
        return None
    addresses = _addresses(ESCALATED) if step < EVERYBODY_FROM else ()
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Nobody has seen to it yet: %(reference)s") % {
            "reference": submission.reference
        }
        text = _text("escalation", submission)
        return Letter(addresses or _addresses(EVERYBODY), subject, text)


def _is_on(submission: Submission, step: int) -> bool:
    """Whether this step is the one to tell. Step 0 was put by the release before, which knew one
    only and kept no time with the submission; where a time was added since, the sweep tells of it.
    """
    if step:
        return submission.escalate_at is not None and submission.escalations == step
    seen = submission.calls.filter(outcome="reached", by_clinician=True)
    is_new = submission.escalate_at is None and not submission.escalations
    undecided = submission.status in workflow.OPEN and not submission.decisions.exists()
    return is_new and undecided and not seen.exists()


def _submission(message: Message) -> Submission | None:
    return Submission.objects.filter(pk=_key(message.occasion)).first()


def _key(occasion: str) -> str:
    """The submission of an occasion: its id, with or without the number of a step behind it."""
    return occasion.partition(":")[0]


def _addresses(roles: tuple[str, ...]) -> tuple[str, ...]:
    """The addresses of everybody at work who has one of these roles."""
    people = get_user_model().objects.filter(is_active=True, groups__name__in=roles)
    addresses = people.exclude(email="").values_list("email", flat=True)
    return tuple(sorted(set(addresses)))


def _word(submission: Submission) -> str:
    if submission.kind == Kind.STOPPED:
        return str(Urgency.EMERGENCY.label)
    return str(Urgency(submission.urgency).label)


def _text(name: str, submission: Submission) -> str:
    return text_of(
        name,
        reference=submission.reference,
        urgency=_word(submission),
        sent=hours.day_words(submission.submitted_at),
        minutes=settings.ESCALATE_MINUTES,
    )


def text_of(name: str, **words: Any) -> str:
    """The text of a template with what every message may say of the clinic, and `words`."""
    context = {
        "clinic": settings.CLINIC_SHORT_NAME,
        "phone": settings.CLINIC_PHONE,
        "emergency_number": settings.EMERGENCY_NUMBER,
        "origin": settings.SITE_ORIGIN,
    }
    return render_to_string(f"email/{name}.txt", context | words).strip() + "\n"
