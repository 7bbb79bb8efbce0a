"""Find free times for staff, for a patient of some urgency, or near a slot that is not free."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.appointments.book import Book, FreeTime, book_of, busy_of, places
from intake.appointments.slot_gone import SlotGone
from intake.domain import slots as domain
from intake.models.appointments import AppointmentRequest
from intake.models.clinic_time import Clinician, Location, VisitType
from intake.models.submissions import Submission, Urgency
from intake.protocols import served

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
    """Find the free times for a visit of this type, sorted by time, as staff may see them.

    `start` defaults to now and is never earlier; `end` defaults to the horizon. The number of
    queries stays the same, however many visits are booked. For patients use `slots_for`.
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
    """Find the free times that a patient of this urgency (Urgency) may choose from.

    Finds no time for an emergency or a same-day matter. For an urgent matter, finds only times
    within the days that its level allows. Leaves out times that begin within
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
    """Find free times for a request, the best fitting first, then by time.

    `misses` of each free time tells how far the time is from the wish; 0 means that it fits.
    Returns an empty list when the urgency forbids offering times.
    """
    window = window_of(request.submission.urgency)
    if window is None:
        return []
    wishes = wishes_of(request=request)
    ranked = [
        (misses, free)
        for free in free_slots(visit_type=visit_type, start=window[0], end=window[1])
        if (misses := domain.wish_rank(free.slot, wishes, request.earliest)) is not None
    ]
    ranked.sort(key=itemgetter(0))  # times that fit equally stay sorted by time
    return [replace(free, misses=misses) for misses, free in ranked[:limit]]


def find_slot(*, key: str, visit_type: VisitType, has_one: bool = False) -> FreeTime:
    """Find the free time that a posted slot key names.

    `has_one`: the patient has a visit of this type, and may keep the type when the clinic no longer
    offers it. Raises SlotGone, with the nearest free times, when no free time of this type has the
    key or when the type is no longer offered.
    """
    start = start_of(key)
    if start is None or not (visit_type.is_active or has_one):
        raise SlotGone(_("That is not a time you can choose. Please choose one of these."), [])
    # one search of the days around finds the slot, or else the nearest free times
    around = free_slots(visit_type=visit_type, start=start - _DAY, end=start + _DAY)
    for free in around:
        if free.key == key:
            return replace(free, around=tuple(around))
    if len(around) >= NEAREST:
        raise SlotGone("", _nearest_of(around, start, NEAREST))
    raise SlotGone("", nearest(visit_type=visit_type, to=start))


def nearest(*, visit_type: VisitType, to: datetime, limit: int = NEAREST) -> list[FreeTime]:
    """Find the free times nearest to a moment, at most a week away, sorted by time."""
    now = timezone.now()
    to = min(max(to.astimezone(UTC), now), now + timedelta(days=settings.APPOINTMENT_HORIZON_DAYS))
    found: list[FreeTime] = []
    for around in (_DAY, 7 * _DAY):
        found = free_slots(visit_type=visit_type, start=to - around, end=to + around)
        if len(found) >= limit:
            break
    return _nearest_of(found, to, limit)


def nearest_left(free: FreeTime) -> list[FreeTime]:
    """Find the times that are still free near a time that another patient has just taken.

    Needs one query, or more when too few of the times around are still free.
    """
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
    """Find the nearest free times that a patient of this urgency may choose from.

    `known` are the nearest free times in the SlotGone error. When the urgency allows enough of
    these times, the database is not read.
    """
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
    """Whether the clinic may offer the patient times, rather than call the patient."""
    return window_of(submission.urgency) is not None


# --- what an urgency allows, what a patient wishes ------------------------------------------------


def window_of(urgency: int) -> tuple[datetime, datetime] | None:
    """Return the start and end of the span in which this urgency (Urgency) allows offering times.

    Returns None when the urgency forbids offering times.
    """
    now = timezone.now()
    found = domain.offer_window(
        Urgency(urgency).code,
        at=now,
        horizon_days=settings.APPOINTMENT_HORIZON_DAYS,
        urgent_days=urgent_days(),
    )
    if found is None:
        return None
    return found[0] + timedelta(hours=settings.APPOINTMENT_LEAD_HOURS), found[1]


def urgent_days() -> int:
    """Return the number of days within which an urgent patient is to be seen.

    This is the shortest period that a served protocol sets, so that no patient chooses a time too
    late.
    """
    periods = [protocol.level(Urgency.URGENT.code).seen.days for protocol in served()]
    return min((days for days in periods if days), default=settings.APPOINTMENT_HORIZON_DAYS)


def _free_time(slot: domain.Slot, book: Book, visit_type: VisitType) -> FreeTime:
    return FreeTime(
        slot, book.clinicians[slot.clinician], book.locations[slot.location], visit_type
    )


def wishes_of(
    *, request: AppointmentRequest, known: Mapping[str, str] | None = None
) -> list[domain.Wish]:
    """Return the wishes of a request as values of the domain.

    A wish names its location by name; an unknown name means any location. `known` is the result of
    `places()`, which a caller with many requests reads once.
    """
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
    """Return the moment in a slot's key, or None when the key is made up.

    A key with a year before 2000 or after 2999 counts as made up.
    """
    try:
        start = datetime.strptime(key.partition("_")[0][:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return start if domain.is_plausible_day(start) else None


def may_choose(urgency: int) -> bool:
    """Whether a patient of this urgency may choose a time, rather than call or be called."""
    return window_of(urgency) is not None


def time_still_allowed(urgency: int, start: datetime) -> bool:
    """Whether a chosen time is early enough for an urgency that later answers may have raised."""
    window = window_of(urgency)
    return window is not None and start < window[1]
