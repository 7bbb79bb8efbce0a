"""Letters that ask a person to answer questions: a bare address and a code, or one reminder.

These letters hold no name, no health data and no name of a protocol. A letter about a child goes to
the guardian, whose ways the invitation has.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Letter
from intake.access.codes import content_of
from intake.letters.composing import text_of
from intake.models.invitations import Invitation
from intake.models.submissions import Draft
from intake.staff import paperwork
from intake.staff.paperwork import LETTER
from intake.ways import contact_points, invited
from intake.ways.contact import Channel
from intake.wording.moments import day_words

REMINDER = "invitation_reminder"
DRAFT_REMINDER = "draft_reminder"


@outbox.composer(LETTER)
def invitation(message: Message) -> Letter | None:
    """Invite a person. Returns None for an earlier letter, and when nothing can be answered."""
    row = _open_invitation(message)
    if row is None or row.letter != message.occasion:
        return None
    return _letter(row, "invitation", message)


@outbox.composer(REMINDER)
def invitation_reminder(message: Message) -> Letter | None:
    """Remind a person once of the questions. Returns None when they are answered or declined."""
    row = _open_invitation(message)
    return None if row is None else _letter(row, "invitation_reminder", message)


def _open_invitation(message: Message) -> Any:
    rows = Invitation.objects.filter(pk=message.occasion.partition(":")[0])
    row = paperwork.with_facts(rows).first()
    return row if row is not None and paperwork.standing_of(row).is_open else None


def _letter(row: Invitation, name: str, message: Message) -> Letter:
    """Return the letter by the first way, or by the one way to which the message is bound."""
    letters = invited.reach_of(row).letters
    way = next((way for way in letters if message.by in ("", way[0])), None)
    if way is None:
        raise outbox.NoWay
    channel, address = way
    with translation.override(row.language):
        until = timezone.localtime(row.ends_at).date()
        text = text_of(
            f"{name}_sms" if channel == "sms" else name,
            code=row.code["code"],
            until=day_words(until),
            has_visit=row.starts_at is not None,
        )
        subject = gettext(_("Questions from %(clinic)s")) % {"clinic": settings.CLINIC_SHORT_NAME}
        return Letter((address,), subject, text, channel)


@outbox.composer(DRAFT_REMINDER)
def draft_reminder(message: Message) -> Letter | None:
    """Remind a patient once of saved answers. Returns None when they are sent, deleted or new."""
    draft = Draft.objects.filter(pk=message.occasion, submission=None).first()
    address = content_of(draft).saved.get("address") if draft else ""
    if draft is None or not address:
        return None
    channel: Channel = "email" if "@" in address else "sms"
    if not contact_points.is_open(channel, address):
        raise outbox.NoWay
    with translation.override(draft.language):
        until = timezone.localdate(draft.updated_at + timedelta(days=settings.DRAFT_DAYS))
        text = text_of("draft_reminder", reference=draft.reference, until=day_words(until))
        subject = gettext(_("Your answers at %(clinic)s are not sent")) % {
            "clinic": settings.CLINIC_SHORT_NAME
        }
        return Letter((address,), subject, text, channel)
