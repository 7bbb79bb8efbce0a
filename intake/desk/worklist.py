"""The worklist of clinicians: which submissions wait, for what, until when, and who has them."""

from datetime import timedelta
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.paginator import Paginator
from django.db.models import CharField, Exists, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat, NullIf, Substr, Trim
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit
from clinic.lists import Context
from clinic.models import Event
from clinic.requests import StaffRequest, signed_in_user
from intake import documents
from intake.desk.chart_page import ChartPage
from intake.desk.clinical_letter_page import LetterView
from intake.desk.decide_view import DecideView
from intake.desk.export_page import export_page
from intake.desk.list_place import PLACE_VAR, listed_place, with_place
from intake.desk.list_view import SEEN_VAR, ListView, stamp_of_page
from intake.desk.paper_view import PaperView
from intake.desk.preview_view import PreviewView, preview_link
from intake.desk.reach import ReachPage
from intake.desk.submission_page import SubmissionPage
from intake.desk.submission_view import holder_words
from intake.desk.tabs import FILTERS
from intake.desk.team_view import TeamView
from intake.desk.together_page import TogetherPage
from intake.desk.worklist_counts import standing_of
from intake.desk.worklist_head import head_of
from intake.models.appointments import Appointment
from intake.models.calls import CallTask
from intake.models.people import deciders
from intake.models.submissions import Submission
from intake.staff.filters import protocols_of_list
from intake.staff.lists import WorklistOrder
from intake.staff.reach_words import NO_WAY
from intake.staff.status_words import day_words, due_words, sent_words
from intake.wording import advice

LOOKS_FOR = timedelta(minutes=5)
"""For how long after opening a submission's page a person counts as looking at it."""


class Worklist(WorklistOrder):
    """The list, whose rows lead to pages that know the place in the list."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.facets = standing_of(request).facets or {}
        # a tab is no filter: clearing the filters stays on it
        chosen = {name for name in self.filter_params if name != "tab"}
        self.has_active_filters = bool(chosen)
        self.clear_all_filters_qs = self.get_query_string(remove=[*chosen])
        place = listed_place(request)
        self.changed = ""
        if not place.is_search:
            asked = {PLACE_VAR: place.token, SEEN_VAR: stamp_of_page(self.result_list)}
            address = reverse("admin:intake_submission_changed")
            self.changed = f"{address}?{urlencode(asked)}"
        for row in self.result_list:
            row.place = place
            row.page = with_place(reverse("admin:intake_submission_change", args=[row.pk]), place)


@admin.register(Submission)
class SubmissionAdmin(
    ReachPage,
    ChartPage,
    DecideView,
    TeamView,
    TogetherPage,
    PreviewView,
    PaperView,
    LetterView,
    ListView,
):
    """The list of submissions that wait, and the page on which clinicians decide."""

    list_display = ["urgency_mark", "opens", "why", "due", "sent", "assigned", "state", "look"]
    list_filter = [*FILTERS]
    changelist = Worklist
    posts = [
        "decide",
        "undo",
        "together",
        "assign",
        "move",
        "message",
        "settle",
        "trust",
        "call",
        "reach",
        "chart",
        "findings",
        "print",
        "pdf",
        "letters",
        "letter",
        "same",
        "preview",
    ]
    list_title = gettext_lazy("Worklist")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Submission]:
        rows = super().get_queryset(request).select_related("assignee", "pending_decision__by")
        can_decide = Exists(deciders().filter(pk=OuterRef("assignee")))
        visits = Appointment.objects.filter(submission=OuterRef("pk"), status="confirmed")
        calls = CallTask.objects.to_make().filter(submission=OuterRef("pk"))
        rows = rows.annotate(
            can_decide=can_decide,
            is_booked=Exists(visits),
            is_owed_call=Exists(calls),
            looking=looking(signed_in_user(request)),
        )
        deferred: QuerySet[Submission] = rows.defer("search_keys", "pending_decision__given")
        return deferred

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Paginator[Any]:
        """Return the pages of the list. Their number is known from the counts above the list."""
        pages = super().get_paginator(request, *args, **kwargs)
        count = standing_of(request).count
        if count is not None:
            pages.count = count
        return pages

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns. If there are several protocols, one column names the protocol."""
        columns = [*super().get_list_display(request)]
        if len(protocols_of_list(request)) > 1:
            columns.insert(columns.index("why"), "questions")
        return columns

    def changelist_view(self, request: HttpRequest, extra_context: Context | None = None) -> Any:
        self.apply_held(cast(StaffRequest, request))
        shown = request.method != "POST" and self.has_view_permission(request)
        head = head_of(request) if shown else {}
        return super().changelist_view(request, {**head, **(extra_context or {})})

    # --- columns -----------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Patient"))
    def opens(self, row: Any) -> str:
        """Name the patient. The link covers the whole row."""
        about, birth_date = SubmissionPage(row).about, row.person.get("birth_date")
        born = _("b. %(date)s") % {"date": day_words(birth_date)} if birth_date else ""
        words = [about or _("age not given"), born or _("no birth date"), row.reference]
        flag = format_html(' <span class="flag">{}</span>', NO_WAY) if row.reach.is_none else ""
        return format_html(
            '<a class="row" href="{}">{}</a>{}<span class="about">{}</span>',
            row.page,
            row.person.get("name") or _("Name not given"),
            flag,
            format_html_join(" · ", "{}", ((each,) for each in words)),
        )

    @admin.display(description=gettext_lazy("Questions"))
    def questions(self, row: Submission) -> str:
        return documents.title_of(row.protocol_id)

    @admin.display(description=gettext_lazy("Why"))
    def why(self, row: Submission) -> str:
        """Name the rule that decided, and how many more fired: 'New swelling of one leg, +3'."""
        fired = advice.winning_rules(row.result)
        if not fired:
            return _("No rule fired")
        top, more = capfirst(fired[0].name), len(row.result.fired) - 1
        words = _("%(rule)s, +%(n)s") % {"rule": top, "n": more} if more else top
        return format_html('<span class="clamped">{}</span>', words)

    @admin.display(description=gettext_lazy("Due"))
    def due(self, row: Submission) -> str:
        return due_words(row)

    @admin.display(description=gettext_lazy("Sent"))
    def sent(self, row: Submission) -> str:
        return sent_words(row)

    @admin.display(description=gettext_lazy("Who has it"))
    def assigned(self, row: Any) -> str:
        holder = holder_words(row) or _("nobody")
        if not row.looking:
            return holder
        looking = _("%(name)s is looking now") % {"name": row.looking}
        return format_html('{}<span class="about">{}</span>', holder, looking)

    @admin.display(description=gettext_lazy("State"))
    def state(self, row: Any) -> str:
        marks = [
            words
            for is_true, words in ((row.is_booked, _("booked")), (row.is_owed_call, _("call")))
            if is_true
        ]
        chips = format_html_join("", ' <span class="mark">{}</span>', ((each,) for each in marks))
        return format_html("{}{}", super().state(row), chips)

    @admin.display(description=gettext_lazy("Preview"))
    def look(self, row: Any) -> str:
        """Link to the preview, which a script may show below the row."""
        address = with_place(self.address("preview", row.pk), row.place)
        return preview_link(address, str(row.person.get("name") or row.reference))

    # --- pages -------------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="intake_submission_export"), *super().get_urls()]

    def export_view(self, request: StaffRequest) -> HttpResponseBase:
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return export_page(request, context)


def looking(by: Any) -> Subquery:
    """Return the name of the colleague who opened a submission's page last, minutes ago.

    The recorded read of the page tells it. A preview and a list do not count.
    """
    named = Trim(Concat("first_name", Value(" "), "last_name"))
    people = get_user_model().objects.filter(pk=OuterRef("reader"))
    names = people.values(name=Coalesce(NullIf(named, Value("")), "username"))[:1]
    reads = Event.objects.filter(
        subject=Cast(OuterRef("pk"), CharField()),
        action="read",
        detail={},
        at__gte=timezone.now() - LOOKS_FOR,
        actor__startswith="staff:",
    )
    reads = reads.exclude(actor=audit.staff(by)).order_by("-seq")
    reader = Cast(Substr("actor", len("staff:") + 1), IntegerField())
    return Subquery(reads.annotate(reader=reader).values(name=Subquery(names))[:1])
