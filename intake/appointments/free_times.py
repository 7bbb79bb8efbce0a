"""Reading clinic time: which times are free, for whom, and what the week looks like."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.appointments.book import Book, FreeTime, book_of, busy_of, places
from intake.appointments.slot_gone import SlotGone
from intake.domain import slots as domain
from intake.models.appointments import AppointmentRequest
from intake.models.clinic_time import Clinician, Location, VisitType
from intake.models.submissions import Submission, Urgency

NEAREST = 6
_DAY = timedelta(days=1)
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
        if (misses := domain.rank(free.slot, wishes, request.earliest)) is not None
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


def may_be_offered(*, submission: Submission) -> bool:
    """Whether a patient of this urgency may be offered times, rather than called or sent on."""
    return window_of(submission.urgency) is not None


# --- how it is read -------------------------------------------------------------------------------


def window_of(urgency: int) -> tuple[datetime, datetime] | None:
    """From when until when a patient of this urgency (Urgency) may be offered times, or None."""
    now = timezone.now()
    found = domain.bounds(
        Urgency(urgency).code, at=now, horizon_days=settings.APPOINTMENT_HORIZON_DAYS
    )
    if found is None:
        return None
    return found[0] + timedelta(hours=settings.APPOINTMENT_LEAD_HOURS), found[1]


def _free_time(slot: domain.Slot, book: Book, visit_type: VisitType) -> FreeTime:
    return FreeTime(
        slot, book.clinicians[slot.clinician], book.locations[slot.location], visit_type
    )


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
    return start if domain.in_reach(start) else None


def may_choose(urgency: int) -> bool:
    """Whether a patient of this urgency may choose a time, rather than call or be called."""
    return window_of(urgency) is not None


def time_still_allowed(urgency: int, start: datetime) -> bool:
    """Whether a time may stand with this urgency, which other answers may have raised since."""
    window = window_of(urgency)
    return window is not None and start < window[1]
