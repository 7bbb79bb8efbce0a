"""Reading clinic time: which times are free, for whom, and what the week looks like."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import hours as clinic_hours
from intake.domain import slots as domain
from intake.models import (
    Appointment,
    AppointmentRequest,
    Clinician,
    Closure,
    Location,
    OpeningHours,
    Submission,
    Urgency,
    VisitType,
    WishedVisit,
)
from intake.services.appointments.common import SlotGone

NEAREST = 6
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class FreeTime:
    """A free slot with what a page says of it. `key` is what its form control carries."""

    slot: domain.Slot
    clinician: Clinician
    location: Location
    visit_type: VisitType
    misses: int = 0  # how far from the wish it was looked up for; 0 fits it

    @property
    def key(self) -> str:
        return self.slot.key

    @property
    def start(self) -> datetime:
        """In the location's zone, as is `end`."""
        return self.slot.start

    @property
    def end(self) -> datetime:
        return self.slot.end

    @property
    def left(self) -> int:
        """How many patients can still book it."""
        return len(self.slot.seats)


@dataclass(frozen=True)
class CalendarDay:
    """One day of a location: hours of clinicians and what is in them, both by time."""

    day: date
    hours: list[tuple[datetime, datetime, Clinician]]
    appointments: list[Appointment]
    closures: list[Closure]


@dataclass(frozen=True)
class _Book:
    """Hours and closures as the domain wants them, and the rows they came from."""

    hours: list[domain.Hours]
    closures: list[domain.Closure]
    clinicians: dict[str, Clinician]
    locations: dict[str, Location]
    rows: list[Closure]


# --- free times -----------------------------------------------------------------------------------


def free_slots(
    *,
    visit_type: VisitType,
    start: datetime | None = None,
    end: datetime | None = None,
    clinician: Clinician | None = None,
    location: Location | None = None,
    limit: int | None = None,
) -> list[FreeTime]:
    """The free times for a visit of this type, by time; for staff, who see all to the horizon.

    `start` defaults to now (and is never earlier), `end` to the horizon. A fixed number of
    queries, however full the book. For patients see `slots_for`.
    """
    now = timezone.now()
    start = max(start or now, now)
    end = end or now + timedelta(days=settings.APPOINTMENT_HORIZON_DAYS)
    if start >= end:
        return []
    book = _book(start, end, visit_type=visit_type, clinician=clinician, location=location)
    found = domain.free_slots(
        book.hours,
        book.closures,
        _busy(start, end, book.clinicians),
        minutes=visit_type.minutes,
        start=start,
        end=end,
    )
    return [_free_time(slot, book, visit_type) for slot in found[:limit]]


def slots_for(
    *,
    urgency: int,
    visit_type: VisitType,
    clinician: Clinician | None = None,
    location: Location | None = None,
    end: datetime | None = None,
    limit: int | None = None,
) -> list[FreeTime]:
    """The free times that a patient of this urgency (Urgency) may choose from.

    None for an emergency or same-day matter; 14 days for an urgent one; none that begins within
    APPOINTMENT_LEAD_HOURS.
    """
    window = window_of(urgency)
    if window is None:
        return []
    return free_slots(
        visit_type=visit_type,
        start=window[0],
        end=min(window[1], end or window[1]),
        clinician=clinician,
        location=location,
        limit=limit,
    )


def fitting(
    *, request: AppointmentRequest, visit_type: VisitType, limit: int = 12
) -> list[FreeTime]:
    """Free times for a request, the best fitting first, then by time; each says its `misses` (0:
    as wished). Empty when its urgency forbids offering."""
    window = window_of(request.submission.urgency)
    if window is None:
        return []
    wishes = wishes_of(request=request)
    ranked = [
        replace(free, misses=misses)
        for free in free_slots(visit_type=visit_type, start=window[0], end=window[1])
        if (misses := domain.rank(free.slot, wishes, request.earliest)) is not None
    ]
    return sorted(ranked, key=lambda free: (free.misses, free.slot.moment))[:limit]


def find_slot(*, key: str, visit_type: VisitType) -> FreeTime:
    """The free time of a form's key. Raises SlotGone, with the nearest free times, when it is
    taken, past, outside of hours, of another visit type, or made up."""
    parsed = _parsed(key)
    if parsed is None or not visit_type.is_active:
        raise SlotGone(_("That is not a time you can choose. Please choose one of these."), [])
    start, clinician, location = parsed
    exact = free_slots(
        visit_type=visit_type,
        start=start,
        end=start + timedelta(minutes=visit_type.minutes),
        clinician=clinician,
        location=location,
    )
    for found in exact:
        if found.key == key:
            return found
    raise SlotGone("", nearest(visit_type=visit_type, to=start))


def nearest(*, visit_type: VisitType, to: datetime, limit: int = NEAREST) -> list[FreeTime]:
    """The free times nearest to a moment, by time; looked for in the two weeks around it."""
    around, to = timedelta(days=7), to.astimezone(UTC)
    now = timezone.now()
    to = min(max(to, now), now + timedelta(days=settings.APPOINTMENT_HORIZON_DAYS))
    found = free_slots(visit_type=visit_type, start=to - around, end=to + around)
    found.sort(key=lambda free: abs(free.slot.moment - to))
    return sorted(found[:limit], key=lambda free: free.slot.moment)


def visit_types_for(*, request: AppointmentRequest) -> list[VisitType]:
    """The visit types that fit the kind a patient wished for; all for 'call me'."""
    types = VisitType.objects.filter(is_active=True)
    if request.visit_type != WishedVisit.CALL_ME:
        types = types.filter(kind=request.visit_type)
    return list(types)


def may_be_offered(*, submission: Submission) -> bool:
    """Whether a patient of this urgency may be offered times, rather than called or sent on."""
    return window_of(submission.urgency) is not None


# --- the calendar ---------------------------------------------------------------------------------


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
    book = _book(edges[0], edges[-1], clinician=clinician, location=location)
    rows = Appointment.objects.between(edges[0], edges[-1]).filter(location=location)
    rows = rows.exclude(status__in=("expired", "cancelled"))
    rows = rows.exclude(status="held", held_until__lte=timezone.now())
    if clinician:
        rows = rows.filter(clinician=clinician)
    visits = sorted(rows.for_reading(), key=lambda row: (row.during.lower, row.seat))
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


def _touches(closure: Closure, day: date, begin: datetime, end: datetime) -> bool:
    if closure.first_day is not None:
        return closure.first_day <= day <= closure.last_day
    return closure.starts_at < end and begin < closure.ends_at


# --- how it is read -------------------------------------------------------------------------------


def capacity_of(*, clinician: Clinician, location: Location, start: datetime, end: datetime) -> int:
    """How many patients at once the hours allow there and then; 0 outside of hours."""
    book = _book(start, end, clinician=clinician, location=location)
    return domain.capacity_at(
        book.hours,
        book.closures,
        clinician=str(clinician.pk),
        location=str(location.pk),
        start=start,
        end=end,
    )


def window_of(urgency: int) -> tuple[datetime, datetime] | None:
    """From when until when a patient of this urgency (Urgency) may be offered times, or None."""
    now = timezone.now()
    found = domain.bounds(
        Urgency(urgency).code, at=now, horizon_days=settings.APPOINTMENT_HORIZON_DAYS
    )
    if found is None:
        return None
    return found[0] + timedelta(hours=settings.APPOINTMENT_LEAD_HOURS), found[1]


def _book(
    start: datetime,
    end: datetime,
    *,
    visit_type: VisitType | None = None,
    clinician: Clinician | None = None,
    location: Location | None = None,
) -> _Book:
    """Two queries: hours (with clinicians and locations), closures. The clinic's holidays, too."""
    first, last = start.date() - _DAY, end.date() + _DAY
    rows = OpeningHours.objects.select_related("clinician", "location").filter(
        clinician__is_active=True, location__is_active=True
    )
    rows = rows.exclude(valid_until__lt=first).exclude(valid_from__gt=last)
    if visit_type:
        rows = rows.filter(clinician__visit_types=visit_type)
        chosen = OpeningHours.visit_types.through.objects
        mine = chosen.filter(visittype=visit_type).values("openinghours")
        rows = rows.filter(Q(pk__in=mine) | ~Q(pk__in=chosen.values("openinghours")))
    if clinician:
        rows = rows.filter(clinician=clinician)
    if location:
        rows = rows.filter(location=location)
    hours = list(rows)
    closures = list(
        Closure.objects.exclude(last_day__lt=first)
        .exclude(first_day__gt=last)
        .exclude(ends_at__lte=start)
        .exclude(starts_at__gte=end)
    )
    holidays = clinic_hours.current().holidays
    return _Book(
        hours=[_hours(row) for row in hours],
        closures=[
            *(_closure(row) for row in closures),
            *(domain.Closure(first_day=d, last_day=d) for d in holidays if first <= d <= last),
        ],
        clinicians={str(row.clinician_id): row.clinician for row in hours},
        locations={str(row.location_id): row.location for row in hours},
        rows=closures,
    )


def _hours(row: OpeningHours) -> domain.Hours:
    return domain.Hours(
        clinician=str(row.clinician_id),
        location=str(row.location_id),
        zone=row.location.zone,
        weekday=row.weekday,
        starts=row.starts,
        ends=row.ends,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        capacity=row.capacity,
    )


def _closure(row: Closure) -> domain.Closure:
    return domain.Closure(
        clinician=str(row.clinician_id) if row.clinician_id else None,
        location=str(row.location_id) if row.location_id else None,
        starts=row.starts_at,
        ends=row.ends_at,
        first_day=row.first_day,
        last_day=row.last_day,
    )


def _busy(start: datetime, end: datetime, clinicians: Iterable[str]) -> list[domain.Busy]:
    """What is taken in that time, one query; a hold that ended takes nothing."""
    rows = Appointment.objects.taking().between(start, end).filter(clinician__in=list(clinicians))
    rows = rows.exclude(status="held", held_until__lte=timezone.now())
    return [
        domain.Busy(clinician=str(who), start=during.lower, end=during.upper, seat=seat)
        for who, during, seat in rows.values_list("clinician", "during", "seat")
    ]


def _free_time(slot: domain.Slot, book: _Book, visit_type: VisitType) -> FreeTime:
    return FreeTime(
        slot, book.clinicians[slot.clinician], book.locations[slot.location], visit_type
    )


def wishes_of(*, request: AppointmentRequest) -> list[domain.Wish]:
    """The wishes of a request; a place is known by its name, and one nobody knows means any."""
    if not request.wishes:
        return []
    places = {name: str(pk) for name, pk in Location.objects.values_list("name", "pk")}
    return [
        domain.Wish(
            days=frozenset(wish["days"]),
            times=frozenset(wish["times"]),
            location=places.get(wish["place"]),
            clinician=wish["clinician"] or None,
        )
        for wish in request.wishes
    ]


def _parsed(key: str) -> tuple[datetime, Any, Any] | None:
    """Moment, clinician and location of a key; None when it is made up."""
    parts = key.split("_") if len(key) <= 100 else []
    try:
        when, who, where = parts
        start = datetime.strptime(when, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        clinician = Clinician.objects.filter(pk=UUID(who), is_active=True).first()
        location = Location.objects.filter(pk=UUID(where), is_active=True).first()
    except ValueError:
        return None
    return (start, clinician, location) if clinician and location else None
