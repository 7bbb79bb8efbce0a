"""The call list: which patients staff must call, by when, and what to tell them.

An owed call stands on the call list, and on all staff pages of the patient, until staff tick its
outcome.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import FindList, FixedFilter, ListOnly
from clinic.requests import StaffRequest
from intake.errors import Refused
from intake.models.calls import CallTask
from intake.models.submissions import Submission
from intake.staff.lists import PatientAdmin, address_back, find_patients, record_view
from intake.staff.owed_calls import BUTTONS, buttons_of, due_words, news_by_task
from intake.staff.reach_words import NO_WAY, reach_words
from intake.ways import calls
from intake.ways.contact import reaches_of
from intake.wording.people import person_words
from intake.wording.reading import phone_words

DONE = {
    "reached": gettext_lazy("Noted: the patient was reached."),
    "left_word": gettext_lazy("Noted: word was left. The call stays on the list."),
    "not_reached": gettext_lazy("Noted: not reached. The call stays on the list."),
    "told": gettext_lazy("Noted: the patient was told already."),
}


class ByDue(FindList):
    """Sort open calls by due time, and settled calls with the newest first."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        settled = self.params.get("settled") == "today"
        return ["-settled_at", "id"] if settled else ["due_at", "id"]

    def get_results(self, request: HttpRequest) -> None:
        """Add to each row what to tell the patient. Needs a fixed number of queries."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        news = news_by_task(self.result_list)
        reaches = reaches_of(row.submission for row in self.result_list)
        may_note = request.user.has_perm("intake.change_calltask")
        home = "frontdesk" if request.user.has_perm("intake.view_frontdesk") else "submission"
        for row in self.result_list:
            row.news, row.may_note, row.home = news.get(row.pk, ""), may_note, home
            row.reach = reaches[row.submission_id]


class SettledFilter(FixedFilter):
    title = gettext_lazy("calls")
    parameter_name = "settled"
    options = [("no_way", NO_WAY), ("today", gettext_lazy("Settled today"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "today":
            return queryset.filter(settled_at=None, may_call=self.value() != "no_way")
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        return queryset.filter(settled_at__gte=midnight)

    def default_words(self, changelist: ChangeList) -> Any:
        return _("To make")


@admin.register(CallTask)
class CallTaskAdmin(ListOnly[CallTask], PatientAdmin[CallTask]):
    """The call list, whose buttons note the outcome of a call."""

    list_display = ["due", "patient", "phone", "why", "opens", "acts"]
    list_filter = [SettledFilter]
    list_select_related = ["submission", "settled_by"]
    sortable_by = ()
    posts = list(BUTTONS)
    list_title = gettext_lazy("Calls to make")
    is_in_index = False
    changelist = ByDue
    reference_lookup = "submission__reference"

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallTask]:
        rows = CallTask.objects.select_related("submission", "settled_by")
        return rows.defer("submission__answers", "submission__assessment")

    def matches(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        called = Submission.objects.filter(call_tasks__in=rows).distinct()
        return rows.filter(submission__in=find_patients(called, term))

    def submissions_shown(self, rows: list[CallTask]) -> list[Submission]:
        return [row.submission for row in rows]

    # --- columns ---------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Call by"))
    def due(self, row: CallTask) -> str:
        if row.settled_at is None:
            return due_words(row)
        at = date_format(timezone.localtime(row.settled_at), "TIME_FORMAT")
        who = person_words(row.settled_by) if row.settled_by else _("no longer needed")
        return _("%(time)s, %(who)s") % {"time": at, "who": who}

    @admin.display(description=gettext_lazy("Patient"))
    def patient(self, row: Any) -> str:
        return str(row.submission.person.get("name") or _("Name not given"))

    @admin.display(description=gettext_lazy("Phone"))
    def phone(self, row: Any) -> str:
        words = reach_words(row.reach)
        if not row.reach.may_call:
            return format_html("<strong>{}</strong>", words)
        number = row.reach.phone
        link = '<a class="tel" href="tel:{}">{}</a><br>{}'
        return format_html(link, number, phone_words(number), words)

    @admin.display(description=gettext_lazy("What to tell"))
    def why(self, row: Any) -> str:
        reason = str(row.get_reason_display())
        if not row.news:
            return reason
        return format_html("<strong>{}</strong><br>{}", reason, row.news)

    @admin.display(description=gettext_lazy("Reference"))
    def opens(self, row: Any) -> str:
        page = reverse(f"admin:intake_{row.home}_change", args=[row.submission_id])
        return format_html('<a href="{}">{}</a>', page, row.submission.reference)

    @admin.display(description=gettext_lazy("What came of it"), empty_value="")
    def acts(self, row: Any) -> str | None:
        if row.settled_at is not None or not row.may_note:
            return None
        # the buttons post the admin's own form around the list, because that form has the CSRF
        # token
        return format_html_join(
            " ",
            '<button class="button{}" formaction="{}">{}</button>',
            [
                ("" if name == "reached" else " plain", self.address(name, row.pk), words)
                for name, words in buttons_of([row], row.reach)
            ],
        )

    # --- its buttons -----------------------------------------------------------------------------
    def reached_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.note(request, object_id, button="reached")

    def left_word_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.note(request, object_id, button="left_word")

    def not_reached_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.note(request, object_id, button="not_reached")

    def told_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.note(request, object_id, button="told")

    @record_view
    def note(self, request: StaffRequest, task: CallTask, *, button: str) -> HttpResponse:
        """Note the outcome of a call for this task and the patient's other tasks in the form."""
        if not request.user.has_perm("intake.change_calltask"):
            raise PermissionDenied
        if request.method == "POST":
            given: dict[str, Any] = {"by": request.user, "request_id": request.request_id}
            tasks = [task, *self.posted_with(request, task)]
            if button == "told":
                for each in (each for each in tasks if each.reason != CallTask.Reason.MORE):
                    calls.settle(task=each, **given)
            else:
                try:
                    calls.record(submission=task.submission, outcome=button, tasks=tasks, **given)
                except Refused as error:
                    messages.error(request, str(error))
                    return self.back(request)
            messages.success(request, DONE[button])
        return self.back(request)

    def back(self, request: StaffRequest) -> HttpResponse:
        """Redirect to the page from which the outcome was posted."""
        return redirect(address_back(request, self.address("changelist")))

    def posted_with(self, request: StaffRequest, task: CallTask) -> list[CallTask]:
        """Return the patient's other open tasks whose ids were posted, too."""
        posted = set(request.POST.getlist("task"))
        others = CallTask.objects.open().filter(submission=task.submission).exclude(pk=task.pk)
        return [each for each in others if str(each.pk) in posted]
