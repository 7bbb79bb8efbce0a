"""Reading clinic time: which times are free, for whom, and what the week looks like."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import hours as clinic_hours
from intake.appointments.common import SlotGone
from intake.domain import slots as domain
from intake.models.appointments import AppointmentRequest
from intake.models.clinic_time import Clinician, Closure, Location, VisitType
from intake.models.submissions import Submission, Urgency

NEAREST = 6
_DAY = timedelta(days=1)
# Written out: many people ask at once, and putting these together took longer than asking them.
_LOCATION = ["id", "name", "address", "time_zone", "directions", "phone", "is_active"]
_TYPE = ["id", "kind", "title", "minutes", "is_active"]  # as in the model: from_db counts
_HOURS = """
select h.clinician_id, h.location_id, h.weekday, h.starts, h.ends, h.valid_from, h.valid_until,
  h.capacity, c.name, l.name, l.address, l.time_zone, l.directions, l.phone, l.is_active
from intake_openinghours h
join intake_clinician c on c.id = h.clinician_id and c.is_active
join intake_location l on l.id = h.location_id and l.is_active
where (h.valid_until is null or h.valid_until >= %(first)s)
  and (h.valid_from is null or h.valid_from <= %(last)s)
  and (%(clinician)s is null or h.clinician_id = %(clinician)s)
  and (%(location)s is null or h.location_id = %(location)s)
  and (%(visit_type)s is null or (
    exists (select 1 from intake_visittype_clinicians v
      where v.visittype_id = %(visit_type)s and v.clinician_id = h.clinician_id)
    and (%(visit_type)s in
        (select t.visittype_id from intake_openinghours_visit_types t
          where t.openinghours_id = h.id)
      or not exists
        (select 1 from intake_openinghours_visit_types t where t.openinghours_id = h.id))))
"""
_CLOSURE = [field.attname for field in Closure._meta.concrete_fields]
_CLOSURES = f"""
select {", ".join(_CLOSURE)} from intake_closure
where coalesce(last_day >= %(first)s and first_day <= %(last)s,
  ends_at > %(start)s and starts_at < %(end)s)
"""  # noqa: S608  names of columns
_BUSY = """
select clinician_id, lower(during), upper(during), seat, seat >= capacity from intake_appointment
where clinician_id = any(%s::uuid[]) and status in ('held', 'confirmed')
  and during && tstzrange(%s, %s) and not (status = 'held' and held_until <= %s)
  and id is distinct from %s
"""
_MENU = """
with types as (
  select id, kind, title, minutes, is_active from intake_visittype
  where case when %(only)s is null then is_active else id = %(only)s end
)
select 'visit type', * from types
union all select 'clinician', c.id, '', c.name, 0, true from intake_clinician c
  where c.is_active and exists (select 1 from intake_visittype_clinicians v
    join types on types.id = v.visittype_id where v.clinician_id = c.id)
union all select 'location', l.id, '', l.name, 0, true from intake_location l where l.is_active
order by 4
"""


@dataclass(frozen=True)
class FreeTime:
    """A free slot with what a page says of it. `key` is what its form control carries."""

    slot: domain.Slot
    clinician: Clinician
    location: Location
    visit_type: VisitType
    misses: int = 0  # how far from the wish it was looked up for; 0 fits it
    # the free times around it when it was looked up: shown to whoever comes second
    around: tuple["FreeTime", ...] = field(default=(), repr=False, compare=False)

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
class Book:
    """Hours and closures as the domain wants them, and the rows they came from."""

    hours: list[domain.Hours]
    closures: list[domain.Closure]
    clinicians: dict[str, Clinician]
    locations: dict[str, Location]
    rows: list[Closure]


@dataclass(frozen=True)
class Menu:
    """Types of visit, the clinicians in use who do one of them, the locations in use; the latter
    two as (id, name). All by name."""

    types: list[VisitType]
    people: list[tuple[str, str]]
    places: list[tuple[str, str]]


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
    book = book_of(start, end, visit_type=visit_type, clinician=clinician, location=location)
    found = domain.free_slots(
        book.hours,
        book.closures,
        busy_of(book.clinicians, start, end),
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
    start: datetime | None = None,
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
        start=max(window[0], start or window[0]),
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
        if (misses := domain.wish_rank(free.slot, wishes, request.earliest)) is not None
    ]
    return sorted(ranked, key=lambda free: (free.misses, free.slot.moment))[:limit]


def find_slot(*, key: str, visit_type: VisitType, has_one: bool = False) -> FreeTime:
    """The free time of a form's key. Raises SlotGone, with the nearest free times, when it is
    taken, past, outside of hours, of another visit type, or made up; or of a type that is offered
    no more, except to who has a visit of it."""
    start = start_of(key)
    if start is None or not (visit_type.is_active or has_one):
        raise SlotGone(_("That is not a time you can choose. Please choose one of these."), [])
    # one look at the day serves both: the time itself, and those near it when it has gone
    around = free_slots(visit_type=visit_type, start=start - _DAY, end=start + _DAY)
    for free in around:
        if free.key == key:
            return replace(free, around=tuple(around))
    if len(around) >= NEAREST:
        raise SlotGone("", _nearest_of(around, start, NEAREST))
    raise SlotGone("", nearest(visit_type=visit_type, to=start))


def nearest(*, visit_type: VisitType, to: datetime, limit: int = NEAREST) -> list[FreeTime]:
    """The free times nearest to a moment, by time; looked for around it, at most a week away."""
    now = timezone.now()
    to = min(max(to.astimezone(UTC), now), now + timedelta(days=settings.APPOINTMENT_HORIZON_DAYS))
    found: list[FreeTime] = []
    for around in (_DAY, 7 * _DAY):
        found = free_slots(visit_type=visit_type, start=to - around, end=to + around)
        if len(found) >= limit:
            break
    return _nearest_of(found, to, limit)


def nearest_left(free: FreeTime) -> list[FreeTime]:
    """For somebody who came second: what is nearest to a time that has gone meanwhile. One query,
    unless all around has gone, too."""
    if not free.around:
        return nearest(visit_type=free.visit_type, to=free.start)
    who = {other.slot.clinician for other in free.around}
    busy = busy_of(who, free.around[0].start, free.around[-1].end)
    left = [
        other
        for other in free.around
        if domain.free_seats(
            busy,
            clinician=other.slot.clinician,
            start=other.start,
            end=other.end,
            capacity=other.slot.capacity,
        )
    ]
    if len(left) < NEAREST:
        return nearest(visit_type=free.visit_type, to=free.start)
    return _nearest_of(left, free.slot.moment, NEAREST)


def _nearest_of(found: list[FreeTime], to: datetime, limit: int) -> list[FreeTime]:
    near = sorted(found, key=lambda free: abs(free.slot.moment - to))[:limit]
    return sorted(near, key=lambda free: free.slot.moment)


def nearest_for(
    *,
    urgency: int,
    visit_type: VisitType,
    to: datetime,
    limit: int = NEAREST,
    known: Iterable[FreeTime] = (),
) -> list[FreeTime]:
    """`nearest`, of those that a patient of this urgency may choose from. `known`: the nearest as
    SlotGone told them; when they are enough, nothing is looked up again."""
    window = window_of(urgency)
    allowed = [free for free in known if window and window[0] <= free.start < window[1]]
    if len(allowed) >= limit:
        return allowed[:limit]
    to, around = to.astimezone(UTC), 7 * _DAY
    found = slots_for(
        urgency=urgency, visit_type=visit_type, start=to - around, end=to + around
    ) or slots_for(urgency=urgency, visit_type=visit_type, limit=limit)
    return _nearest_of(found, to, limit)


def menu(*, only: VisitType | None = None) -> Menu:
    """What can be chosen of, in one query. `only`: the type of a visit that is moved, whether it is
    offered still or not."""
    with connection.cursor() as cursor:
        cursor.execute(_MENU, {"only": only.pk if only else None})
        rows = cursor.fetchall()
    return Menu(
        types=[VisitType.from_db("default", _TYPE, r[1:]) for r in rows if r[0] == "visit type"],
        people=[(str(pk), name) for what, pk, _, name, *_ in rows if what == "clinician"],
        places=[(str(pk), name) for what, pk, _, name, *_ in rows if what == "location"],
    )


def may_be_offered(*, submission: Submission) -> bool:
    """Whether a patient of this urgency may be offered times, rather than called or sent on."""
    return window_of(submission.urgency) is not None


# --- how it is read -------------------------------------------------------------------------------


def capacity_of(
    *,
    clinician: Clinician,
    location: Location,
    start: datetime,
    end: datetime,
    visit_type: VisitType | None = None,
) -> int:
    """How many patients at once the hours allow there and then, for this type of visit or for any;
    0 outside of hours."""
    book = book_of(start, end, visit_type=visit_type, clinician=clinician, location=location)
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
    found = domain.offer_window(
        Urgency(urgency).code, at=now, horizon_days=settings.APPOINTMENT_HORIZON_DAYS
    )
    if found is None:
        return None
    return found[0] + timedelta(hours=settings.APPOINTMENT_LEAD_HOURS), found[1]


def book_of(
    start: datetime,
    end: datetime,
    *,
    visit_type: VisitType | None = None,
    clinician: Clinician | None = None,
    location: Location | None = None,
) -> Book:
    """Two queries: hours (with clinicians and locations), closures. The clinic's holidays, too."""
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
        cursor.execute(_HOURS, given)
        for row in cursor.fetchall():
            who, where = str(row[0]), str(row[1])
            if who not in clinicians:
                clinicians[who] = Clinician.from_db("default", ["id", "name"], [row[0], row[8]])
            if where not in locations:
                locations[where] = Location.from_db("default", _LOCATION, [row[1], *row[9:]])
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
        cursor.execute(_CLOSURES, given)
        closures = [Closure.from_db("default", _CLOSURE, row) for row in cursor.fetchall()]
    holidays = clinic_hours.current().holidays
    return Book(
        hours=hours,
        closures=[
            *(_closure(row) for row in closures),
            *(domain.Closure(first_day=d, last_day=d) for d in holidays if first <= d <= last),
        ],
        clinicians=clinicians,
        locations=locations,
        rows=closures,
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


def busy_of(
    clinicians: Iterable[str], start: datetime, end: datetime, *, besides: UUID | None = None
) -> list[domain.Busy]:
    """What is taken in that time, one query; a hold that ended takes nothing, nor does the
    appointment `besides`."""
    with connection.cursor() as cursor:
        cursor.execute(_BUSY, [list(clinicians), start, end, timezone.now(), besides])
        return [
            domain.Busy(
                clinician=str(who), start=begins, end=ends, seat=seat, overbooked=is_overbooked
            )
            for who, begins, ends, seat, is_overbooked in cursor.fetchall()
        ]


def _free_time(slot: domain.Slot, book: Book, visit_type: VisitType) -> FreeTime:
    return FreeTime(
        slot, book.clinicians[slot.clinician], book.locations[slot.location], visit_type
    )


def places() -> dict[str, str]:
    """The locations' ids by their names."""
    return {name: str(pk) for name, pk in Location.objects.values_list("name", "pk")}


def wishes_of(
    *, request: AppointmentRequest, known: Mapping[str, str] | None = None
) -> list[domain.Wish]:
    """The wishes of a request; a place is known by its name, and one nobody knows means any.
    `known`: the places, for who asks of many requests."""
    if not request.wishes:
        return []
    known = places() if known is None else known
    return [
        domain.Wish(
            days=frozenset(wish["days"]),
            times=frozenset(wish["times"]),
            location=known.get(wish["place"]),
            clinician=wish["clinician"] or None,
        )
        for wish in request.wishes
    ]


def start_of(key: str) -> datetime | None:
    """The moment in a slot's key; None when it is made up or lies beyond any book."""
    try:
        start = datetime.strptime(key.partition("_")[0][:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return start if domain.is_plausible_day(start) else None


def may_choose(urgency: int) -> bool:
    """Whether a patient of this urgency may choose a time, rather than call or be called."""
    return window_of(urgency) is not None


def time_still_allowed(urgency: int, start: datetime) -> bool:
    """Whether a time may stand with this urgency, which other answers may have raised since."""
    window = window_of(urgency)
    return window is not None and start < window[1]
