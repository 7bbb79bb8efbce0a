"""Say in one line how staff may reach a patient."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.ways.contact import Channel, Reach
from intake.wording.reading import PREFER_TIME

LETTERS: dict[Channel, object] = {
    "email": gettext_lazy("e-mail"),
    "sms": gettext_lazy("text message"),
}
NO_WAY = gettext_lazy("No safe way: do not call")


def reach_words(reach: Reach) -> str:
    """Say by which ways the patient may be reached, in the patient's order, and what is forbidden.

    For example: 'text message; call, only morning; no voicemail'.
    """
    if reach.is_ended:
        return _(
            "%(no_way)s. The person who filled in the form may no longer act for the patient."
        ) % {"no_way": NO_WAY}
    if reach.is_none:
        return str(NO_WAY)
    words = [str(LETTERS[channel]) for channel, _address in reach.letters]
    if reach.may_call:
        when = str(PREFER_TIME.get(reach.hours, "")).lower()
        words.append(_("call, only %(when)s") % {"when": when} if when else _("call"))
        if not reach.may_leave_word:
            words.append(_("no voicemail"))
    else:
        words.append(_("do not call"))
    if reach.hears:
        words.append(_("may hear: %(who)s") % {"who": reach.hears})
    return "; ".join(words)
