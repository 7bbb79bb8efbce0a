"""Note that a patient is here for a visit, ask the patient to come in, or take an arrival back.

An arrival neither takes nor frees clinic time, so it locks only the row of the visit. Each function
may be called twice for the same act: the second call changes and records nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic.outgoing import outbox
from intake.appointments.claims import locked
from intake.appointments.steps import actor_of, record, step, submission_of
from intake.domain import workflow
from intake.errors import Refused
from intake.models.appointments import Appointment
from intake.models.clinic_time import VisitKind
from intake.models.submissions import Submission
from intake.ways import calls, telling
from intake.wording import moments

CALLED_IN_FOR = timedelta(minutes=30)
"""How long the letter "please come in" may still be sent."""


def opens_at(visit: Appointment) -> datetime:
    """Return from when the patient can say "I am here", by the clock of the location."""
    return visit.starts - timedelta(minutes=settings.APPOINTMENT_ARRIVAL_MINUTES)


def is_today(visit: Appointment, *, at: datetime) -> bool:
    """Whether the patient comes to the clinic for the visit today, by the clock of the location.

    On this day staff can note the arrival. The patient can say "I am here" from `opens_at` on.
    """
    in_person = visit.visit_type.kind == VisitKind.IN_PERSON
    return in_person and at.astimezone(visit.zone).date() == visit.starts.date()


def is_late(visit: Appointment, *, at: datetime) -> bool:
    """Whether staff must ask what became of a patient who is not here."""
    begun = visit.during.lower + timedelta(minutes=settings.APPOINTMENT_NO_SHOW_MINUTES)
    in_person = visit.visit_type.kind == VisitKind.IN_PERSON
    return in_person and visit.status == "confirmed" and not visit.here_since and begun <= at


def visit_of(submission: Submission) -> Appointment | None:
    """Return the visit for which the patient may arrive: the booked visit, or today's no-show."""
    rows = submission.appointments.filter(status__in=("confirmed", "no_show")).for_reading()
    for row in rows.order_by("status", "-during"):
        if row.status == "confirmed" or is_today(row, at=timezone.now()):
            return row
    return None


def arrive(
    *, appointment: Appointment, by: User | None = None, request_id: str = ""
) -> Appointment:
    """Note that the patient is here. Returns the visit. Idempotent.

    Without `by`, the patient says so. A patient who comes after the no-show is noted, too. Raises
    Refused on another day, for a visit that is not in person, and when the patient is too early.
    Raises workflow.NotAllowed when the visit was cancelled or is over.
    """
    with transaction.atomic():
        row, now = locked(appointment), timezone.now()
        workflow.move_visit(row.status, "arrive")
        if row.here_since is not None:
            return row
        if by is None and (not is_today(row, at=now) or now < opens_at(row)):
            raise Refused(_too_early(row))
        if not is_today(row, at=now):
            raise Refused(_wrong_day(row))
        _step(row, "arrive", by, request_id, arrived_at=now, called_in_at=None)
        calls.drop(submission_id=row.submission_id, about=row.pk)
    return row


def call_in(*, appointment: Appointment, by: User, request_id: str) -> Appointment:
    """Ask the patient, who is here, to come in. Returns the visit. Idempotent.

    The patient's page shows it, and a letter says it if letters reach the patient. No call is owed,
    because staff can tell a patient who is here. Raises Refused when the patient is not here, and
    workflow.NotAllowed when the visit was cancelled or is over.
    """
    with transaction.atomic():
        row, now = locked(appointment), timezone.now()
        workflow.move_visit(row.status, "call_in")
        if row.here_since is None:
            raise Refused(_("The patient is not here yet. First note the arrival."))
        if row.in_since is not None:
            return row
        _step(row, "call_in", by, request_id, called_in_at=now)
        telling.tell(
            submission=submission_of(row),
            reason="",
            order=outbox.Order(
                kind="come_in",
                occasion=f"{row.pk}:{row.sequence}:{now:%H%M%S}",
                expires=now + CALLED_IN_FOR,
            ),
            knows=True,
        )
    return row


def leave(*, appointment: Appointment, by: User, request_id: str) -> Appointment:
    """Take an arrival back: it was noted by mistake, or the patient left. Idempotent."""
    with transaction.atomic():
        row = locked(appointment)
        workflow.move_visit(row.status, "leave")
        if row.arrived_at is not None:
            _step(row, "leave", by, request_id, arrived_at=None, called_in_at=None)
    return row


def _step(row: Appointment, action: str, by: User | None, request_id: str, **changes: Any) -> None:
    now = timezone.now()
    step(row, action, by=by, at=now, **changes)
    record(
        row,
        actor=actor_of(by, row.submission),
        action="state",
        request_id=request_id,
        to=action,
    )


def _wrong_day(visit: Appointment) -> str:
    if visit.visit_type.kind != VisitKind.IN_PERSON:
        return _("Only a visit in person has an arrival.")
    moment = moments.moment_words(visit.starts, visit.location.time_zone)
    return _("This visit is not today. It is on %(moment)s.") % {"moment": moment}


def _too_early(visit: Appointment) -> str:
    if visit.visit_type.kind != VisitKind.IN_PERSON:
        return _("This visit is not at the clinic. You do not need to come.")
    return _(
        "The visit is on %(moment)s. On that day you can tell us here that you have come, from"
        " %(time)s on."
    ) % {
        "moment": moments.moment_words(visit.starts, visit.location.time_zone),
        "time": moments.clock_words(opens_at(visit)),
    }
