"""Clinic time as staff keep it: locations, clinicians, visit types, opening hours, closures.

None of it is of a patient. What is changed here changes which times are free; visits that are
booked stay where they are, and `affected` and `left_by` tell which ones somebody has to call.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from clinic import audit
from intake.appointments import repeated_refusals
from intake.appointments.book import book_of
from intake.domain import slots as domain
from intake.models.appointments import Appointment, AppointmentQuerySet
from intake.models.clinic_time import Clinician, Closure, Location, OpeningHours, VisitType

User = Any
Hours = tuple[domain.Hours, set[UUID]]  # with the visit types that they are for; none: all
_DAY = timedelta(days=1)


def save_clinic_time(
    *,
    row: Any,
    links: Mapping[str, Iterable[Any]],
    fields: Iterable[str],
    by: User,
    request_id: str = "",
) -> None:
    """Store a checked row with its links (name of a many-to-many → rows), and record which fields
    were changed. Raises what the database's constraints say of a row that nobody checked."""
    is_new = row._state.adding
    with transaction.atomic():
        row.save()
        for name, rows in links.items():
            getattr(row, name).set(rows)
        _record(row, by, "create" if is_new else "update", request_id, fields=sorted(fields))


def remove_clinic_time(*, row: Any, by: User, request_id: str = "") -> None:
    """Delete opening hours or a closure; visits that are booked stay. Raises ValueError for
    anything that visits are booked with: that is put out of use instead."""
    if not isinstance(row, OpeningHours | Closure):
        raise ValueError("locations, clinicians and visit types are put out of use")
    with transaction.atomic():
        _record(row, by, "update", request_id, fields=["deleted"])
        row.delete()


def _record(row: Any, by: User, action: str, request_id: str, *, fields: list[str]) -> None:
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=str(row.pk),
        request_id=request_id,
        detail={"kind": row._meta.model_name, "fields": fields},
    )
    repeated_refusals.forget()


def affected(*, closure: Closure, zone: tzinfo) -> list[Appointment]:
    """The visits to come that lie in a closure, stored or not, by time. `zone` is the one that its
    days are of when it names no location."""
    rows = _to_come()
    if closure.clinician_id:
        rows = rows.filter(clinician=closure.clinician_id)
    if closure.location_id:
        rows = rows.filter(location=closure.location_id)
    if closure.first_day is not None:
        # a day more at both ends: other locations' days begin earlier and end later
        begin = domain.first_moment(_midnight(closure.first_day - _DAY), zone)
        end = domain.first_moment(_midnight(closure.last_day + 2 * _DAY), zone)
        found = [
            row
            for row in rows.between(begin, end).for_reading()
            if row.starts.date() <= closure.last_day and _last_day(row) >= closure.first_day
        ]
    else:
        found = list(rows.between(closure.starts_at, closure.ends_at).for_reading())
    return sorted(found, key=lambda row: row.during.lower)


def left_by(
    *,
    hours: OpeningHours,
    instead: OpeningHours | None = None,
    visit_types: Iterable[VisitType] = (),
) -> list[Appointment]:
    """The visits to come in these stored hours, by time, that would be outside of all hours, or
    above how many patients are seen at once, with other hours (for `visit_types`) or none instead
    of them."""
    rows = OpeningHours.objects.filter(clinician=hours.clinician_id, location=hours.location_id)
    rest = [_hours(row, row.visit_types.all()) for row in _with_types(rows).exclude(pk=hours.pk)]
    old = [_hours(hours, hours.visit_types.all())]
    new = [*rest, _hours(instead, visit_types)] if instead else rest
    visits = _to_come().filter(clinician=hours.clinician_id, location=hours.location_id)
    found = [
        row
        for row in visits.for_reading()
        if _stands(row, _for(row, old)) and not _stands(row, _for(row, new))
    ]
    return sorted(found, key=lambda row: row.during.lower)


def left_outside() -> list[UUID]:
    """The visits to come that were booked in hours and are outside of them by now, or in a
    closure. Two queries for each visit type."""
    visits = list(_to_come().filter(capacity__gt=0).select_related("visit_type"))
    end = max((row.during.upper for row in visits), default=timezone.now())
    kinds = {row.visit_type_id: row.visit_type for row in visits}
    books = {pk: book_of(timezone.now(), end, visit_type=kind) for pk, kind in kinds.items()}
    found = []
    for row in visits:
        book = books[row.visit_type_id]
        if not _stands(row, book.hours, book.closures):
            found.append(row.pk)
    return found


def _to_come() -> AppointmentQuerySet:
    return Appointment.objects.taking().filter(during__endswith__gt=timezone.now())


def _with_types(rows: Any) -> Any:
    return rows.select_related("location").prefetch_related("visit_types")


def _hours(row: OpeningHours, visit_types: Iterable[VisitType]) -> Hours:
    names = ("weekday", "starts", "ends", "valid_from", "valid_until", "capacity")
    hours = domain.Hours(
        clinician=str(row.clinician_id),
        location=str(row.location_id),
        zone=row.location.zone,
        **{name: getattr(row, name) for name in names},
    )
    return hours, {kind.pk for kind in visit_types}


def _for(visit: Appointment, hours: Iterable[Hours]) -> list[domain.Hours]:
    return [these for these, kinds in hours if not kinds or visit.visit_type_id in kinds]


def _stands(
    visit: Appointment, hours: Iterable[domain.Hours], closures: Iterable[domain.Closure] = ()
) -> bool:
    """Whether the hours have a place for a visit; one above them on purpose needs them open."""
    capacity = domain.capacity_at(
        hours,
        closures,
        clinician=str(visit.clinician_id),
        location=str(visit.location_id),
        start=visit.during.lower,
        end=visit.during.upper,
    )
    return capacity > (0 if visit.is_overbooked else visit.seat)


def _last_day(row: Appointment) -> date:
    return (row.ends - timedelta.resolution).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def overlapping(
    *, hours: OpeningHours, visit_types: Iterable[Any], besides: Any = None
) -> OpeningHours | None:
    """Other hours of the same clinician at the same time, or None: somebody is at one place at a
    time. Hours at one place for different visit types may overlap."""
    rows = OpeningHours.objects.filter(clinician=hours.clinician_id, weekday=hours.weekday)
    if hours.valid_until:
        rows = rows.exclude(valid_from__gt=hours.valid_until)
    if hours.valid_from:
        rows = rows.exclude(valid_until__lt=hours.valid_from)
    mine = {row.pk for row in visit_types}
    for other in _with_types(rows).exclude(pk=besides):
        if not _overlap(hours, other):
            continue
        theirs = {row.pk for row in other.visit_types.all()}
        apart = mine and theirs and not mine & theirs
        if other.location_id != hours.location_id or not apart:
            return other
    return None


def _overlap(one: OpeningHours, other: OpeningHours) -> bool:
    return one.starts < _end(other) and other.starts < _end(one)


def _end(hours: OpeningHours) -> time:
    return time.max if hours.ends == time() else hours.ends


def visits_to_come(*, row: Location | Clinician) -> list[Appointment]:
    """The visits booked or held at a location or with a clinician, by time."""
    rows = row.appointments.taking().filter(during__endswith__gt=timezone.now())
    return list(rows.for_reading().order_by("during"))
