"""The front desk's list: contact and appointment, no answers."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy

from intake import services
from intake.admin.lists import (
    NotClosedFilter,
    PatientAdmin,
    ProgressFilter,
    SentFilter,
    UrgencyFilter,
    act,
    served,
    target_words,
)
from intake.admin.page import ProgressForm, SubmissionPage
from intake.domain import workflow
from intake.models import Decision, FrontDesk, Kind, Submission
from intake.reading import phone_words


@admin.register(FrontDesk)
class FrontDeskAdmin(PatientAdmin):
    """Who, how to reach them, what they wish for. No answers, no reasons."""

    list_display = [
        "urgency_mark", "opens", "patient", "phone", "contact_by", "to_do", "wish", "progress"
    ]  # fmt: skip
    list_filter = [ProgressFilter, NotClosedFilter, UrgencyFilter, SentFilter]
    list_select_related = ["appointment_request"]
    posts = ["progress"]
    list_title = gettext_lazy("Contacts and appointments")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FrontDesk]:
        rows = super().get_queryset(request).select_related("appointment_request")
        decided = Decision.objects.filter(submission=OuterRef("pk")).order_by("-at", "-id")
        rows = rows.annotate(outcome=Subquery(decided.values("outcome")[:1]))
        return rows.defer("answers", "assessment", "search_keys")

    @admin.display(description=gettext_lazy("Phone"))
    def phone(self, row: FrontDesk) -> str:
        number = row.person.get("callback_phone", "")
        return (
            format_html('<a href="tel:{}">{}</a>', number, phone_words(number)) if number else "–"
        )

    @admin.display(description=gettext_lazy("Decided"))
    def to_do(self, row: Any) -> str:
        return workflow.OUTCOMES.get(row.outcome, row.get_status_display())

    @admin.display(description=gettext_lazy("Wish"))
    def wish(self, row: FrontDesk) -> str:
        return request_of(row).get_visit_type_display() if request_of(row) else "–"

    @admin.display(description=gettext_lazy("Appointment"))
    def progress(self, row: FrontDesk) -> str:
        return request_of(row).get_progress_display() if request_of(row) else "–"

    @served
    def change_view(self, request: HttpRequest, row: FrontDesk, **kwargs: Any) -> HttpResponse:
        services.open_submission(submission=row, by=request.user, request_id=request.request_id)
        wish = request_of(row)
        page = SubmissionPage(row)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": row.reference,
            "submission": row,
            "to_do": workflow.OUTCOMES.get(row.outcome, ""),
            "name": page.name,
            "phone": page.phone,
            "phone_words": phone_words(page.phone),
            "language": page.language,
            "contact": page.contact,
            "wish": page.wish,
            "stopped": row.kind == Kind.STOPPED,
            "urgency_mark": self.urgency_mark(row),
            "target": target_words(row),
            "waiting": self.waiting_for(row),
            "form": ProgressForm(initial={"progress": wish.progress}) if wish else None,
            "is_popup": False,
        }
        return TemplateResponse(request, "admin/intake/frontdesk/read.html", context).render()

    @served
    def progress_view(self, request: HttpRequest, row: FrontDesk) -> HttpResponse:
        if request.method == "POST":
            if not request.user.has_perm("intake.change_frontdesk"):
                raise PermissionDenied
            form = ProgressForm(data=request.POST)
            if form.is_valid() and request_of(row):
                progress = form.cleaned_data["progress"]
                act(request, row, services.set_progress, progress=progress)
        return redirect(self.address("change", row.pk))


def request_of(row: Submission) -> Any:
    """The appointment request of a row, None when there is none (a stopped form)."""
    return getattr(row, "appointment_request", None)
