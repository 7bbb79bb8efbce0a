"""The week of a location as the front desk sees it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from django.utils import timezone

from intake.domain import slots as domain
from intake.models import Appointment, Clinician, Closure, Location, VisitType
from intake.models.appointments import AppointmentQuerySet
from intake.services.appointments.times import book_of

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
        domain.first_moment(datetime.combine(first_day + n * _DAY, time()), zone)
        for n in range(days + 1)
    ]
    book = book_of(edges[0], edges[-1], clinician=clinician, location=location)
    rows = Appointment.objects.between(edges[0], edges[-1]).filter(location=location)
    rows = rows.exclude(status__in=("expired", "cancelled"))
    rows = rows.exclude(status="held", held_until__lte=timezone.now())
    if clinician:
        rows = rows.filter(clinician=clinician)
    visits = sorted(_with_names(rows), key=lambda row: (row.during.lower, row.seat))
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


def _with_names(rows: AppointmentQuerySet) -> list[Appointment]:
    """The rows with what a line of the calendar says of them. Clinicians and visit types are few
    and read once, not joined to each row."""
    clinicians, kinds = Clinician.objects.in_bulk(), VisitType.objects.in_bulk()
    places = Location.objects.in_bulk()
    found = list(rows.select_related("submission").only(*_LINE))
    for row in found:
        row.clinician = clinicians[row.clinician_id]
        row.visit_type = kinds[row.visit_type_id]
        row.location = places[row.location_id]
    return found


_LINE = (
    *("clinician_id", "location_id", "visit_type_id", "during", "seat", "capacity", "status"),
    *("held_until", "sequence", "submission__reference", "submission__urgency"),
)


def _touches(closure: Closure, day: date, begin: datetime, end: datetime) -> bool:
    if closure.first_day is not None:
        return closure.first_day <= day <= closure.last_day
    return closure.starts_at < end and begin < closure.ends_at
