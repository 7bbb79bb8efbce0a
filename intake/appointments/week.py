"""The week of a location as the front desk sees it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from django.db import connection
from django.utils import timezone

from intake.appointments.free_times import book_of
from intake.domain import slots as domain
from intake.domain.wall_time import first_moment
from intake.models.appointments import Appointment, during
from intake.models.clinic_time import Clinician, Closure, Location, VisitType
from intake.models.submissions import Submission

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CalendarDay:
    """One day of a location: hours of clinicians and what is in them, both by time."""

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
    """The days of a location from `first_day` on: hours, closures and what is booked or held (a
    hold that ended is left out). A fixed number of queries, however full the book."""
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
    """What is booked or held then and there, by time, with what a line of the calendar says of it.
    Clinicians and visit types are few and read once, not joined to each row."""
    clinicians, kinds = Clinician.objects.in_bulk(), VisitType.objects.in_bulk()
    who = clinician.pk if clinician else None
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [location.pk, start, end, timezone.now(), who, who])
        for begins, ends, pk, reference, urgency, *values in cursor.fetchall():
            row = Appointment.from_db("default", _LINE, values)
            row.during = during(begins, ends)
            row.clinician = clinicians[row.clinician_id]
            row.visit_type = kinds[row.visit_type_id]
            row.location = location
            row.submission = pk and Submission.from_db("default", _WHOSE, [pk, reference, urgency])
            found.append(row)
    return found


# Written out: a full week has hundreds of them, and putting them together took longer than asking.
_WHOSE = ["id", "reference", "urgency"]
_SAYS = (
    *("id", "clinician_id", "visit_type_id", "seat", "capacity", "status", "held_until"),
    "sequence",
)
_LINE = [field.attname for field in Appointment._meta.concrete_fields if field.attname in _SAYS]
_ROWS = f"""
select lower(a.during), upper(a.during), s.id, s.reference, s.urgency,
  {", ".join(f"a.{name}" for name in _LINE)}
from intake_appointment a left join intake_submission s on s.id = a.submission_id
where a.location_id = %s and a.during && tstzrange(%s, %s)
  and a.status not in ('expired', 'cancelled') and not (a.status = 'held' and a.held_until <= %s)
  and (%s is null or a.clinician_id = %s)
order by lower(a.during), a.seat
"""  # noqa: S608  names of columns


def _touches(closure: Closure, day: date, begin: datetime, end: datetime) -> bool:
    if closure.first_day is not None:
        return closure.first_day <= day <= closure.last_day
    return closure.starts_at < end and begin < closure.ends_at
