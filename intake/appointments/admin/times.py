"""The page on which staff choose a slot. It shows a week, and the free times that fit a wish."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic import hours
from clinic.lists import Row
from intake.appointments import free_times, week
from intake.appointments.admin.words import fit_words, time_words
from intake.appointments.book import FreeTime
from intake.appointments.free_times import wishes_of
from intake.appointments.offers import MOST
from intake.appointments.slot_gone import SlotGone
from intake.appointments.week import CalendarDay
from intake.domain import slots as domain
from intake.models.appointments import Appointment, AppointmentRequest
from intake.models.clinic_time import Clinician, Closure, Location, VisitType

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
FARTHEST = timedelta(days=800)  # the calendar shows no day farther from today
SHOWN = 12  # free times that fit the wish, before staff press "more"


@dataclass(frozen=True)
class Line:
    """One line in a clinician's column: a visit, a held slot, or a free slot to choose."""

    start: datetime
    visit: Appointment | None = None
    choice: "Choice | None" = None

    @property
    def words(self) -> str:
        return date_format(self.start, "TIME_FORMAT")


@dataclass(frozen=True)
class Column:
    """One clinician's column in a day of the calendar."""

    clinician: Clinician
    hours: list[tuple[datetime, datetime]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def hours_words(self) -> str:
        spans = [
            _("%(from)s to %(to)s")
            % {"from": date_format(a, "TIME_FORMAT"), "to": date_format(b, "TIME_FORMAT")}
            for a, b in self.hours
        ]
        return ", ".join(spans) or _("no hours")


@dataclass(frozen=True)
class DayOfWeek:
    day: date
    is_today: bool
    closures: list[Closure]
    holiday: bool
    columns: list[Column]


@dataclass(frozen=True)
class Choice:
    """A free slot as a check box: whether the box is ticked, and `why` the slot fits the wish."""

    free: FreeTime
    chosen: bool
    why: str = ""

    @property
    def words(self) -> str:
        return time_words(self.free.start, self.free.end)


class Times:
    """The slots on one page, and the choices that filter them.

    The choices are the visit type, the location, the week and the ticked boxes. `typed` is the URL
    query or the posted form; unknown values in `typed` are ignored. The number of queries stays the
    same, however many visits are booked.
    """

    def __init__(
        self,
        *,
        typed: QueryDict,
        kinds: Sequence[VisitType],
        request: AppointmentRequest | None = None,
        place: Location | None = None,
        clinician: Clinician | None = None,
        many: bool = True,
    ) -> None:
        self.typed, self.kinds, self.request, self.many = typed, list(kinds), request, many
        self.clinician = clinician
        self.chosen = typed.getlist("slot")
        self.places = list(Location.objects.filter(is_active=True))
        self.kind: VisitType | None = _by_key(self.kinds, typed.get("type", "")) or next(
            iter(self.kinds), None
        )
        wished = next((w["place"] for w in request.wishes if w.get("place")), "") if request else ""
        wished_place = next((row for row in self.places if row.name == wished), None)
        self.place: Location | None = (
            _by_key(self.places, typed.get("place", ""))
            or place
            or wished_place
            or next(iter(self.places), None)
        )
        self.gone: SlotGone | None = None
        zone = self.place.zone if self.place else timezone.get_current_timezone()
        self.today = timezone.now().astimezone(zone).date()

    @cached_property
    def monday(self) -> date:
        """The Monday of the week that the page shows.

        This is the chosen week, or else the week of the first free time that the page lists, or
        else the week of the next open day.
        """
        typed, listed = self.typed.get("week", ""), [*self.soonest, *self.fitting]
        if typed:
            return _monday(_day(typed, self.today))
        return _monday(listed[0].free.start.date() if listed else self._next_open_day)

    @property
    def _next_open_day(self) -> date:
        now = timezone.now()
        if self.place is None:
            return self.today
        opens = hours.current(self.place.pk).next_opening(now).astimezone(self.place.zone).date()
        return opens if opens - self.today < FARTHEST else self.today

    # --- free times ------------------------------------------------------------------------------
    @cached_property
    def wishes(self) -> list[domain.Wish]:
        return wishes_of(request=self.request) if self.request else []

    @cached_property
    def fitting(self) -> list[Choice]:
        """The free times that fit the patient's wish, the best fitting first."""
        if not self.kind or not self.request:
            return []
        limit = SHOWN * 5 if "more" in self.typed else SHOWN
        found = free_times.fitting(request=self.request, visit_type=self.kind, limit=limit)
        return [self._choice(free, fit_words(free, self.wishes)) for free in found]

    @cached_property
    def soonest(self) -> list[Choice]:
        """For a request that cannot wait, the free times of today and tomorrow at any place."""
        if not self.kind or not self.request or not self.place or self._may_wait:
            return []
        end = datetime.combine(self.today + 2 * DAY, time(), tzinfo=self.place.zone)
        found = free_times.free_slots(visit_type=self.kind, end=end, limit=SHOWN)
        return [self._choice(free) for free in found]

    @property
    def _may_wait(self) -> bool:
        return self.request is None or free_times.may_be_offered(submission=self.request.submission)

    @property
    def has_more(self) -> bool:
        return len(self.fitting) == SHOWN and "more" not in self.typed

    @cached_property
    def nearest(self) -> list[Choice]:
        """After a conflict, the free times nearest to the slot that was not free any more."""
        return [self._choice(free) for free in self.gone.nearest] if self.gone else []

    @cached_property
    def kept(self) -> list[Choice]:
        """After a conflict, the ticked slots that are free and not in `fitting` or `nearest`."""
        if not self.gone or not self.kind:
            return []
        shown = {choice.free.key for choice in (*self.soonest, *self.fitting, *self.nearest)}
        found = []
        for key in self.chosen[:MOST]:
            if key not in shown:
                with suppress(SlotGone):
                    free = free_times.find_slot(key=key, visit_type=self.kind)
                    found.append(self._choice(free))
        return found

    def _choice(self, free: FreeTime, words: str = "") -> Choice:
        return Choice(free, chosen=free.key in self.chosen, why=words)

    # --- the week ----------------------------------------------------------------------------
    @cached_property
    def days(self) -> list[DayOfWeek]:
        """The days of the week from Monday on, without an empty Saturday or Sunday at the end."""
        if not self.place:
            return []
        found = [
            self._day(day)
            for day in week.calendar(
                first_day=self.monday, location=self.place, clinician=self.clinician
            )
        ]
        while len(found) > 5 and not (found[-1].columns or found[-1].closures):
            found.pop()
        return found

    def _day(self, day: CalendarDay) -> DayOfWeek:
        columns: dict[UUID, Column] = {}

        def column(who: Clinician) -> Column:
            return columns.setdefault(who.pk, Column(who))

        for start, end, who in day.hours:
            column(who).hours.append((start, end))
        for visit in day.appointments:
            column(visit.clinician).lines.append(Line(visit.starts, visit=visit))
        for free in self._free_by_day.get(day.day, ()):
            line = Line(free.start, choice=self._choice(free))
            column(free.clinician).lines.append(line)
        for each in columns.values():
            each.lines.sort(key=lambda line: line.start.timestamp())
        return DayOfWeek(
            day=day.day,
            is_today=day.day == self.today,
            closures=day.closures,
            holiday=day.day in hours.closed_days(),
            columns=sorted(columns.values(), key=lambda each: each.clinician.name),
        )

    @cached_property
    def _free_by_day(self) -> dict[date, list[FreeTime]]:
        found: dict[date, list[FreeTime]] = defaultdict(list)
        if self.kind and self.place:
            begin, end = (
                datetime.combine(day, time(), tzinfo=self.place.zone)
                for day in (self.monday, self.monday + WEEK)
            )
            for free in free_times.free_slots(
                visit_type=self.kind,
                start=begin,
                end=end,
                location=self.place,
                clinician=self.clinician,
            ):
                found[free.start.date()].append(free)
        return found

    @property
    def visits(self) -> list[Appointment]:
        """The bookings that the week shows. The page records that the reader saw these bookings."""
        return [
            line.visit
            for day in self.days
            for each in day.columns
            for line in each.lines
            if line.visit
        ]

    # --- addresses -----------------------------------------------------------------------------
    @property
    def state(self) -> dict[str, Any]:
        """The choices made on this page, for its forms and links."""
        state = {
            "type": self.kind.pk if self.kind else "",
            "place": self.place.pk if self.place else "",
            "week": self.monday.isoformat(),
            "more": "1" if "more" in self.typed else "",
        }
        return {name: text for name, text in state.items() if text}

    def link(self, **changes: Any) -> str:
        """Return the URL query of this page, with the named choices changed."""
        now = self.state | changes
        return "?" + urlencode({name: text for name, text in now.items() if text})

    @property
    def week_before(self) -> str:
        return self.link(week=(self.monday - WEEK).isoformat()) + "#week"

    @property
    def week_after(self) -> str:
        return self.link(week=(self.monday + WEEK).isoformat()) + "#week"

    @property
    def this_week(self) -> str:
        return self.link(week=_monday(self.today).isoformat()) + "#week"

    @property
    def with_more(self) -> str:
        return self.link(more="1") + "#fitting"

    @property
    def kind_links(self) -> list[tuple[str, str, bool]]:
        return [(row.title, self.link(type=row.pk), row == self.kind) for row in self.kinds]

    @property
    def place_links(self) -> list[tuple[str, str, bool]]:
        return [
            (row.name, self.link(place=row.pk) + "#week", row == self.place) for row in self.places
        ]


def _by_key(rows: Iterable[Row], key: str) -> Row | None:
    return next((row for row in rows if str(row.pk) == key), None)


def _day(typed: str, today: date) -> date:
    day = None
    with suppress(ValueError):
        day = parse_date(typed)
    return day if day and abs(day - today) < FARTHEST else today


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
