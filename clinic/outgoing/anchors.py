"""Mail the anchor of the audit trail, so that its recipients can detect a rewritten trail."""

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from clinic.ids import uuid7
from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Letter

KIND = "anchor"


def send_result(*, summary: str, is_whole: bool) -> None:
    """Mail the result of a check of the audit trail to AUDIT_ANCHOR_TO, if that setting is set."""
    if settings.AUDIT_ANCHOR_TO:
        with transaction.atomic():
            payload = {"said": summary, "is_whole": is_whole}
            outbox.put(kind=KIND, occasion=str(uuid7()), payload=payload)


@outbox.composer(KIND)
def anchor(message: Message) -> Letter | None:
    """Write the letter. The letter has only numbers and hashes and quotes no event."""
    result = message.payload
    if result is None:
        return None
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("Audit trail: whole") if result["is_whole"] else _("Audit trail: NOT whole")
        advice = _(
            "Keep this message. Only an anchor that was kept elsewhere shows that somebody wrote"
            " the whole trail anew. If a day brings none, find out why."
        )
        lines = [
            str(result["said"]),
            advice,
            f"{settings.CLINIC_SHORT_NAME}, {settings.SITE_ORIGIN}",
        ]
    return Letter(tuple(settings.AUDIT_ANCHOR_TO), subject, "\n\n".join(lines) + "\n")
