"""Choosing a time: the free times that fit a wish, and the week, as a page shows them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from intake.appointments import free_times, week
from intake.appointments.book import FreeTime
from intake.appointments.free_times import wishes_of
from intake.appointments.offers import MOST
from intake.appointments.slot_gone import SlotGone
from intake.appointments.week import CalendarDay
from intake.domain import slots as domain
from intake.models.appointments import Appointment, AppointmentRequest, Day, TimeOfDay
from intake.models.clinic_time import Clinician, Closure, Location, VisitType

WEEK = timedelta(days=7)
FARTHEST = timedelta(days=800)  # how far the calendar is leafed through
SHOWN = 12  # free times that fit, before "more"


# --- in words -------------------------------------------------------------------------------------


def time_words(start: datetime, end: datetime) -> str:
    """'Mon, Nov 30, 2026, 9:00 a.m. to 9:30 a.m. EST'."""
    return _("%(day)s, %(from)s to %(to)s %(zone)s") % {
        "day": date_format(start, "D, M j, Y"),
        "from": date_format(start, "TIME_FORMAT"),
        "to": date_format(end, "TIME_FORMAT"),
        "zone": start.tzname(),
    }


def why(free: FreeTime, wishes: Sequence[domain.Wish]) -> str:
    """In what a free time fits the wishes it was looked up for, or misses them."""
    if not wishes:
        return _("the patient takes any time") if free.misses == 0 else ""
    missed, place = divmod(free.misses, len(wishes))
    number = {"n": place + 1}
    if missed == 0:
        return _("as wished") if len(wishes) == 1 else _("as in wish %(n)s") % number
    wish = wishes[place]
    other_day = bool(wish.days) and domain.fits(free.slot, domain.Wish(days=wish.days)) != 0
    other_time = bool(wish.times) and domain.fits(free.slot, domain.Wish(times=wish.times)) != 0
    if other_day and other_time:
        words = _("another day and time of day than wished")
    else:
        words = _("another day than wished") if other_day else _("another time of day than wished")
    return words if len(wishes) == 1 else _("%(words)s (wish %(n)s)") % {"words": words, **number}


def wish_rows(
    request: AppointmentRequest, clinicians: Iterable[Clinician]
) -> list[tuple[str, list[str]]]:
    """What a patient asked for, as label and values; each wish in one line."""
    names = {str(row.pk): row.name for row in clinicians}
    rows = [(_("Kind of visit"), [str(request.get_visit_type_display())])]
    for number, wish in enumerate(request.wishes, start=1):
        label = _("Wish") if len(request.wishes) == 1 else _("Wish %(n)s") % {"n": number}
        parts = [
            _joined(Day(day).label for day in wish.get("days", ())) or _("any day"),
            _joined(TimeOfDay(part).label for part in wish.get("times", ())) or _("any time"),
            wish.get("place", ""),
            names.get(wish.get("clinician", ""), ""),
        ]
        rows.append((label, ["; ".join(part for part in parts if part)]))
    if not request.wishes:
        rows.append((_("Wish"), [_("the first free time")]))
    if request.earliest:
        rows.append((_("Not before"), [date_format(request.earliest, "DATE_FORMAT")]))
    return rows


def _joined(words: Iterable[Any]) -> str:
    return ", ".join(str(word) for word in words)


# --- the week -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One line of a day: a visit or held time, or a free time that can be chosen."""

    start: datetime
    visit: Appointment | None = None
    choice: "Choice | None" = None

    @property
    def words(self) -> str:
        return date_format(self.start, "TIME_FORMAT")


@dataclass(frozen=True)
class Column:
    """One clinician's part of a day."""

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
    """A free time beside its box: what it says, and whether it is ticked."""

    free: FreeTime
    chosen: bool
    why: str = ""

    @property
    def words(self) -> str:
        return time_words(self.free.start, self.free.end)


class Times:
    """The times of one page: which visit type, which place, which week, what is ticked.

    `typed` is the query or the form that came; what makes no sense in it counts as not given. A
    fixed number of queries, however full the book.
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
        named = next((row for row in self.places if row.name == wished), None)
        self.place: Location | None = (
            _by_key(self.places, typed.get("place", ""))
            or place
            or named
            or next(iter(self.places), None)
        )
        self.gone: SlotGone | None = None
        zone = self.place.zone if self.place else timezone.get_current_timezone()
        self.today = timezone.now().astimezone(zone).date()

    @cached_property
    def monday(self) -> date:
        """The week that was asked for, else that of the time that fits best, else this one."""
        typed = self.typed.get("week", "")
        if not typed and self.fitting:
            return _monday(self.fitting[0].free.start.date())
        return _monday(_day(typed, self.today))

    # --- free times ------------------------------------------------------------------------------
    @cached_property
    def wishes(self) -> list[domain.Wish]:
        return wishes_of(request=self.request) if self.request else []

    @cached_property
    def fitting(self) -> list[Choice]:
        """The free times that fit the wish, the best first."""
        if not self.kind or not self.request:
            return []
        limit = SHOWN * 5 if "more" in self.typed else SHOWN
        found = free_times.fitting(request=self.request, visit_type=self.kind, limit=limit)
        return [self._choice(free, why(free, self.wishes)) for free in found]

    @property
    def has_more(self) -> bool:
        return len(self.fitting) == SHOWN and "more" not in self.typed

    @cached_property
    def nearest(self) -> list[Choice]:
        """After a conflict: the free times nearest to the one that had gone."""
        return [self._choice(free) for free in self.gone.nearest] if self.gone else []

    @cached_property
    def kept(self) -> list[Choice]:
        """After a conflict: what was ticked, can still be had, and stands nowhere else."""
        if not self.gone or not self.kind:
            return []
        shown = {choice.free.key for choice in (*self.fitting, *self.nearest)}
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
        """The week's days from Monday on; a day at its end with nothing on it is left out."""
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
        columns: dict[Any, Column] = {}

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
            holiday=day.day in settings.CLINIC_HOURS.holidays,
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
        """What is booked in the week; who sees it is recorded with them."""
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
        """What is chosen on this page, for its forms and links."""
        state = {
            "type": self.kind.pk if self.kind else "",
            "place": self.place.pk if self.place else "",
            "week": self.monday.isoformat(),
            "more": "1" if "more" in self.typed else "",
        }
        return {name: text for name, text in state.items() if text}

    def link(self, **changes: Any) -> str:
        """The query of this page with something else chosen."""
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


def _by_key(rows: Iterable[Any], key: str) -> Any:
    return next((row for row in rows if str(row.pk) == key), None)


def _day(typed: str, today: date) -> date:
    day = None
    with suppress(ValueError):
        day = parse_date(typed)
    return day if day and abs(day - today) < FARTHEST else today


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
