"""The filters of the lists of patients."""

from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib.admin.views.main import ChangeList
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import FixedFilter, term_of
from clinic.requests import signed_in_user
from intake import documents
from intake.domain import workflow
from intake.models.appointments import AppointmentRequest
from intake.models.people import without_clinician
from intake.models.submissions import (
    IS_ANSWER_DUE,
    IS_NOT_CLOSED,
    IS_WAITING,
    ProtocolDocument,
    Submission,
    Urgency,
)


def midnight() -> datetime:
    """Return the moment at which today began in the clinic's time zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


class UrgencyFilter(FixedFilter):
    title = gettext_lazy("urgency")
    parameter_name = "urgency"
    options = [(urgency.code, urgency.label) for urgency in Urgency]

    @classmethod
    def condition(cls, request: HttpRequest, value: str) -> Q:
        return Q(urgency=Urgency.of(value))


class StatusFilter(FixedFilter):
    """Filters by status. Without a choice, shows the submissions that wait for the clinic."""

    title = gettext_lazy("status")
    parameter_name = "status"
    options = [
        *workflow.STATUSES.items(),
        ("replies", gettext_lazy("Patient wrote")),
        ("suspect", gettext_lazy("Possible bots")),
        ("all", gettext_lazy("All")),
    ]
    default = gettext_lazy("Waiting for our decision or answer")
    shown_by_default = IS_WAITING

    def default_words(self, changelist: ChangeList) -> Any:
        return _("All") if changelist.query else self.default

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() in workflow.STATUSES:
            return queryset.filter(status=self.value())
        # a search looks in all statuses, because a patient who calls may already have a decision
        if self.value() == "all" or term_of(request):
            return queryset
        special = {"replies": IS_ANSWER_DUE, "suspect": Q(suspect=True)}
        return queryset.filter(special.get(self.value() or "", self.shown_by_default))


class NotClosedFilter(StatusFilter):
    """Filters by status. Without a choice, shows all submissions that are not closed.

    Decided submissions are shown, because the front desk may still have work.
    """

    default = gettext_lazy("Not closed")
    shown_by_default = IS_NOT_CLOSED


class MineFilter(FixedFilter):
    title = gettext_lazy("assigned")
    parameter_name = "mine"
    options = [("me", gettext_lazy("Mine")), ("nobody", gettext_lazy("Not assigned"))]

    @classmethod
    def condition(cls, request: HttpRequest, value: str) -> Q:
        if value == "me":
            return Q(assignee=signed_in_user(request))
        return Q(assignee=None) | IS_WAITING & without_clinician()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "nobody":
            return super().queryset(request, queryset)
        # The assignees who cannot decide have a query of their own. There are usually none, and
        # then the list can read its rows in order from an index. Closed submissions stay with their
        # assignee.
        left = Submission.objects.waiting().exclude(assignee=None).filter(without_clinician())
        holders = set(left.values_list("assignee", flat=True))
        return queryset.filter(Q(assignee=None) | IS_WAITING & Q(assignee__in=holders))


class ListRequest(HttpRequest):
    """For annotations only: a request with the protocols that `protocols_of_list` keeps on it."""

    protocols: dict[str, str]


def protocols_of_list(request: HttpRequest) -> dict[str, str]:
    """Map the names of the protocols that rows of the list may have to titles.

    The result is kept on the request, so that several calls need only one query.
    """
    request = cast(ListRequest, request)
    if not hasattr(request, "protocols"):
        request.protocols = documents.asking()
    return request.protocols


class ProtocolFilter(FixedFilter):
    """Filters by the protocol with which patients were asked. Hidden while there is only one."""

    title = gettext_lazy("questions")
    parameter_name = "protocol"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        self.options = list(protocols_of_list(request).items())
        return self.options if len(self.options) > 1 else []

    @classmethod
    def condition(cls, request: HttpRequest, value: str) -> Q:
        return Q(protocol__name=value)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.is_chosen():
            return queryset
        # the hashes have a query of their own, so that the list can read its rows from an index
        versions = ProtocolDocument.objects.filter(name=self.value())
        return queryset.filter(protocol__in=list(versions.values_list("pk", flat=True)))


class RedFlagFilter(FixedFilter):
    title = gettext_lazy("red flags")
    parameter_name = "red"
    options = [("yes", gettext_lazy("With red flags")), ("no", gettext_lazy("Without"))]

    @classmethod
    def condition(cls, request: HttpRequest, value: str) -> Q:
        # filters by the urgency that the rules found, because a red flag stays even if a decision
        # lowers the urgency
        if value == "yes":
            return Q(assessed_urgency__gte=Urgency.SAME_DAY)
        return Q(assessed_urgency__lt=Urgency.SAME_DAY)


class SentFilter(FixedFilter):
    title = gettext_lazy("sent")
    parameter_name = "sent"
    options = [
        ("0", gettext_lazy("Today")),
        ("1", gettext_lazy("Since yesterday")),
        ("7", gettext_lazy("In the last 7 days")),
        ("30", gettext_lazy("In the last 30 days")),
    ]

    @classmethod
    def condition(cls, request: HttpRequest, value: str) -> Q:
        return Q(submitted_at__gte=midnight() - timedelta(days=int(value)))


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
            # Few submissions are open. With a join, PostgreSQL may begin with the requests, of
            # which there are more every year. With a subquery, PostgreSQL looks up one request for
            # each open submission.
            requests = AppointmentRequest.objects.filter(submission=OuterRef("pk"))
            progress = Subquery(requests.values("progress")[:1])
            found: QuerySet[Any] = queryset.alias(progress=progress).filter(progress=self.value())
            return found
        if self.value() == "waitlist":
            return queryset.filter(appointment_request__waiting__isnull=False)
        return queryset
