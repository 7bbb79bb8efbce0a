"""Tell a patient: by a letter if letters reach the patient, or else by a call that staff owe.

Each act that a patient has to hear of goes through `tell`. If a letter later cannot be sent,
because the mail server refuses it or the address is gone, the letter goes by the next way that the
patient allowed, and after the last way staff owe a call. See docs/decisions/0024 and 0037.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from clinic import audit
from clinic.models import Message
from clinic.outgoing import outbox
from clinic.outgoing.outbox import Order
from clinic.outgoing.results import KNOWN
from intake.models.appointments import Appointment, Offer
from intake.models.calls import CallTask
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Communication, Submission
from intake.ways import calls, contact
from intake.ways.safe_contact import WAY_OPEN

Reason = CallTask.Reason
OF_VISITS = (
    *(Reason.OFFER, Reason.LOST, Reason.CONFIRMED, Reason.CHANGED, Reason.CANCELLED),
    Reason.MISSED,
)
# A patient who opens the own page has read this news. MORE is missing, because staff must still
# reach a patient from whom they need more information.
READ = (Reason.MESSAGE, *OF_VISITS)
VISITS = {
    "appointment_confirmed": Reason.CONFIRMED,
    "appointment_changed": Reason.CHANGED,
    "appointment_cancelled": Reason.CANCELLED,
    "appointment_missed": Reason.MISSED,
}
"""For each letter about a visit, the reason of the call that replaces the letter."""
OFFERS = ("appointment_offer", "waitlist_offer", "offer_lost", "offers_withdrawn")
NEWS = ("news", *VISITS, *OFFERS)
"""The kinds of letters that tell a patient something new."""


def letter_reaches(submission: Submission) -> bool:
    """Whether the patient allowed a way for letters that is open. Sending may still fail."""
    return contact.reach_of(submission).way is not None


def tell(
    *,
    submission: Submission,
    reason: str,
    order: Order,
    knows: bool = False,
    before: Iterable[datetime] = (),
) -> None:
    """Order a letter to the patient, or owe a call for `reason` when no letter reaches the patient.

    Called in the transaction of the act that the patient has to hear of. With `knows`, the patient
    acted or was on the phone: a letter confirms the act, and no call is owed. `before` are moments
    by which the patient must have heard of the act.
    """
    if knows:
        outbox.put_all([replace(order, payload=KNOWN)])
    elif letter_reaches(submission):
        outbox.put_all([order])
    else:
        _owe(submission, reason, order.occasion, before)


def _owe(
    submission: Submission, reason: str, occasion: str, before: Iterable[datetime] = ()
) -> None:
    usual = submission.hours.add_business_days(timezone.now(), 1)
    due_at = min([usual, *before])
    calls.owe(submission=submission, reason=reason, occasion=occasion, due_at=due_at)


# --- letters that were not sent: the next way, then a call ----------------------------------------


@outbox.when_unsent("news")
def _news(message: Message) -> None:
    row = Communication.objects.select_related("submission").filter(pk=message.occasion).first()
    if row:
        _owe_unsent(message, row.submission, Reason.MESSAGE)


@outbox.when_unsent(*VISITS)
def _visit(message: Message) -> None:
    pk, sequence = message.occasion.split(":")
    rows = Appointment.objects.select_related("submission").filter(pk=pk, sequence=sequence)
    row = rows.first()
    if row and row.submission:
        before = [row.during.lower] if row.during.lower > timezone.now() else []
        _owe_unsent(message, row.submission, VISITS[message.kind], before)


@outbox.when_unsent("appointment_offer", "offer_reminder", "waitlist_offer")
def _offer(message: Message) -> None:
    """Owe a call about an offer that is not answered, due before its first time lapses."""
    first = _offer_of(message)
    if first is None:
        return
    rows = Offer.objects.open(timezone.now()).filter(request_id=first.request_id)
    ends = rows.filter(created_at=first.created_at).values_list("expires_at", flat=True)
    if ends:
        _owe_unsent(message, first.request.submission, Reason.OFFER, ends)


@outbox.when_unsent("offer_lost", "offers_withdrawn")
def _lost(message: Message) -> None:
    if row := _offer_of(message):
        _owe_unsent(message, row.request.submission, Reason.LOST)


def _offer_of(message: Message) -> Offer | None:
    rows = Offer.objects.select_related("request__submission")
    return rows.filter(pk=message.occasion).first()


@outbox.when_unsent("confirmation")
def _reference(message: Message) -> None:
    """Owe a call about the reference if another person called for the patient.

    That person was not told the reference. A patient who sent the form, or who called, knows it.
    """
    rows = PhoneCall.objects.select_related("submission").filter(submission_id=message.occasion)
    if (call := rows.first()) and call.submission:
        _owe_unsent(message, call.submission, Reason.REFERENCE)
    else:
        _needs_no_call(message)


@outbox.when_unsent("more_reminder", "appointment_reminder", WAY_OPEN)
def _needs_no_call(message: Message) -> None:
    """Send by the next way what is not worth a call."""
    pk = message.occasion.partition(":")[0]
    about = {
        "confirmation": Q(pk=pk),
        WAY_OPEN: Q(pk=pk),
        "more_reminder": Q(decisions=pk),
        "appointment_reminder": Q(appointments=pk),
    }
    if row := Submission.objects.filter(about[message.kind]).first():
        _goes_by_next_way(message, row)


def _goes_by_next_way(message: Message, submission: Submission) -> bool:
    """Send the message by the next way that the patient allowed. Returns False without a way."""
    way = contact.reach_of(submission).next_way(outbox.tried_channels(message))
    if way is None:
        return False
    outbox.send_by(message, way[0])
    return True


def _owe_unsent(
    message: Message, submission: Submission, reason: str, before: Iterable[datetime] = ()
) -> None:
    """Send the message by the next way, or owe a call if the patient does not know the news."""
    if _goes_by_next_way(message, submission) or message.payload == KNOWN:
        return
    _owe(submission, reason, message.occasion, before)
    audit.record(
        actor=audit.system("outbox"),
        action="create",
        subject=str(submission.pk),
        purpose="TREAT",
        detail={"kind": "call", "ground": message.kind},
    )
