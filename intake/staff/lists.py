"""What every list and page of patients shares."""

import re
from collections.abc import Callable
from datetime import timedelta
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
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import hours
from clinic.ids import parse_reference
from clinic.lists import FindList, FixedFilter, ReadOnlyAdmin, term_of
from intake import search
from intake.domain import workflow
from intake.errors import Conflict
from intake.models.appointments import AppointmentRequest
from intake.models.people import without_clinician
from intake.models.submissions import (
    IS_ANSWER_DUE,
    IS_NOT_CLOSED,
    IS_WAITING,
    ORDER,
    Submission,
    Urgency,
)
from intake.staff import reads

_REVISION = re.compile(r"[0-9]{1,9}")


class UrgencyFilter(FixedFilter):
    title = gettext_lazy("urgency")
    parameter_name = "urgency"
    options = [(urgency.code, urgency.label) for urgency in Urgency]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = {urgency.code: urgency for urgency in Urgency}
        return queryset.filter(urgency=known[self.value()]) if self.value() in known else queryset


class StatusFilter(FixedFilter):
    """Shows what still waits unless asked otherwise."""

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
        # a search looks everywhere: a patient on the phone may have been decided on yesterday
        if self.value() == "all" or term_of(request):
            return queryset
        special = {"replies": IS_ANSWER_DUE, "suspect": Q(suspect=True)}
        return queryset.filter(special.get(self.value() or "", self.shown_by_default))


class NotClosedFilter(StatusFilter):
    """For the front desk the work begins when a clinician has decided."""

    default = gettext_lazy("Not closed")
    shown_by_default = IS_NOT_CLOSED


class MineFilter(FixedFilter):
    title = gettext_lazy("whose")
    parameter_name = "mine"
    options = [("me", gettext_lazy("Mine")), ("nobody", gettext_lazy("Nobody’s yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "me":
            return queryset.filter(assignee=request.user)
        if self.value() != "nobody":
            return queryset
        # Asked for apart, since mostly there are none: then an index has the rows in their order.
        # What is over stays with its colleague of then.
        left = Submission.objects.waiting().exclude(assignee=None).filter(without_clinician())
        holders = set(left.values_list("assignee", flat=True))
        return queryset.filter(Q(assignee=None) | IS_WAITING & Q(assignee__in=holders))


class RedFlagFilter(FixedFilter):
    title = gettext_lazy("red flags")
    parameter_name = "red"
    options = [("yes", gettext_lazy("With red flags")), ("no", gettext_lazy("Without"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        # by what the rules said: a decision may lower the urgency, not take the flag away
        if self.value() == "yes":
            return queryset.filter(assessed_urgency__gte=Urgency.SAME_DAY)
        return (
            queryset.filter(assessed_urgency__lt=Urgency.SAME_DAY)
            if self.value() == "no"
            else queryset
        )


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
        if self.value() not in dict(self.options):
            return queryset
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return queryset.filter(submitted_at__gte=midnight - timedelta(days=int(self.value())))


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
            # Few submissions are open. With a join the planner may begin at the requests instead,
            # which become more every year; from a subquery it can only look one up for each row.
            told = AppointmentRequest.objects.filter(submission=OuterRef("pk")).values("progress")
            return queryset.alias(told=Subquery(told[:1])).filter(told=self.value())
        if self.value() == "waitlist":
            return queryset.filter(appointment_request__waiting__isnull=False)
        return queryset


class OneOrder(FindList):
    """The worklist's order, whatever the address asks for; a search ranks its finds by itself."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(ORDER)


def served(method: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """An admin view on one record: permission, the record itself, and one transaction."""

    @wraps(method)
    def view(
        self: "PatientAdmin", request: HttpRequest, object_id: str, **kwargs: Any
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            return method(self, request, self.found(request, object_id), **kwargs)

    return view


class PatientAdmin(ReadOnlyAdmin):
    """What every list and page of patients shares: who saw what is recorded before it is sent."""

    list_select_related = ["assignee"]
    search_fields = ["reference"]  # shows the box; get_search_results does the work
    search_help_text = gettext_lazy(
        "Name (a misspelt one too), reference, phone, e-mail or date of birth"
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OneOrder

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        if reference := parse_reference(search_term):
            return queryset.filter(reference=reference), False
        found = people(queryset, search_term)
        if not found:
            return queryset.none(), False
        keys = models.Value(found, output_field=ArrayField(models.UUIDField()))
        place = models.Func(keys, "pk", function="array_position")
        return queryset.filter(pk__in=found).order_by(place), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        with transaction.atomic():
            response = super().changelist_view(request, self.titled(extra_context))
            context = getattr(response, "context_data", None) or {}
            if "cl" in context:
                reads.record_list(
                    submissions=self.recorded(list(context["cl"].result_list)),
                    by=request.user,
                    request_id=request.request_id,
                    term=context["cl"].query,
                    page=self.opts.model_name,
                )
                response.render()
        return response

    def recorded(self, rows: list[Any]) -> list[Submission]:
        """The submissions whose patients these rows of the list name."""
        return rows

    def found(self, request: HttpRequest, object_id: Any) -> Any:
        """The record of an address. Raises Http404; PermissionDenied when it is not for them."""
        record = self.get_object(request, str(object_id))
        if record is None:
            raise Http404
        if not self.has_view_permission(request, record):
            raise PermissionDenied
        return record

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The record's own page shows its history."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect(self.address("change", object_id))

    def address(self, name: str, object_id: Any = None) -> str:
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
    """The mark of a row with words of alarm that nobody has read."""
    return format_html('<strong class="danger-mark">{}</strong>', _("Alarm: patient wrote"))


def people(rows: Any, term: str) -> list[Any]:
    """The keys of the submissions whose patient fits what was typed, the best first."""
    wanted = search.query_tokens(term)
    if not wanted:
        return []
    # values and not rows: two hundred of them are made, and a page shows 25
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
    """A span of time in its largest fitting unit: '25 min', '3 h', '5 days'."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return _("%(n)s min") % {"n": minutes}
    if minutes < 48 * 60:
        return _("%(n)s h") % {"n": minutes // 60}
    return _("%(n)s days") % {"n": minutes // (24 * 60)}


def standing_words(row: Submission) -> str:
    """The status, and what of it waits for the patient."""
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
    """When the patient has to be contacted, or seen for the two lowest levels, whose targets in
    rules.yaml are of visits; or by how much opening time that is overdue. For one that waits for
    the patient, when it comes back."""
    now, due = timezone.now(), row.due_at or row.target_at
    if row.due_at is None and row.waits_for_patient:
        back = timezone.localtime(row.back_at)
        return _("back on %(day)s") % {
            "day": date_format(back, "D j M, ") + date_format(back, "TIME_FORMAT")
        }
    if row.is_overdue(now):
        late = hours.current().open_time_between(due, now)
        # passed while the clinic was closed: nobody has been waited for yet
        words = _("overdue by %(span)s") % {"span": span_words(late)} if late else _("overdue")
        return format_html('<strong class="overdue">{}</strong>', words)
    local = timezone.localtime(due)
    if local.date() == timezone.localdate():
        return _("today, %(time)s") % {"time": date_format(local, "TIME_FORMAT")}
    if due - now > timedelta(days=7):
        day = date_format(local, "D j M Y")
    else:
        day = date_format(local, "D j M, ") + date_format(local, "TIME_FORMAT")
    visit = row.urgency < Urgency.URGENT and due == row.target_at
    return _("see by %(day)s") % {"day": day} if visit else day


def act(
    request: HttpRequest, submission: Submission, service: Callable[..., None], **kwargs: Any
) -> bool:
    """Call a service for a button; a conflict becomes a message. Whether it was done."""
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
