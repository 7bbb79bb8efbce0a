"""Begin, pass on and end a call in which staff enter a caller's answers."""

from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import audit
from clinic.ids import new_reference
from intake.documents import protocol_of
from intake.domain.definition import Protocol
from intake.draft_content import Content
from intake.errors import Refused
from intake.models.calls import CallTask
from intake.models.phone_calls import Caller, CameOf, PhoneCall
from intake.models.submissions import Device, Draft, Submission
from intake.questionnaire import answering, drafts, sending
from intake.ways import calls
from intake.wording.people import person_words

RIGHT = "intake.enter_by_phone"
MAY_ASK_ALL = "intake.decide_submission"
"""Who has this right reads a caller every question. Others leave out `uses.nurse_asks`."""


def begin(*, by: User, phone: str, request_id: str) -> PhoneCall:
    """Store a new call, with the number to call back if the line breaks."""
    call = PhoneCall(by=by, at=timezone.now(), words={"phone": phone})
    with transaction.atomic():
        call.save(force_insert=True)
        _record(call, "create", by, request_id)
    return call


def call_back_later(
    *, call: PhoneCall, at: datetime, phone: str, say: str, by: User, request_id: str
) -> None:
    """Owe a call to a caller who cannot talk freely. `say` is for another person who answers."""
    with transaction.atomic():
        row = _locked(call.pk, by)
        row.words = {**row.words, "phone": phone, "say": say}
        row.call_back_at = at
        row.save(update_fields=["words", "call_back_at"])
        _record(row, "state", by, request_id, to="call_back")


def call_back(*, pk: UUID, by: User, request_id: str, again_at: datetime | None = None) -> None:
    """Note that `by` called back: the call goes on, or the next try is due at `again_at`.

    Raises Refused if a colleague called back before.
    """
    with transaction.atomic():
        row = _locked_to_call_back(pk)
        row.call_back_at, row.by = again_at, by if again_at is None else row.by
        row.save(update_fields=["call_back_at", "by"])
        _record(row, "state", by, request_id, to="not_reached" if again_at else "reached")


def drop_call_back(*, pk: UUID, by: User, request_id: str) -> None:
    """Take a caller off the list, because no call back is needed. Raises Refused as `call_back`."""
    with transaction.atomic():
        row = _locked_to_call_back(pk)
        row.settled_at = timezone.now()
        row.save(update_fields=["settled_at"])
        _record(row, "state", by, request_id, to="settled")


def _locked_to_call_back(pk: UUID) -> PhoneCall:
    row = PhoneCall.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None or row.call_back_at is None or row.settled_at is not None:
        raise Refused(_("A colleague has already called this number back."))
    return row


def begin_answers(
    *,
    call: PhoneCall,
    caller: str,
    relation: str,
    interpreter: str,
    protocol: Protocol,
    kind: str,
    language: str,
    by: User,
    request_id: str,
) -> PhoneCall:
    """Begin the draft of a call, and store who calls. After a double click there is one draft."""
    who = protocol.uses.who
    answers = [option.code for option in protocol.question(who.q).options]
    own = [code for code in answers if not who.proxy.count(code)]
    # the first answer of another person is that of a parent or guardian
    role = {Caller.PATIENT: own[0], Caller.PARENT: who.proxy[0]}.get(Caller(caller), who.proxy[-1])
    with transaction.atomic():
        row = _locked(call.pk, by)
        if row.draft or row.submission_id:
            return row
        left_out = () if by.has_perm(MAY_ASK_ALL) else protocol.uses.nurse_asks
        draft, _key = drafts.begin(
            kind=kind,
            language=language,
            device=Device.STAFF,
            content=Content(answers={who.q: role}, not_asked=left_out),
            protocol=protocol,
        )
        Draft.objects.filter(pk=draft.pk).update(reference=new_reference())
        draft.refresh_from_db()
        about = {"caller": caller, "relation": relation, "interpreter": interpreter}
        row.draft, row.words = draft, {**row.words, **about}
        row.save(update_fields=["draft", "words"])
        _record(row, "update", by, request_id)
    return row


def leave_out_what_may_not_be_asked(*, call: PhoneCall, draft: Draft) -> None:
    """Ask no more what a clinician asks, if the role of the member of staff has changed."""
    left_out = protocol_of(draft.protocol_id).uses.nurse_asks
    known = drafts.walk_of(draft).content.not_asked
    if left_out and not known and not call.by.has_perm(MAY_ASK_ALL):
        answering.leave_out(draft=draft, questions=left_out)


def stop(
    *,
    call: PhoneCall,
    draft: Draft,
    came_of: str,
    place: str,
    phone: str,
    name: str,
    by: User,
    request_id: str,
) -> Submission:
    """Tell clinicians of an emergency on the phone, and record what was done. As a patient tells.

    Raises Gone, and NotReady if no emergency answer stops the form any more.
    """
    with transaction.atomic():
        submission = sending.tell_clinic(
            draft=draft, phone=phone, name=name, request_id=request_id, call=call
        )
        record_step(call=call, came_of=came_of, place=place, by=by, request_id=request_id)
    return submission


def record_step(*, call: PhoneCall, came_of: str, place: str, by: User, request_id: str) -> None:
    """Record what was done after an emergency answer. If the line broke, a call is owed at once."""
    now = timezone.now()
    with transaction.atomic():
        row = _locked(call.pk, by)
        if row.submission is None:
            raise Refused(_("Nothing of this call is sent yet."))
        step = {"came_of": CameOf(came_of).value, "place": place, "at": now.isoformat()}
        earlier = row.steps
        if earlier and {**earlier[-1], "at": ""} == {**step, "at": ""}:
            return  # a double click
        row.words = {**row.words, "steps": [*earlier, step]}
        row.save(update_fields=["words"])
        if came_of == CameOf.LOST:
            occasion = f"{row.pk}:{len(earlier)}"
            reason = CallTask.Reason.LINE
            calls.owe(submission=row.submission, reason=reason, occasion=occasion, due_at=now)
        audit.record(
            actor=audit.staff(by),
            action="state",
            subject=str(row.submission_id),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "phone", "outcome": came_of},
        )


def delete(*, call: PhoneCall, by: User, request_id: str) -> None:
    """Delete a call whose answers are not sent, and its draft."""
    with transaction.atomic():
        row = _locked(call.pk, by)
        if row.submission_id:
            raise Refused(_("The answers of this call are already sent."))
        _record(row, "erase", by, request_id)
        if row.draft:
            drafts.delete(draft=row.draft)
        PhoneCall.objects.filter(pk=row.pk).delete()


def may_take_over(call: PhoneCall, by: User) -> bool:
    """Whether `by` may go on with a call whose member of staff cannot go on any more.

    A draft with questions that only a clinician asks goes to a clinician.
    """
    if (call.by.is_active and call.by.has_perm(RIGHT)) or not by.has_perm(RIGHT):
        return False
    if call.draft is None or by.has_perm(MAY_ASK_ALL):
        return True
    uses = protocol_of(call.draft.protocol_id).uses
    return not uses.nurse_asks or bool(drafts.walk_of(call.draft).content.not_asked)


def take_over(*, pk: UUID, by: User, request_id: str) -> PhoneCall:
    """Give `by` a call whose member of staff cannot go on any more. Raises Refused."""
    with transaction.atomic():
        row = PhoneCall.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if row is None or row.submission_id:
            raise Refused(_("This call is not open any more: it was sent or deleted."))
        if not may_take_over(row, by):
            raise Refused(_("%(name)s has this call.") % {"name": person_words(row.by)})
        row.by = by
        row.save(update_fields=["by"])
        _record(row, "assign", by, request_id, to=by.pk)
    return row


def give_back(*, user: User, by: User, request_id: str) -> list[str]:
    """Say how many unsent calls an account leaves behind that may not enter calls any more."""
    if user.is_active and user.has_perm(RIGHT):
        return []
    count = PhoneCall.objects.unfinished().filter(by=user).count()
    words = ngettext(
        "%(n)s call whose answers are not sent: a colleague can go on with it",
        "%(n)s calls whose answers are not sent: colleagues can go on with them",
        count,
    )
    return [words % {"n": count}] if count else []


def delete_old_calls(*, days: int) -> int:
    """Delete calls without answers that are older than `days`. Returns how many."""
    rows = PhoneCall.objects.filter(submission=None, at__lt=timezone.now() - timedelta(days=days))
    owed = rows.filter(call_back_at__isnull=False, settled_at=None)
    drafts_left = Draft.objects.values("pk")
    old = rows.exclude(pk__in=owed.values("pk")).exclude(draft__in=drafts_left)
    return old.delete()[1].get("intake.PhoneCall", 0)


def _locked(pk: UUID, by: User) -> PhoneCall:
    """Lock and read the call of a member of staff. Raises Refused if a colleague has the call."""
    rows = PhoneCall.objects.select_for_update(of=("self",)).select_related("draft", "submission")
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Refused(_("This call is not open any more: it was sent or deleted."))
    if row.by_id != by.pk:
        raise Refused(_("%(name)s has this call.") % {"name": person_words(row.by)})
    return row


def _record(
    call: PhoneCall, action: str, by: User, request_id: str, *, to: str | int | None = None
) -> None:
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=str(call.pk),
        purpose="TREAT",
        request_id=request_id,
        detail={"kind": "phone", **({"to": to} if to is not None else {})},
    )
