"""What every booking shares: the lock, the sentence when a time has gone, the history."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.outgoing import outbox
from intake import search
from intake.appointments import repeated_refusals
from intake.domain import workflow
from intake.errors import Conflict, Refused
from intake.models.appointments import (
    Appointment,
    AppointmentChange,
    AppointmentRequest,
    Offer,
    WishedVisit,
)
from intake.models.calls import CallTask
from intake.models.submissions import Submission
from intake.ways import calls, telling

if TYPE_CHECKING:
    from intake.appointments.free_times import FreeTime

User = Any
Span = tuple[UUID, datetime, datetime]  # a clinician, from, until
# exclusion, unique, deadlock, lock not available: somebody else has the time
_DEADLOCK = "40P01"
_GONE = ("23P01", "23505", _DEADLOCK, "55P03")
TRIES = 3
_PURPOSES = {"staff": "TREAT", "patient": "PATRQT", audit.ANONYMOUS: "PATRQT"}
_LOCK = (
    "SET LOCAL lock_timeout = '3s';"
    " SELECT pg_advisory_xact_lock(hashtextextended('slot:' || clinician || ':' || day, 0))"
    " FROM unnest(%s::text[], %s::text[]) AS spans (clinician, day)"
)

_ENDED = (
    "SELECT a.id FROM intake_appointment a JOIN unnest(%s::uuid[], %s::timestamptz[],"
    " %s::timestamptz[]) AS spans (who, starts, ends) ON a.clinician_id = who"
    " AND a.during && tstzrange(starts, ends) WHERE a.status = 'held' AND a.held_until <= %s"
)


class SlotGone(Conflict):
    """That time cannot be had: somebody was first, or it is no time of ours (past, outside of
    hours, another sort of visit, made up). `nearest` are free times like it, perhaps none."""

    def __init__(self, message: str = "", nearest: Sequence["FreeTime"] = ()) -> None:
        super().__init__(message or gone_words(bool(nearest)))
        self.nearest = list(nearest)


def gone_words(others: bool) -> str:
    if others:
        return _("That time has just gone. Nothing was booked. Here are the nearest free times.")
    return _("That time has just gone. Nothing was booked. Please choose another, or call us.")


@contextmanager
def claiming(*, spans: Iterable[Span]) -> Iterator[datetime]:
    """One transaction that may take or free these times; gives the time it is.

    The lock of each clinician and day (of UTC, so that all agree) comes first, in one order; then
    holds that have ended are flipped; then the caller books. Whatever the database says of two who
    want one time (exclusion, deadlock, too long a wait) becomes SlotGone. Nothing is half booked.
    """
    spans = list(spans)
    try:
        with transaction.atomic():
            lock(spans)
            now = timezone.now()
            if ended := _ended(spans, now):
                lapse_holds(Appointment.objects.filter(pk__in=ended), at=now)
            yield now
    except DatabaseError as error:
        if getattr(error.__cause__, "pgcode", None) in _GONE:
            raise SlotGone from error
        raise


def retried(act: Callable[..., Any]) -> Callable[..., Any]:
    """A service that waited for somebody who waited for it tries again: nobody has the time yet."""

    @wraps(act)
    def run(**given: Any) -> Any:
        for _try in range(TRIES):
            try:
                return act(**given)
            except SlotGone as gone:
                code = getattr(getattr(gone.__cause__, "__cause__", None), "pgcode", None)
                if code != _DEADLOCK or connection.in_atomic_block:
                    raise
        return act(**given)

    return run


def lock(spans: Iterable[Span]) -> None:
    """Take the advisory locks of these clinicians and days, in one order."""
    pairs = sorted({(str(who), day) for who, start, end in spans for day in _days(start, end)})
    if pairs:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [[who for who, _ in pairs], [day for _, day in pairs]])


def _ended(spans: list[Span], now: datetime) -> list[UUID]:
    """The holds in these times that are over and were not flipped yet."""
    if not spans:
        return []
    with connection.cursor() as cursor:
        who, starts, ends = zip(*spans, strict=True)
        cursor.execute(_ENDED, [list(map(str, who)), list(starts), list(ends), now])
        return [pk for (pk,) in cursor.fetchall()]


def _days(start: datetime, end: datetime) -> Iterator[str]:
    day = start.astimezone(UTC).date()
    while day <= (end.astimezone(UTC) - timedelta.resolution).date():
        yield day.isoformat()
        day += timedelta(days=1)


def span(appointment: Appointment) -> Span:
    return appointment.clinician_id, appointment.during.lower, appointment.during.upper


def locked(appointment: Appointment) -> Appointment:
    """The row as it is now, locked until the transaction ends. Raises SlotGone if it is gone."""
    row = Appointment.objects.select_for_update(of=("self",)).filter(pk=appointment.pk).first()
    if row is None:
        raise SlotGone
    return row


# --- holds and offers that end --------------------------------------------------------------------


def lapse_holds(rows: Any, *, at: datetime) -> list[Appointment]:
    """Flip held appointments whose time to answer is over, with their offers and requests. The
    caller holds the lock of their clinician and day."""
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
    """These offers are over; a request with no open one left goes back to "requested", and nobody
    needs to be called about them."""
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


# --- steps ----------------------------------------------------------------------------------------


def step(
    appointment: Appointment, action: str, *, by: User | None, at: datetime, **changes: Any
) -> None:
    """Move an appointment by the table and write its history. Raises workflow.NotAllowed."""
    appointment.status = workflow.move_visit(appointment.status, action)
    appointment.changed_at = at
    for name, value in changes.items():
        setattr(appointment, name, value)
    appointment.save(update_fields=["status", "changed_at", *changes])
    note_change(appointment, action, by=by, at=at)
    repeated_refusals.forget()


def note_change(appointment: Appointment, action: str, *, by: User | None, at: datetime) -> None:
    AppointmentChange(
        appointment=appointment,
        action=action,
        status=appointment.status,
        during=appointment.during,
        by_id=by.pk if by else None,
        at=at,
    ).save(force_insert=True)


def advance(request: AppointmentRequest, action: str) -> None:
    """Move a request by the table. Raises workflow.NotAllowed."""
    request.progress = workflow.move_request(request.progress, action)
    request.save(update_fields=["progress"])


def request_of(submission: Submission) -> AppointmentRequest:
    """The request of a submission, locked; made when the patient only stopped at an emergency."""
    rows = AppointmentRequest.objects.select_for_update(of=("self",))
    request = rows.filter(submission=submission).first()
    if request is None:
        request = AppointmentRequest(submission=submission, visit_type=WishedVisit.CALL_ME)
        request.save(force_insert=True)
    return request


def open_requests(*, person: dict[str, Any]) -> int:
    """How many requests this person has that are not over: by name and birth date, and the phone or
    e-mail too. Else whoever knows those two could find out who is a patient by being refused."""
    keys = search.person_tokens(person)
    addresses = search.address_tokens(person.get("email", ""), person.get("callback_phone", ""))
    if not (keys and addresses):
        return 0
    return AppointmentRequest.objects.filter(
        submission__search_keys__contains=keys,
        submission__search_keys__overlap=addresses,
        progress__in=workflow.REQUEST_OPEN,
    ).count()


def allow_one_more(*, person: dict[str, Any]) -> None:
    """Raises Refused when this person has as many open requests as the clinic allows."""
    if open_requests(person=person) >= settings.APPOINTMENT_OPEN_REQUESTS:
        raise Refused(
            _("You have as many open requests as we can keep. Please call us about another visit.")
        )


# --- what is told and recorded --------------------------------------------------------------------


def tell(
    kind: str, appointment: Appointment, *, knows: bool, was_at: datetime | None = None
) -> None:
    """Tell the patient of an appointment as it stands now; what the message says is decided at
    sending. `knows`: see telling.tell; `was_at`: when it began before it was moved."""
    pk, sequence = appointment.pk, appointment.sequence
    if sequence:  # something may be owed of what it was before
        calls.drop(submission_id=appointment.submission_id, about=pk)
    telling.tell(
        submission=appointment.submission,
        reason=telling.VISITS[kind],
        order=outbox.Order(
            kind=kind, occasion=f"{pk}:{sequence}", expires=appointment.during.upper
        ),
        knows=knows,
        before=filter(None, (appointment.during.lower, was_at)),
    )


def remind(appointment: Appointment) -> None:
    """Put the reminders that are still to come."""
    now, start = timezone.now(), appointment.during.lower
    outbox.put_all(
        outbox.Order(
            kind="appointment_reminder",
            occasion=f"{appointment.pk}:{appointment.sequence}:{days}",
            not_before=start - timedelta(days=days),
            expires=start,
        )
        for days in settings.APPOINTMENT_REMIND_DAYS
        if start - timedelta(days=days) > now
    )


def actor_of(by: User | None, submission: Submission | None) -> str:
    if by is not None:
        return audit.staff(by)
    return audit.patient(submission.reference) if submission else audit.ANONYMOUS


def record(
    appointment: Appointment, *, actor: str, action: str, request_id: str = "", **detail: Any
) -> None:
    """The audit event of something that happened to an appointment, in its transaction."""
    audit.record(
        actor=actor,
        action=action,
        subject=str(appointment.submission_id or appointment.pk),
        purpose=_PURPOSES.get(actor.partition(":")[0], ""),
        request_id=request_id,
        detail={"kind": "appointment", "ids": [str(appointment.pk)], **detail},
    )
