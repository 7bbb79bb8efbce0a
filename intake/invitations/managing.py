"""What staff and patients do with an invitation: send it again, end it, note a call, read the code.

Each act locks the invitation and records its audit event in one transaction.
"""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from intake.access import codes
from intake.errors import Refused
from intake.invitations.inviting import LASTS, key_of, tell
from intake.models.calls import CallTask
from intake.models.invitations import Invitation
from intake.models.submissions import Draft
from intake.questionnaire import drafts
from intake.staff import paperwork
from intake.staff.paperwork import State
from intake.ways import calls


def _locked(invitation: Invitation) -> Any:
    """Lock and read the row, with what `standing_of` reads."""
    lock = Invitation.objects.select_for_update(of=("self",), no_key=True)
    lock.get(pk=invitation.pk)
    return paperwork.with_facts(Invitation.objects.filter(pk=invitation.pk)).get()


def _record(row: Invitation, by: User, request_id: str, to: str) -> None:
    audit.record(
        actor=audit.staff(by),
        action="state",
        subject=str(row.pk),
        purpose="TREAT",
        request_id=request_id,
        detail={"kind": "invitation", "to": to},
    )


def send_again(*, invitation: Invitation, by: User, request_id: str) -> None:
    """Send the invitation again. A locked invitation gets a new code, an expired one a new time.

    Raises Refused if the patient has answered, or if the visit has begun or does not take place.
    """
    with transaction.atomic():
        row = _locked(invitation)
        state = paperwork.standing_of(row).state
        if state in (State.COMPLETE, State.STOPPED):
            raise Refused(_("The patient has answered already."))
        starts = row.starts_at
        if row.is_withdrawn or (starts is not None and starts <= timezone.now()):
            raise Refused(_("This invitation is over. Invite the patient anew if it is needed."))
        if row.is_locked:
            code = codes.new_code()
            row.code, row.code_key, row.tries = {"code": code}, key_of(code), 0
        if state == State.EXPIRED:
            row.expires_at = timezone.now() + LASTS
        row.declined_at = None
        _drop_calls(row)
        tell(row=row)
        _record(row, by, request_id, "sent")


def withdraw(*, invitation: Invitation, by: User, request_id: str) -> None:
    """Take the invitation back. The code opens nothing any more. Idempotent."""
    with transaction.atomic():
        row = _locked(invitation)
        if row.withdrawn_at is None:
            _end(row, "withdrawn_at")
            _record(row, by, request_id, State.WITHDRAWN)


def decline(*, invitation: Invitation, by: User | None = None, request_id: str = "") -> None:
    """Note that the patient does not want to answer, as the patient or a member of staff says.

    Answers that the patient has begun and not sent are deleted. Does nothing after sending.
    """
    with transaction.atomic():
        row = _locked(invitation)
        if row.sent_kind is not None or row.declined_at is not None:
            return
        _end(row, "declined_at")
        for draft in Draft.objects.filter(pk=row.draft_id, submission=None):
            drafts.delete(draft=draft)
        audit.record(
            actor=audit.staff(by) if by else audit.patient(str(row.pk)),
            action="state",
            subject=str(row.pk),
            purpose="TREAT" if by else "PATRQT",
            request_id=request_id,
            detail={"kind": "invitation", "to": State.DECLINED},
        )


def _end(row: Invitation, name: str) -> None:
    setattr(row, name, timezone.now())
    row.remind_at = row.call_due_at = None
    row.save()
    _drop_calls(row)


def _drop_calls(row: Invitation) -> None:
    if row.submission_id:
        calls.drop(submission_id=row.submission_id, reasons=[CallTask.Reason.INVITED])


def note_call(*, invitation: Invitation, reached: bool, by: User, request_id: str) -> None:
    """Note what became of an owed call: the patient was reached, or staff call again later."""
    with transaction.atomic():
        row = _locked(invitation)
        if row.call_due_at is None:
            return
        now = timezone.now()
        row.call_due_at = None if reached else calls.next_try(now)
        row.called_at = now if reached else row.called_at
        row.save(update_fields=["call_due_at", "called_at"])
        audit.record(
            actor=audit.staff(by),
            action="create",
            subject=str(row.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "call", "outcome": "reached" if reached else "not_reached"},
        )


def read_code(*, invitation: Invitation, by: User, request_id: str) -> str:
    """Return the code for a member of staff who reads it to the patient on the phone.

    The reading is recorded. Raises Refused if the code opens nothing any more.
    """
    with transaction.atomic():
        row = _locked(invitation)
        standing = paperwork.standing_of(row)
        if not standing.is_open:
            raise Refused(_("This code opens nothing any more."))
        _record(row, by, request_id, "read")
    return str(row.code["code"])
