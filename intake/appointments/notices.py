"""Order the letters to patients about a visit: about a change, and reminders."""

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
    """Tell the patient of an appointment. The letter is composed when it is sent.

    `knows` is as in telling.tell. `was_at` is the earlier start of a visit that was moved.
    """
    pk, sequence = appointment.pk, appointment.sequence
    if sequence:  # a call about the visit before this change may still be due
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
