"""What all lists and pages of patients share: filters, the order, recorded reads, columns."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import hours
from clinic.ids import parse_reference
from clinic.lists import FindList, FixedFilter, ReadOnlyAdmin, term_of
from clinic.requests import Request, request_id
from intake import search
from intake.documents import title_of
from intake.domain import workflow
from intake.errors import Conflict
from intake.models.appointments import AppointmentRequest
from intake.models.people import without_clinician
from intake.models.submissions import (
    IS_ANSWER_DUE,
    IS_NOT_CLOSED,
    IS_WAITING,
    ORDER,
    ProtocolDocument,
    Submission,
    Urgency,
)
from intake.protocols import served
from intake.staff import reads

_REVISION = re.compile(r"[0-9]{1,9}")


class UrgencyFilter(FixedFilter):
    title = gettext_lazy("urgency")
    parameter_name = "urgency"
    options = [(urgency.code, urgency.label) for urgency in Urgency]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        urgency = {urgency.code: urgency for urgency in Urgency}.get(self.value() or "")
        return queryset if urgency is None else queryset.filter(urgency=urgency)


class StatusFilter(FixedFilter):
    """Filter by status. Without a choice, show the submissions that wait."""

    title = gettext_lazy("status")
    parameter_name = "status"
    options = [
        *workflow.STATUSES.items(),
        ("replies", gettext_lazy("Patient wrote")),
        ("suspect", gettext_lazy("Possible bots")),
        ("all", gettext_lazy("All")),
    ]
    default = gettext_lazy("Waiting for a decision or an answer")
    shown_by_default = IS_WAITING

    def choices(self, changelist: ChangeList) -> Any:
        default = _("All") if changelist.query else self.default
        for number, choice in enumerate(super().choices(changelist)):
            yield choice if number else {**choice, "display": default}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in workflow.STATUSES:
            return queryset.filter(status=self.value())
        # a search looks everywhere: the patient on the phone may be decided on since yesterday
        if self.value() == "all" or term_of(request):
            return queryset
        special = {"replies": IS_ANSWER_DUE, "suspect": Q(suspect=True)}
        return queryset.filter(special.get(self.value() or "", self.shown_by_default))


class NotClosedFilter(StatusFilter):
    """Without a choice, show all that is not closed: the front desk works after the decision."""

    default = gettext_lazy("Not closed")
    shown_by_default = IS_NOT_CLOSED


class MineFilter(FixedFilter):
    title = gettext_lazy("assigned")
    parameter_name = "mine"
    options = [("me", gettext_lazy("Mine")), ("nobody", gettext_lazy("Not assigned"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "me":
            return queryset.filter(assignee=request.user)
        if self.value() != "nobody":
            return queryset
        # Two queries, since mostly no colleague has left: then an index gives the rows in order.
        # Submissions that are over stay with the colleague who had them.
        left = Submission.objects.waiting().exclude(assignee=None).filter(without_clinician())
        holders = set(left.values_list("assignee", flat=True))
        return queryset.filter(Q(assignee=None) | IS_WAITING & Q(assignee__in=holders))


class ProtocolFilter(FixedFilter):
    """Filter by the protocol that asked. Left out while the clinic serves one."""

    title = gettext_lazy("questions")
    parameter_name = "protocol"

    @property
    def options(self) -> list[tuple[str, str]]:
        offered = served()
        return [(p.name, title_of(p.content_hash)) for p in offered] if len(offered) > 1 else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in dict(self.options):
            return queryset
        versions = ProtocolDocument.objects.filter(name=self.value())
        return queryset.filter(protocol__in=list(versions.values_list("pk", flat=True)))


class RedFlagFilter(FixedFilter):
    title = gettext_lazy("red flags")
    parameter_name = "red"
    options = [("yes", gettext_lazy("With red flags")), ("no", gettext_lazy("Without"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        # by the urgency of the rules: a decision may lower the urgency, but the red flag stays
        match self.value():
            case "yes":
                return queryset.filter(assessed_urgency__gte=Urgency.SAME_DAY)
            case "no":
                return queryset.filter(assessed_urgency__lt=Urgency.SAME_DAY)
        return queryset


class SentFilter(FixedFilter):
    title = gettext_lazy("sent")
    parameter_name = "sent"
    options = [
        ("0", gettext_lazy("Today")),
        ("1", gettext_lazy("Since yesterday")),
        ("7", gettext_lazy("In the last 7 days")),
        ("30", gettext_lazy("In the last 30 days")),
    ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.value()
        if days not in dict(self.options):
            return queryset
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return queryset.filter(submitted_at__gte=midnight - timedelta(days=int(days or 0)))


class ProgressFilter(FixedFilter):
    title = gettext_lazy("appointment")
    parameter_name = "progress"
    options = [
        *workflow.REQUEST_STATUSES.items(),
        ("waitlist", gettext_lazy("On the waiting list")),
    ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in workflow.REQUEST_STATUSES:
            if term_of(request) or request.GET.get("status") in ("all", *workflow.FINISHED):
                return queryset.filter(appointment_request__progress=self.value())
            # Few submissions are open. A join lets the planner start at the requests, which grow
            # every year; a subquery makes it look up one request for each open submission.
            requests = AppointmentRequest.objects.filter(submission=OuterRef("pk"))
            progress = Subquery(requests.values("progress")[:1])
            found: QuerySet[Any] = queryset.alias(progress=progress).filter(progress=self.value())
            return found
        if self.value() == "waitlist":
            return queryset.filter(appointment_request__waiting__isnull=False)
        return queryset


class WorklistOrder(FindList):
    """Always use the worklist's order. A search ranks its results by itself."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(ORDER)


def record_view(method: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Turn a method into an admin view of one record, which runs in one transaction.

    Checks the permission to view, and gives the method the record in place of its id.
    """

    @wraps(method)
    def view(
        self: "PatientAdmin", request: HttpRequest, object_id: str, **kwargs: Any
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            return method(self, request, self.record_or_404(request, object_id), **kwargs)

    return view


class PatientAdmin(ReadOnlyAdmin):
    """The base of all lists and pages of patients: records who saw what before a page is sent."""

    list_select_related = ["assignee"]
    search_fields = ["reference"]  # shows the box; get_search_results does the work
    search_help_text = gettext_lazy(
        "Name (a misspelt one too), reference, phone, e-mail or date of birth"
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return WorklistOrder

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        if reference := parse_reference(search_term):
            return queryset.filter(reference=reference), False
        found = find_patients(queryset, search_term)
        if not found:
            return queryset.none(), False
        keys = models.Value(found, output_field=ArrayField(models.UUIDField()))
        place = models.Func(keys, "pk", function="array_position")
        return queryset.filter(pk__in=found).order_by(place), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        with transaction.atomic():
            response = super().changelist_view(request, self.titled(extra_context))
            context = getattr(response, "context_data", None) or {}
            if isinstance(response, TemplateResponse) and "cl" in context:
                reads.record_list(
                    submissions=self.submissions_shown(list(context["cl"].result_list)),
                    by=request.user,
                    request_id=request_id(request),
                    term=context["cl"].query,
                    page=str(self.opts.model_name),
                )
                response.render()
        return response

    def submissions_shown(self, rows: list[Any]) -> list[Submission]:
        """Return the submissions whose patients these rows name, for the record of the read."""
        return rows

    def record_or_404(self, request: HttpRequest, object_id: Any) -> Any:
        """Return a record. Raises Http404, or PermissionDenied when the user may not see it."""
        record = self.get_object(request, str(object_id))
        if record is None:
            raise Http404
        if not self.has_view_permission(request, record):
            raise PermissionDenied
        return record

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Lead to the record's own page, which shows the history."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect(self.address("change", object_id))

    def address(self, name: str, object_id: Any = None) -> str:
        """Return the address of one of this admin's pages."""
        args = [object_id] if object_id else []
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def get_urls(self) -> list[URLPattern]:
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(
                f"<uuid:object_id>/{name}/",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"{prefix}_{name}",
            )
            for name in self.posts
        ]
        return own + super().get_urls()

    # the names of the views that take a record's id: "decide" is served by decide_view
    posts: list[str] = []

    # --- columns -----------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Urgency"))
    def urgency_mark(self, row: Submission) -> str:
        urgency = Urgency(row.urgency)
        return format_html('<span class="urgency {}">{}</span>', urgency.code, urgency.label)

    @admin.display(description=gettext_lazy("Reference"))
    def opens(self, row: Submission) -> str:
        return format_html('<a href="{}">{}</a>', self.address("change", row.pk), row.reference)

    @admin.display(description=gettext_lazy("Patient"))
    def patient(self, row: Submission) -> str:
        return row.person.get("name") or _("Name not given")

    @admin.display(description=gettext_lazy("Waiting"))
    def waiting_for(self, row: Submission) -> str:
        return span_words(timezone.now() - row.submitted_at)

    @admin.display(description=gettext_lazy("Due"))
    def contact_by(self, row: Submission) -> str:
        return target_words(row)

    @admin.display(description=gettext_lazy("Status"))
    def state(self, row: Submission) -> str:
        status = standing_words(row)
        if row.alarm:
            return format_html("{}<br>{}", alarm_mark(), status)
        if row.suspect:
            return _("%(status)s; possible bot") % {"status": status}
        if row.reply_due_at:
            return _("%(status)s; patient wrote") % {"status": status}
        if row.escalate_at and row.status not in workflow.OPEN:
            return _("%(status)s; patient not reached yet") % {"status": status}
        return status


def alarm_mark() -> str:
    """Return the mark of a submission with unread words of alarm."""
    return format_html('<strong class="danger-mark">{}</strong>', _("Alarm: patient wrote"))


def find_patients(rows: Any, term: str) -> list[Any]:
    """Return the keys of the submissions whose patient fits the search term, best fit first.

    `rows` is a queryset of submissions.
    """
    wanted = search.query_tokens(term)
    if not wanted:
        return []
    # values are cheaper than models: 200 candidates are ranked, and a page shows 25
    candidates = rows.matching(wanted).order_by("-submitted_at")
    opened = Submission._meta.get_field("person").open_for
    ranked = sorted(
        (search.rank(term, opened(pk, person)), -sent.timestamp(), pk)
        for pk, person, sent in candidates.values_list("pk", "person", "submitted_at")[
            : search.CANDIDATES
        ]
    )
    return [pk for place, _sent, pk in ranked if place < 3]


def span_words(span: timedelta) -> str:
    """Return a span of time in its largest fitting unit: '25 min', '3 h', '5 days'."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)s h") % {"n": minutes // 60}
    return _("%(n)s days") % {"n": minutes // (24 * 60)}


def standing_words(row: Submission) -> str:
    """Return the status in words, and whether the submission waits for the patient."""
    status = row.get_status_display()
    if row.redirected_at and row.status in workflow.OPEN:
        return _("Emergency care; patient not reached")
    if row.asked_at and row.status in workflow.IN_TRIAGE:
        since = date_format(timezone.localtime(row.asked_at), "D j M")
        return _("%(status)s; no answer from the patient since %(since)s") % {
            "status": status,
            "since": since,
        }
    if row.status == "waiting" and not row.waits_for_patient:
        return _("%(status)s; patient not reached") % {"status": status}
    return status


def target_words(row: Submission) -> str:
    """Return by when staff must contact the patient, or by how much opening time they are late.

    For the two lowest urgencies rules.yaml gives the target of a visit: "see by". A submission that
    waits for the patient says when it returns to the worklist.
    """
    now, due = timezone.now(), row.due_at or row.target_at
    if row.due_at is None and row.waits_for_patient:
        return _("back on %(day)s") % {"day": _day_and_time(timezone.localtime(row.back_at))}
    if row.is_overdue(now):
        late = hours.current().open_time_between(due, now)
        # `late` is zero when the target passed while the clinic was closed
        words = _("overdue by %(span)s") % {"span": span_words(late)} if late else _("overdue")
        return format_html('<strong class="overdue">{}</strong>', words)
    local = timezone.localtime(due)
    if local.date() == timezone.localdate():
        return _("today, %(time)s") % {"time": date_format(local, "TIME_FORMAT")}
    far = due - now > timedelta(days=7)
    day = date_format(local, "D j M Y") if far else _day_and_time(local)
    visit = row.urgency < Urgency.URGENT and due == row.target_at
    return _("see by %(day)s") % {"day": day} if visit else day


def _day_and_time(local: datetime) -> str:
    return date_format(local, "D j M, ") + date_format(local, "TIME_FORMAT")


def run_service(
    request: Request, submission: Submission, service: Callable[..., None], **kwargs: Any
) -> bool:
    """Call the service of a button with the posted revision. Returns whether the service did it.

    A refusal of the service becomes a message to staff.
    """
    revision = request.POST.get("revision", "")
    try:
        with transaction.atomic():
            service(
                submission=submission,
                by=request.user,
                revision=int(revision) if _REVISION.fullmatch(revision) else -1,
                request_id=request.request_id,
                **kwargs,
            )
    except (Conflict, workflow.NotAllowed) as error:
        messages.error(request, str(error))
        return False
    return True
