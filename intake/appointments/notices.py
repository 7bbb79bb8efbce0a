"""Order the letters to patients about a change of a visit, and the reminders of visits."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from clinic.outgoing import outbox
from intake.appointments.steps import submission_of
from intake.models.appointments import Appointment
from intake.ways import calls, telling


def tell(
    kind: str, appointment: Appointment, *, knows: bool, was_at: datetime | None = None
) -> None:
    """Tell the patient that a visit was booked, moved or cancelled.

    The worker composes the letter when it sends the letter. `knows`: the patient knows already (see
    telling.tell). `was_at` is the earlier start of a visit that was moved.
    """
    pk, sequence = appointment.pk, appointment.sequence
    if sequence:  # a call about the visit may still be due from before this change
        calls.drop(submission_id=appointment.submission_id, about=pk)
    telling.tell(
        submission=submission_of(appointment),
        reason=telling.VISITS[kind],
        order=outbox.Order(
            kind=kind, occasion=f"{pk}:{sequence}", expires=appointment.during.upper
        ),
        knows=knows,
        before=filter(None, (appointment.during.lower, was_at)),
    )


def tell_missed(appointment: Appointment) -> None:
    """Tell the patient that the visit did not take place, and how to ask for another visit."""
    telling.tell(
        submission=submission_of(appointment),
        reason=telling.VISITS["appointment_missed"],
        order=outbox.Order(
            kind="appointment_missed", occasion=f"{appointment.pk}:{appointment.sequence}"
        ),
    )


def schedule_reminders(appointment: Appointment) -> None:
    """Put the reminders whose time is still to come into the outbox."""
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
