"""The fixed sentences that the clinic can write to a patient. They hold no health data.

A message is stored as it was sent, with this clinic's phone number. A new sentence gets a new code,
and a code that was used keeps its meaning.
"""

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

MESSAGES = {
    "call_us": _("Please call us at %(phone)s when you can. Have your number at hand."),
    "we_tried": _("We tried to call you and did not reach you. Please call us at %(phone)s."),
    "will_call": _("We will call you. If you have not heard from us in 2 days, please call us."),
    "bring_list": _("Please bring the list of your medicines and your last test results."),
    "more_needed": _(
        "We need to know a little more before we can go on. Please use “Add something” on this "
        "page, or call us at %(phone)s."
    ),
    "advice_given": _("A clinician has looked at your request. No visit is needed for now."),
    "thanks": _("Thank you. We have read your message."),
}


ENDED = {
    "request": _(
        "We have closed your request for a visit. If you still want one, please call us at "
        "%(phone)s."
    ),
    "offers": _("We no longer hold the times that we offered you."),
    "waitlist": _("You are no longer on our waiting list."),
}
"""The sentence about each ended part. A cancelled visit has a letter of its own."""


def words(code: str, language: str = settings.LANGUAGE_CODE) -> str:
    """Return the sentence that a code stands for, in a language, with this clinic's phone number.

    Raises KeyError for an unknown code.
    """
    with override(language):
        return str((MESSAGES | ENDED)[code]) % {"phone": settings.CLINIC_PHONE}


def message_texts(codes: Iterable[str], language: str) -> dict[str, str]:
    """Join the sentences of codes to one message: "text" and, if it differs, "english"."""
    text, english = (" ".join(words(code, lang) for code in codes) for lang in (language, "en"))
    return {"text": text} | ({"english": english} if english != text else {})
