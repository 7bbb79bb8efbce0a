"""Say what became of the newest letter that told a patient something."""

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.models import Message
from clinic.outgoing import outbox
from intake.models.appointments import Appointment, Offer
from intake.models.submissions import Submission
from intake.staff.reach_words import LETTERS
from intake.ways.telling import NEWS

State = Message.State


def told_words(submission: Submission) -> str:
    """Say by which way the newest news went, and whether a provider accepted it; '' without news.

    Takes five queries at most.
    """
    newest = _newest(submission)
    if newest is None:
        return ""
    last = [newest, *outbox.in_place_of(newest)][-1]
    way = str(LETTERS.get(last.channel, _("letter")))
    at = last.finished_at or last.created_at
    words = {
        State.SENT: _("%(way)s accepted by the provider, %(at)s"),
        State.WAITING: _("%(way)s waits to be sent since %(at)s"),
    }.get(State(last.state), _("%(way)s not sent, %(at)s"))
    return words % {"way": way, "at": date_format(timezone.localtime(at), "D j M, H:i")}


def _newest(submission: Submission) -> Message | None:
    visits = Appointment.objects.filter(submission=submission).values_list("pk", "sequence")
    offers = Offer.objects.filter(request__submission=submission).values_list("pk", flat=True)
    letters = submission.communications.exclude(by=None).values_list("pk", flat=True)
    about = [*map(str, [*offers, *letters]), *(f"{pk}:{number}" for pk, number in visits)]
    rows = Message.objects.filter(kind__in=NEWS, occasion__in=about)
    return rows.order_by("-created_at", "-id").first() if about else None
