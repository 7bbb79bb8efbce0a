"""Say what became of the newest letter that told a patient something."""

from django.db.models import TextField, Value
from django.db.models.functions import Cast, Concat
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

    Takes two queries at most.
    """
    newest = _newest(submission)
    if newest is None:
        return ""
    # a message that went again by another way is dropped
    dropped = newest.state == State.DROPPED
    last = [newest, *(outbox.in_place_of(newest) if dropped else ())][-1]
    way = str(LETTERS.get(last.channel, _("letter")))
    at = last.finished_at or last.created_at
    words = {
        State.SENT: _("%(way)s accepted by the provider, %(at)s"),
        State.WAITING: _("%(way)s waits to be sent since %(at)s"),
    }.get(State(last.state), _("%(way)s not sent, %(at)s"))
    return words % {"way": way, "at": date_format(timezone.localtime(at), "D j M, H:i")}


def _newest(submission: Submission) -> Message | None:
    key = Cast("pk", TextField())
    visits = Appointment.objects.filter(submission=submission).order_by()
    offers = Offer.objects.filter(request__submission=submission).order_by()
    letters = submission.communications.exclude(by=None).order_by()
    numbered = Concat(key, Value(":", output_field=TextField()), Cast("sequence", TextField()))
    about = letters.values_list(key).union(
        offers.values_list(key), visits.values_list(numbered), all=True
    )
    rows = Message.objects.filter(kind__in=NEWS, occasion__in=about)
    return rows.order_by("-created_at", "-id").first()
