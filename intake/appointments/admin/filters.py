"""Filters and orders of the lists of appointments and clinic time."""

from datetime import datetime, time, timedelta
from typing import Any, cast

from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import FindList, FixedFilter, term_of
from intake.appointments import clinic_time
from intake.domain import workflow
from intake.models.appointments import AppointmentQuerySet
from intake.models.clinic_time import Clinician, Location

DAY = timedelta(days=1)


class DayFilter(FixedFilter):
    """Shows the visits of today by default. A search looks at all days."""

    title = gettext_lazy("when")
    parameter_name = "when"
    options = [
        ("tomorrow", gettext_lazy("Tomorrow")),
        ("week", gettext_lazy("This week")),
        ("next", gettext_lazy("Next week")),
        ("coming", gettext_lazy("All to come")),
        ("past", gettext_lazy("The last 30 days")),
        ("all", gettext_lazy("All days")),
    ]

    def default_words(self, changelist: ChangeList) -> Any:
        return _("All days") if changelist.query else _("Today")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "all" or (term_of(request) and value not in dict(self.options)):
            return queryset
        today = timezone.localdate()
        monday = today - timedelta(days=today.weekday())
        far = today + timedelta(days=800)
        spans = {
            "tomorrow": (today + DAY, today + 2 * DAY),
            "week": (monday, monday + 7 * DAY),
            "next": (monday + 7 * DAY, monday + 14 * DAY),
            "coming": (today, far),
            "past": (today - 30 * DAY, today),
        }
        begin, end = spans.get(value or "", (today, today + DAY))
        zone = timezone.get_current_timezone()
        return cast(AppointmentQuerySet, queryset).between(
            *(datetime.combine(day, time(), zone) for day in (begin, end))
        )


class VisitStatusFilter(FixedFilter):
    """Shows booked, completed and missed visits by default."""

    title = gettext_lazy("status")
    parameter_name = "status"
    options = [*workflow.VISIT_STATUSES.items(), ("all", gettext_lazy("All"))]

    def default_words(self, changelist: ChangeList) -> Any:
        return _("Booked, done, missed")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in workflow.VISIT_STATUSES:
            return queryset.filter(status=self.value())
        if self.value() == "all":
            return queryset
        return queryset.filter(status__in=workflow.VISITS)


class HoursFilter(FixedFilter):
    """Finds visits to come that fitted the hours when they were booked, but do not fit any more."""

    title = gettext_lazy("hours")
    parameter_name = "hours"
    options = [("outside", gettext_lazy("No longer fitting"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "outside":
            return queryset
        return queryset.filter(pk__in=clinic_time.visits_outside_hours())


class RowFilter(FixedFilter):
    """A filter with one choice for each row of a small table. Showing it needs one query."""

    rows: type[Clinician] | type[Location]

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin[Any]) -> list[tuple[str, Any]]:
        self.options = [(str(row.pk), str(row)) for row in self.rows.objects.all()]
        return self.options


class ClinicianFilter(RowFilter):
    title = gettext_lazy("clinician")
    parameter_name = "clinician"
    rows = Clinician


class LocationFilter(RowFilter):
    title = gettext_lazy("location")
    parameter_name = "location"
    rows = Location


class TimeOrder(FindList):
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["during", "id"]
