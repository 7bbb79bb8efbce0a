"""The list of visits, by default of today: who is here and since when, who is late."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from intake.appointments import arrival
from intake.appointments.admin.filters import (
    ClinicianFilter,
    DayFilter,
    HoursFilter,
    LocationFilter,
    TimeOrder,
    VisitStatusFilter,
)
from intake.appointments.admin.visit_buttons import BUTTONS, buttons_for
from intake.domain import workflow
from intake.models.appointments import Appointment
from intake.models.calls import CallTask
from intake.models.clinic_time import VisitKind
from intake.models.submissions import Submission
from intake.staff.front_lists import FrontList
from intake.staff.status_words import span_words


@dataclass(frozen=True)
class DayColumn:
    """A column that another room adds to the list of visits.

    `cells` maps the ids of visits to the words of their cells, with a fixed number of queries.
    """

    name: str
    title: Any
    cells: Callable[[Sequence[Appointment]], Mapping[UUID, Any]]

    def shown(self) -> Callable[[Any], Any]:
        """Return the column as the admin's list takes it."""

        @admin.display(description=self.title, empty_value="")
        def cell(row: Any) -> Any:
            return row.cells[self.name].get(row.pk)

        cell.__name__ = self.name
        return cell


COLUMNS: list[DayColumn] = []


class DayOrder(TimeOrder):
    """Sorts visits by time, and gives each row what its cells show."""

    def get_results(self, request: HttpRequest) -> None:
        """Needs one query for the owed calls, and those of COLUMNS."""
        super().get_results(request)
        rows = self.result_list = list(self.result_list)
        day = self.filter_params.get(DayFilter.parameter_name, [""])[-1]
        self.day = day if DayFilter.day_of(day) else timezone.localdate().isoformat()
        self.kept = [
            (name, value)
            for name, values in self.filter_params.items()
            if name != DayFilter.parameter_name
            for value in values
        ]
        cells = {column.name: column.cells(rows) for column in COLUMNS}
        owed = _owed_calls(request, rows)
        for row in rows:
            row.cells, row.owed = cells, owed.get(row.submission_id, 0)
            row.buttons = buttons_for(row, request)
            row.back = request.get_full_path()


def _owed_calls(request: HttpRequest, rows: Sequence[Appointment]) -> dict[UUID, int]:
    """Count the owed calls of each submission, if the reader may see calls."""
    seen = {row.submission_id for row in rows if row.submission_id}
    if not seen or not request.user.has_perm("intake.view_calltask"):
        return {}
    open_calls = CallTask.objects.open().filter(submission__in=seen).order_by()
    return dict(open_calls.values_list("submission").annotate(Count("pk")))


class DayList(FrontList[Appointment]):
    """The columns of the list of visits."""

    list_display = [
        *("when", "patient", "born", "opens", "kind", "clinician", "location", "state", "owed"),
        "acts",
    ]
    list_filter = [DayFilter, ClinicianFilter, LocationFilter, VisitStatusFilter, HoursFilter]
    list_select_related = ["clinician", "location", "visit_type", "submission"]
    list_per_page = 50
    sortable_by = []
    list_title = gettext_lazy("Appointments")
    is_in_index = False
    changelist = DayOrder
    reference_lookup = "submission__reference"

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        *columns, acts = self.list_display
        return [*columns, *(column.shown() for column in COLUMNS), acts]

    def submissions_shown(self, rows: list[Appointment]) -> list[Submission]:
        return [row.submission for row in rows if row.submission]

    @admin.display(description=gettext_lazy("When"))
    def when(self, row: Appointment) -> str:
        start, end = row.starts, row.ends
        return format_html(
            '<a href="{}">{}, {}–{}</a>',
            self.address("change", row.pk),
            date_format(start, "D j M"),
            date_format(start, "TIME_FORMAT"),
            date_format(end, "TIME_FORMAT"),
        )

    @admin.display(description=gettext_lazy("Patient"))
    def patient(self, row: Any) -> str:
        if row.submission is None:
            return _("held")
        return row.submission.person.get("name") or _("Name not given")

    @admin.display(description=gettext_lazy("Born"))
    def born(self, row: Any) -> str:
        born = row.submission.person.get("birth_date") if row.submission else None
        return date_format(date.fromisoformat(born), "DATE_FORMAT") if born else "–"

    @admin.display(description=gettext_lazy("Reference"))
    def opens(self, row: Any) -> str:
        return row.submission.reference if row.submission else "–"

    @admin.display(description=gettext_lazy("Visit"))
    def kind(self, row: Appointment) -> str:
        return str(row.visit_type)

    @admin.display(description=gettext_lazy("Status"))
    def state(self, row: Any) -> str:
        words = state_words(row)
        return format_html("{}; {}", words, _("overbooked")) if row.is_overbooked else words

    @admin.display(description=gettext_lazy("Calls"), empty_value="")
    def owed(self, row: Any) -> str | None:
        if not row.owed:
            return None
        return ngettext("%(n)s call owed", "%(n)s calls owed", row.owed) % {"n": row.owed}

    @admin.display(description="")
    def acts(self, row: Any) -> str:
        # the buttons post the admin's own form around the list, because that form has the CSRF
        # token
        buttons = format_html_join(
            " ",
            '<button class="button{}" formaction="{}" name="back" value="{}">{}</button>',
            [
                ("" if name in ("arrive", "call_in") else " plain", self.address(name, row.pk),
                 row.back, words)
                for name, words in BUTTONS.items()
                if row.buttons[f"may_{name}"] and is_next(name, row)
            ],
        )  # fmt: skip
        if not row.buttons["may_book_again"]:
            return buttons
        page = reverse("admin:intake_frontdesk_change", args=[row.submission_id])
        again = format_html('<a class="button plain" href="{}">{}</a>', page, _("Book again"))
        return format_html("{} {}", buttons, again)


def is_late(row: Appointment) -> bool:
    return arrival.is_late(row, at=timezone.now())


def is_next(act: str, row: Appointment) -> bool:
    """Whether the list, too, shows the button: the act is what usually comes next for the visit."""
    if act == "miss":
        return is_late(row)
    in_person = row.visit_type.kind == VisitKind.IN_PERSON
    return act != "complete" or (
        row.status == "confirmed" and (row.state == "called_in" or not in_person)
    )


def state_words(row: Appointment) -> str:
    """Say how far a visit is: booked, late, here since, in since, kept, did not come, cancelled."""
    words, now = workflow.VISIT_STATES[row.state], timezone.now()
    if row.in_since:
        return _("In since %(time)s") % {"time": date_format(row.in_since, "TIME_FORMAT")}
    if row.state == "here" and row.here_since:
        return _("Here since %(time)s, waits %(span)s") % {
            "time": date_format(row.here_since, "TIME_FORMAT"),
            "span": span_words(now - row.here_since),
        }
    if is_late(row):
        late = _("Not here, %(span)s late") % {"span": span_words(now - row.during.lower)}
        return format_html('<strong class="overdue">{}</strong>', late)
    return words
