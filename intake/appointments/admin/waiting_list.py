"""The waiting list: patients who wait for a slot, in the order in which they get offers."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import FindList, FixedFilter, ListOnly
from clinic.requests import StaffRequest
from intake import search
from intake.appointments import waiting_list
from intake.appointments.admin.words import wish_rows
from intake.models.appointments import Appointment, WaitlistEntry, WishedVisit
from intake.models.clinic_time import Clinician
from intake.models.submissions import Submission, Urgency
from intake.staff.front_lists import FrontList
from intake.staff.lists import find_patients
from intake.staff.reach_words import NO_WAY
from intake.staff.status_words import span_words
from intake.ways.contact import reaches_of


class WaitingOrder(FindList):
    """Sorts like intake.appointments.waiting_list: most urgent first, then longest wait first."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return ["-request__submission__urgency", "since", "id"]

    def get_results(self, request: HttpRequest) -> None:
        """Give each row the clinicians and the ways to its patient, with a fixed number of queries.

        `wish` takes the names from the clinicians.
        """
        super().get_results(request)
        names = list(Clinician.objects.all())
        self.result_list = list(self.result_list)
        reaches = reaches_of(row.request.submission for row in self.result_list)
        for row in self.result_list:
            row.clinicians, row.reach = names, reaches[row.request.submission_id]


class WishedFilter(FixedFilter):
    title = gettext_lazy("wish")
    parameter_name = "wish"
    options = list(WishedVisit.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(request__visit_type=self.value()) if self.is_chosen() else queryset


@admin.register(WaitlistEntry)
class WaitlistAdmin(ListOnly[WaitlistEntry], FrontList[WaitlistEntry]):
    """The patients who wait, since when, and for what. Staff offer slots on the request's page."""

    list_display = ["urgency_mark", "opens", "patient", "waits", "wish", "has_visit", "acts"]
    list_filter = [WishedFilter]
    list_select_related = ["request__submission"]
    sortable_by = []
    posts = ["leave"]
    list_title = gettext_lazy("Waiting list")
    is_in_index = False
    changelist = WaitingOrder
    reference_lookup = "request__submission__reference"

    def has_view_permission(self, request: HttpRequest, obj: WaitlistEntry | None = None) -> bool:
        return request.user.has_perm("intake.change_appointment")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WaitlistEntry]:
        visits = Appointment.objects.filter(
            submission=OuterRef("request__submission"), status="confirmed"
        )
        rows = WaitlistEntry.objects.select_related("request__submission")
        rows = rows.defer("request__submission__answers", "request__submission__assessment")
        return rows.annotate(visit_at=Subquery(visits.values("during__startswith")[:1]))

    def matches(self, rows: QuerySet[Any], term: search.Term) -> QuerySet[Any]:
        waiting = Submission.objects.filter(appointment_request__waiting__isnull=False)
        return rows.filter(request__submission__in=find_patients(waiting, term))

    def submissions_shown(self, rows: list[WaitlistEntry]) -> list[Submission]:
        return [row.request.submission for row in rows]

    def leave_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        """Take a patient off the list, when staff press the button beside the patient's row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entry = self.record_or_404(request, object_id)
        if request.method == "POST":
            waiting_list.leave_waitlist(
                submission=entry.request.submission,
                by=request.user,
                request_id=request.request_id,
            )
            messages.success(request, _("Taken off the waiting list."))
        return redirect("admin:intake_waitlistentry_changelist")

    # --- columns ---------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Urgency"))
    def urgency_mark(self, row: Any) -> str:
        urgency = Urgency(row.request.submission.urgency)
        return format_html('<span class="urgency {}">{}</span>', urgency.code, urgency.label)

    @admin.display(description=gettext_lazy("Reference"))
    def opens(self, row: Any) -> str:
        submission = row.request.submission
        page = reverse("admin:intake_frontdesk_change", args=[submission.pk])
        return format_html('<a href="{}">{}</a>', page, submission.reference)

    @admin.display(description=gettext_lazy("Patient"))
    def patient(self, row: Any) -> str:
        name = row.request.submission.person.get("name") or _("Name not given")
        if row.reach.way:
            return name
        hint = _("No letter: call when a time becomes free") if row.reach.may_call else NO_WAY
        return format_html('{}<br><span class="flag">{}</span>', name, hint)

    @admin.display(description=gettext_lazy("Waits"))
    def waits(self, row: WaitlistEntry) -> str:
        since = timezone.localtime(row.since)
        return _("%(span)s, since %(day)s") % {
            "span": span_words(timezone.now() - row.since),
            "day": date_format(since, "j M"),
        }

    @admin.display(description=gettext_lazy("Wish"))
    def wish(self, row: Any) -> str:
        rows = wish_rows(row.request, row.clinicians)
        return ". ".join(values[0] for _label, values in rows)

    @admin.display(description=gettext_lazy("Has"))
    def has_visit(self, row: Any) -> str:
        if row.visit_at is None:
            return _("no appointment")
        local = timezone.localtime(row.visit_at)
        return _("a visit on %(day)s") % {"day": date_format(local, "D j M")}

    @admin.display(description="")
    def acts(self, row: Any) -> str:
        # the button posts the admin's own form around the list, because that form has the CSRF
        # token
        return format_html(
            '<a class="button" href="{}#fitting">{}</a> '
            '<button class="button plain" formaction="{}">{}</button>',
            reverse("admin:intake_frontdesk_change", args=[row.request.submission_id]),
            _("Offer a time") if row.reach.way else _("Book a time"),
            self.address("leave", row.pk),
            _("Take off the list"),
        )
