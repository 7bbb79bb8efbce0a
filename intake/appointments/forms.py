"""Real free times to choose from, as radio buttons by day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from intake.domain.slots import is_plausible_day
from intake.forms.base import WalkForm, refuse_repeated_controls
from intake.models.clinic_time import VisitType

CALL, WAIT = "call", "wait"  # instead of a time


@dataclass(frozen=True)
class Option:
    """A radio button of the list."""

    value: str
    label: str


class Ticked(forms.ChoiceField):
    """Radio buttons of which one is always ticked: nothing sent is as good as that one."""

    def validate(self, value: Any) -> None:
        if value:
            super().validate(value)


class TimesForm(WalkForm):
    """What sort of visit, with whom, where, from which day on, and the time chosen.

    The first three are shown where there is a choice. Whether a time can be had is the service's
    to say: the list may be older than the book.
    """

    slot = forms.CharField(
        max_length=100,
        required=False,
        error_messages={"max_length": _("Choose one of the answers shown.")},
    )

    def __init__(
        self,
        *,
        types: Iterable[VisitType],
        people: Iterable[tuple[str, str]],
        places: Iterable[tuple[str, str]],
        data: QueryDict | None = None,
        initial: Mapping[str, Any] | None = None,
    ):
        self.types = {str(kind.pk): kind for kind in types}
        first = {"visit": next(iter(self.types), "")}
        super().__init__(data=data, initial={**first, **(initial or {})})
        kinds = [
            (pk, _("%(title)s, %(minutes)s minutes") % {"title": t.title, "minutes": t.minutes})
            for pk, t in self.types.items()
        ]
        self._choice("visit", _("What kind of visit?"), kinds)
        self._choice("who", _("With whom?"), [("", _("Anybody")), *people])
        self._choice("where", _("Where?"), [("", _("Any place")), *places])
        self.fields["first"] = forms.DateField(required=False, widget=forms.HiddenInput)

    def _choice(self, name: str, label: Any, choices: list[tuple[str, Any]]) -> None:
        self.fields[name] = Ticked(label=label, choices=choices, widget=forms.RadioSelect)
        self.fields[name].error_messages["invalid_choice"] = _("Choose one of the answers shown.")

    def clean(self) -> dict[str, Any]:
        refuse_repeated_controls(self)
        return self.cleaned_data

    # --- what is shown -------------------------------------------------------------------------
    @property
    def filters(self) -> list[forms.BoundField]:
        """The fields that choose what the list shows, where there is a choice."""
        least = {"visit": 1, "who": 2, "where": 2}
        return [self[name] for name, few in least.items() if len(self.fields[name].choices) > few]

    def said(self, name: str) -> str:
        """What was chosen of a field, '' for nothing or nonsense."""
        value = str(self.data.get(name, "") if self.is_bound else self.initial.get(name) or "")
        known = {str(choice) for choice, _label in self.fields[name].choices}
        return value if value in known else ""

    @property
    def visit_type(self) -> VisitType | None:
        """The sort of visit that the list is for: the first one until another is chosen."""
        return self.types.get(self.said("visit")) or next(iter(self.types.values()), None)

    @property
    def is_open(self) -> bool:
        """Whether the choice of visits is shown at once: with several, until one is chosen."""
        return len(self.types) > 1 and not (self.is_bound and self.said("visit"))

    @property
    def first_day(self) -> date | None:
        typed = self.data.get("first", "") if self.is_bound else ""
        try:
            day = date.fromisoformat(typed[:10])
        except ValueError:
            return None
        return day if is_plausible_day(day) else None

    @property
    def chosen(self) -> str:
        return str(self.data.get("slot", "") if self.is_bound else self.initial.get("slot") or "")
