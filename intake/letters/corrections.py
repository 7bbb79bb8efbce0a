"""Letters about a corrected contact: to the old address, and the number for the new address."""

from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Lane, Letter
from intake.letters.composing import references_of_submissions, submission_of, text_of
from intake.models.corrections import ContactCorrection
from intake.ways import new_address
from intake.ways.contact import Channel


def references_of_corrections(occasions: list[str]) -> Mapping[str, str]:
    """Map occasions ("correction:channel") to references, for staff's list of messages."""
    ids = {occasion: occasion.partition(":")[0] for occasion in occasions}
    rows = ContactCorrection.objects.filter(pk__in=set(ids.values()))
    known = {str(pk): ref for pk, ref in rows.values_list("pk", "submission__reference")}
    return {occasion: known.get(pk, "") for occasion, pk in ids.items()}


@outbox.composer("contact_changed", about=references_of_corrections)
def contact_changed(message: Message) -> Letter | None:
    """Tell an address that letters could reach before that the contact was corrected."""
    pk, channel = message.occasion.split(":")
    rows = ContactCorrection.objects.select_related("submission").filter(pk=pk)
    correction = rows.first()
    address = dict(correction.words["told"]).get(channel) if correction else None
    if correction is None or not address:
        return None
    with translation.override(correction.submission.language):
        subject = _("Your contact details at %(clinic)s") % {"clinic": settings.CLINIC_SHORT_NAME}
        return Letter((address,), subject, text_of("contact_changed"), _channel(channel))


@outbox.composer("contact_number", about=references_of_submissions, lane=Lane.SCREEN)
def contact_number(message: Message) -> Letter | None:
    """Send the number that the patient reads to the front desk on the phone.

    Returns None when the address was verified, or corrected again.
    """
    channel = message.occasion.split(":")[1]
    submission = submission_of(message)
    address = new_address.unverified(submission).get(channel) if submission else ""
    if submission is None or not address:
        return None
    number = new_address.number_for(submission, channel, timezone.localdate())
    with translation.override(submission.language):
        subject = _("A number from %(clinic)s") % {"clinic": settings.CLINIC_SHORT_NAME}
        text = text_of("contact_number", number=number)
        return Letter((address,), subject, text, _channel(channel), asked=True)


def _channel(name: str) -> Channel:
    return "email" if name == "email" else "sms"
