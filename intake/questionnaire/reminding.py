"""Remind a patient once of saved answers that are not sent."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clinic.outgoing import outbox
from intake.letters.invitations import DRAFT_REMINDER
from intake.models.invitations import Invitation
from intake.models.submissions import Draft
from intake.questionnaire.answering import REMIND_AFTER
from intake.questionnaire.drafts import walk_of

AT_ONCE = 200  # how many drafts one sweep looks at


def remind() -> int:
    """Order the reminders that are due. Returns how many were ordered.

    A patient gets one reminder, a day after the last answer. A form that stopped at an emergency
    gets none, because the patient was sent elsewhere. An invitation has a reminder of its own.
    """
    due = Draft.objects.filter(remind_at__lte=timezone.now(), submission=None)
    pks = due.order_by("remind_at").values_list("pk", flat=True)[:AT_ONCE]
    return sum(_remind(pk=pk) for pk in list(pks))


@transaction.atomic
def _remind(*, pk: UUID) -> bool:
    now = timezone.now()
    rows = Draft.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    draft = rows.filter(pk=pk, remind_at__lte=now, submission=None).first()
    if draft is None:  # another worker has the draft, or the patient has sent it
        return False
    waits = draft.updated_at + REMIND_AFTER
    is_early = waits > now
    Draft.objects.filter(pk=pk).update(remind_at=waits if is_early else None)
    if is_early or walk_of(draft).content.stops or Invitation.objects.filter(draft_id=pk).exists():
        return False
    outbox.put(kind=DRAFT_REMINDER, occasion=str(pk))
    return True
