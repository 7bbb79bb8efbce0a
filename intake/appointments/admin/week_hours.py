"""The form for the opening hours of a whole week: one line for each day."""

import re
from collections.abc import Callable
from datetime import time
from itertools import pairwise
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.domain.typed_text import as_key
from intake.models.clinic_time import MOST_SEATS, Clinician, Location, VisitType

Span = tuple[time, time]
_TIME = r"([0-9]{1,2})(?::([0-9]{2}))?\s*(am|pm)?"
_SPAN = re.compile(rf"{_TIME}\s*(?:-|to)\s*{_TIME}")
_DASHES = re.compile("[\u2010-\u2015]")


def read_spans(typed: str) -> list[Span]:
    """Read the hours of one day, such as "8-12, 13:00-17:30" or "8am to 5pm".

    Raises ValidationError for a text that is not understood, and for spans that overlap.
    """
    text = _DASHES.sub("-", as_key(typed)).casefold().replace("a.m.", "am").replace("p.m.", "pm")
    spans = []
    for part in filter(None, map(str.strip, re.split("[,;]", text))):
        try:
            spans.append(_span(part))
        except ValueError:
            sentence = _(
                "We do not understand “%(typed)s”. Write hours as 8:00-12:00, 13:00-17:00."
            )
            raise ValidationError(sentence % {"typed": part[:40]}) from None
    for (_start, end), (following, _end) in pairwise(spans):
        if end > following or end == time():
            raise ValidationError(_("Write the hours of a day in order, without overlap."))
    return spans


def _span(part: str) -> Span:
    found = _SPAN.fullmatch(part)
    if found is None:
        raise ValueError(part)
    hour, minute, half, *end = found.groups()
    return _time(hour, minute, half), _time(*end)


def _time(hour: str, minute: str | None, half: str | None) -> time:
    """Return a wall time. Raises ValueError for a time that no clock shows."""
    number = int(hour)
    if half:
        if not 1 <= number <= 12:
            raise ValueError(hour)
        number = number % 12 + 12 * (half == "pm")
    return time(0 if number == 24 else number, int(minute or 0))


class WeekForm(forms.Form):
    """The hours of one clinician at one location on each day of the week.

    `rows` makes the form of one span of hours, which checks it and stores it.
    """

    clinician = forms.ModelChoiceField(
        Clinician.objects.filter(is_active=True), label=gettext_lazy("Clinician")
    )
    location = forms.ModelChoiceField(
        Location.objects.filter(is_active=True), label=gettext_lazy("Location")
    )
    visit_types = forms.ModelMultipleChoiceField(
        VisitType.objects.filter(is_active=True),
        label=gettext_lazy("Visit types"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: all that the clinician does."),
    )
    capacity = forms.IntegerField(
        label=gettext_lazy("Patients at once"), min_value=1, max_value=MOST_SEATS, initial=1
    )
    valid_from, valid_until = (
        forms.DateField(
            label=label,
            required=False,
            widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        )
        for label in (gettext_lazy("Valid from"), gettext_lazy("Valid until"))
    )

    def __init__(self, data: Any = None, *, rows: Callable[[dict[str, Any]], Any]) -> None:
        super().__init__(data)
        self.rows, self.hours = rows, list[Any]()
        for number, words in WEEKDAYS.items():
            day: Any = forms.CharField(
                label=words,
                required=False,
                max_length=100,
                widget=forms.TextInput({"autocomplete": "off"}),
            )
            day.unmarked = True  # the hint above the days says that a day may be empty
            self.fields[f"day_{number}"] = day

    @property
    def day_fields(self) -> list[forms.BoundField]:
        return [self[f"day_{number}"] for number in WEEKDAYS]

    @property
    def shared_fields(self) -> list[forms.BoundField]:
        """The fields that hold for all days."""
        return [field for field in self if not field.name.startswith("day_")]

    def clean(self) -> dict[str, Any]:
        """Make one form for each span of hours, and show its errors beside the line of the day."""
        data = self.cleaned_data
        if self.errors:
            return data
        for number in WEEKDAYS:
            name = f"day_{number}"
            try:
                spans = read_spans(data[name])
            except ValidationError as error:
                self.add_error(name, error)
                continue
            for start, end in spans:
                form = self._hours(number, start, end)
                for sentence in (each for found in form.errors.values() for each in found):
                    self.add_error(name, cast(str, sentence))
                self.hours.append(form)
        if not self.hours and not self.errors:
            self.add_error("day_0", _("Write the hours of at least one day."))
        return data

    def _hours(self, weekday: int, start: time, end: time) -> Any:
        data = self.cleaned_data
        given = {
            **{name: data[name].pk for name in ("clinician", "location")},
            **{name: data[name] for name in ("capacity", "valid_from", "valid_until")},
            "visit_types": [kind.pk for kind in data["visit_types"]],
            "weekday": weekday,
            "starts": start,
            "ends": end,
        }
        return self.rows(given)
