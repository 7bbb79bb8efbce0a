"""The list of free times, for the questionnaire and for the patient's page."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from intake.appointments import book, free_times, taking
from intake.appointments.book import FreeTime
from intake.appointments.forms import TimesForm
from intake.appointments.free_times import start_of
from intake.models.appointments import Appointment
from intake.models.clinic_time import Clinician, Location, VisitKind, VisitType
from intake.models.submissions import Urgency
from intake.wording import moments

DAYS = 4  # days with free times on one page
LOOK = timedelta(days=14)  # how far to search first; the search goes on if the page is not full


def form_of(
    data: QueryDict | None = None,
    *,
    initial: dict[str, Any] | None = None,
    only: VisitType | None = None,
) -> TimesForm:
    """Make the form with the types, clinicians and locations that the clinic offers now.

    When a patient moves a visit, `only` is the type of the visit.
    """
    menu = book.menu(only=only)
    return TimesForm(
        types=menu.types, people=menu.people, places=menu.places, data=data, initial=initial
    )


def is_other_list(request: HttpRequest) -> bool:
    """Whether the patient pressed a button that only shows other times."""
    return request.POST.get("go") in ("show", "later", "first")


def data_of_other_list(request: HttpRequest) -> QueryDict:
    """Return the posted data, with `first` set to the day at which the requested list begins."""
    data = request.POST.copy()
    data["first"] = data.get("next", "") if data.get("go") == "later" else ""
    return data


# --- what the list shows --------------------------------------------------------------------------


def list_context(form: TimesForm, urgency: int) -> dict[str, Any]:
    """Return the context of the list: the next days with free times for this urgency."""
    first = form.first_day
    found = _free_times(form, urgency) if form.visit_type else []
    days = [(day, list(slots)) for day, slots in _by_day(found) if first is None or day >= first]
    shown = [free for _day, slots in days[:DAYS] for free in slots]
    following = days[DAYS][0].isoformat() if len(days) > DAYS else ""
    return _context(form, shown, following=following, is_later=first is not None)


def days_of(urgency: int) -> int:
    """Return the number of days whose free times an urgent patient sees; 0 for other patients."""
    return free_times.urgent_days() if urgency == Urgency.URGENT else 0


def near_context(form: TimesForm, urgency: int, known: Iterable[FreeTime] = ()) -> dict[str, Any]:
    """Return the context of the list with the free times nearest to a slot that is not free.

    `known` are the nearest free times in the SlotGone error.
    """
    kind = form.visit_type
    found: list[FreeTime] = []
    if kind:
        found = free_times.nearest_for(
            urgency=urgency,
            visit_type=kind,
            to=start_of(form.chosen) or timezone.now(),
            known=known,
        )
    return _context(form, _one_per_slot(found), following="", is_later=True)


def gone_words(shown: dict[str, Any]) -> str:
    """Say that the chosen slot is not free any more, and what the patient can do."""
    if shown["days"]:
        return _(
            "That time is no longer free. Nothing was booked. Here are the nearest free times."
        )
    return _(
        "That time is no longer free, and no other time is free right now. Nothing was booked."
    )


def held_words(row: Appointment) -> dict[str, str]:
    """Return a held slot in words: its key, its time, and until when it is held."""
    until = row.held_until
    assert until  # a database constraint gives every held slot this time
    return {
        "key": taking.key_of(row),
        "when": moments.moment_words(row.starts, row.location.time_zone),
        "until": moments.clock_words(until.astimezone(row.zone)),
    }


def free_words(free: FreeTime) -> dict[str, str]:
    """Return the moment of a free time in words, and for a visit in person the location, too."""
    return {
        "moment": moments.moment_words(free.start, free.location.time_zone),
        "where": free.location.name if free.visit_type.kind == VisitKind.IN_PERSON else "",
    }


def _context(
    form: TimesForm, found: Iterable[FreeTime], *, following: str, is_later: bool
) -> dict[str, Any]:
    found = list(found)
    zones = {free.location.time_zone for free in found}
    several = len({free.location.pk for free in found}) > 1
    return {
        "form": form,
        "visit": str(form.visit_type.pk) if form.visit_type else "",
        "who": form.value_of("who"),
        "where": form.value_of("where"),
        "first": form.first_day.isoformat() if form.first_day else "",
        "chosen": form.chosen,
        "days": [
            (
                moments.day_words(day),
                [_option(free, place=several, zone=len(zones) > 1) for free in slots],
            )
            for day, slots in _by_day(found)
        ],
        "zone": moments.zone_words(*zones) if len(zones) == 1 else "",
        "kind": form.visit_type,
        "following": following,
        "is_later": is_later,
    }


def _by_day(found: Iterable[FreeTime]) -> Iterator[tuple[date, Iterator[FreeTime]]]:
    """Group free times by their day in the time zone of their location."""
    ordered = sorted(
        found, key=lambda free: (free.start.date(), free.slot.moment, free.location.name)
    )
    return groupby(ordered, key=lambda free: free.start.date())


def _option(free: FreeTime, *, place: bool, zone: bool) -> tuple[str, str, str]:
    """Return the slot key, the time and, with `place`, the location for a radio button.

    With `zone`, the time names its time zone.
    """
    time = moments.clock_words(free.start)
    if zone:
        time = f"{time} {moments.zone_words(free.location.time_zone)}"
    return free.key, time, free.location.name if place else ""


def _free_times(form: TimesForm, urgency: int) -> list[FreeTime]:
    """Find the free times of one page and of one day more, to know whether a page follows."""
    who, where = form.value_of("who"), form.value_of("where")
    start = None
    if form.first_day:  # in zones east of Greenwich the day begins up to 14 hours earlier
        start = datetime.combine(form.first_day, time(0), UTC) - timedelta(hours=14)
    wanted: dict[str, Any] = {
        "urgency": urgency,
        "visit_type": form.visit_type,
        "clinician": Clinician(pk=who) if who else None,
        "location": Location(pk=where) if where else None,
        "start": start,
    }
    found = free_times.slots_for(**wanted, end=(start or timezone.now()) + LOOK)
    if len({free.start.date() for free in found}) <= DAYS + 1:
        found = free_times.slots_for(**wanted)
    return found if who else _one_per_slot(found)


def _one_per_slot(found: Iterable[FreeTime]) -> list[FreeTime]:
    """Keep one free time for each moment and location, when several clinicians are free."""
    seen: dict[Any, FreeTime] = {}
    for free in found:
        seen.setdefault((free.slot.moment, free.location.pk), free)
    return list(seen.values())
