"""Clinic time as staff keep it: locations, clinicians, visit types, opening hours, closures.

Clinic time holds no health data. A change here changes which times are free. Booked visits are not
moved; `visits_in_closure` and `visits_without_hours` tell the front desk which patients to call.
"""

import logging
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django_tasks import task

from clinic import audit
from clinic.hours import calendar
from clinic.logs import log
from clinic.pagecache import rendered, repeated
from intake.appointments.book import book_of
from intake.domain import slots as domain
from intake.domain import wall_time
from intake.models.appointments import Appointment, AppointmentQuerySet
from intake.models.clinic_time import (
    Clinician,
    Closure,
    Holiday,
    Location,
    OpeningHours,
    VisitType,
)
from intake.models.rota import OnCall
from intake.ways import broken_promises

Row = Location | Clinician | VisitType | OpeningHours | Closure | Holiday | OnCall
# opening hours and their visit types; an empty set means all types
HoursOfTypes = tuple[domain.Hours, set[UUID]]
# after this time every process knows a closure; longer than clinic.last_known.SECONDS
LATER = timedelta(minutes=2)
HOURS = frozenset({"week", "time_zone", "is_active"})
"""The fields of a location that say when it is open."""
_DAY = timedelta(days=1)


def save_clinic_time(
    *,
    row: Row,
    links: Mapping[str, Iterable[Model]],
    fields: Iterable[str],
    by: User,
    request_id: str = "",
) -> None:
    """Store a validated row with its links, and record which fields were changed.

    `links` maps the name of each many-to-many field to its rows. Moves the promises that a closure
    or the hours of a location break, and tells the patients. Raises IntegrityError for a row that
    was not validated.
    """
    is_new, changed = row._state.adding, sorted(fields)
    with transaction.atomic():
        if isinstance(row, Closure) or (isinstance(row, Location) and HOURS & set(changed)):
            broken_promises.keep(changed=row, by=by, request_id=request_id)
        if isinstance(row, Closure):
            later = look_again.using(run_after=timezone.now() + LATER)
            later.enqueue(closure=str(row.pk), by=by.pk)
        row.save()
        for name, rows in links.items():
            getattr(row, name).set(rows)
        _record(row, by, "create" if is_new else "update", request_id, fields=changed)


@task()
def look_again(*, closure: str, by: int) -> None:
    """Move the promises that other processes made while they did not know a new closure yet.

    The task raises no exception, because its row would store the exception's text, which may quote
    a patient.
    """
    try:
        with transaction.atomic():
            row = Closure.objects.filter(pk=closure).select_related("on_call").first()
            person = User.objects.filter(pk=by).first()
            if row and person:
                broken_promises.keep(changed=row, by=person, stored=True)
    except Exception:
        log("look at closure failed", level=logging.ERROR, exc_info=True)


def remove_clinic_time(*, row: Row, by: User, request_id: str = "") -> None:
    """Delete opening hours, a closure or a time on call. Booked visits stay.

    Raises ValueError for locations, clinicians and visit types, because visits refer to them. Staff
    take these rows out of use instead.
    """
    if not isinstance(row, OpeningHours | Closure | OnCall):
        raise ValueError("locations, clinicians and visit types are put out of use")
    with transaction.atomic():
        _record(row, by, "update", request_id, fields=["deleted"])
        row.delete()


def _record(row: Row, by: User, action: str, request_id: str, *, fields: list[str]) -> None:
    audit.record(
        actor=audit.staff(by),
        action=action,
        subject=str(row.pk),
        request_id=request_id,
        detail={"kind": row._meta.model_name, "fields": fields},
    )
    repeated.forget()
    # this order, because the pages are rendered from the calendar
    transaction.on_commit(calendar.forget)
    rendered.renew_on_commit()


def keep_open(*, holiday: Holiday, by: User, request_id: str = "") -> None:
    """Store that the clinic is open on a public holiday. Idempotent."""
    with transaction.atomic():
        row = Holiday.objects.select_for_update().get(pk=holiday.pk)
        if not row.is_open:
            row.is_open = True
            row.save(update_fields=["is_open"])
            _record(row, by, "update", request_id, fields=["is_open"])


def visits_in_closure(*, closure: Closure, zone: tzinfo) -> list[Appointment]:
    """Return the visits to come that lie in a closure, sorted by time.

    The closure need not be stored. `zone` is the time zone of the closure's days (closure_zone).
    """
    rows = _to_come()
    if closure.clinician_id:
        rows = rows.filter(clinician=closure.clinician_id)
    if closure.location_id:
        rows = rows.filter(location=closure.location_id)
    first_day, last_day = closure.first_day, closure.last_day
    if first_day and last_day:
        # search one day more at both ends, because a day begins and ends earlier or later in other
        # zones
        begin = wall_time.first_moment(_midnight(first_day - _DAY), zone)
        end = wall_time.first_moment(_midnight(last_day + 2 * _DAY), zone)
        found = [
            row
            for row in rows.between(begin, end).for_reading()
            if row.starts.date() <= last_day and _last_day(row) >= first_day
        ]
    else:
        # a database constraint gives every closure without days a start and an end
        assert closure.starts_at
        assert closure.ends_at
        found = list(rows.between(closure.starts_at, closure.ends_at).for_reading())
    return sorted(found, key=lambda row: row.during.lower)


def visits_without_hours(
    *,
    hours: OpeningHours,
    instead: OpeningHours | None = None,
    visit_types: Iterable[VisitType] = (),
) -> list[Appointment]:
    """Return the visits to come that no longer fit when `hours` is changed or deleted.

    `instead` and `visit_types` are the new hours; None means that `hours` is deleted. A visit fits
    when it lies within some hours and their capacity is not exceeded. Visits that do not fit the
    old hours are left out.
    """
    rows = OpeningHours.objects.filter(clinician=hours.clinician_id, location=hours.location_id)
    rest = [
        _domain_hours(row, row.visit_types.all()) for row in _with_types(rows).exclude(pk=hours.pk)
    ]
    old = [_domain_hours(hours, hours.visit_types.all())]
    new = [*rest, _domain_hours(instead, visit_types)] if instead else rest
    visits = _to_come().filter(clinician=hours.clinician_id, location=hours.location_id)
    found = [
        row
        for row in visits.for_reading()
        if _has_place(row, _hours_for(row, old)) and not _has_place(row, _hours_for(row, new))
    ]
    return sorted(found, key=lambda row: row.during.lower)


def visits_outside_hours() -> list[UUID]:
    """Return the ids of visits to come that fitted the hours when booked, but do not fit any more.

    A visit in a closure does not fit the hours. Needs two queries for each visit type.
    """
    visits = list(_to_come().filter(capacity__gt=0).select_related("visit_type"))
    end = max((row.during.upper for row in visits), default=timezone.now())
    kinds = {row.visit_type_id: row.visit_type for row in visits}
    books = {pk: book_of(timezone.now(), end, visit_type=kind) for pk, kind in kinds.items()}
    found = []
    for row in visits:
        book = books[row.visit_type_id]
        if not _has_place(row, book.hours, book.closures):
            found.append(row.pk)
    return found


def _to_come() -> AppointmentQuerySet:
    return Appointment.objects.taking().filter(during__endswith__gt=timezone.now())


def _with_types(rows: QuerySet[OpeningHours]) -> QuerySet[OpeningHours]:
    return rows.select_related("location").prefetch_related("visit_types")


def _domain_hours(row: OpeningHours, visit_types: Iterable[VisitType]) -> HoursOfTypes:
    names = ("weekday", "starts", "ends", "valid_from", "valid_until", "capacity")
    hours = domain.Hours(
        clinician=str(row.clinician_id),
        location=str(row.location_id),
        zone=row.location.zone,
        **{name: getattr(row, name) for name in names},
    )
    return hours, {kind.pk for kind in visit_types}


def _hours_for(visit: Appointment, hours: Iterable[HoursOfTypes]) -> list[domain.Hours]:
    return [these for these, kinds in hours if not kinds or visit.visit_type_id in kinds]


def _has_place(
    visit: Appointment, hours: Iterable[domain.Hours], closures: Iterable[domain.ClosedSpan] = ()
) -> bool:
    """Whether a visit fits the hours. An overbooked visit fits whenever the hours are open."""
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
    *, hours: OpeningHours, visit_types: Iterable[VisitType], besides: UUID
) -> OpeningHours | None:
    """Return hours of the same clinician that clash with these hours, or None.

    A clinician is at one place at a time, so hours at two places clash when they overlap. Hours at
    one place clash when they overlap, unless they are for different visit types.
    """
    rows = OpeningHours.objects.filter(clinician=hours.clinician_id, weekday=hours.weekday)
    if hours.valid_until:
        rows = rows.exclude(valid_from__gt=hours.valid_until)
    if hours.valid_from:
        rows = rows.exclude(valid_until__lt=hours.valid_from)
    types = {row.pk for row in visit_types}
    for other in _with_types(rows).exclude(pk=besides):
        if not _overlap(hours, other):
            continue
        other_types = {row.pk for row in other.visit_types.all()}
        apart = types and other_types and not types & other_types
        if other.location_id != hours.location_id or not apart:
            return other
    return None


def _overlap(one: OpeningHours, other: OpeningHours) -> bool:
    return one.starts < _end(other) and other.starts < _end(one)


def _end(hours: OpeningHours) -> time:
    return time.max if hours.ends == time() else hours.ends


def visits_to_come(*, row: Location | Clinician) -> list[Appointment]:
    """Return the visits to come at a location or with a clinician, booked or held, by date."""
    rows = row.appointments.taking().filter(during__endswith__gt=timezone.now())
    return list(rows.for_reading().order_by("during"))
