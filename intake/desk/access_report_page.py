"""The staff page on which an auditor reads who looked at a record, and what left the clinic."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit
from clinic.audit import chain
from clinic.lists import (
    LONGEST_TERM,
    TICKET_VAR,
    CappedPaginator,
    Context,
    ListOnly,
    keep_term,
    term_of,
)
from clinic.requests import StaffRequest
from intake import search
from intake.desk import access_report
from intake.desk.access_report import KINDS, LOOKS, MOST, MOST_RECORDS, ReportQuery
from intake.models.access_report import AccessReport
from intake.models.submissions import Submission
from intake.wording.people import person_words

RECORD_VAR = "record"


class _People(forms.ModelChoiceField[User]):
    def label_from_instance(self, obj: User) -> str:
        return f"{person_words(obj)} ({obj.get_username()})"


class ReportForm(forms.Form):
    """Whose records, looked at by whom, and when. Every field may stay empty."""

    term = forms.CharField(
        label=gettext_lazy("Patient"),
        help_text=gettext_lazy("Reference, name, date of birth, or the id of a record"),
        max_length=LONGEST_TERM,
        required=False,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    who = _People(
        label=gettext_lazy("Member of staff"),
        queryset=User.objects.order_by("username"),
        required=False,
        empty_label=gettext_lazy("Anybody"),
        error_messages={"invalid_choice": gettext_lazy("There is no such account.")},
    )
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput({"type": "date"})
    )
    until = forms.DateField(
        label=gettext_lazy("Up to and on"), required=False, widget=forms.DateInput({"type": "date"})
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("Report"),
        choices=[(code, words) for code, (words, _actions) in KINDS.items()],
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({"kind": LOOKS, **data})
        for name in ("since", "until"):
            self.fields[name].error_messages["invalid"] = _(
                "This is no date. Choose one, or type it as 2026-11-30."
            )

    def clean_term(self) -> str:
        term: str = self.cleaned_data["term"]
        if access_report.looks_like_id(term) and access_report.as_id(term) is None:
            raise forms.ValidationError(
                _("This is no whole id of a record. It has 32 digits and letters from a to f.")
            )
        return term

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        since, until = data.get("since"), data.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first day. Check both."))
        return data

    def query(self, records: tuple[str, ...] | None) -> ReportQuery:
        """Return which events to show. The form must have no error."""
        data = self.cleaned_data
        who, since, until = data["who"], data["since"], data["until"]
        return ReportQuery(
            records=records,
            actor=audit.staff(who) if who else "",
            since=_midnight(since) if since else None,
            until=_midnight(until + timedelta(days=1)) if until else None,
            kind=data["kind"],
        )

    def in_address(self) -> dict[str, str]:
        """Return what may stand in an address: everything but the patient."""
        return {
            name: value
            for name in ("who", "since", "until", "kind")
            if (value := str(self.data.get(name) or ""))
        }


@admin.register(AccessReport)
class AccessReportAdmin(ListOnly[AccessReport]):
    """The access report and the accounting of disclosures. Each look at them is recorded."""

    list_title = gettext_lazy("Who read what")

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"{name}/",
                self.admin_site.admin_view(getattr(self, f"{name}_view")),
                name=f"intake_accessreport_{name}",
            )
            for name in ("export", "check")
        ]
        return own + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        """Show the form and the events. The patient is posted, so that no address has a name."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            form = ReportForm(request.POST.dict())
            if not form.is_valid():
                return self._page(request, form, status=422)
            query = form.in_address()
            if ticket := keep_term(request, form.cleaned_data["term"]):
                query[TICKET_VAR] = ticket
            return redirect(f"{request.path}?{urlencode(query)}")
        form = _form_of_address(request)
        return self._page(request, form, status=200 if form.is_valid() else 422)

    def _page(self, request: HttpRequest, form: ReportForm, status: int = 200) -> HttpResponse:
        """Record the look and show the page; without events if the form has errors."""
        with transaction.atomic():
            own = self._report(request, form) if form.is_valid() else {}
            context = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": self.list_title,
                "form": form,
                "chain": chain.state(),
                "is_popup": False,
                **own,
            }
            template = "admin/intake/accessreport/report.html"
            return TemplateResponse(request, template, context, status=status).render()

    def _report(self, request: HttpRequest, form: ReportForm) -> Context:
        found, records = _records(request, form)
        query = form.query(records)
        pages = CappedPaginator(query.events(), 50)
        page = pages.get_page(request.GET.get("p"))
        rows = access_report.described(page.object_list, records or ())
        _record(request, form, "list", records, len(rows))
        kept = {**request.GET.dict(), **form.in_address()}
        kept.pop("p", None)
        return {
            "found": [] if records is None or len(found) < 2 else found,
            "none_found": records == (),
            "one": request.GET.get(RECORD_VAR),
            "most_found": len(found) == MOST_RECORDS,
            "may_name": request.user.has_perm("intake.view_submission")
            or request.user.has_perm("intake.view_frontdesk"),
            "rows": rows,
            "pages": page,
            "capped": pages.count == pages.most,
            "kind_note": access_report.kind_note(query.kind),
            "address": urlencode(kept),
            "address_of_all": urlencode({k: v for k, v in kept.items() if k != RECORD_VAR}),
        }

    def export_view(self, request: StaffRequest) -> HttpResponseBase:
        """Send the report as a CSV file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        back = f"{self.address('changelist')}?{request.GET.urlencode()}"
        form = _form_of_address(request)
        if request.method != "POST" or not form.is_valid():
            return redirect(back)
        _found, records = _records(request, form)
        query = form.query(records)
        count = query.events().order_by()[: MOST + 1].count()
        if count > MOST:
            said = _(
                "More than %(most)s events fit, which is too many for a file. Choose fewer days."
            )
            messages.error(request, said % {"most": f"{MOST:,}"})
            return redirect(back)
        with transaction.atomic():
            _record(request, form, "export", records, count)
        name = f"access-report-{timezone.localdate().isoformat()}.csv"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        }
        lines = access_report.as_csv(query)
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    def check_view(self, request: StaffRequest) -> HttpResponse:
        """Check the whole chain of the audit trail now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            try:
                chain.check(actor=audit.staff(request.user), request_id=request.request_id)
            except chain.TooLong:
                messages.error(
                    request,
                    _(
                        "The trail is too long to be checked while a page waits. The daily check"
                        " (manage.py audit_verify) reads all of it."
                    ),
                )
        return redirect(self.address("changelist"))


def _form_of_address(request: HttpRequest) -> ReportForm:
    """Return the form that the address and the kept search fill in.

    A search that is over is an error: without its patient, the report would be about everybody.
    """
    form = ReportForm({**request.GET.dict(), "term": term_of(request)})
    if request.GET.get(TICKET_VAR) and not term_of(request):
        form.add_error(None, _("That search is over. Type the patient again."))
    record = request.GET.get(RECORD_VAR)
    if record and access_report.as_id(record) is None:
        form.add_error(None, _("The address names a record that cannot exist."))
    return form


def _records(
    request: HttpRequest, form: ReportForm
) -> tuple[list[Submission], tuple[str, ...] | None]:
    """Return the records that the form finds, and the ids of those that the report is about.

    The ids are None if no patient was asked for. The address may choose one of the records found.
    """
    term = form.cleaned_data["term"]
    one = access_report.as_id(request.GET.get(RECORD_VAR, ""))
    if not term:
        return [], (str(one),) if one else None
    found = access_report.records_of(term)
    ids = [str(row.pk) for row in found]
    if not ids and (typed := access_report.as_id(term)):
        ids = [str(typed)]  # another record, such as a message or an account
    if one and str(one) in ids:
        ids = [str(one)]
    return found, tuple(ids)


def _record(
    request: HttpRequest,
    form: ReportForm,
    action: str,
    records: tuple[str, ...] | None,
    count: int,
) -> None:
    term, who = form.cleaned_data["term"], form.cleaned_data["who"]
    detail: dict[str, Any] = {"page": "accessreport", "count": count}
    if term:
        detail["term"] = str(search.blinded_term(term))
    if records is not None:
        detail["ids"] = list(records)
    if term and action == "list":
        action = "search"
    subject = audit.staff(who) if who else "-"
    audit.record_request(request, action, subject, **detail)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), timezone.get_current_timezone())
