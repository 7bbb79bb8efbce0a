"""End holds and offers whose time is over, and set their requests back to "requested"."""

from collections.abc import Iterable
from datetime import datetime

from clinic import audit
from intake.appointments.steps import advance, record, step
from intake.models.appointments import Appointment, AppointmentQuerySet, AppointmentRequest, Offer
from intake.models.calls import CallTask
from intake.ways import calls


def lapse_holds(rows: AppointmentQuerySet, *, at: datetime) -> list[Appointment]:
    """Expire held appointments whose time is over, and close their offers.

    A request without another open offer goes back to "requested". Returns the expired appointments.
    The caller holds the lock of each clinician and day.
    """
    ended = list(rows.select_for_update(of=("self",)))
    for appointment in ended:
        step(appointment, "expire", by=None, at=at)
        offers = list(appointment.offers.filter(state="open"))
        close_offers(offers, "lapsed", at=at)
        record(
            appointment,
            actor=audit.system("appointments"),
            action="state",
            status=appointment.status,
        )
    return ended


def close_offers(offers: Iterable[Offer], state: str, *, at: datetime) -> None:
    """Set open offers to `state`, which closes them.

    A request without another open offer goes back to "requested", and calls that the clinic owed
    about the offers are dropped.
    """
    offers = list(offers)
    if not offers:
        return
    Offer.objects.filter(pk__in=[offer.pk for offer in offers], state="open").update(
        state=state, answered_at=at
    )
    requests = AppointmentRequest.objects.select_for_update(of=("self",)).order_by("pk")
    for request in requests.filter(pk__in={offer.request_id for offer in offers}):
        if request.offers.filter(state="open").exists():
            continue
        if request.progress == "offered":
            advance(request, "return")
        calls.drop(submission_id=request.submission_id, reasons=[CallTask.Reason.OFFER])
