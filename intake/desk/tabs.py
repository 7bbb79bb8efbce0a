"""The tabs of the worklist, one for each state of the work, and the filters beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from clinic.lists import FixedFilter, term_of
from clinic.requests import signed_in_user
from intake.domain import workflow
from intake.models.calls import CallTask
from intake.models.submissions import (
    IS_ANSWER_DUE,
    IS_MINE_TO_DO,
    IS_TO_CALL_BACK,
    IS_WAITING,
    Decision,
    Submission,
)
from intake.staff.filters import (
    MineFilter,
    ProtocolFilter,
    RedFlagFilter,
    SentFilter,
    StatusFilter,
    UrgencyFilter,
    midnight,
)

Rows = QuerySet[Submission]
TO_DO, ALL = "todo", "all"
OF_CLINICIANS = (
    CallTask.Reason.MESSAGE,
    CallTask.Reason.MORE,
    CallTask.Reason.NURSE,
    CallTask.Reason.LINE,
)
"""The owed calls with which triage goes on. The front desk makes the calls about visits."""


def _to_call_back(rows: Rows, by: User) -> Rows:
    """Match the submissions whose patient a clinician still has to reach by phone.

    The ids come from two partial indexes, so that PostgreSQL reads no other submission.
    """
    owed = CallTask.objects.to_make().filter(reason__in=OF_CLINICIANS).values("submission")
    not_reached = Submission.objects.filter(IS_TO_CALL_BACK).values("pk")
    return rows.filter(pk__in=owed.union(not_reached))


def _decided_today(rows: Rows, by: User) -> Rows:
    decided = Decision.objects.filter(at__gte=midnight()).values("submission")
    return rows.filter(pk__in=decided).exclude(status__in=workflow.OPEN)


@dataclass(frozen=True)
class Tab:
    """A state of the work: its label, and the function that keeps its submissions of a list."""

    label: str | Promise
    narrow: Callable[[Rows, User], Rows]


TABS = {
    TO_DO: Tab(gettext_lazy("To do"), lambda rows, by: rows.filter(IS_WAITING)),
    "triage": Tab(
        gettext_lazy("Needs triage"),
        lambda rows, by: rows.filter(
            IS_WAITING, Q(status__in=workflow.IN_TRIAGE) | Q(status="waiting", back_at=None)
        ),
    ),
    "replied": Tab(gettext_lazy("Patient replied"), lambda rows, by: rows.filter(IS_ANSWER_DUE)),
    "call": Tab(gettext_lazy("Call back"), _to_call_back),
    "patient": Tab(
        gettext_lazy("Waiting for patient"),
        lambda rows, by: rows.filter(status="waiting", back_at__isnull=False),
    ),
    "mine": Tab(gettext_lazy("Mine"), lambda rows, by: rows.filter(IS_MINE_TO_DO, assignee=by.pk)),
    "decided": Tab(gettext_lazy("Decided today"), _decided_today),
    ALL: Tab(gettext_lazy("All"), lambda rows, by: rows),
}
"""Tab, as addresses name it → what it is. Without a tab, the list is what the clinic has to do."""

# a list that was named by a status before there were tabs
_OF_STATUS = {"replies": "replied"}


def tab_of(request: HttpRequest) -> str:
    """Return the tab that a list shows. A search and a filter by status look in all submissions."""
    tab, status = request.GET.get("tab", ""), request.GET.get("status", "")
    if term_of(request):
        return ALL
    if tab in TABS:
        return tab
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    return ALL if status in dict(WorklistStatusFilter.options) else TO_DO


class TabFilter(FixedFilter):
    """Shows the submissions of one tab.

    The tabs stand above the filters, so this filter draws no choices.
    """

    title = gettext_lazy("work")
    parameter_name = "tab"
    template = "admin/intake/submission/no_choices.html"
    options = [(code, tab.label) for code, tab in TABS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return TABS[tab_of(request)].narrow(queryset, signed_in_user(request))


class WorklistStatusFilter(StatusFilter):
    """Filters by status. The tab decides what is shown without a choice."""

    default = gettext_lazy("Any")
    shown_by_default = Q()

    def choices(self, changelist: ChangeList) -> Any:
        """Yield the choices that are not a tab. A choice stays on the tab that is shown."""
        first, *options = super().choices(changelist)
        yield first
        for (code, _label), option in zip(self.lookup_choices, options, strict=True):
            if code != ALL and code not in _OF_STATUS:
                stay = {"tab": tab_of(self.request), self.parameter_name: code}
                yield option | {"query_string": changelist.get_query_string(stay)}

    @classmethod
    def condition(cls, request: HttpRequest, value: str) -> Q:
        special = {"suspect": Q(suspect=True), "replies": IS_ANSWER_DUE, "all": Q()}
        return special.get(value, Q(status=value))

    def default_words(self, changelist: ChangeList) -> Any:
        return self.default


FILTERS: list[type[FixedFilter]] = [
    TabFilter,
    WorklistStatusFilter,
    UrgencyFilter,
    MineFilter,
    RedFlagFilter,
    ProtocolFilter,
    SentFilter,
]
