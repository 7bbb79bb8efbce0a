"""The one tick beside Send: the consent, and that the patient knows what the form is not."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from clinic import privacy
from intake.domain.stored import ACKNOWLEDGED
from intake.forms.base import WalkForm
from intake.questionnaire.walk import Walk
from intake.wording.languages import if_foreign


class ConsentField(forms.BooleanField):
    """The check box for consent, with a legend that the template shows above the box."""

    legend = _("Your consent")


class SendForm(WalkForm):
    """The tick without which nothing is sent, in the words that fit who fills in the form.

    The tick stands for two things: the consent, and the protocol's question `acknowledged`.
    """

    consent = ConsentField(
        error_messages={
            "required": _("Check the box to send. If you do not agree, please call us instead.")
        },
    )

    def __init__(self, walk: Walk, data: QueryDict | None = None) -> None:
        super().__init__(data=data)
        words = walk.words
        known = words.protocol.question(walk.uses.contact.acknowledged)
        agree = gettext(
            "I agree that the clinic stores and reads my answers, as the "
            '<a href="{privacy}">privacy notice</a> says.'
        )
        if walk.proxied:
            known = known.for_proxy()
            agree = gettext(
                "I agree for the patient that the clinic stores and reads these answers, as the "
                '<a href="{privacy}">privacy notice</a> says.'
            )
        language = if_foreign(words.language_of_question(known.id))
        lang = format_html(' lang="{}"', language) if language else ""
        agree = format_html(agree, privacy=reverse("privacy"))
        self.fields["consent"].label = format_html(
            "<span>{} <span{}>{}</span></span>", agree, lang, known.text
        )

    @staticmethod
    def consent_given() -> dict[str, Any]:
        """Return what a sent contact stores of the tick, as JSON data."""
        return {
            ACKNOWLEDGED: True,
            "consent": {
                "version": privacy.version(get_language() or "en"),
                "at": timezone.now().isoformat(),
            },
        }
