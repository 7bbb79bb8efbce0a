"""The clinic's book: opening hours, closures, and the time that bookings take.

The book is read with hand-written SQL (intake.appointments.sql), in a fixed number of queries.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from clinic import hours as clinic_hours
from intake.appointments import sql
from intake.domain import slots as domain
from intake.models.clinic_time import Clinician, Closure, Location, VisitType

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class FreeTime:
    """A free slot with its clinician, location and visit type. Forms name the slot by its `key`."""

    slot: domain.Slot
    clinician: Clinician
    location: Location
    visit_type: VisitType
    misses: int = 0  # how far the slot is from the patient's wish; 0 when it fits the wish
    # the free slots around this slot, to offer if another patient takes this slot first
    around: tuple["FreeTime", ...] = field(default=(), repr=False, compare=False)

    @property
    def key(self) -> str:
        return self.slot.key

    @property
    def start(self) -> datetime:
        """The start in the location's time zone. `end` is in the same time zone."""
        return self.slot.start

    @property
    def end(self) -> datetime:
        return self.slot.end

    @property
    def left(self) -> int:
        """How many patients can still book the slot."""
        return len(self.slot.seats)


@dataclass(frozen=True)
class Book:
    """Hours and closures as values of the domain, with the rows that the values were made from."""

    hours: list[domain.Hours]
    closures: list[domain.ClosedSpan]
    clinicians: dict[str, Clinician]
    locations: dict[str, Location]
    rows: list[Closure]


@dataclass(frozen=True)
class Menu:
    """The visit types, clinicians and locations that a patient can choose, each sorted by name.

    `people` are the active clinicians of these visit types, `places` the active locations. Both are
    lists of pairs of an id and a name.
    """

    types: list[VisitType]
    people: list[tuple[str, str]]
    places: list[tuple[str, str]]


def book_of(
    start: datetime,
    end: datetime,
    *,
    visit_type: VisitType | None = None,
    clinician: Clinician | None = None,
    location: Location | None = None,
) -> Book:
    """Read the hours, closures and holidays between two moments, in two queries."""
    first, last = start.date() - _DAY, end.date() + _DAY
    given = {
        "first": first,
        "last": last,
        "start": start,
        "end": end,
        "visit_type": visit_type.pk if visit_type else None,
        "clinician": clinician.pk if clinician else None,
        "location": location.pk if location else None,
    }
    hours: list[domain.Hours] = []
    clinicians: dict[str, Clinician] = {}
    locations: dict[str, Location] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql.HOURS, given)
        for row in cursor.fetchall():
            who, where = str(row[0]), str(row[1])
            if who not in clinicians:
                clinicians[who] = Clinician.from_db("default", ["id", "name"], [row[0], row[8]])
            if where not in locations:
                locations[where] = Location.from_db(
                    "default", sql.LOCATION_COLUMNS, [row[1], *row[9:]]
                )
            hours.append(
                domain.Hours(
                    clinician=who,
                    location=where,
                    zone=locations[where].zone,
                    weekday=row[2],
                    starts=row[3],
                    ends=row[4],
                    valid_from=row[5],
                    valid_until=row[6],
                    capacity=row[7],
                )
            )
        cursor.execute(sql.CLOSURES, given)
        closures = [
            Closure.from_db("default", sql.CLOSURE_COLUMNS, row) for row in cursor.fetchall()
        ]
    holidays = clinic_hours.closed_days()
    return Book(
        hours=hours,
        closures=[
            *(_closure(row) for row in closures),
            *(domain.ClosedSpan(first_day=d, last_day=d) for d in holidays if first <= d <= last),
        ],
        clinicians=clinicians,
        locations=locations,
        rows=closures,
    )


def _closure(row: Closure) -> domain.ClosedSpan:
    return domain.ClosedSpan(
        clinician=str(row.clinician_id) if row.clinician_id else None,
        location=str(row.location_id) if row.location_id else None,
        starts=row.starts_at,
        ends=row.ends_at,
        first_day=row.first_day,
        last_day=row.last_day,
    )


def busy_of(
    clinicians: Iterable[str], start: datetime, end: datetime, *, besides: UUID | None = None
) -> list[domain.Busy]:
    """Read the bookings and holds of clinicians between two moments, in one query.

    Leaves out holds that have ended, and the appointment whose id is `besides`.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.BUSY, [list(clinicians), start, end, timezone.now(), besides])
        return [
            domain.Busy(
                clinician=str(who), start=begins, end=ends, seat=seat, overbooked=is_overbooked
            )
            for who, begins, ends, seat, is_overbooked in cursor.fetchall()
        ]


def capacity_of(
    *,
    clinician: Clinician,
    location: Location,
    start: datetime,
    end: datetime,
    visit_type: VisitType | None = None,
) -> int:
    """Return how many patients at once the hours allow, for this visit type or for any visit type.

    Returns 0 outside of the hours.
    """
    book = book_of(start, end, visit_type=visit_type, clinician=clinician, location=location)
    return domain.capacity_at(
        book.hours,
        book.closures,
        clinician=str(clinician.pk),
        location=str(location.pk),
        start=start,
        end=end,
    )


def menu(*, only: VisitType | None = None) -> Menu:
    """Read what a patient can choose, in one query.

    When a patient moves a visit, `only` is its visit type. The menu then has no other type, and has
    this type even if the clinic no longer offers it.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.MENU, {"only": only.pk if only else None})
        rows = cursor.fetchall()
    return Menu(
        types=[
            VisitType.from_db("default", sql.VISIT_TYPE_COLUMNS, values)
            for what, *values in rows
            if what == "visit type"
        ],
        people=[(str(pk), name) for what, pk, _, name, *_ in rows if what == "clinician"],
        places=[(str(pk), name) for what, pk, _, name, *_ in rows if what == "location"],
    )


def places() -> dict[str, str]:
    """Map the name of each location to its id."""
    return {name: str(pk) for name, pk in Location.objects.values_list("name", "pk")}
