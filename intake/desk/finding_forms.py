"""The form in which a clinician records a finding. Its fields follow the scale."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.desk.findings import LEGS, FindingInput
from intake.domain.findings import ALSO, Part, Scale
from intake.domain.typed_text import as_key
from intake.models.findings import Finding

EARLIEST = date(1990, 1, 1)
TAKE_BACK = "take_back"


class NumberField(forms.CharField):
    """A number of a scale. The form refuses an empty box, because a tick can take its place."""

    unmarked = True  # as optional

    def __init__(self, part: Part) -> None:
        super().__init__(
            label=part.label,
            help_text=span_words(part).capitalize(),
            required=False,
            widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off", "size": 6}),
        )


class InsteadField(forms.BooleanField):
    """The box that takes the place of a number."""

    legend = gettext_lazy("Or")


class FindingForm(forms.Form):
    """A finding of one scale. With `wrong`, the form corrects this earlier finding."""

    def __init__(self, *, scale: Scale, wrong: Finding | None = None, data: Any = None) -> None:
        self.scale, self.wrong = scale, wrong
        known = wrong.content if wrong else {}
        initial = {"on": timezone.localdate(), **_initial(scale, known)}
        super().__init__(data=data, initial=initial, auto_id="finding_%s")
        if scale.legs:
            self.fields["leg"] = forms.ChoiceField(
                label=_("Which leg"),
                choices=[(code, str(words).capitalize()) for code, words in LEGS.items()],
                widget=forms.RadioSelect,
                error_messages={"required": _("Choose the leg.")},
            )
        for part in scale.parts:
            self.fields |= dict(_fields_of(part))
        self.fields["on"] = forms.DateField(
            label=_("Day of the examination"),
            widget=forms.DateInput({"type": "date"}),
            error_messages={
                "required": _("Enter the day of the examination."),
                "invalid": _("Enter the day as year-month-day, such as 2026-11-30."),
            },
        )
        self.fields["note"] = forms.CharField(
            label=_("Note (optional)"), required=False, widget=forms.Textarea({"rows": 2})
        )
        if wrong:
            self.fields[TAKE_BACK] = forms.BooleanField(
                label=_("It was entered by mistake: there is no such finding"), required=False
            )

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        if on > timezone.localdate():
            raise forms.ValidationError(_("This day is in the future. Check the year."))
        if on < EARLIEST:
            raise forms.ValidationError(_("This day is too long ago. Check the year."))
        return on

    def clean_note(self) -> str:
        note: str = self.cleaned_data["note"]
        if len(note) > 500:
            raise forms.ValidationError(
                _("The note has %(n)s letters; at most 500 can be stored.") % {"n": len(note)}
            )
        return note

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get(TAKE_BACK):  # then nothing else has to be right
            for name in [name for name in self.errors if name != "note"]:
                del self.errors[name]
            return data
        for part in self.scale.parts:
            if not part.options and part.id not in self.errors:
                self._clean_number(part)
        return data

    def _clean_number(self, part: Part) -> None:
        """Read the number of a part, or the box in its place."""
        typed, ticked = self.cleaned_data[part.id], self.cleaned_data.get(_box(part), False)
        if ticked and typed:
            self.add_error(part.id, _("Enter a number, or tick the box, not both."))
        elif ticked:
            self.cleaned_data[part.id] = ALSO
        elif not typed:
            self.add_error(part.id, _("Enter a number %(span)s.") % {"span": span_words(part)})
        else:
            try:
                self.cleaned_data[part.id] = str(number_of(part, typed))
            except ValueError:
                said = _("“%(typed)s” is no number %(span)s.")
                self.add_error(part.id, said % {"typed": typed[:20], "span": span_words(part)})

    def given(self) -> FindingInput:
        """Return the finding that the clinician entered. The form must be valid."""
        data, wrong = self.cleaned_data, self.wrong
        if wrong and data.get(TAKE_BACK):
            known = wrong.content
            on = date.fromisoformat(known["on"])
            return FindingInput(
                scale=self.scale.id, leg=known["leg"], on=on, value={}, note=data["note"]
            )
        return FindingInput(
            scale=self.scale.id,
            leg=data.get("leg", ""),
            on=data["on"],
            value={part.id: data[part.id] for part in self.scale.parts if data[part.id]},
            note=data["note"],
        )


def span_words(part: Part) -> str:
    """Say which numbers a part takes: 'from 0 to 30', 'from 0.00 to 3.00'."""
    low, high = (f"{each:.{part.places}f}" for each in (part.low, part.high))
    return _("from %(low)s to %(high)s") % {"low": low, "high": high}


def number_of(part: Part, typed: str) -> Decimal:
    """Read a typed number; a comma counts as the point. Raises ValueError for any other number."""
    try:
        number = Decimal(as_key(typed).strip().replace(",", "."))
    except InvalidOperation:
        raise ValueError(typed) from None
    if not number.is_finite() or not part.low <= number <= part.high:
        raise ValueError(typed)
    step = Decimal(1).scaleb(-part.places)
    if number != number.quantize(step):
        raise ValueError(typed)
    return number.quantize(step)


def _fields_of(part: Part) -> Iterator[tuple[str, forms.Field]]:
    choices = [(option.code, option.label) for option in part.options]
    common: dict[str, Any] = {"label": part.label, "required": part.required}
    missing = {"required": _("Choose what was found.")}
    if part.several:
        box = forms.CheckboxSelectMultiple
        yield (
            part.id,
            forms.MultipleChoiceField(
                choices=choices, widget=box, error_messages=missing, **common
            ),
        )
    elif part.options:
        choices = [("", _("Choose")), *choices]
        yield part.id, forms.ChoiceField(choices=choices, error_messages=missing, **common)
    else:
        yield part.id, NumberField(part)
        if part.also:
            yield _box(part), InsteadField(label=part.also.capitalize(), required=False)


def _box(part: Part) -> str:
    return f"{part.id}-{ALSO}"


def _initial(scale: Scale, known: dict[str, Any]) -> dict[str, Any]:
    if not known:
        return {}
    value = known["value"]
    boxes = {_box(part): True for part in scale.parts if value.get(part.id) == ALSO}
    numbers = {name: each for name, each in value.items() if each != ALSO}
    return {"leg": known["leg"], "on": known["on"], "note": known["note"], **numbers, **boxes}
