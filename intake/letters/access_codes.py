"""Letters by which a patient comes back: the reference of saved answers, a code, a notice of use.

These letters say no more about the patient than intake.letters.composing allows. An e-mail address
gets a mail, a phone number gets a text message.
"""

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Lane, Letter
from intake.access import codes
from intake.access.codes import content_of
from intake.letters.composing import text_of
from intake.models.access import Challenge
from intake.models.submissions import Draft, Submission
from intake.ways.contact import Channel


def _letter(
    address: str, language: str, subject: str, name: str, *, asked: bool = False, **words: str
) -> Letter:
    channel: Channel = "email" if "@" in address else "sms"
    with translation.override(language):
        text = text_of(name, **words)
        subject = gettext(subject) % {"clinic": settings.CLINIC_SHORT_NAME}
        return Letter((address,), subject, text, channel, asked=asked)


@outbox.composer("code", lane=Lane.SCREEN)
def code(message: Message) -> Letter | None:
    """Send a one-time code. Returns None when the code was used or tried too often."""
    challenge = Challenge.objects.select_related("draft").filter(pk=message.occasion).first()
    if message.payload is None or challenge is None:
        return None
    if challenge.used_at or challenge.tries >= codes.TRIES:
        return None
    address = codes.address_of(challenge)
    if not address:
        return None
    return _letter(
        address,
        _language(challenge),
        gettext_noop("Your code from %(clinic)s"),
        "code",
        asked=True,
        code=str(message.payload["code"]),
    )


@outbox.composer("opened", lane=Lane.SCREEN)
def opened(message: Message) -> Letter | None:
    """Tell the owner of the mailbox that a code opened the draft or submission."""
    challenge = Challenge.objects.filter(pk=message.occasion).first()
    address = codes.address_of(challenge) if challenge else ""
    if challenge is None or not address:
        return None
    return _letter(address, _language(challenge), gettext_noop("Your request was opened"), "opened")


@outbox.composer("saved", lane=Lane.SCREEN)
def saved(message: Message) -> Letter | None:
    """Send the reference of saved answers. Returns None when the answers were sent or deleted."""
    draft = Draft.objects.filter(pk=message.occasion.partition(":")[0], submission=None).first()
    address = content_of(draft).saved.get("address") if draft else ""
    if draft is None or not address:
        return None
    return _letter(
        address,
        draft.language,
        gettext_noop("How to continue at %(clinic)s"),
        "saved",
        asked=True,
        reference=str(draft.reference),
        days=str(settings.DRAFT_DAYS),
    )


def _language(challenge: Challenge) -> str:
    """Return the language of the draft or the submission that a code opens."""
    if challenge.draft:
        return challenge.draft.language
    first = Submission.objects.filter(pk__in=challenge.submissions).values_list("language")
    return next(iter(first), ("en",))[0]
