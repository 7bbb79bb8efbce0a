"""The forms with which staff choose slots and overbook."""

from contextlib import suppress
from datetime import date, datetime, timedelta
from datetime import time as WallTime
from typing import Any, cast

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from intake.appointments.admin.times import Times
from intake.appointments.offers import MOST
from intake.domain import slots as domain
from intake.domain.wall_time import NoSuchTime, resolve_wall
from intake.forms.fields import LinesField
from intake.models.clinic_time import Clinician, Location, VisitType


def duration_words(hours: int) -> str:
    """Return a number of hours in words, or in days if the hours make whole days."""
    if hours % 24 == 0:
        return ngettext("%(n)s day", "%(n)s days", hours // 24) % {"n": hours // 24}
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def duration_choices() -> list[tuple[int, str]]:
    """Return the choices of how long an offer is held, as hours and words."""
    hours = sorted({4, 24, 48, 72, 168, settings.APPOINTMENT_OFFER_HOURS})
    return [(number, duration_words(number)) for number in hours]


class ChosenSlotsForm(forms.Form):
    """The visit type and the ticked slots. The service decides whether the slots are still free."""

    type = forms.ModelChoiceField(
        VisitType.objects.filter(is_active=True),
        error_messages={
            "required": gettext_lazy("Choose a visit type."),
            "invalid_choice": gettext_lazy("Choose a visit type."),
        },
    )
    # the value is a list of slot keys
    slot = forms.Field(
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose a time.")},
    )
    hours = forms.TypedChoiceField(coerce=int, required=False, empty_value=None)

    def __init__(self, data: QueryDict | None = None, *, one: bool = False) -> None:
        super().__init__(data)
        self.one = one
        cast(forms.ChoiceField, self.fields["hours"]).choices = duration_choices()

    def clean_slot(self) -> list[str]:
        keys = list(dict.fromkeys(self.cleaned_data["slot"]))
        if self.one and len(keys) > 1:
            raise forms.ValidationError(_("Choose only the one time that you agreed on."))
        if len(keys) > MOST:
            raise forms.ValidationError(_("Choose one to three times."))
        return keys


class OverbookForm(forms.Form):
    """A visit booked on purpose at a time that the hours or the seats do not allow.

    The typed time is in the location's time zone. When the clock changes and the time does not
    exist or exists twice, the form asks which moment is meant.
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
    day_again = forms.DateField(
        label=gettext_lazy("Type the day again"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Type the day again.")},
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
    reason = LinesField(
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
        cast(Any, self.fields["sure"]).legend = _("Overbooking")
        self._ask_for_moment()
        self._ask_for_day_again()

    def _ask_for_day_again(self) -> None:
        """Ask for the day twice, only when it is beyond the days that free times are shown for.

        A slip of the year looks like any other day, and nobody would look at that week.
        """
        last = timezone.localdate() + timedelta(days=settings.APPOINTMENT_HORIZON_DAYS)
        day = None
        if self.is_bound:
            with suppress(forms.ValidationError):
                day = self.fields["day"].clean(self.data.get("day"))
        if day is None or day <= last:
            del self.fields["day_again"]
            return
        self.fields["day_again"].help_text = _(
            "This day is beyond %(last)s, the last day for which free times are shown."
        ) % {"last": date_format(last, "DATE_FORMAT")}

    def clean_day_again(self) -> date:
        again: date = self.cleaned_data["day_again"]
        if "day" in self.cleaned_data and again != self.cleaned_data["day"]:
            raise forms.ValidationError(_("This is another day than the first one."))
        return again

    def _ask_for_moment(self) -> None:
        """Ask which moment is meant, only when the clock changes at the typed time."""
        self.trouble = self._trouble() if self.is_bound else None
        if self.trouble is None:
            del self.fields["moment"]
            return
        cast(forms.ChoiceField, self.fields["moment"]).choices = [
            (at.isoformat(), f"{date_format(at, 'TIME_FORMAT')} {at.tzname()}")
            for at in self.trouble.choices
        ]

    def _trouble(self) -> NoSuchTime | None:
        try:
            self._resolved(
                *(
                    self.fields[name].clean(self.data.get(name))
                    for name in ("location", "day", "time")
                )
            )
        except NoSuchTime as trouble:
            return trouble
        except (forms.ValidationError, OverflowError):
            pass
        return None

    def clean_day(self) -> date:
        day: date = self.cleaned_data["day"]
        if not domain.is_plausible_day(day):
            raise forms.ValidationError(_("Check the year."))
        return day

    def _resolved(self, location: Location, day: date, at: WallTime) -> datetime:
        wall = datetime.combine(day, at)
        return resolve_wall(wall, location.zone, name=location.time_zone)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if self.trouble is not None:
            if data.get("moment"):
                data["start"] = datetime.fromisoformat(data["moment"])
            elif "moment" not in self.errors:
                self.add_error("moment", self.trouble.message)
        elif data.get("location") and data.get("day") and data.get("time"):
            data["start"] = self._resolved(data["location"], data["day"], data["time"])
        return data
