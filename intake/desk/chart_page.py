"""The page of a patient's details for the chart: staff copy them, the front desk corrects them."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from clinic.lists import Context
from clinic.requests import StaffRequest
from intake.chart import details
from intake.chart.block import LABELS, block
from intake.domain.uses import LONGEST_LINE
from intake.errors import Conflict
from intake.forms.fields import PlainTextField
from intake.models.chart import ChartDetails
from intake.staff import reads
from intake.staff.lists import PatientAdmin, record_page
from intake.wording.people import person_words


class ChartForm(forms.Form):
    """All details for the chart, each one line."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=36)

    def __init__(self, *, newest: ChartDetails | None, data: QueryDict | None = None) -> None:
        known = newest.details if newest else {}
        super().__init__(data=data, initial={**known, "seen": details.version_of(newest)})
        for name in details.NAMES:
            # Any, because only our templates know the attribute `unmarked`: every field is optional
            field: Any = PlainTextField(
                label=LABELS[name],
                max_length=LONGEST_LINE,
                required=False,
                widget=forms.TextInput({"dir": "auto", "spellcheck": "false", "size": "50"}),
            )
            field.unmarked = True
            self.fields[name] = field

    def details(self) -> dict[str, str]:
        """Return what was typed, under the names of the details."""
        return {name: self.cleaned_data[name] for name in details.NAMES}


class ChartPage(PatientAdmin[Any]):
    """Adds the page of details for the chart to the staff pages of a submission."""

    def chart_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.record_or_404(request, object_id)
        if request.method != "POST":
            return self.show_chart(request, row)
        if not request.user.has_perm("intake.change_frontdesk"):
            raise PermissionDenied
        form = ChartForm(newest=details.newest_of(row), data=request.POST)
        if not form.is_valid():
            return self.show_chart(request, row, form=form, status=422)
        try:
            changed = details.correct(
                submission=row,
                details=form.details(),
                seen=form.cleaned_data["seen"],
                by=request.user,
                request_id=request.request_id,
            )
        except Conflict as error:
            return self.show_chart(request, row, form=form, error=error, status=409)
        done = _("The details for the chart are stored.")
        messages.success(request, done if changed else _("Nothing was changed."))
        return redirect(self.address("chart", row.pk))

    @record_page("admin/intake/chart/page.html")
    def show_chart(
        self,
        request: StaffRequest,
        row: Any,
        *,
        form: ChartForm | None = None,
        error: Exception | None = None,
    ) -> Context:
        """Show the page. After a refusal the form keeps what was typed, for the row that counts."""
        reads.record_read(submission=row, by=request.user, request_id=request.request_id)
        rows = list(details.rows_of(row))
        newest = rows[0] if rows else None
        if form and error:
            data = cast(QueryDict, form.data).copy()
            data["seen"] = details.version_of(newest)
            form = ChartForm(newest=newest, data=data)
        may_change = request.user.has_perm("intake.change_frontdesk")
        return {
            "title": row.reference,
            "submission": row,
            "chart": block(row, newest.details if newest else {}),
            "rows": [row_words(each) for each in rows],
            "form": (form or ChartForm(newest=newest)) if may_change else None,
            "refused": error,
            "page_address": self.address("change", row.pk),
        }


def row_words(row: ChartDetails) -> dict[str, Any]:
    """Return a row in words: who gave the details, when, and the details."""
    return {
        "at": row.at,
        "by": person_words(row.by) if row.by else _("the patient"),
        "details": [
            (LABELS[name], row.details[name]) for name in details.NAMES if name in row.details
        ],
    }
