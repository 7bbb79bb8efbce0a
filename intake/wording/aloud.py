"""What staff read aloud at the end of a call, in the language of the call."""

from django.conf import settings
from django.utils.translation import gettext as _


def closing_words(*, reference: str, nurse_asks: bool) -> list[str]:
    """Return the last sentences of a call.

    `reference` is '' for a caller who may not hear it. `nurse_asks`: a nurse owes the patient a
    call.
    """
    words = []
    if nurse_asks:
        words.append(_("A nurse will call to ask some more questions."))
    if reference:
        words.append(
            _("Your number is %(reference)s. Please write it down.") % {"reference": reference}
        )
    numbers = {"tel": settings.EMERGENCY_NUMBER, "line": settings.CRISIS_LINE}
    worse = _(
        "If it gets worse, do not wait for us: call %(tel)s. In crisis call or text %(line)s."
    )
    return [*words, worse % numbers]
