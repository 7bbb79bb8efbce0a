"""What staff write to a patient, and how staff note that a patient's message needs no answer.

Each change is one transaction, which includes the audit event.
"""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from clinic.outgoing.outbox import Order
from intake.desk.changes import claim, record_change
from intake.domain import workflow
from intake.models.calls import CallTask
from intake.models.submissions import Communication, Submission
from intake.ways import telling


def send(
    *,
    submission: Submission,
    text: str,
    by: User,
    revision: int,
    request_id: str,
    english: str = "",
) -> None:
    """Write one of the clinic's fixed sentences to the patient.

    The patient reads the sentence on the own page. A letter says that there is something to read;
    if no letter reaches the patient, staff owe a call. The patient's last message counts as
    answered. A red flag is still escalated, because the clinic does not know whether the patient
    reads the answer.

    `english` is the same sentence in English for staff; pass it when the patient reads another
    language. Raises Conflict when the submission was changed since `revision`.
    """
    with transaction.atomic():
        claim(submission, revision, status=submission.status, reply_due_at=None, alarm=False)
        texts = {"text": text} | ({"english": english} if english else {})
        store(submission, texts, by=by, at=timezone.now())
        record_change(submission, by, "create", request_id, {"kind": "message"})


def store(
    submission: Submission,
    texts: dict[str, str],
    *,
    by: User,
    at: datetime,
    owes_call: bool = True,
    announce: bool = True,
) -> None:
    """Store a message to the patient, and order the letter that announces the message.

    Called in the transaction of the act to which the message belongs. If no letter reaches the
    patient, staff owe a call. With `owes_call=False` no call is owed, because a decision has a call
    of its own. With `announce=False` another letter of the same act leads the patient to the page.
    """
    message = Communication(submission=submission, words={"alarm": "", **texts}, by=by, at=at)
    message.save(force_insert=True)
    if announce and (owes_call or telling.letter_reaches(submission)):
        order = Order(kind="news", occasion=str(message.pk))
        telling.tell(submission=submission, reason=CallTask.Reason.MESSAGE, order=order)


def settle_reply(*, submission: Submission, by: User, revision: int, request_id: str) -> None:
    """Note that staff have read the patient's message or withdrawal, which needs no answer.

    Ends the escalation, too, unless the submission still waits for a decision. Raises Conflict when
    the submission was changed since `revision`.
    """
    columns: dict[str, Any] = {"reply_due_at": None, "alarm": False}
    if submission.status not in workflow.OPEN:
        columns["escalate_at"] = columns["recheck_urgency"] = None
    with transaction.atomic():
        claim(submission, revision, status=submission.status, **columns)
        record_change(submission, by, "state", request_id, {"kind": "reply", "to": "settled"})
