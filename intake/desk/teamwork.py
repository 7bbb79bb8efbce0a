"""Hand a submission to a colleague, take it over from one, and write notes for each other.

Each function is one transaction, which includes the audit event. The colleague whose list changes
hears of it by a letter that names the reference alone.
"""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.outgoing import outbox
from intake.desk import transitions
from intake.desk.changes import record_change
from intake.errors import Conflict, Refused
from intake.letters.staff import HANDED, TAKEN_OVER
from intake.models.notes import StaffNote
from intake.models.people import deciders
from intake.models.rota import Leave
from intake.models.submissions import Submission
from intake.wording.people import person_words

TWICE = timedelta(minutes=1)  # the same note within this time is the same press of the button


def add_note(*, submission: Submission, text: str, by: User, request_id: str) -> None:
    """Store a note for colleagues. The same text sent twice within a minute is stored once."""
    text, now = text.strip(), timezone.now()
    with transaction.atomic():
        Submission.objects.select_for_update(of=("self",), no_key=True).get(pk=submission.pk)
        recent = submission.staff_notes.filter(by=by, at__gt=now - TWICE)
        if not text or any(row.words["text"] == text for row in recent):
            return
        row = StaffNote(submission=submission, words={"text": text}, by=by, at=now)
        row.save(force_insert=True)
        record_change(submission, by, "create", request_id, {"kind": "note"})


def assign(
    *,
    submission: Submission,
    to: User | None,
    by: User,
    revision: int,
    request_id: str,
    over: str = "",
) -> None:
    """Take a submission, hand it to a colleague (`to`), or give it back (None).

    `over` is the id of the colleague from whom `by` agreed to take it over. Raises Conflict when a
    colleague has the submission and `over` does not say so, and when the submission was changed
    since `revision`. Raises Refused for somebody who cannot decide or is on leave, and
    workflow.NotAllowed when the status forbids it.
    """
    holder = submission.assignee
    is_held = holder is not None and holder != by and deciders().filter(pk=holder.pk).exists()
    if to is not None and to != by:
        _refuse_absent(to)
    if is_held and holder and to != holder and over != str(holder.pk):
        raise Conflict(
            _("%(name)s has it. Read it again, then take it over if you want to.")
            % {"name": person_words(holder)}
        )
    with transaction.atomic():
        try:
            transitions.assign(
                submission=submission, to=to, by=by, revision=revision, request_id=request_id
            )
        except Conflict as error:
            raise Conflict(f"{error} {_holder_now(submission)}".strip()) from None
        for kind, person in ((HANDED, to if to != by else None), (TAKEN_OVER, holder)):
            if person is not None and (kind == HANDED or (is_held and person != to)):
                outbox.put(kind=kind, occasion=f"{submission.pk}:{person.pk}:{revision}")


def hand_over(
    *,
    submission: Submission,
    to: User,
    note: str,
    by: User,
    revision: int,
    request_id: str,
    over: str = "",
) -> None:
    """Hand a submission to a colleague with a note; see `assign`."""
    with transaction.atomic():
        assign(
            submission=submission,
            to=to,
            by=by,
            revision=revision,
            request_id=request_id,
            over=over,
        )
        if note.strip():
            add_note(submission=submission, text=note, by=by, request_id=request_id)


def _holder_now(submission: Submission) -> str:
    """Say who has the submission by now; '' for nobody."""
    now = Submission.objects.select_related("assignee").only("assignee").get(pk=submission.pk)
    if now.assignee is None:
        return ""
    return _("%(name)s has it now.") % {"name": person_words(now.assignee)}


def _refuse_absent(to: User) -> None:
    words = {"name": person_words(to)}
    if not deciders().filter(pk=to.pk).exists():
        raise Refused(_("%(name)s cannot decide on submissions. Choose another colleague.") % words)
    if Leave.objects.at(timezone.now()).filter(person=to).exists():
        raise Refused(_("%(name)s is on leave. Choose another colleague.") % words)
