"""The anchor of the audit trail by mail: to where whoever controls this database cannot write."""

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.ids import uuid7
from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Letter

KIND = "anchor"


def tell(*, said: str, is_whole: bool) -> None:
    """Send what a check of the trail said to AUDIT_ANCHOR_TO, if that is set."""
    if settings.AUDIT_ANCHOR_TO:
        with transaction.atomic():
            payload = {"said": said, "is_whole": is_whole}
            outbox.put(kind=KIND, occasion=str(uuid7()), payload=payload)


@outbox.composer(KIND)
def anchor(message: Message) -> Letter | None:
    """Numbers and hashes alone: no event is quoted."""
    told = message.payload
    if told is None:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Audit trail: whole") if told["is_whole"] else _("Audit trail: NOT whole")
        advice = _(
            "Keep this message. Only an anchor that was kept elsewhere shows that somebody wrote"
            " the whole trail anew. If a day brings none, find out why."
        )
        lines = [told["said"], advice, f"{settings.CLINIC_SHORT_NAME}, {settings.SITE_ORIGIN}"]
    return Letter(tuple(settings.AUDIT_ANCHOR_TO), subject, "\n\n".join(lines) + "\n")
