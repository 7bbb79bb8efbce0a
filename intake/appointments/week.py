"""The week of a location as the front desk sees it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from django.db import connection
from django.utils import timezone

from clinic.secrets.sealing import Sealed
from intake.appointments import sql
from intake.appointments.book import book_of
from intake.domain import slots as domain
from intake.domain.wall_time import first_moment
from intake.models.appointments import Appointment, during
from intake.models.clinic_time import Clinician, Closure, Location, VisitType
from intake.models.submissions import Submission

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CalendarDay:
    """One day at a location: the clinicians' hours, the closures, and the bookings."""

    day: date
    hours: list[tuple[datetime, datetime, Clinician]]
    appointments: list[Appointment]
    closures: list[Closure]


def calendar(
    *,
    first_day: date,
    days: int = 7,
    location: Location,
    clinician: Clinician | None = None,
) -> list[CalendarDay]:
    """Read the days of a location from `first_day` on: hours, closures, bookings and holds.

    Leaves out holds that have ended. The number of queries stays the same, however many visits are
    booked.
    """
    zone = location.zone
    edges = [
        first_moment(datetime.combine(first_day + n * _DAY, time()), zone) for n in range(days + 1)
    ]
    book = book_of(edges[0], edges[-1], clinician=clinician, location=location)
    visits = _visits(edges[0], edges[-1], location, clinician)
    shut = [row for row in book.rows if row.location_id in (None, location.pk)]
    found = []
    for n, (begin, end) in enumerate(pairwise(edges)):
        day = first_day + n * _DAY
        spans = sorted(
            (max(a, begin), min(b, end), these.clinician)
            for these in book.hours
            for a, b in domain.open_spans(these, begin, end)
        )
        found.append(
            CalendarDay(
                day=day,
                hours=[
                    (a.astimezone(zone), b.astimezone(zone), book.clinicians[who])
                    for a, b, who in spans
                ],
                appointments=[v for v in visits if v.during.lower < end and begin < v.during.upper],
                closures=[row for row in shut if _touches(row, day, begin, end)],
            )
        )
    return found


def _visits(
    start: datetime, end: datetime, location: Location, clinician: Clinician | None
) -> list[Appointment]:
    """Read the bookings and holds of a location for the calendar, sorted by time.

    Clinicians and visit types are read once and not joined to each row, because they are few.
    """
    clinicians, kinds = Clinician.objects.in_bulk(), VisitType.objects.in_bulk()
    who = clinician.pk if clinician else None
    found = []
    with connection.cursor() as cursor:
        cursor.execute(sql.WEEK, [location.pk, start, end, timezone.now(), who, who])
        for begins, ends, pk, reference, urgency, person, *values in cursor.fetchall():
            row = Appointment.from_db("default", sql.WEEK_COLUMNS, values)
            row.during = during(begins, ends)
            row.clinician = clinicians[row.clinician_id]
            row.visit_type = kinds[row.visit_type_id]
            row.location = location
            row.submission = None
            if pk:
                values = [pk, reference, urgency, Sealed(bytes(person))]
                row.submission = Submission.from_db("default", sql.SUBMISSION_COLUMNS, values)
            found.append(row)
    return found


def _touches(closure: Closure, day: date, begin: datetime, end: datetime) -> bool:
    """Whether a closure shuts part of a day. A closure has either whole days or two moments."""
    if closure.first_day and closure.last_day:
        return closure.first_day <= day <= closure.last_day
    # a database constraint gives every closure without days a start and an end
    assert closure.starts_at
    assert closure.ends_at
    return closure.starts_at < end and begin < closure.ends_at
