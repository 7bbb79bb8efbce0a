"""Keep of a new submission who called, and owe the patient what the caller was not told."""

from django.utils import timezone

from clinic.outgoing.outbox import Order
from intake.documents import protocol_of
from intake.models.calls import CallTask
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Kind, Submission
from intake.questionnaire.target_times import target_time
from intake.ways import calls, telling


def keep(call: PhoneCall, submission: Submission, *, confirm: bool) -> None:
    """Store that a new submission came by phone, in the transaction that stores the submission.

    With `confirm`, a letter may bring the patient the reference. A nurse owes the patient a call on
    the same day if the member of staff was not allowed to ask every question.
    """
    call.submission, call.draft = submission, None
    call.save(update_fields=["submission", "draft"])
    if submission.kind == Kind.STOPPED:
        return
    _tell_reference(call, submission, confirm=confirm)
    if submission.assessment.get("not_asked"):
        level = protocol_of(submission.protocol_id).level("same_day")
        due_at = target_time(level, timezone.now(), submission.location_id)
        reason, occasion = CallTask.Reason.NURSE, str(submission.pk)
        calls.owe(submission=submission, reason=reason, occasion=occasion, due_at=due_at)


def may_hear_reference(call: PhoneCall, submission: Submission) -> bool:
    """Whether the caller may hear the reference: only if the caller is the patient."""
    uses = protocol_of(submission.protocol_id).uses
    return call.patient_calls and not uses.is_proxy(submission.answers.get(uses.who.q))


def _tell_reference(call: PhoneCall, submission: Submission, *, confirm: bool) -> None:
    """Send the reference by the patient's own way. If another person calls, owe a call without one.

    A letter to a patient who calls only confirms what the patient hears on the phone.
    """
    knows = may_hear_reference(call, submission)
    if knows and not confirm:
        return
    telling.tell(
        submission=submission,
        reason=CallTask.Reason.REFERENCE,
        order=Order(kind="confirmation", occasion=str(submission.pk)),
        knows=knows,
    )
