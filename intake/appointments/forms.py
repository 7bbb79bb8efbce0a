"""The patient's form for a slot: free times to choose from, as radio buttons by day."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from intake.domain.slots import is_plausible_day
from intake.forms.base import WalkForm, refuse_repeated_controls
from intake.models.clinic_time import VisitType

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

CALL, WAIT = "call", "wait"  # choices of the form other than a slot


class DefaultedChoiceField(forms.ChoiceField):
    """Radio buttons with a default: a missing value means the default."""

    def validate(self, value: Any) -> None:
        if value:
            super().validate(value)


class TimesForm(WalkForm):
    """The form of the visit type, clinician, location, first day shown and chosen slot.

    Visit type, clinician and location are shown only if the patient has a choice. The service
    decides whether the slot is free, because the list may be out of date.
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
        self._choices: dict[str, list[tuple[str, StrOrPromise]]] = {}
        self.types = {str(kind.pk): kind for kind in types}
        first = {"visit": next(iter(self.types), "")}
        super().__init__(data=data, initial={**first, **(initial or {})})
        kinds: list[tuple[str, StrOrPromise]] = [
            (pk, _("%(title)s, %(minutes)s minutes") % {"title": t.title, "minutes": t.minutes})
            for pk, t in self.types.items()
        ]
        self._choice("visit", _("What kind of visit?"), kinds)
        self._choice("who", _("With whom?"), [("", _("Anybody")), *people])
        self._choice("where", _("Where?"), [("", _("Any place")), *places])
        self.fields["first"] = forms.DateField(required=False, widget=forms.HiddenInput)

    def _choice(
        self, name: str, label: "StrOrPromise", choices: list[tuple[str, "StrOrPromise"]]
    ) -> None:
        self._choices[name] = choices
        self.fields[name] = DefaultedChoiceField(
            label=label, choices=choices, widget=forms.RadioSelect
        )
        self.fields[name].error_messages["invalid_choice"] = _("Choose one of the answers shown.")

    def clean(self) -> dict[str, Any]:
        refuse_repeated_controls(self)
        return self.cleaned_data

    # --- what the page shows -------------------------------------------------------------------
    @property
    def filters(self) -> list[forms.BoundField]:
        """The fields that filter the list of free times, as far as they offer a choice."""
        least = {"visit": 1, "who": 2, "where": 2}
        return [self[name] for name, few in least.items() if len(self._choices[name]) > few]

    def value_of(self, name: str) -> str:
        """Return the patient's choice in a field, or '' for no choice or an unknown value."""
        value = str(self.data.get(name, "") if self.is_bound else self.initial.get(name) or "")
        known = {choice for choice, _label in self._choices[name]}
        return value if value in known else ""

    @property
    def visit_type(self) -> VisitType | None:
        """The visit type whose free times the list shows: the chosen type, else the first type."""
        return self.types.get(self.value_of("visit")) or next(iter(self.types.values()), None)

    @property
    def is_open(self) -> bool:
        """Whether to unfold the visit types: there are several, and the patient has chosen none."""
        return len(self.types) > 1 and not (self.is_bound and self.value_of("visit"))

    @property
    def first_day(self) -> date | None:
        """The first day that the list shows. None means the first day with a free time."""
        typed = self.data.get("first", "") if self.is_bound else ""
        try:
            day = date.fromisoformat(typed[:10])
        except ValueError:
            return None
        return day if is_plausible_day(day) else None

    @property
    def chosen(self) -> str:
        """The key of the chosen slot, or '' when no slot is chosen."""
        return str(self.data.get("slot", "") if self.is_bound else self.initial.get("slot") or "")
