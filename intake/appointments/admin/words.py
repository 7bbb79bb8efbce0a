"""Slots and wishes in words, as staff pages show them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from intake.appointments.book import FreeTime
from intake.domain import slots as domain
from intake.models.appointments import AppointmentRequest, Day, TimeOfDay
from intake.models.clinic_time import Clinician


def time_words(start: datetime, end: datetime) -> str:
    """Return a span in words: 'Mon, Nov 30, 2026, 9:00 a.m. to 9:30 a.m. EST'."""
    return _("%(day)s, %(from)s to %(to)s %(zone)s") % {
        "day": date_format(start, "D, M j, Y"),
        "from": date_format(start, "TIME_FORMAT"),
        "to": date_format(end, "TIME_FORMAT"),
        "zone": start.tzname(),
    }


def fit_words(free: FreeTime, wishes: Sequence[domain.Wish]) -> str:
    """Explain how well a free slot matches the patient's wishes."""
    if not wishes:
        return _("the patient takes any time") if free.misses == 0 else ""
    missed, place = divmod(free.misses, len(wishes))
    number = {"n": place + 1}
    if missed == 0:
        return _("as wished") if len(wishes) == 1 else _("as in wish %(n)s") % number
    wish = wishes[place]
    other_day = bool(wish.days) and domain.unmet_parts(free.slot, domain.Wish(days=wish.days)) != 0
    other_time = (
        bool(wish.times) and domain.unmet_parts(free.slot, domain.Wish(times=wish.times)) != 0
    )
    if other_day and other_time:
        words = _("another day and time of day than wished")
    else:
        words = _("another day than wished") if other_day else _("another time of day than wished")
    return words if len(wishes) == 1 else _("%(words)s (wish %(n)s)") % {"words": words, **number}


def wish_rows(
    request: AppointmentRequest, clinicians: Iterable[Clinician]
) -> list[tuple[str, list[str]]]:
    """Return the rows that show what a patient wishes for: pairs of a label and a list of words.

    First comes the kind of visit, then one row for each wish, then the earliest day, if any. If the
    patient has no wish, the row of the wish says that the first free time suits.
    """
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
