"""Tell staff where a submission stands and how long it may wait."""

from datetime import date, datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import hours
from intake.domain import workflow
from intake.models.submissions import (
    Submission,
    Urgency,
)


def alarm_mark() -> str:
    """Return the mark for a submission with unread alarm words."""
    return format_html('<strong class="danger-mark">{}</strong>', _("Alarm: patient wrote"))


def span_words(span: timedelta) -> str:
    """Return a span of time in its largest fitting unit: '25 min', '3 h', '5 days'."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)s h") % {"n": minutes // 60}
    return _("%(n)s days") % {"n": minutes // (24 * 60)}


def _overdue_mark(row: Submission, now: datetime) -> str:
    """Say how late staff are in opening time, in one unit.

    Less than ten hours of opening time are minutes or hours, more are whole business days. A target
    time that passed while the clinic was closed is overdue by nothing yet.
    """
    due, open_hours = row.due_at or row.target_at, hours.current(row.location_id)
    late = open_hours.open_time_between(due, now)
    if late < timedelta(hours=10):
        span = span_words(late)
    else:
        days = open_hours.business_days_between(due, now)
        span = ngettext("%(n)s working day", "%(n)s working days", days) % {"n": days}
    words = _("overdue by %(span)s") % {"span": span} if late else _("overdue")
    return format_html('<strong class="overdue">{}</strong>', words)


def due_words(row: Submission) -> str:
    """Say by when staff must contact the patient, as time from now and by the clock.

    For example 'in 38 min, 10:30', 'in 3 days, see by Fri 4 Dec' or 'overdue by 4 working days'.
    """
    now, due = timezone.now(), row.due_at or row.target_at
    waits = row.due_at is None and row.waits_for_patient
    if waits:
        due = row.back_at or due
    elif row.due_at is None:
        return _("nothing due now")
    elif due < now:
        return _overdue_mark(row, now)
    local = timezone.localtime(due)
    clock = date_format(local, "H:i")
    if local.date() != timezone.localdate():
        clock = date_format(local, "D j M" if due - now > timedelta(days=2) else "D j M, H:i")
    if waits:
        clock = _("back %(clock)s") % {"clock": clock}
    elif row.urgency < Urgency.URGENT and due == row.target_at:
        clock = _("see by %(clock)s") % {"clock": clock}
    span = _("in %(span)s") % {"span": span_words(due - now)}
    return format_html('{}, <span class="clock">{}</span>', span, clock)


def day_words(stored: str) -> str:
    """Return a stored ISO date as staff lists show it: '23 Sep 1999'."""
    return date_format(date.fromisoformat(stored), "j M Y")


def sent_words(row: Submission) -> str:
    """Return when the patient sent the submission: the time today, else the day."""
    local, today = timezone.localtime(row.submitted_at), timezone.localdate()
    if local.date() == today:
        return _("today, %(time)s") % {"time": date_format(local, "H:i")}
    return date_format(local, "D j M" if local.year == today.year else "j M Y")


def standing_words(row: Submission) -> str:
    """Return the status in words, and say if the patient was not reached or did not answer."""
    status = row.get_status_display()
    if row.redirected_at and row.status in workflow.OPEN:
        return _("Emergency care; patient not reached")
    if row.asked_at and row.status in workflow.IN_TRIAGE:
        since = date_format(timezone.localtime(row.asked_at), "D j M")
        return _("%(status)s; no answer from the patient since %(since)s") % {
            "status": status,
            "since": since,
        }
    if row.status == "waiting" and not row.waits_for_patient:
        return _("%(status)s; patient not reached") % {"status": status}
    return status


def target_words(row: Submission) -> str:
    """Say by when staff must contact the patient, or how much opening time has passed since then.

    For the two lowest urgencies the target time is that of a visit, so the words are "see by". For
    a submission that waits for the patient, says when the submission comes back to the worklist.
    """
    now, due = timezone.now(), row.due_at or row.target_at
    if row.due_at is None and row.waits_for_patient:
        return _("back on %(day)s") % {"day": _day_and_time(timezone.localtime(row.back_at))}
    if row.is_overdue(now):
        return _overdue_mark(row, now)
    local = timezone.localtime(due)
    if local.date() == timezone.localdate():
        return _("today, %(time)s") % {"time": date_format(local, "TIME_FORMAT")}
    far = due - now > timedelta(days=7)
    day = date_format(local, "D j M Y") if far else _day_and_time(local)
    visit = row.urgency < Urgency.URGENT and due == row.target_at
    return _("see by %(day)s") % {"day": day} if visit else day


def _day_and_time(local: datetime) -> str:
    return date_format(local, "D j M, ") + date_format(local, "TIME_FORMAT")
