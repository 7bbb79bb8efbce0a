"""The audit trail in the admin."""

import re
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.db.models import CharField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit
from clinic.lists import FixedFilter, ListOnly, RecordedAdmin
from clinic.models import Event

_REQUEST = re.compile(r"[0-9a-f]{32}", re.ASCII)
_SUBJECT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


class ActionFilter(FixedFilter):
    title = gettext_lazy("what")
    parameter_name = "action"
    options = [(action, action) for action in sorted(audit.ACTIONS)]


class WhenFilter(FixedFilter):
    title = gettext_lazy("when")
    parameter_name = "days"
    options = [
        ("1", gettext_lazy("Last 24 hours")),
        ("7", gettext_lazy("Last 7 days")),
        ("30", gettext_lazy("Last 30 days")),
    ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.value()
        if days is None or days not in dict(self.options):
            return queryset
        return queryset.filter(at__gte=timezone.now() - timedelta(days=int(days)))


@admin.register(Event)
class EventAdmin(ListOnly[Event], RecordedAdmin[Event]):
    """The list of events. Each look at the list is recorded as an event, too."""

    list_title = gettext_lazy("Audit trail")
    list_display = ["at", "who", "action", "subject", "purpose", "what_else", "request_id"]
    list_filter = [ActionFilter, WhenFilter]
    list_per_page = 50
    sortable_by: ClassVar[list[str]] = []
    search_fields = ["subject"]  # shows the search box; get_search_results does the search
    search_help_text = gettext_lazy(
        "The whole of it: id of a record, request id, user name, staff:7, or a patient’s reference"
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        person = User.objects.annotate(
            key=Concat(Value("staff:"), Cast("pk", CharField()), output_field=CharField())
        ).filter(key=OuterRef("actor"))
        return (
            super().get_queryset(request).annotate(username=Subquery(person.values("username")[:1]))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        if _REQUEST.fullmatch(term):
            return queryset.filter(request_id=term), False
        if _SUBJECT.fullmatch(term):
            return queryset.filter(subject=term), False
        names = [term, f"patient:{term.upper()}", f"system:{term}"]
        if user := User.objects.filter(username=term).first():
            names.append(audit.staff(user))
        return queryset.filter(Q(actor__in=names) | Q(subject__in=names)), False

    def record_list(self, request: HttpRequest, changelist: ChangeList) -> None:
        shown = len(changelist.result_list)
        audit.record_request(request, "list", page="event", count=shown)

    @admin.display(description=gettext_lazy("Who"))
    def who(self, row: Any) -> str:
        return f"{row.username} ({row.actor})" if row.username else row.actor

    @admin.display(description=gettext_lazy("Detail"))
    def what_else(self, row: Event) -> str:
        return (
            "; ".join(f"{key}: {_detail_text(value)}" for key, value in sorted(row.detail.items()))
            or "–"
        )


def _detail_text(value: object) -> str:
    """Return a value of an event's detail as text. A list of more than four items is counted."""
    if isinstance(value, list):
        long = len(value) > 4
        return _("%(n)s of them") % {"n": len(value)} if long else ", ".join(map(str, value)) or "–"
    return str(value)
