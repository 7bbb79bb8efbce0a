"""Say in one line how staff may reach a patient."""

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.models.contact_points import ContactPoint
from intake.ways.contact import Reach
from intake.wording.reading import PREFER_TIME

LETTERS: dict[str, object] = {
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
    closed = "; ".join(map(_closed_words, reach.closed))
    if reach.is_none:
        return f"{NO_WAY} ({closed})" if closed else str(NO_WAY)
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
    return "; ".join([*words, *filter(None, [closed])])


def _closed_words(point: ContactPoint) -> str:
    """Say since when and why letters by one way do not reach the patient."""
    if point.dead_at is None:
        return _("no %(letters)s wanted") % {"letters": point.get_channel_display().lower()}
    words = _("%(letters)s does not arrive since %(day)s (%(code)s)")
    return words % {
        "letters": point.get_channel_display(),
        "day": date_format(timezone.localtime(point.dead_at), "D j M"),
        "code": point.trouble,
    }
