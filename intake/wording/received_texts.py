"""What a person reads who texts to the clinic's number."""

from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

LANGUAGES = ("en", "es")


def nobody_reads_words() -> str:
    """Say that nobody reads these texts, and whom to call, in each language of the site."""
    return _in_each(
        lambda: (
            _(
                "%(clinic)s: Nobody reads texts to this number at night, and nobody answers them."
                " Please call %(phone)s. In an emergency call %(emergency)s."
            )
            % {
                "clinic": settings.CLINIC_SHORT_NAME,
                "phone": settings.CLINIC_PHONE,
                "emergency": settings.EMERGENCY_NUMBER,
            }
        )
    )


def stopped_words() -> str:
    """Confirm that the number gets no more text messages, in each language of the site."""
    return _in_each(
        lambda: (
            _("%(clinic)s: You get no more text messages from us. Reply START to get them again.")
            % {"clinic": settings.CLINIC_SHORT_NAME}
        )
    )


def _in_each(words: Callable[[], str]) -> str:
    """Return the words in each of LANGUAGES that the site offers, because the reader is unknown."""
    said = []
    for language in LANGUAGES:
        if language in dict(settings.LANGUAGES):
            with override(language):
                said.append(words())
    return "\n".join(said)
