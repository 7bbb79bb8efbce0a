"""Shared by all lists and pages of patients: order, search, recorded reads, columns."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context, FindList, RecordedAdmin, Row
from clinic.requests import StaffRequest, request_id, signed_in_user
from clinic.secrets.sealing import Sealed
from intake import search
from intake.domain import workflow
from intake.errors import Conflict
from intake.models.submissions import (
    ORDER,
    Submission,
    SubmissionQuerySet,
    Urgency,
)
from intake.staff import reads
from intake.staff.reach_words import NO_WAY
from intake.staff.status_words import alarm_mark, span_words, standing_words, target_words
from intake.ways.contact import reaches_of
from intake.wording.languages import month_names

WHOLE_NUMBER = 10  # digits of a phone number with its area code
_REVISION = re.compile(r"[0-9]{1,9}")


class WorklistOrder(FindList):
    """Sorts in the order of the worklist. A search sorts its results by how well they fit."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return list(ORDER)

    @property
    def understood(self) -> str:
        """What the search term was read as, for a list that found nothing."""
        return understood_words(search.read(self.term, month_names())) if self.term else ""

    def get_results(self, request: HttpRequest) -> None:
        """Give each row the ways to its patient (`reach`), with a fixed number of queries."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        reaches = reaches_of(self.result_list)
        for row in self.result_list:
            row.reach = reaches[row.pk]


def record_view(method: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Turn a method into an admin view of one record, which runs in one transaction.

    Checks the permission to view, and gives the method the record in place of its id.
    """

    @wraps(method)
    def view(
        self: "PatientAdmin[Any]", request: HttpRequest, object_id: str, **kwargs: Any
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            return method(self, request, self.record_or_404(request, object_id), **kwargs)

    return view


def record_page(template: str) -> Callable[[Callable[..., Context]], Callable[..., HttpResponse]]:
    """Turn a method that returns the context of a record's page into a method that shows the page.

    The page is rendered in the transaction in which the method records the read. After a refusal
    (`error`) the record is read again, because a colleague may have changed it.
    """

    def decorate(method: Callable[..., Context]) -> Callable[..., HttpResponse]:
        @wraps(method)
        def show(
            self: "PatientAdmin[Any]",
            request: HttpRequest,
            row: models.Model,
            *args: Any,
            error: Exception | None = None,
            status: int = 200,
            **kwargs: Any,
        ) -> HttpResponse:
            with transaction.atomic():
                if error:
                    row = self.record_or_404(request, row.pk)
                context = {
                    **self.admin_site.each_context(request),
                    "opts": self.opts,
                    "is_popup": False,
                    **method(self, request, row, *args, error=error, **kwargs),
                }
                return TemplateResponse(request, template, context, status=status).render()

        return show

    return decorate


class PatientAdmin(RecordedAdmin[Row]):
    """The base of all lists and pages of patients: records who saw what before a page is sent."""

    list_select_related = ["assignee"]
    search_fields = ["reference"]  # shows the search box; get_search_results does the search
    search_help_text = gettext_lazy(
        "Name (a misspelt one too), date of birth, both together, phone or its last 4 digits, "
        "e-mail, reference or its first half"
    )

    changelist: type[FindList] = WorklistOrder
    reference_lookup = "reference"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        term = search.read(search_term, month_names())
        found = self.matches(queryset, term)
        if term.reference:  # whole, or its first half, which may be a name or digits as well
            begins = Q(**{f"{self.reference_lookup}__startswith": term.reference})
            found = queryset.filter(begins | Q(pk__in=found.order_by().values("pk")))
        return found, False

    def matches(self, rows: QuerySet[Any], term: search.Term) -> QuerySet[Any]:
        """Return the rows whose patient fits the search term.

        Lists whose rows are not submissions override this method.
        """
        found = find_patients(cast(SubmissionQuerySet, rows), term)
        if not found:
            return rows.none()
        keys = models.Value(found, output_field=ArrayField(models.UUIDField()))
        place = models.Func(keys, "pk", function="array_position")
        return rows.filter(pk__in=found).order_by(place)

    def record_list(self, request: HttpRequest, changelist: ChangeList) -> None:
        reads.record_list(
            submissions=self.submissions_shown(list(changelist.result_list)),
            by=signed_in_user(request),
            request_id=request_id(request),
            term=changelist.query,
            page=str(self.opts.model_name),
        )

    def submissions_shown(self, rows: list[Row]) -> list[Submission]:
        """Return the submissions of the patients whom these rows name, to record the read.

        Lists whose rows are not submissions override this method.
        """
        return cast(list[Submission], rows)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Context | None = None
    ) -> HttpResponse:
        """Redirect to the record's own page, which shows the history."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return redirect(self.address("change", object_id))

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

    # names of views that take a record's id; for example, decide_view serves "decide"
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
    def patient(self, row: Any) -> str:
        name = str(row.person.get("name") or _("Name not given"))
        if not row.reach.is_none:
            return name
        return format_html('{}<br><span class="flag">{}</span>', name, NO_WAY)

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
        if row.recheck_urgency is not None:
            return _("%(status)s; birth date corrected") % {"status": status}
        if row.suspect:
            return _("%(status)s; possible bot") % {"status": status}
        if row.reply_due_at:
            return _("%(status)s; patient wrote") % {"status": status}
        if row.escalate_at and row.status not in workflow.OPEN:
            return _("%(status)s; patient not reached yet") % {"status": status}
        return status


def address_back(request: HttpRequest, default: str) -> str:
    """Return the staff page from which a button was pressed (`back`), or `default` without one."""
    back = request.POST.get("back", "")[:500]
    safe = back.startswith("/admin/") and url_has_allowed_host_and_scheme(back, None)
    return back if safe else default


def understood_words(term: search.Term) -> str:
    """Return a sentence that says what a search term was read as."""
    dates = _(" or ").join(date_format(day, "j M Y") for day in term.dates)
    if term.dates and term.name:
        return _("Read as the name “%(name)s” and a date of birth: %(dates)s.") % {
            "name": term.name,
            "dates": dates,
        }
    if term.dates:
        return _("Read as a date of birth: %(dates)s.") % {"dates": dates}
    if term.email:
        return _("Read as an e-mail address.")
    if len(term.digits) >= WHOLE_NUMBER:
        return _("Read as a phone number.")
    if term.digits:
        return _("Read as the last digits of a phone number.")
    return _("Read as a name.") if term.name else _("Read as a reference.")


def find_patients(rows: SubmissionQuerySet, term: search.Term) -> list[UUID]:
    """Return the ids of the submissions whose patient fits the search term, the best fit first."""
    wanted = search.query_tokens(term)
    if not wanted:
        return []
    # reads values, not models, because up to 200 candidates are ranked for a page of 25
    candidates = rows.matching(wanted).order_by("-submitted_at")
    columns = candidates.values_list("pk", "person", "submitted_at")[: search.CANDIDATES]
    opened = Submission._meta.get_field("person").open_for
    ranked = sorted(
        (search.rank(term, opened(pk, person)), -sent.timestamp(), pk)
        for pk, person, sent in cast(Iterable[tuple[UUID, Sealed, datetime]], columns)
    )
    return [pk for place, _sent, pk in ranked if place < 3]


def posted_revision(request: StaffRequest) -> int:
    """Return the revision that staff read before they pressed a button; -1 for an odd value."""
    revision = request.POST.get("revision", "")
    return int(revision) if _REVISION.fullmatch(revision) else -1


def run_service(
    request: StaffRequest, submission: Submission, service: Callable[..., None], **kwargs: Any
) -> bool:
    """Call the service of a button with the posted revision. Returns whether the service succeeded.

    When the service refuses, staff read the reason in a message.
    """
    try:
        with transaction.atomic():
            service(
                submission=submission,
                by=request.user,
                revision=posted_revision(request),
                request_id=request.request_id,
                **kwargs,
            )
    except (Conflict, workflow.NotAllowed) as error:
        messages.error(request, str(error))
        return False
    return True
