"""The staff page that exports many submissions: which, why, and which private parts."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.people.sign_in import ask_for_fresh_factor
from clinic.requests import StaffRequest
from intake import documents
from intake.desk import export
from intake.desk.export import GROUNDS, MOST, ExportInput
from intake.models.submissions import ProtocolDocument, Urgency

FORMATS = {
    "csv": (gettext_lazy("A table (CSV), for a spreadsheet program"), "text/csv", export.as_csv),
    "jsonl": (
        gettext_lazy("One line of JSON for each submission, for other programs"),
        "application/jsonl",
        export.as_json_lines,
    ),
}


class ExportForm(forms.Form):
    """Which submissions to export. Every private part has a tick of its own, which is off."""

    protocol = forms.ChoiceField(label=gettext_lazy("Questionnaire"))
    since = forms.DateField(
        label=gettext_lazy("Sent from"), widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("Sent up to and on"), widget=forms.DateInput({"type": "date"})
    )
    urgencies = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Urgency (all if none is ticked)"),
        choices=Urgency.choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    format = forms.ChoiceField(
        label=gettext_lazy("Kind of file"),
        choices=[(code, words) for code, (words, _type, _write) in FORMATS.items()],
        widget=forms.RadioSelect,
        initial="csv",
    )
    ground = forms.ChoiceField(
        label=gettext_lazy("Why do you export these?"),
        choices=[(code, words) for code, (_purpose, words) in GROUNDS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say why. The reason stays in the audit trail.")},
    )
    parts = forms.MultipleChoiceField(
        label=gettext_lazy("Also put into the file (optional)"),
        choices=[
            (
                "identity",
                gettext_lazy("Names, dates of birth, phones, e-mail addresses, insurance, doctors"),
            ),
            ("private", gettext_lazy("Private answers, such as mood, pregnancy and medicines")),
            ("own_words", gettext_lazy("The patients’ own words")),
            ("notes", gettext_lazy("Reasons and notes of the decisions")),
        ],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        today = timezone.localdate()
        super().__init__(data, initial={"since": today - timedelta(days=30), "until": today})
        cast(forms.ChoiceField, self.fields["protocol"]).choices = _protocols()

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first day. Check both."))
        if not self.errors:
            number = export.count(self.chosen())
            if number == 0:
                self.add_error(None, _("No submission was sent in this time."))
            if number > MOST:
                said = _(
                    "More than %(most)s submissions were sent in this time. Choose fewer days."
                )
                self.add_error("until", said % {"most": f"{MOST:,}"})
        return data

    def chosen(self) -> ExportInput:
        """Return what was chosen. The form must have no error."""
        data = self.cleaned_data
        return ExportInput(
            protocol=data["protocol"],
            since=_midnight(data["since"]),
            until=_midnight(data["until"] + timedelta(days=1)),
            urgencies=tuple(data["urgencies"]),
            ground=data["ground"],
            **dict.fromkeys(data["parts"], True),
        )


def export_page(request: StaffRequest, context: dict[str, Any]) -> HttpResponseBase:
    """Show the form, or send the file. Asks for the second factor again before the form."""
    if not request.user.has_perm("intake.export_submission"):
        raise PermissionDenied
    if asking := ask_for_fresh_factor(request):
        return asking
    form = ExportForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        return _file(request, form)
    own = {"title": _("Export submissions"), "form": form, "is_popup": False}
    template = "admin/intake/submission/export.html"
    status = 422 if form.is_bound else 200
    return TemplateResponse(request, template, {**context, **own}, status=status)


def _file(request: StaffRequest, form: ExportForm) -> StreamingHttpResponse:
    chosen, code = form.chosen(), form.cleaned_data["format"]
    _words, media_type, write = FORMATS[code]
    lines = write(chosen, by=request.user, request_id=request.request_id)
    name = f"submissions-{timezone.localdate().isoformat()}.{code}"
    return StreamingHttpResponse(
        lines,
        content_type=f"{media_type}; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )


def _protocols() -> list[tuple[str, str]]:
    """Return the names of all protocols that were ever asked, with the title of the newest."""
    titles: dict[str, str] = {}
    rows = ProtocolDocument.objects.order_by("-created_at").values_list("name", "pk")
    for name, pk in rows:
        if name not in titles:
            titles[name] = documents.title_of(pk)
    return sorted(titles.items())


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())
