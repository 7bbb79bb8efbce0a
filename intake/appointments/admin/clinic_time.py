"""The admin pages of clinic time: locations, clinicians, visit types, hours, closures.

The front desk keeps these lists. The pages are those of Django's admin, without JavaScript.
intake.appointments.clinic_time stores and records each change. Clinic time holds no health data.
"""

from datetime import date
from typing import Any, TypeVar

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.lists import Context, FixedFilter
from clinic.requests import request_id, signed_in_user
from intake.appointments import clinic_time
from intake.appointments.admin.affected import AffectedVisits, with_time_words
from intake.appointments.admin.clinic_time_forms import (
    ClosureForm,
    HoursForm,
    InUseForm,
    LocationForm,
    PersonField,
    closure_zone,
)
from intake.appointments.admin.filters import ClinicianFilter, LocationFilter
from intake.appointments.admin.week_hours import WeekForm
from intake.appointments.admin.words import time_words
from intake.models.clinic_time import Clinician, Closure, Location, OpeningHours, VisitType
from intake.models.people import deciders, with_leave
from intake.staff.plain_forms import PlainFormAdmin

LISTS = [
    ("openinghours", gettext_lazy("Opening hours")),
    ("closure", gettext_lazy("Closures and holidays")),
    ("oncall", gettext_lazy("On call")),
    ("holiday", gettext_lazy("Public holidays")),
    ("clinician", gettext_lazy("Clinicians")),
    ("visittype", gettext_lazy("Visit types")),
    ("location", gettext_lazy("Locations")),
]
"""The lists of clinic time, the most often changed first."""


Kept = TypeVar("Kept", bound=clinic_time.Row)


class ClinicTimeAdmin(AffectedVisits[Kept], PlainFormAdmin[Kept]):
    """The base of the five lists of clinic time, which intake.appointments.clinic_time stores."""

    is_in_index = False
    lists = LISTS
    delete_confirmation_template = "admin/intake/time/delete_confirmation.html"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        many = {field.name for field in self.opts.many_to_many}
        own = {field.name for field in self.opts.get_fields()}
        clinic_time.save_clinic_time(
            row=form.instance,
            links={name: rows for name, rows in form.cleaned_data.items() if name in many},
            fields=set(form.changed_data) & own,
            by=signed_in_user(request),
            request_id=request_id(request),
        )
        self.warn_of(request, getattr(form, "affected", ()))

    def delete_model(self, request: HttpRequest, obj: Kept) -> None:
        clinic_time.remove_clinic_time(
            row=obj, by=signed_in_user(request), request_id=request_id(request)
        )


@admin.register(Location)
class LocationAdmin(ClinicTimeAdmin[Location]):
    list_display = ["name", "time_zone", "phone", "is_active"]
    form = LocationForm
    fields = ["name", "address", "time_zone", "week", "directions", "phone", "is_active"]


@admin.register(Clinician)
class ClinicianAdmin(ClinicTimeAdmin[Clinician]):
    list_display = ["name", "user", "is_active"]
    list_select_related = ["user"]
    form = InUseForm[Clinician]
    fields = ["name", "user", "is_active"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kw: Any) -> Any:
        people = get_user_model().objects.filter(
            Q(groups__permissions__codename="view_submission"), is_active=True
        )
        field = super().formfield_for_foreignkey(
            db_field, request, queryset=people.distinct().order_by("username"), **kw
        )
        assert field
        field.help_text = _("This account sees the appointments of this clinician.")
        return field


@admin.register(VisitType)
class VisitTypeAdmin(ClinicTimeAdmin[VisitType]):
    list_display = ["title", "kind", "minutes", "with_whom", "is_active"]
    fields = ["title", "kind", "minutes", "clinicians", "is_active"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[VisitType]:
        return super().get_queryset(request).prefetch_related("clinicians")

    @admin.display(description=gettext_lazy("Clinicians"))
    def with_whom(self, row: VisitType) -> str:
        return ", ".join(who.name for who in row.clinicians.all()) or "–"


class PastFilter(FixedFilter):
    """Leaves past rows out, unless "all" is chosen."""

    options = [("all", gettext_lazy("Past ones, too"))]

    def default_words(self, changelist: ChangeList) -> Any:
        return _("Now and to come")

    def past(self) -> Q:
        """Return the condition that is true for past rows."""
        raise NotImplementedError

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() == "all" else queryset.exclude(self.past())


class ValidityFilter(PastFilter):
    title = gettext_lazy("valid")
    parameter_name = "valid"

    def past(self) -> Q:
        return Q(valid_until__lt=timezone.localdate())


@admin.register(OpeningHours)
class OpeningHoursAdmin(ClinicTimeAdmin[OpeningHours]):
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

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.week_view)
        return [path("week/", view, name="intake_openinghours_week"), *super().get_urls()]

    def week_view(self, request: HttpRequest) -> HttpResponse:
        """Add the hours of a whole week: all of them, or none."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        data = request.POST if request.method == "POST" else None
        form = WeekForm(data, rows=self.get_form(request))
        if data is not None and form.is_valid():
            with transaction.atomic():
                for each in form.hours:
                    self.save_form(request, each, change=False)
                    self.save_related(request, each, [], change=False)
            done = ngettext(
                "%(n)s line of hours is added.", "%(n)s lines are added.", len(form.hours)
            )
            messages.success(request, done % {"n": len(form.hours)})
            return redirect("admin:intake_openinghours_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "is_popup": False,
            "title": _("Hours of a week"),
            "form": form,
        }
        status = 200 if data is None else 422
        return TemplateResponse(
            request, "admin/intake/time/week_hours.html", context, status=status
        )

    def has_delete_permission(self, request: HttpRequest, obj: OpeningHours | None = None) -> bool:
        return request.user.has_perm("intake.delete_openinghours")

    def render_delete_form(self, request: HttpRequest, context: Context) -> HttpResponse:
        visits = clinic_time.visits_without_hours(hours=context["object"])
        context |= {"affected": with_time_words(visits)}
        return self.recorded(request, super().render_delete_form(request, context), visits)

    def delete_model(self, request: HttpRequest, obj: OpeningHours) -> None:
        visits = clinic_time.visits_without_hours(hours=obj)
        super().delete_model(request, obj)
        self.warn_of(request, visits)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpeningHours]:
        return super().get_queryset(request).prefetch_related("visit_types")

    @admin.display(description=gettext_lazy("Hours"))
    def hours(self, row: OpeningHours) -> str:
        return _("%(day)s, %(from)s to %(to)s") % {
            "day": row.get_weekday_display(),
            "from": time_format(row.starts, "TIME_FORMAT"),
            "to": time_format(row.ends, "TIME_FORMAT"),
        }

    @admin.display(description=gettext_lazy("Visit types"))
    def types(self, row: OpeningHours) -> str:
        return ", ".join(kind.title for kind in row.visit_types.all()) or _("all")

    @admin.display(description=gettext_lazy("Valid"))
    def validity(self, row: OpeningHours) -> str:
        return _days_words(row.valid_from, row.valid_until) or _("always")


class WhenFilter(PastFilter):
    title = gettext_lazy("when")
    parameter_name = "when"

    def past(self) -> Q:
        return Q(last_day__lt=timezone.localdate()) | Q(ends_at__lt=timezone.now())


@admin.register(Closure)
class ClosureAdmin(ClinicTimeAdmin[Closure]):
    list_display = ["span", "who", "where", "on_call", "reason"]
    list_display_links = ["span"]
    list_filter = [WhenFilter, ClinicianFilter, LocationFilter]
    list_select_related = ["clinician", "location", "on_call"]
    form = ClosureForm
    fields = [
        "clinician", "location", "first_day", "last_day", "starts_at", "ends_at", "on_call",
        "reason",
    ]  # fmt: skip

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kw: Any) -> Any:
        if db_field.name == "on_call":
            kw |= {"queryset": offered_on_call(), "form_class": PersonField}
        return super().formfield_for_foreignkey(db_field, request, **kw)

    def has_delete_permission(self, request: HttpRequest, obj: Closure | None = None) -> bool:
        return request.user.has_perm("intake.delete_closure")

    @admin.display(description=gettext_lazy("When"))
    def span(self, row: Closure) -> str:
        if row.first_day is not None:
            return _days_words(row.first_day, row.last_day)
        # a database constraint gives every closure without days a start and an end
        assert row.starts_at
        assert row.ends_at
        zone = closure_zone(row.location)
        return time_words(row.starts_at.astimezone(zone), row.ends_at.astimezone(zone))

    @admin.display(description=gettext_lazy("Who"))
    def who(self, row: Closure) -> str:
        return str(row.clinician) if row.clinician else _("everybody")

    @admin.display(description=gettext_lazy("Where"))
    def where(self, row: Closure) -> str:
        return str(row.location) if row.location else _("everywhere")


def offered_on_call() -> QuerySet[User]:
    """Return the people who can be named for a time on call."""
    rows = deciders().distinct().order_by("username")
    return with_leave(rows, timezone.localdate())


def _days_words(first: date | None, last: date | None) -> str:
    """Return days in words: 'Nov 30, 2026 to Dec 4, 2026', or only 'from' or 'until' a day."""
    begin = date_format(first, "DATE_FORMAT") if first else ""
    end = date_format(last, "DATE_FORMAT") if last else ""
    if begin and end:
        return begin if begin == end else _("%(a)s to %(b)s") % {"a": begin, "b": end}
    if begin:
        return _("from %(a)s") % {"a": begin}
    return _("until %(b)s") % {"b": end} if end else ""
