"""The worklist and the submission page, for clinicians."""

from typing import Any, cast

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context
from clinic.requests import StaffRequest
from intake import documents
from intake.desk.decide_view import DecideView
from intake.desk.export_page import export_page
from intake.desk.list_place import listed_place, with_place
from intake.desk.reach import ReachPage
from intake.desk.submission_view import holder_words
from intake.desk.tabs import FILTERS
from intake.desk.team_view import TeamView
from intake.models.people import deciders
from intake.models.submissions import Submission
from intake.staff.filters import protocols_of_list
from intake.staff.lists import WorklistOrder
from intake.wording import advice


class Worklist(WorklistOrder):
    """The list, whose rows lead to pages that know the place in the list."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        place = listed_place(request)
        for row in self.result_list:
            page = reverse("admin:intake_submission_change", args=[row.pk])
            row.page = with_place(page, place)


@admin.register(Submission)
class SubmissionAdmin(ReachPage, DecideView, TeamView):
    """The list of submissions that wait, and the page on which clinicians decide."""

    list_display = [
        "urgency_mark", "opens", "patient", "waiting_for", "contact_by", "why", "state", "assigned"
    ]  # fmt: skip
    list_filter = [*FILTERS]
    changelist = Worklist
    posts = [
        "decide",
        "undo",
        "assign",
        "move",
        "message",
        "settle",
        "trust",
        "call",
        "reach",
        "findings",
        "print",
    ]
    list_title = gettext_lazy("Worklist")

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        self.apply_held(cast(StaffRequest, request))
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        rows = super().get_queryset(request).select_related("assignee", "pending_decision__by")
        can_decide = Exists(deciders().filter(pk=OuterRef("assignee")))
        rows = rows.annotate(can_decide=can_decide)
        deferred: QuerySet[Submission] = rows.defer(
            "answers", "search_keys", "pending_decision__given"
        )
        return deferred

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns. If there are several protocols, one column names the protocol."""
        columns = [*super().get_list_display(request)]
        if len(protocols_of_list(request)) > 1:
            columns.insert(columns.index("waiting_for"), "questions")
        return columns

    @admin.display(description=gettext_lazy("Reference"))
    def opens(self, row: Any) -> str:
        return format_html('<a href="{}">{}</a>', row.page, row.reference)

    @admin.display(description=gettext_lazy("Questions"))
    def questions(self, row: Submission) -> str:
        return documents.title_of(row.protocol_id)

    def titled(self, extra_context: Context | None) -> dict[str, Any]:
        suspects = Submission.objects.filter(suspect=True).count()
        return super().titled({"suspects": suspects, **(extra_context or {})})

    @admin.display(description=gettext_lazy("Why"))
    def why(self, row: Submission) -> str:
        fired = advice.winning_rules(row.result)
        names = capfirst("; ".join(f.name for f in fired[:2]))
        more = len(row.result.fired) - min(len(fired), 2)
        return _("%(names)s, %(n)s more") % {"names": names, "n": more} if more else names

    @admin.display(description=gettext_lazy("Assigned to"), ordering=None)
    def assigned(self, row: Any) -> str:
        return holder_words(row) or "–"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="intake_submission_export"), *super().get_urls()]

    def export_view(self, request: StaffRequest) -> HttpResponseBase:
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return export_page(request, context)
