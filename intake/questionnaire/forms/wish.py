"""The form of the wish: the kind of visit, and up to three wishes for time, place and clinician."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intake.forms.base import WalkForm, refuse_repeated_controls
from intake.forms.fields import Date3Field, Date3Widget
from intake.models.appointments import Day, TimeOfDay, WishedVisit
from intake.wording.moments import moment_words
from intake.wording.reading import date_words

MOST = 3
ANY = "any"
PARTS = ("place", "clinician", "days", "times")  # the parts of one wish
NUMBERED = (_("First wish"), _("Second wish"), _("Third wish"))


@dataclass(frozen=True)
class Choices:
    """The places (names) and clinicians (id, name) that the form offers.

    A field with a single entry is not shown, because there is nothing to choose.
    """

    places: tuple[str, ...] = ()
    clinicians: tuple[tuple[str, str], ...] = ()

    @classmethod
    def typed(cls, posted: QueryDict) -> "Choices":
        """Return the places that the settings and the posted form name.

        With these places the form can be shown again while the database is down.
        """
        sent = (posted.get(f"place{suffix(n)}", "")[:80] for n in range(MOST))
        chosen = (place for place in sent if place not in ("", ANY))
        return cls(tuple(dict.fromkeys((*settings.CLINIC_PLACES, *chosen))))


def suffix(number: int) -> str:
    """Return how the field names of the first, second and third wish end: '', '_2', '_3'."""
    return f"_{number + 1}" if number else ""


class WishForm(WalkForm):
    """The form of the appointment that a patient wishes for.

    Wishes stand in a folded part. A patient who fills in none gets the first free time, and no wish
    is stored. A button adds a second and a third wish. An empty wish is not stored.
    """

    STORED: ClassVar = {
        "visit_type": _("Kind of visit"),
        "wishes": _("When"),
        "earliest": _("Not before"),
    }
    """The parts of a stored wish, each with its label."""

    visit_type = forms.ChoiceField(
        label=_("What kind of visit would you like?"),
        choices=WishedVisit.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one answer.")},
    )
    earliest = Date3Field(
        label=_("Not before this date"),
        help_text=_("Leave empty for the first free date."),
        required=False,
    )
    wishes = forms.IntegerField(
        min_value=1, max_value=MOST, initial=1, required=False, widget=forms.HiddenInput
    )

    def __init__(
        self,
        *,
        choices: Choices,
        data: QueryDict | None = None,
        initial: Mapping[str, Any] | None = None,
    ):
        super().__init__(data=data, initial=dict(initial or {}))
        self.choices = choices
        given = str((self.data if self.is_bound else self.initial).get("wishes"))
        self.count = int(given) if given in ("2", "3") else 1
        for number in range(self.count):
            self._add(number)
        for name, field in self.fields.items():
            if isinstance(field, forms.ChoiceField) and name != "wishes":
                field.error_messages["invalid_choice"] = _("Choose one of the answers shown.")

    def _add(self, number: int) -> None:
        end = suffix(number)
        if len(self.choices.places) > 1:
            self.fields[f"place{end}"] = forms.ChoiceField(
                label=_("Where?"),
                choices=[*((p, p) for p in self.choices.places), (ANY, _("Any of them"))],
                widget=forms.RadioSelect,
                required=False,
            )
        if len(self.choices.clinicians) > 1:
            self.fields[f"clinician{end}"] = forms.ChoiceField(
                label=_("With whom?"),
                choices=[*self.choices.clinicians, (ANY, _("Anybody"))],
                widget=forms.RadioSelect,
                required=False,
            )
        self.fields[f"days{end}"] = forms.MultipleChoiceField(
            label=_("Which days suit you?"),
            help_text=_("Leave empty for any day."),
            choices=Day.choices,
            widget=forms.CheckboxSelectMultiple,
            required=False,
        )
        self.fields[f"times{end}"] = forms.MultipleChoiceField(
            label=_("Which times of day suit you?"),
            help_text=_("Leave empty for any time."),
            choices=TimeOfDay.choices,
            widget=forms.CheckboxSelectMultiple,
            required=False,
        )

    # --- as the page shows it ------------------------------------------------------------------
    @property
    def blocks(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The heading and the fields of each wish. The heading of a single wish is ''."""
        return [
            (
                str(NUMBERED[number]) if self.count > 1 else "",
                [self[part + suffix(number)] for part in self._parts(number)],
            )
            for number in range(self.count)
        ]

    @property
    def is_unfolded(self) -> bool:
        """Whether the wishes are shown open, because one is filled in, wrong or added."""
        fields = [self["earliest"], *(field for _heading, some in self.blocks for field in some)]
        return self.count > 1 or any(field.errors or _is_given(field.value()) for field in fields)

    @property
    def may_add(self) -> bool:
        return self.count < MOST

    def _parts(self, number: int) -> list[str]:
        return [part for part in PARTS if part + suffix(number) in self.fields]

    @classmethod
    def with_one_more(cls, posted: QueryDict, choices: Choices) -> QueryDict:
        """Return what was posted, with room for one more wish."""
        data = posted.copy()
        before = cls(choices=choices, data=posted).count
        data["wishes"] = str(min(before + 1, MOST))
        return data

    # --- judging -------------------------------------------------------------------------------
    def clean_earliest(self) -> date | None:
        earliest: date | None = self.cleaned_data["earliest"]
        today = timezone.localdate()
        if earliest and earliest < today:
            raise forms.ValidationError(_("This date is in the past. Choose a later one."))
        if earliest and earliest > today + timedelta(days=365):
            raise forms.ValidationError(_("Choose a date within the next 12 months."))
        return earliest

    def clean(self) -> dict[str, Any]:
        refuse_repeated_controls(self)
        return self.cleaned_data

    def wish(self) -> dict[str, Any]:
        """Return the wish as JSON data, in the form in which a draft stores it."""
        data = self.cleaned_data
        return {
            "visit_type": data["visit_type"],
            "earliest": data["earliest"].isoformat() if data["earliest"] else None,
            "wishes": [self._one(n) for n in range(self.count) if self._is_wished(n)],
        }

    def _is_wished(self, number: int) -> bool:
        """Whether the patient chose anything for this wish. "Any" is no choice."""
        parts = (self.cleaned_data.get(part + suffix(number)) for part in PARTS)
        return any(part and part != ANY for part in parts)

    def _one(self, number: int) -> dict[str, Any]:
        data, end = self.cleaned_data, suffix(number)
        place = data.get(f"place{end}") or ""
        if len(self.choices.places) == 1:
            place = self.choices.places[0]
        clinician = data.get(f"clinician{end}") or ""
        in_person = data["visit_type"] == WishedVisit.IN_PERSON
        return {
            "place": place if in_person and place != ANY else "",
            "clinician": clinician if clinician != ANY else "",
            # the clinician's name, so that the wish can be shown without a query
            "with": dict(self.choices.clinicians).get(clinician, ""),
            "days": data[f"days{end}"],
            "times": data[f"times{end}"],
        }

    @staticmethod
    def initial_of(wish: Mapping[str, Any]) -> dict[str, Any]:
        """Return the initial values for a patient who comes back to the form."""
        if "visit_type" not in wish or "chosen" in wish:
            return {}
        earliest, wishes = wish.get("earliest"), wishes_of(wish)
        found: dict[str, Any] = {
            "visit_type": wish["visit_type"],
            "earliest": date.fromisoformat(earliest) if earliest else None,
            "wishes": max(1, len(wishes)),
        }
        for number, one in enumerate(wishes):
            for part in PARTS:
                found[part + suffix(number)] = one.get(part) or ""
        return found

    def post_part(self, posted: QueryDict, part: str) -> None:
        """Put a part of the initial wish into `posted`, as the form would post it."""
        if part == "earliest":
            numbers = Date3Widget().decompress(self.initial.get(part))
            for control, number in zip(self.controls_of_field(part), numbers, strict=True):
                posted[control] = str(number or "")
            return
        own = {part} if part == "visit_type" else {*self.fields} - {"visit_type", "earliest"}
        for name in list(posted):
            if name == part or (part == "wishes" and name.split("_")[0] in PARTS):
                del posted[name]
        for name in own:
            if value := self.initial.get(name):
                posted.setlist(name, value if isinstance(value, list) else [str(value)])

    @staticmethod
    def part_in_words(part: str, value: Any) -> str:
        """Return a part of a wish in words, on one line."""
        if part == "visit_type":
            return str(WishedVisit(value).label)
        if part == "earliest":
            return date_words(value) if value else gettext("Any")
        if not value:
            return gettext("The first free time")
        return "; ".join(
            ", ".join(f"{label}: {', '.join(values)}" for label, values in _rows(one))
            for one in value
        )

    @staticmethod
    def in_words(wish: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
        """Return the wish in words, as pairs of label and values, for the check page."""
        if not wish:
            return []
        wishes = wishes_of(wish)
        if chosen := wish.get("chosen"):
            return [
                (gettext("Your time"), [chosen_words(chosen)]),
                (gettext("Visit"), [chosen["title"], *filter(None, [chosen["place"]])]),
            ]
        if wish.get("waitlist"):
            rows = [(gettext("When"), [gettext("When a time becomes free: on the waiting list")])]
        elif not wishes:
            rows = [(gettext("When"), [gettext("The first free time")])]
        elif len(wishes) == 1:
            rows = _rows(wishes[0])
        else:
            rows = [
                (
                    str(NUMBERED[n]),
                    [f"{label}: {', '.join(values)}" for label, values in _rows(one)],
                )
                for n, one in enumerate(wishes)
            ]
        earliest = wish.get("earliest")
        return [
            (gettext("Kind of visit"), [str(WishedVisit(wish["visit_type"]).label)]),
            *rows,
            *([(gettext("Not before"), [date_words(earliest)])] if earliest else []),
        ]


def wishes_of(wish: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the list of wishes. A draft of an earlier release has one wish instead of a list."""
    return wish["wishes"][:MOST] if "wishes" in wish else [wish]


def chosen_words(chosen: Mapping[str, str]) -> str:
    """Return in words the time that the patient has chosen and that is held."""
    start = datetime.fromisoformat(chosen["start"]).astimezone(ZoneInfo(chosen["zone"]))
    return moment_words(start, chosen["zone"])


def _is_given(value: Any) -> bool:
    """Whether the value of a field, or of one of its controls, is not empty."""
    return any(value) if isinstance(value, list | tuple) else bool(value)


def _rows(one: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """Return one wish in words, as pairs of label and values."""
    any_of = [gettext("Any")]
    return [
        *([(gettext("Place"), [one["place"]])] if one.get("place") else []),
        *([(gettext("With"), [one["with"]])] if one.get("with") else []),
        (gettext("Days"), [str(Day(day).label) for day in one.get("days", ())] or any_of),
        (gettext("Times"), [str(TimeOfDay(t).label) for t in one.get("times", ())] or any_of),
    ]
