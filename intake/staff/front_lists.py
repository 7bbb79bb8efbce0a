"""The lists of the front desk, as tabs with counts above each of them."""

from collections import Counter
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clinic.lists import Context, FixedFilter, Row, term_of
from intake.domain import workflow
from intake.models.appointments import Appointment, AppointmentRequest, WaitlistEntry
from intake.models.calls import CallTask
from intake.models.submissions import Decision, Submission
from intake.staff.lists import PatientAdmin

MOST = 100  # a tab counts no further
UNBOOKED = ("requested", "called")  # a request for which nothing is offered or booked
BOOK, CALL, TODAY, OFFERED, WAITING = "book", "call", "today", "offered", "waiting"
LABELS = {
    BOOK: gettext_lazy("To book"),
    CALL: gettext_lazy("To call"),
    TODAY: gettext_lazy("Today"),
    OFFERED: gettext_lazy("Offers open"),
    WAITING: gettext_lazy("Waiting list"),
}
_ADDRESSES = {
    BOOK: ("frontdesk", "?list=book"),
    CALL: ("calltask", ""),
    TODAY: ("appointment", ""),
    OFFERED: ("frontdesk", "?progress=offered"),
    WAITING: ("waitlistentry", ""),
}
"""For each tab the model whose list shows its rows, and the filter of that list."""


def to_book(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return the submissions for which a clinician decided on a visit that nobody has booked yet.

    The requests are matched by a subquery, so that PostgreSQL reads only those that are open.
    """
    requests = AppointmentRequest.objects.filter(progress__in=UNBOOKED)
    decided = Decision.objects.filter(submission=OuterRef("pk")).order_by("-at", "-id")
    rows = rows.filter(status="decided", suspect=False, pk__in=requests.values("submission"))
    rows = rows.alias(decided=Subquery(decided.values("outcome")[:1]))
    return rows.filter(decided__in=workflow.TO_BOOK)


class ListFilter(FixedFilter):
    """Shows the visits to book. A tab above the list chooses it, so it draws no choices."""

    title = gettext_lazy("list")
    parameter_name = "list"
    options = [(BOOK, LABELS[BOOK])]
    template = "admin/intake/submission/no_choices.html"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return to_book(queryset) if self.value() == BOOK else queryset


def is_to_book(request: HttpRequest) -> bool:
    """Whether the list shows the visits to book, without a search."""
    return request.GET.get("list") == BOOK and not term_of(request)


def counts() -> dict[str, str]:
    """Count the rows of each tab up to MOST, in one query."""
    today = timezone.localdate()
    lists: dict[str, QuerySet[Any]] = {
        BOOK: to_book(Submission.objects.all()),
        CALL: CallTask.objects.to_make(),
        TODAY: Appointment.objects.on_days(today, today).filter(status__in=workflow.VISITS),
        OFFERED: AppointmentRequest.objects.filter(progress="offered"),
        WAITING: WaitlistEntry.objects.all(),
    }
    first, *others = (
        rows.order_by().values_list(Value(code), flat=True)[:MOST] for code, rows in lists.items()
    )
    found = Counter(first.union(*others, all=True))
    return {code: f"{MOST - 1}+" if found[code] == MOST else str(found[code]) for code in LABELS}


def tabs(request: HttpRequest, model_name: str) -> list[dict[str, Any]]:
    """Return the tabs above a list of `model_name`; none for staff who do not book."""
    if not (
        request.user.has_perm("intake.view_frontdesk")
        and request.user.has_perm("intake.change_appointment")
    ):
        return []
    chosen = request.GET.get("list") or request.GET.get("progress") or ""
    found = counts()
    return [
        {
            "label": label,
            "count": found[code],
            "address": reverse(f"admin:intake_{model}_changelist") + query,
            "is_shown": model == model_name and query.rpartition("=")[2] in ("", chosen),
        }
        for code, label in LABELS.items()
        for model, query in (_ADDRESSES[code],)
    ]


class FrontList(PatientAdmin[Row]):
    """A list of patients with the front desk's tabs above it."""

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        found = tabs(request, str(self.opts.model_name)) if request.method == "GET" else []
        return super().changelist_view(request, {"front_lists": found, **(extra_context or {})})
