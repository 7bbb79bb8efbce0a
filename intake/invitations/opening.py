"""Open an invitation with its code and the patient's birth date, and begin the questions.

A wrong code and a wrong birth date get the same answer and cost the same work. Three wrong birth
dates, on all devices together, lock the invitation, and staff call the patient. Nothing that the
clinic knows is shown: the details of the patient are carried in the draft, veiled.
"""

import hmac
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from intake.access.codes import move_draft
from intake.domain.stored import PHONE
from intake.draft_content import Content
from intake.errors import Refused
from intake.invitations import inviting
from intake.models.calls import CallTask
from intake.models.invitations import TRIES, Invitation, Part
from intake.models.submissions import Draft, Kind
from intake.protocols import current, named
from intake.questionnaire import drafts, part_2
from intake.staff import paperwork
from intake.staff.paperwork import State
from intake.ways import calls

CARRIED = ("name", "birth_date", PHONE, "email")
"""What the questions take over from the invitation. No page shows it; the patient may replace it.

The ways of a child are those of the guardian, whose name is carried as the name of the proxy.
"""
REMIND_AFTER = timedelta(days=1)  # counted from the patient's last answer


def find(*, code: str, birth_date: date, request_id: str) -> Invitation | None:
    """Return the invitation that the code and the birth date open; None if they do not fit.

    A wrong birth date counts as a try of this code. A code that was tried too often opens nothing,
    not even with the right birth date.
    """
    key = inviting.key_of(code)
    with transaction.atomic():
        lock = Invitation.objects.select_for_update(of=("self",), no_key=True)
        row = lock.filter(code_key=key).first()
        known = row.person["birth_date"] if row else ""
        fits = hmac.compare_digest(known.encode(), birth_date.isoformat().encode())
        if row is not None and fits and not row.is_locked:
            return row
        # the same statements for a code that belongs to no invitation
        counted = Invitation.objects.filter(code_key=key, tries__lt=TRIES)
        if counted.update(tries=F("tries") + 1) and row is not None and row.tries + 1 == TRIES:
            row.tries = TRIES
            inviting.owe_call(row, "locked")
            row.save(update_fields=["call_due_at"])
        audit.record(
            actor=audit.ANONYMOUS,
            action="login-fail",
            subject=str(row.pk) if row else "-",
            request_id=request_id,
            detail={"kind": "invitation"},
        )
    return None


def begin(
    *, invitation: Invitation, language: str, device: str, request_id: str
) -> tuple[Draft, str]:
    """Begin the questions, or go on with them in this browser. Returns the draft and its key.

    The earlier browser cannot open the draft any more. A patient who declined may still answer.
    Raises Refused, with a sentence for the patient, if the invitation is over.
    """
    with transaction.atomic():
        lock = Invitation.objects.select_for_update(of=("self",), no_key=True)
        lock.get(pk=invitation.pk)
        row: Any = paperwork.with_facts(Invitation.objects.filter(pk=invitation.pk)).get()
        if why := why_over(row):
            raise Refused(why)
        begun = Draft.objects.filter(pk=row.draft_id, submission=None).first()
        if begun is not None:
            draft, key = begun, move_draft(begun)
        else:
            draft, key = _new_draft(row, language, device)
        now = timezone.now()
        row.opened_at, row.draft_id = row.opened_at or now, draft.pk
        row.declined_at = row.call_due_at = None
        row.remind_at = now + REMIND_AFTER if row.remind_at else None
        row.save()
        if row.submission_id:
            calls.drop(submission_id=row.submission_id, reasons=[CallTask.Reason.INVITED])
        audit.record(
            actor=audit.patient(str(row.pk)),
            action="login",
            subject=str(row.pk),
            purpose="PATRQT",
            request_id=request_id,
        )
    return draft, key


def why_over(row: Any) -> str:
    """Return in a sentence why the patient cannot answer any more; '' while the patient can."""
    state = paperwork.standing_of(row).state
    if state in (State.COMPLETE, State.STOPPED) or _is_answered(row):
        return _("You have sent these answers already. Thank you. We have them.")
    if state == State.WITHDRAWN:
        return _("We do not need these answers any more. If you have a question, please call us.")
    if state == State.EXPIRED:
        return _("This invitation is over. If you still want to answer, please call us.")
    return ""


def _is_answered(row: Invitation) -> bool:
    """Whether the patient of a request has answered this part in another way."""
    return row.submission is not None and inviting.part_for(row.submission) != row.part


def _new_draft(row: Invitation, language: str, device: str) -> tuple[Draft, str]:
    if row.submission is not None and row.part == Part.PART_2:
        first = row.submission
        if first.kind != Kind.INTAKE:
            first = first.additions.filter(kind=Kind.INTAKE).latest("submitted_at")
        return part_2.begin(submission=first, language=language, device=device)
    carried = {name: row.person[name] for name in CARRIED if row.person.get(name)}
    if guardian := row.person.get("guardian"):
        carried["proxy_name"] = guardian["name"]
    content = Content(
        contact=carried,
        veiled_contact=tuple(carried),
        has_visit=row.starts_at is not None,
    )
    given: dict[str, Any] = {
        "kind": Kind.INTAKE,
        "language": language,
        "device": device,
        "protocol": named(row.protocol) or current(),
    }
    if row.submission is not None:
        return drafts.go_on_or_begin(follows=row.submission, content=lambda: content, **given)
    return drafts.begin(content=content, **given)
