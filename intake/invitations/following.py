"""Follow an invitation: a letter that does not arrive, one reminder, and the end of the row."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from clinic import audit
from clinic.models import Message
from clinic.outgoing import outbox
from intake.documents import protocol_of
from intake.draft_content import Content
from intake.invitations import inviting
from intake.letters.invitations import REMINDER
from intake.models.invitations import Invitation, InvitationList, InvitationQuerySet
from intake.models.submissions import Draft, WalkCount
from intake.questionnaire import walk_counts
from intake.staff import paperwork
from intake.staff.paperwork import LETTER
from intake.ways import invited

KEPT_BEGUN = timedelta(days=30)
PREVIEWED = timedelta(days=1)  # how long a list that was not sent is kept
AT_ONCE = 200  # how many reminders one sweep looks at


@outbox.when_unsent(LETTER)
def note_unsent(message: Message) -> None:
    """Send a letter that did not arrive by the next way, or owe a call.

    A letter that was replaced by a newer one changes nothing.
    """
    lock = Invitation.objects.select_for_update(of=("self",), no_key=True)
    row = lock.filter(pk=message.occasion.partition(":")[0]).first()
    if row is None or row.letter != message.occasion or row.bounced_at or row.opened_at:
        return
    way = invited.reach_of(row).next_way(outbox.tried_channels(message))
    if way is not None:
        outbox.send_by(message, way[0])
        return
    row.bounced_at, row.remind_at = timezone.now(), None
    inviting.owe_call(row, message.occasion.rpartition(":")[2])
    row.save(update_fields=["bounced_at", "remind_at", "call_due_at"])


@outbox.when_unsent(REMINDER)
def send_reminder_by_next_way(message: Message) -> None:
    """Send a reminder that did not arrive by the next way. A reminder is not worth a call."""
    row = Invitation.objects.select_related("submission").filter(pk=message.occasion).first()
    way = row and invited.reach_of(row).next_way(outbox.tried_channels(message))
    if way:
        outbox.send_by(message, way[0])


# --- one reminder ---------------------------------------------------------------------------------


def remind() -> int:
    """Order the reminders that are due. Returns how many were ordered.

    A patient gets one reminder, a day after the last answer, and none if the questions stopped at
    an emergency, if the patient declined, or if the first letter did not arrive.
    """
    due = Invitation.objects.filter(remind_at__lte=timezone.now()).order_by("remind_at")
    return sum(_remind(pk) for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]))


@transaction.atomic
def _remind(pk: Any) -> bool:
    lock = Invitation.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
    now = timezone.now()
    if not lock.filter(pk=pk, remind_at__lte=now).exists():
        return False  # another worker has it
    row: Any = paperwork.with_facts(Invitation.objects.filter(pk=pk)).get()
    draft = Draft.objects.filter(pk=row.draft_id, submission=None).first()
    if draft is not None and draft.updated_at > now - timedelta(days=1):
        Invitation.objects.filter(pk=pk).update(remind_at=draft.updated_at + timedelta(days=1))
        return False
    Invitation.objects.filter(pk=pk).update(remind_at=None)
    if not row.letters or row.bounced_at or not paperwork.standing_of(row).is_open:
        return False
    if draft is not None and Content.load(protocol_of(draft.protocol_id), draft.content).stops:
        return False
    outbox.put(kind=REMINDER, occasion=str(pk), expires=row.ends_at)
    return True


# --- the end of the row ---------------------------------------------------------------------------


def forget(*, days: int) -> int:
    """Delete old invitations, and lists that were not sent. Returns how many invitations.

    An invitation that nobody began is deleted `days` after the visit, or after it expired; any
    other after a month.
    """
    now = timezone.now()
    with transaction.atomic():
        InvitationList.objects.filter(sent_at=None, created_at__lt=now - PREVIEWED).delete()
        over = Invitation.objects.filter(
            _over(now - timedelta(days=days), draft_id=None) | _over(now - KEPT_BEGUN)
        )
        # locked before they are counted, so that of two servers one counts them
        locked = over.select_for_update(of=("self",)).values_list("pk", flat=True)
        old = Invitation.objects.filter(pk__in=list(locked))
        ended = counts_of(old)
        _total, by_model = old.delete()
        count = by_model.get("intake.Invitation", 0)
        if count:
            audit.record(
                actor=audit.system("prune"),
                action="erase",
                detail={"kind": "invitation", "count": count},
            )
        walk_counts.add(ended)
    return count


def counts_of(rows: InvitationQuerySet) -> Counter[walk_counts.Key]:
    """Count invitations by the day on which they were made, and by what became of them."""
    return Counter(
        (
            timezone.localdate(row.created_at),
            row.protocol,
            str(row.part),
            str(WalkCount.Event.INVITED),
            str(paperwork.standing_of(row).state),
        )
        for row in paperwork.with_facts(rows)
    )


def _over(before: Any, **more: Any) -> Q:
    """Match invitations whose visit, or whose time, was over before a moment."""
    visit = Q(appointment__during__startswith__lt=before)
    return (visit | Q(appointment=None, expires_at__lt=before)) & Q(**more)
