"""The admin forms of clinic time. They ask before a change that affects booked visits."""

from datetime import date, datetime, timedelta, tzinfo
from typing import Any, TypeVar

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.appointments import clinic_time
from intake.appointments.admin.affected import AskingForm
from intake.domain import slots as domain
from intake.domain import wall_time
from intake.models.appointments import Appointment
from intake.models.clinic_time import Clinician, Closure, Location, OpeningHours
from intake.models.rota import Leave
from intake.ways import broken_promises
from intake.ways.broken_promises import Broken
from intake.wording.people import person_words

LONGEST = timedelta(days=366)  # a longer closure is a slip of the year
InUse = TypeVar("InUse", Clinician, Location)


class InUseForm(AskingForm[InUse]):
    """The form of a clinician or location. Asks before a row with booked visits goes out of use."""

    def find_affected(self) -> list[Appointment]:
        ends = "is_active" in self.changed_data and not self.instance.is_active
        return clinic_time.visits_to_come(row=self.instance) if ends else []


class LocationForm(InUseForm[Location]):
    """The form of a location. The zone cannot change while visits are booked at the location."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding and "time_zone" in self.fields:
            self.fields["time_zone"].initial = timezone.get_default_timezone_name()

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        row = self.instance
        moved = not row._state.adding and zone != row.time_zone
        if moved and clinic_time.visits_to_come(row=row):
            raise ValidationError(
                _("Visits are booked here: in another zone they would be at other times.")
            )
        return zone

    def find_broken(self) -> list[Broken]:
        moves = clinic_time.HOURS & set(self.changed_data)
        return broken_promises.broken_by(self.instance) if moves else []


class HoursForm(AskingForm[OpeningHours]):
    """The form of opening hours. Refuses hours that overlap other hours of the same clinician."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        needed = ("clinician", "location", "weekday", "starts", "ends")
        if any(data.get(name) is None for name in needed):
            return data
        new = OpeningHours(
            **{name: data[name] for name in needed},
            valid_from=data.get("valid_from"),
            valid_until=data.get("valid_until"),
        )
        other = clinic_time.overlapping(
            hours=new, visit_types=data.get("visit_types", ()), besides=self.instance.pk
        )
        if other:
            self.add_error(
                "starts",
                _("%(who)s has hours then already: %(hours)s, %(place)s. End those first.")
                % {"who": data["clinician"], "hours": other, "place": other.location},
            )
        return data

    def find_affected(self) -> list[Appointment]:
        stored = OpeningHours.objects.filter(pk=self.instance.pk).first()
        if stored is None:
            return []
        kinds = self.cleaned_data["visit_types"]
        return clinic_time.visits_without_hours(
            hours=stored, instead=self.instance, visit_types=kinds
        )


class PersonField(forms.ModelChoiceField[User]):
    """Choose a person, of a queryset `with_leave`. The choice says when the person is on leave.

    A person who is on leave now can be on call later, so the form refuses only a time in the leave.
    """

    def label_from_instance(self, obj: Any) -> str:
        name = person_words(obj)
        if obj.leave_from is None:
            return name
        return _("%(name)s (on leave from %(first)s to %(last)s)") % {
            "name": name,
            "first": date_format(obj.leave_from, "DATE_FORMAT"),
            "last": date_format(obj.leave_until, "DATE_FORMAT"),
        }


class WallTimeField(forms.DateTimeField):
    """A date and time without a zone, as typed. ClosureForm adds the zone of the location."""

    widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def prepare_value(self, value: Any) -> Any:
        return value

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return datetime.fromisoformat(str(value).strip()).replace(tzinfo=None)
        except ValueError:
            raise ValidationError(_("Enter a day and a time."), code="invalid") from None


def closure_zone(location: Location | None) -> tzinfo:
    """Return the zone of a closure's days and times: the location's, or else the clinic's."""
    return location.zone if location else timezone.get_default_timezone()


class ClosureForm(AskingForm[Closure]):
    """A closure of whole days or between two moments: of a clinician, a location, or the clinic."""

    starts_at = WallTimeField(label=gettext_lazy("From"), required=False)
    ends_at = WallTimeField(label=gettext_lazy("Until"), required=False)

    class Meta:
        help_texts = {
            "clinician": gettext_lazy("Leave empty for all clinicians."),
            "location": gettext_lazy("Leave empty for all locations."),
            "on_call": gettext_lazy(
                "Gets the alerts about red flags while the clinic is closed. With nobody on call, "
                "pages tell patients that nobody reads before you open."
            ),
            "first_day": gettext_lazy("Whole days, or the two times below for part of a day."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        show_wall_times(self)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        read_wall_times(self, data)
        days = data.get("first_day"), data.get("last_day")
        if days[0] and not days[1] and not data.get("ends_at"):
            data["last_day"] = days[0]
        self._check_on_call(data)
        self._check_length(data)
        return data

    def _check_on_call(self, data: dict[str, Any]) -> None:
        """Refuse a person on call for one clinician's closure, and one without an address."""
        if not (user := data.get("on_call")):
            return
        if data.get("clinician"):
            self.add_error(
                "on_call", _("A closure of one clinician closes no place, so nobody is on call.")
            )
        elif not user.email:
            self.add_error("on_call", _("This account has no e-mail address for the alerts."))
        elif away := self._leave_of(user, data):
            self.add_error("on_call", leave_words(away))

    def _leave_of(self, user: User, data: dict[str, Any]) -> Leave | None:
        """Return a leave of the person on call that touches the closure."""
        zone = closure_zone(data.get("location"))
        first = data.get("first_day") or _day(data.get("starts_at"), zone)
        last = data.get("last_day") or _day(data.get("ends_at"), zone)
        if not (first and last):
            return None
        return Leave.objects.filter(person=user).touching(first, last).first()

    def _check_length(self, data: dict[str, Any]) -> None:
        for first, last in (("first_day", "last_day"), ("starts_at", "ends_at")):
            begin, end = data.get(first), data.get(last)
            if begin and end and not data.get("clinician") and end - begin > LONGEST:
                self.add_error(
                    last,
                    _(
                        "A closure lasts a year at most. Take a location that closes for good out "
                        "of use instead."
                    ),
                )

    def find_affected(self) -> list[Appointment]:
        return clinic_time.visits_in_closure(
            closure=self.instance, zone=closure_zone(self.instance.location)
        )

    def find_broken(self) -> list[Broken]:
        return broken_promises.broken_by(self.instance)


def show_wall_times(form: forms.ModelForm[Any]) -> None:
    """Fill in the two moments of a stored row by the clock of its location."""
    row = form.instance
    zone = closure_zone(row.location if row.location_id else None)
    for name in ("starts_at", "ends_at"):
        if at := getattr(row, name):
            form.initial[name] = at.astimezone(zone).replace(tzinfo=None)


def read_wall_times(form: forms.ModelForm[Any], data: dict[str, Any]) -> None:
    """Give the two typed moments the zone of the location. Adds an error for a strange year."""
    for name in ("first_day", "last_day", "starts_at", "ends_at"):
        if data.get(name) and not domain.is_plausible_day(data[name]):
            form.add_error(name, _("Check the year."))
    zone = closure_zone(data.get("location"))
    for name, last in (("starts_at", False), ("ends_at", True)):
        if data.get(name):
            data[name] = _moment(data[name], zone, last=last)


def leave_words(leave: Leave) -> str:
    """Say that a person cannot be on call because of a leave."""
    return _("This person is on leave from %(first)s to %(last)s. Name another person.") % {
        "first": date_format(leave.first_day, "DATE_FORMAT"),
        "last": date_format(leave.last_day, "DATE_FORMAT"),
    }


def _day(at: datetime | None, zone: tzinfo) -> date | None:
    return at.astimezone(zone).date() if at else None


def _moment(wall: datetime, zone: tzinfo, *, last: bool) -> datetime:
    """Return the moment of a wall time.

    When the clock changes at this time, there are two choices. Returns the choice that makes the
    closure longer.
    """
    try:
        return wall_time.resolve_wall(wall, zone)
    except wall_time.NoSuchTime as trouble:
        return trouble.choices[-1 if last else 0]
