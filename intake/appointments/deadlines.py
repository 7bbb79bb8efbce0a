"""Say until when a patient may change a visit without calling the clinic."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from intake.models.appointments import Appointment, AppointmentChange

UNDO = timedelta(minutes=15)
"""How long a patient may take an own act back, also when the visit is near."""


def notice_begins(visit: Appointment) -> datetime:
    """Return when the notice period before a visit begins."""
    start: datetime = visit.during.lower
    return start - timedelta(hours=settings.APPOINTMENT_CANCEL_HOURS)


def change_deadline(visit: Appointment) -> datetime:
    """Return until when the patient may move or cancel a booked visit.

    This is the beginning of the notice period, or up to 15 minutes after the patient booked or
    moved the visit. Makes one query inside the notice period.
    """
    notice, start = notice_begins(visit), visit.during.lower
    if timezone.now() < notice:
        return notice
    undo = _undo_ends(visit, "confirm", "move")
    return max(notice, min(undo, start)) if undo else notice


def restore_deadline(visit: Appointment) -> datetime | None:
    """Return until when the patient may take an own cancellation back. Makes one query.

    Returns None when staff canceled the visit.
    """
    undo = _undo_ends(visit, "cancel")
    return min(undo, visit.during.lower) if undo else None


def _undo_ends(visit: Appointment, *actions: str) -> datetime | None:
    last = AppointmentChange.objects.filter(appointment=visit).last()
    by_patient = last is not None and last.by_id is None and last.action in actions
    return last.at + UNDO if last and by_patient else None
