"""Clinic time: where, who, what, when. Kept by the front desk; none of it is of a patient.

The forms are the admin's own, without its scripts. Storing goes through services.clinic_time, which
records it.
"""

from datetime import datetime, tzinfo
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import FindAdmin, FixedFilter
from intake.appointments import clinic_time
from intake.appointments.admin.affected import AffectedVisits, AskingForm, with_words
from intake.appointments.admin.choosing import time_words
from intake.appointments.admin.filters import ClinicianFilter, LocationFilter
from intake.domain import slots as domain
from intake.models.appointments import Appointment
from intake.models.clinic_time import Clinician, Closure, Location, OpeningHours, VisitType

PLACES = [
    ("openinghours", gettext_lazy("Opening hours")),
    ("closure", gettext_lazy("Closures and holidays")),
    ("clinician", gettext_lazy("Clinicians")),
    ("visittype", gettext_lazy("Visit types")),
    ("location", gettext_lazy("Locations")),
]
"""The lists of clinic time, in the order of how often they are changed."""


class ClinicTimeAdmin(AffectedVisits, FindAdmin):
    """What the five lists share: no lookups but our filters, no scripts, services alone write."""

    actions = None
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 100
    sortable_by: list[str] = []
    change_form_template = "admin/intake/time/change_form.html"
    change_list_template = "admin/intake/time/change_list.html"
    delete_confirmation_template = "admin/intake/time/delete_confirmation.html"
    formfield_overrides = {
        models.DateField: {"widget": forms.DateInput({"type": "date"}, format="%Y-%m-%d")},
        models.TimeField: {"widget": forms.TimeInput({"type": "time"}, format="%H:%M")},
    }

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Not a place of work of its own: the head of each page leads here."""
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in {fixed.parameter_name for fixed in self.list_filter}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Visits are booked with it: it is put out of use, not deleted."""
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        places = [(name, text, reverse(f"admin:intake_{name}_changelist")) for name, text in PLACES]
        title = dict(PLACES)[self.opts.model_name]
        context = {"title": title, "places": places, **(extra_context or {})}
        return super().changelist_view(request, context)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kw: Any) -> Any:
        """Plain choices, without the admin's buttons that open another window."""
        field = super().formfield_for_dbfield(db_field, request, **kw)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kw: Any) -> Any:
        return super().formfield_for_manytomany(
            db_field, request, widget=forms.CheckboxSelectMultiple, **kw
        )

    # --- through the services --------------------------------------------------------------------
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Stored with its links, below."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        many = {field.name for field in self.opts.many_to_many}
        own = {field.name for field in self.opts.get_fields()}
        clinic_time.save_clinic_time(
            row=form.instance,
            links={name: rows for name, rows in form.cleaned_data.items() if name in many},
            fields=set(form.changed_data) & own,
            by=request.user,
            request_id=request.request_id,
        )
        self.tell(request, getattr(form, "affected", ()))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        clinic_time.remove_clinic_time(row=obj, by=request.user, request_id=request.request_id)

    def log_addition(self, *args: Any) -> None:
        """The audit trail says it, and says more."""

    log_change = log_addition
    log_deletions = log_addition

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kw: Any) -> Any:
        """The audit trail holds the history."""
        return self.change_view(request, object_id)


class InUseForm(AskingForm):
    """Of somebody or somewhere with visits to come, who may be put out of use."""

    def look(self) -> list[Appointment]:
        ends = "is_active" in self.changed_data and not self.instance.is_active
        return clinic_time.visits_to_come(row=self.instance) if ends else []


@admin.register(Location)
class LocationAdmin(ClinicTimeAdmin):
    list_display = ["name", "time_zone", "phone", "is_active"]
    fields = ["name", "address", "time_zone", "directions", "phone", "is_active"]

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_form(request, obj, form=LocationForm, **kwargs)


class LocationForm(InUseForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding and "time_zone" in self.fields:
            self.fields["time_zone"].initial = timezone.get_default_timezone_name()

    def clean_time_zone(self) -> str:
        zone = self.cleaned_data["time_zone"]
        row = self.instance
        moved = not row._state.adding and zone != row.time_zone
        if moved and clinic_time.visits_to_come(row=row):
            raise ValidationError(
                _("Visits are booked here: in another zone they would be at other times.")
            )
        return zone


@admin.register(Clinician)
class ClinicianAdmin(ClinicTimeAdmin):
    list_display = ["name", "user", "is_active"]
    list_select_related = ["user"]
    form = InUseForm
    fields = ["name", "user", "is_active"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kw: Any) -> Any:
        people = get_user_model().objects.filter(
            Q(groups__permissions__codename="view_submission"), is_active=True
        )
        field = super().formfield_for_foreignkey(
            db_field, request, queryset=people.distinct().order_by("username"), **kw
        )
        field.help_text = _("Whoever signs in with it sees this clinician’s appointments.")
        return field


@admin.register(VisitType)
class VisitTypeAdmin(ClinicTimeAdmin):
    list_display = ["title", "kind", "minutes", "with_whom", "is_active"]
    fields = ["title", "kind", "minutes", "clinicians", "is_active"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[VisitType]:
        return super().get_queryset(request).prefetch_related("clinicians")

    @admin.display(description=gettext_lazy("Clinicians"))
    def with_whom(self, row: VisitType) -> str:
        return ", ".join(who.name for who in row.clinicians.all()) or "–"


class ValidityFilter(FixedFilter):
    title = gettext_lazy("valid")
    parameter_name = "valid"
    options = [("all", gettext_lazy("Past ones, too"))]

    def choices(self, changelist: Any) -> Any:
        for number, choice in enumerate(super().choices(changelist)):
            yield choice if number else {**choice, "display": _("Now and to come")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        past = Q(valid_until__lt=timezone.localdate())
        return queryset if self.value() == "all" else queryset.exclude(past)


class HoursForm(AskingForm):
    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        wanted = ("clinician", "location", "weekday", "starts", "ends")
        if any(data.get(name) is None for name in wanted):
            return data
        new = OpeningHours(
            **{name: data[name] for name in wanted},
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

    def look(self) -> list[Appointment]:
        stored = OpeningHours.objects.filter(pk=self.instance.pk).first()
        if stored is None:
            return []
        kinds = self.cleaned_data["visit_types"]
        return clinic_time.visits_without_hours(
            hours=stored, instead=self.instance, visit_types=kinds
        )


@admin.register(OpeningHours)
class OpeningHoursAdmin(ClinicTimeAdmin):
    list_display = ["hours", "clinician", "location", "types", "validity", "capacity"]
    list_display_links = ["hours"]
    list_filter = [ClinicianFilter, LocationFilter, ValidityFilter]
    list_select_related = ["clinician", "location"]
    form = HoursForm
    ordering = ["clinician__name", "weekday", "starts"]
    fields = [
        "clinician", "location", "weekday", "starts", "ends", "valid_from", "valid_until",
        "capacity", "visit_types",
    ]  # fmt: skip

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("intake.delete_openinghours")

    def render_delete_form(self, request: HttpRequest, context: Any) -> Any:
        visits = clinic_time.visits_without_hours(hours=context["object"])
        context |= {"affected": with_words(visits)}
        return self.recorded(request, super().render_delete_form(request, context), visits)

    def delete_model(self, request: HttpRequest, obj: OpeningHours) -> None:
        visits = clinic_time.visits_without_hours(hours=obj)
        super().delete_model(request, obj)
        self.tell(request, visits)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpeningHours]:
        return super().get_queryset(request).prefetch_related("visit_types")

    @admin.display(description=gettext_lazy("Hours"))
    def hours(self, row: OpeningHours) -> str:
        return _("%(day)s, %(from)s to %(to)s") % {
            "day": row.get_weekday_display(),
            "from": date_format(row.starts, "TIME_FORMAT"),
            "to": date_format(row.ends, "TIME_FORMAT"),
        }

    @admin.display(description=gettext_lazy("Visit types"))
    def types(self, row: OpeningHours) -> str:
        return ", ".join(kind.title for kind in row.visit_types.all()) or _("all")

    @admin.display(description=gettext_lazy("Valid"))
    def validity(self, row: OpeningHours) -> str:
        return _span(row.valid_from, row.valid_until) or _("always")


class WallTimeField(forms.DateTimeField):
    """A wall time as typed. Which moment it is depends on the location: see ClosureForm."""

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


class ClosureForm(AskingForm):
    """Whole days or two moments; of a clinician, of a location, or of all."""

    starts_at = WallTimeField(label=gettext_lazy("From"), required=False)
    ends_at = WallTimeField(label=gettext_lazy("Until"), required=False)

    class Meta:
        help_texts = {
            "clinician": gettext_lazy("Nobody chosen: everybody."),
            "location": gettext_lazy("None chosen: every location."),
            "first_day": gettext_lazy("Whole days, or the two times below for part of a day."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = self._zone(self.instance.location if self.instance.location_id else None)
        for name in ("starts_at", "ends_at"):
            if at := getattr(self.instance, name):
                self.initial[name] = at.astimezone(zone).replace(tzinfo=None)

    @staticmethod
    def _zone(location: Location | None) -> tzinfo:
        return location.zone if location else timezone.get_default_timezone()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in ("first_day", "last_day", "starts_at", "ends_at"):
            if data.get(name) and not domain.in_reach(data[name]):
                self.add_error(name, _("Check the year."))
        zone = self._zone(data.get("location"))
        for name, last in (("starts_at", False), ("ends_at", True)):
            if data.get(name):
                data[name] = _moment(data[name], zone, last=last)
        days = data.get("first_day"), data.get("last_day")
        if days[0] and not days[1] and not data.get("ends_at"):
            data["last_day"] = days[0]
        return data

    def look(self) -> list[Appointment]:
        return clinic_time.visits_in_closure(
            closure=self.instance, zone=self._zone(self.instance.location)
        )


def _moment(wall: datetime, zone: tzinfo, *, last: bool) -> datetime:
    """The moment of a wall time; when the clock changes then, the one that closes more."""
    try:
        return domain.resolve_wall(wall, zone)
    except domain.NoSuchTime as trouble:
        return trouble.choices[-1 if last else 0]


class WhenFilter(FixedFilter):
    title = gettext_lazy("when")
    parameter_name = "when"
    options = [("all", gettext_lazy("Past ones, too"))]

    def choices(self, changelist: Any) -> Any:
        for number, choice in enumerate(super().choices(changelist)):
            yield choice if number else {**choice, "display": _("Now and to come")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        past = Q(last_day__lt=timezone.localdate()) | Q(ends_at__lt=timezone.now())
        return queryset if self.value() == "all" else queryset.exclude(past)


@admin.register(Closure)
class ClosureAdmin(ClinicTimeAdmin):
    list_display = ["span", "who", "where", "reason"]
    list_display_links = ["span"]
    list_filter = [WhenFilter, ClinicianFilter, LocationFilter]
    list_select_related = ["clinician", "location"]
    form = ClosureForm
    fields = ["clinician", "location", "first_day", "last_day", "starts_at", "ends_at", "reason"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("intake.delete_closure")

    @admin.display(description=gettext_lazy("When"))
    def span(self, row: Closure) -> str:
        if row.first_day is not None:
            return _span(row.first_day, row.last_day)
        zone = ClosureForm._zone(row.location)
        return time_words(row.starts_at.astimezone(zone), row.ends_at.astimezone(zone))

    @admin.display(description=gettext_lazy("Who"))
    def who(self, row: Closure) -> str:
        return str(row.clinician) if row.clinician else _("everybody")

    @admin.display(description=gettext_lazy("Where"))
    def where(self, row: Closure) -> str:
        return str(row.location) if row.location else _("everywhere")


def _span(first: Any, last: Any) -> str:
    """'Nov 30, 2026 to Dec 4, 2026', with one day only 'Nov 30, 2026', without an end 'from …'."""
    begin = date_format(first, "DATE_FORMAT") if first else ""
    end = date_format(last, "DATE_FORMAT") if last else ""
    if begin and end:
        return begin if begin == end else _("%(a)s to %(b)s") % {"a": begin, "b": end}
    if begin:
        return _("from %(a)s") % {"a": begin}
    return _("until %(b)s") % {"b": end} if end else ""
