"""The list of public holidays, where the front desk says of each whether the clinic is closed."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.requests import request_id, signed_in_user
from intake import calendars
from intake.appointments import clinic_time
from intake.appointments.admin.clinic_time import ClinicTimeAdmin, PastFilter
from intake.appointments.admin.clinic_time_forms import closure_zone
from intake.models.clinic_time import Closure, Holiday
from intake.ways import broken_promises


class HolidayFilter(PastFilter):
    title = gettext_lazy("when")
    parameter_name = "when"

    def past(self) -> Q:
        return Q(day__lt=timezone.localdate())


@admin.register(Holiday)
class HolidayAdmin(ClinicTimeAdmin[Holiday]):
    list_display = ["date", "name", "state", "answer"]
    list_display_links = None
    list_filter = [HolidayFilter]
    fields = ["day", "name", "is_open"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Holiday | None = None) -> bool:
        """Forbid typing. The two buttons of the list answer a proposal."""
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<uuid:object_id>/closed/", view(self.closed), name="intake_holiday_closed"),
            path("<uuid:object_id>/open/", view(self.open), name="intake_holiday_open"),
        ]
        return own + super().get_urls()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Holiday]:
        return super().get_queryset(request).annotate(is_closed=calendars.is_closed())

    @admin.display(description=gettext_lazy("Day"))
    def date(self, row: Holiday) -> str:
        return date_format(row.day, "D, M j, Y")

    @admin.display(description=gettext_lazy("The clinic is"))
    def state(self, row: Any) -> str:
        if row.is_closed:
            return _("closed")
        return _("open") if row.is_open else _("not confirmed")

    @admin.display(description=gettext_lazy("Answer"))
    def answer(self, row: Any) -> str:
        if row.is_closed:
            return _("To open, delete the closure.")
        words = {"closed": _("We are closed"), "open": _("We are open")}
        names = ["closed"] if row.is_open else ["closed", "open"]
        # the buttons belong to the form that surrounds the list
        buttons = [
            format_html(
                '<button class="button plain" formaction="{}" aria-label="{}">{}</button>',
                reverse(f"admin:intake_holiday_{name}", args=[row.pk]),
                f"{words[name]}: {self.date(row)}",
                words[name],
            )
            for name in names
        ]
        return format_html("{} {}", buttons[0], buttons[1] if buttons[1:] else "")

    def closed(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Close the clinic on the holiday. Where that affects patients, show them first."""
        row = self._answered(request, object_id)
        if row is None:
            return self._back()
        closure = Closure(first_day=row.day, last_day=row.day, reason=row.name[:80])
        affected = clinic_time.visits_in_closure(closure=closure, zone=closure_zone(None))
        if affected or broken_promises.broken_by(closure):
            given = {"first_day": row.day, "last_day": row.day, "reason": row.name[:80]}
            messages.warning(request, _("This changes something for patients. Save to see what."))
            return redirect(f"{reverse('admin:intake_closure_add')}?{urlencode(given)}")
        if Holiday.objects.filter(calendars.is_closed(), pk=row.pk).exists():
            return self._back()  # another tab has closed the day
        clinic_time.save_clinic_time(
            row=closure,
            links={},
            fields={"first_day", "last_day", "reason"},
            by=signed_in_user(request),
            request_id=request_id(request),
        )
        return self._back()

    def open(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """Store that the clinic is open on the holiday."""
        if row := self._answered(request, object_id):
            clinic_time.keep_open(
                holiday=row, by=signed_in_user(request), request_id=request_id(request)
            )
        return self._back()

    def _answered(self, request: HttpRequest, object_id: Any) -> Holiday | None:
        """Return the holiday whose button was pressed. None for an address that was typed."""
        if not request.user.has_perm("intake.add_closure"):
            raise PermissionDenied
        row = get_object_or_404(Holiday, pk=object_id)
        return row if request.method == "POST" else None

    def _back(self) -> HttpResponse:
        return redirect("admin:intake_holiday_changelist")
