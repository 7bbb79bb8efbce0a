"""Filters and orders of the lists of appointments and clinic time."""

from datetime import date, timedelta
from typing import Any, cast

from django.contrib.admin import ModelAdmin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import FindList, FixedFilter, term_of
from intake.appointments import clinic_time
from intake.domain import workflow
from intake.models.appointments import AppointmentQuerySet
from intake.models.clinic_time import Clinician, Location

DAY = timedelta(days=1)


class DayFilter(FixedFilter):
    """Shows the visits of today by default, or of one typed day. A search looks at all days.

    The day of a visit is that of its location's clock.
    """

    title = gettext_lazy("when")
    parameter_name = "when"
    options = [
        ("yesterday", gettext_lazy("Yesterday")),
        ("tomorrow", gettext_lazy("Tomorrow")),
        ("week", gettext_lazy("This week")),
        ("next", gettext_lazy("Next week")),
        ("coming", gettext_lazy("All to come")),
        ("past", gettext_lazy("The last 30 days")),
        ("all", gettext_lazy("All days")),
    ]

    def default_words(self, changelist: ChangeList) -> Any:
        if self.day:
            return date_format(self.day, "D j M Y")
        return _("All days") if changelist.query else _("Today")

    @property
    def day(self) -> date | None:
        return self.day_of(self.value() or "")

    @staticmethod
    def day_of(value: str) -> date | None:
        """Read a day in an address, such as 2026-11-30. Returns None for any other text."""
        try:
            day = date.fromisoformat(value)
        except ValueError:
            return None
        return day if 2000 <= day.year < 2200 else None

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value, chosen = self.value(), self.day
        is_known = value in dict(self.options) or chosen
        if value == "all" or (term_of(request) and not is_known):
            return queryset
        today = timezone.localdate()
        monday = today - timedelta(days=today.weekday())
        spans = {
            "yesterday": (today - DAY, today - DAY),
            "tomorrow": (today + DAY, today + DAY),
            "week": (monday, monday + 6 * DAY),
            "next": (monday + 7 * DAY, monday + 13 * DAY),
            "coming": (today, today + timedelta(days=800)),
            "past": (today - 30 * DAY, today - DAY),
        }
        first, last = spans.get(value or "", (chosen or today, chosen or today))
        return cast(AppointmentQuerySet, queryset).on_days(first, last)


class VisitStatusFilter(FixedFilter):
    """Shows all visits by default, cancelled ones too, and no held times."""

    title = gettext_lazy("status")
    parameter_name = "status"
    options = [*workflow.VISIT_STATUSES.items(), ("all", gettext_lazy("All, and held times"))]

    def default_words(self, changelist: ChangeList) -> Any:
        return _("All visits")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in workflow.VISIT_STATUSES:
            return queryset.filter(status=self.value())
        if self.value() == "all":
            return queryset
        # a hold that was released is cancelled without a reason, and was never a visit
        cancelled = Q(status="cancelled") & ~Q(cancel_reason="")
        return queryset.filter(Q(status__in=workflow.VISITS) | cancelled)


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
