"""Choosing a time: the free times that fit a wish, and the week, as a page shows them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from intake.domain import slots as domain
from intake.models import (
    Appointment,
    AppointmentRequest,
    Clinician,
    Closure,
    Day,
    Location,
    TimeOfDay,
    VisitType,
)
from intake.services import appointments
from intake.services.appointments import FreeTime, SlotGone
from intake.services.appointments.offers import MOST
from intake.services.appointments.times import wishes_of

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
        found = appointments.fitting(request=self.request, visit_type=self.kind, limit=limit)
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
                    free = appointments.find_slot(key=key, visit_type=self.kind)
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
            for day in appointments.calendar(
                first_day=self.monday, location=self.place, clinician=self.clinician
            )
        ]
        while len(found) > 5 and not (found[-1].columns or found[-1].closures):
            found.pop()
        return found

    def _day(self, day: appointments.CalendarDay) -> DayOfWeek:
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
            for free in appointments.free_slots(
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


# --- what is sent ---------------------------------------------------------------------------------


def hold_words(hours: int) -> str:
    if hours % 24 == 0:
        return ngettext("%(n)s day", "%(n)s days", hours // 24) % {"n": hours // 24}
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def hold_choices() -> list[tuple[int, str]]:
    """For how long a time can be held for an answer; the clinic's own setting among them."""
    hours = sorted({4, 24, 48, 72, 168, settings.APPOINTMENT_OFFER_HOURS})
    return [(number, hold_words(number)) for number in hours]


class TimesForm(forms.Form):
    """The visit type and the times that were ticked. Whether they can be had, the service says."""

    type = forms.ModelChoiceField(
        VisitType.objects.filter(is_active=True),
        error_messages={
            "required": gettext_lazy("Choose a visit type."),
            "invalid_choice": gettext_lazy("Choose a visit type."),
        },
    )
    # a list of texts
    slot = forms.Field(
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose a time.")},
    )
    hours = forms.TypedChoiceField(coerce=int, required=False, empty_value=None)

    def __init__(self, data: QueryDict | None = None, *, one: bool = False) -> None:
        super().__init__(data)
        self.one = one
        self.fields["hours"].choices = hold_choices()

    def clean_slot(self) -> list[str]:
        keys = list(dict.fromkeys(self.cleaned_data["slot"]))
        if self.one and len(keys) > 1:
            raise forms.ValidationError(_("Choose one time alone: the one you agreed on."))
        if len(keys) > MOST:
            raise forms.ValidationError(_("Choose one to three times."))
        return keys


class OverbookForm(forms.Form):
    """A time that the hours or the seats do not allow, booked on purpose.

    The wall time is the location's. On the day of a clock change, when it does not exist or exists
    twice, the form asks which moment is meant.
    """

    visit_type = forms.ModelChoiceField(
        VisitType.objects.filter(is_active=True), label=gettext_lazy("Visit type")
    )
    clinician = forms.ModelChoiceField(
        Clinician.objects.filter(is_active=True), label=gettext_lazy("Clinician")
    )
    location = forms.ModelChoiceField(
        Location.objects.filter(is_active=True), label=gettext_lazy("Location")
    )
    day = forms.DateField(
        label=gettext_lazy("Day"), widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    time = forms.TimeField(
        label=gettext_lazy("Time"),
        help_text=gettext_lazy("As the clock shows it at the location."),
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
    )
    moment = forms.ChoiceField(
        label=gettext_lazy("The clock changes on that day. Which time is it?"),
        widget=forms.RadioSelect,
        required=False,
    )
    reason = forms.CharField(
        label=gettext_lazy("Why do you book more than the hours allow?"),
        max_length=500,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": gettext_lazy("Say why you book more than the hours allow.")},
    )
    sure = forms.BooleanField(
        label=gettext_lazy("I book this on purpose, above what the hours allow"),
        error_messages={"required": gettext_lazy("Tick the box if you really mean it.")},
    )

    def __init__(self, data: QueryDict | None = None, *, times: Times) -> None:
        initial = {"visit_type": times.kind, "location": times.place}
        super().__init__(data, initial=initial, auto_id="overbook_%s", use_required_attribute=False)
        self.fields["sure"].legend = _("Overbooking")
        self._ask_for_moment()

    def _ask_for_moment(self) -> None:
        """Only when the clock changes at what was typed, the question which moment is meant."""
        self.trouble = self._trouble() if self.is_bound else None
        if self.trouble is None:
            del self.fields["moment"]
            return
        self.fields["moment"].choices = [
            (at.isoformat(), f"{date_format(at, 'TIME_FORMAT')} {at.tzname()}")
            for at in self.trouble.choices
        ]

    def _trouble(self) -> domain.NoSuchTime | None:
        try:
            self._resolved(
                *(
                    self.fields[name].clean(self.data.get(name))
                    for name in ("location", "day", "time")
                )
            )
        except domain.NoSuchTime as trouble:
            return trouble
        except (forms.ValidationError, OverflowError):
            pass
        return None

    def _resolved(self, location: Location, day: date, at: time) -> datetime:
        wall = datetime.combine(day, at)
        return domain.resolve_wall(wall, location.zone, name=location.time_zone)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.trouble is not None:
            if data.get("moment"):
                data["start"] = datetime.fromisoformat(data["moment"])
            elif "moment" not in self.errors:
                self.add_error("moment", self.trouble.message)
        elif data.get("location") and data.get("day") and data.get("time"):
            try:
                data["start"] = self._resolved(data["location"], data["day"], data["time"])
            except OverflowError:
                self.add_error("day", _("Check the year."))
        return data
