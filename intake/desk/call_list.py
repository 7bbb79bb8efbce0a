"""The call list: which patients staff must call, by when, and what to tell them.

An owed call stands on the call list, and on all staff pages of the patient, until staff tick its
outcome.
"""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit
from clinic.lists import Context, FindList, FixedFilter, ListOnly
from clinic.requests import StaffRequest
from intake import search
from intake.desk import procedure, received_texts
from intake.desk.received_texts import NumberTexts
from intake.errors import Refused
from intake.models.calls import Call, CallTask
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Submission
from intake.staff.front_lists import FrontList
from intake.staff.lists import address_back, find_patients, record_view
from intake.staff.owed_calls import (
    BUTTONS,
    MOST_TRIES,
    UNTIL_REACHED,
    again_name,
    buttons_of,
    due_words,
    news_by_task,
    tries_of,
    word_to_leave,
)
from intake.staff.reach_words import NO_WAY, reach_words
from intake.staff.tries import (
    calls_without_notes,
    tries_words,
    warn_of_colleague,
    wrong_number_words,
)
from intake.ways import calls
from intake.ways.contact import reach_of, reaches_of
from intake.ways.forms import again_at, again_choices
from intake.wording.people import person_words
from intake.wording.reading import phone_words

DONE = {
    "reached": gettext_lazy("Noted: the patient was reached."),
    "left_word": gettext_lazy("Noted: word was left. The call stays on the list."),
    "not_reached": gettext_lazy("Noted: not reached. The call stays on the list."),
    "wrong": gettext_lazy("Noted: wrong number. The call stays on the list, due as before."),
    "told": gettext_lazy("Noted: the patient was told already."),
}


class ByDue(FindList):
    """Sort open calls by due time, and settled calls with the newest first."""

    texts: list[NumberTexts]

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        settled = self.params.get("settled") == "today"
        return ["-settled_at", "id"] if settled else ["due_at", "id"]

    @property
    def is_of_open_calls(self) -> bool:
        return not self.term and not self.filter_params and self.page_num == 1

    def get_results(self, request: HttpRequest) -> None:
        """Add to each row what to tell the patient. Needs a fixed number of queries."""
        super().get_results(request)
        self.result_list = list(self.result_list)
        news = news_by_task(self.result_list)
        reaches = reaches_of(row.submission for row in self.result_list)
        tries = tries_of(self.result_list)
        self.not_reached = any(count >= MOST_TRIES for count in tries.values())
        may_note = request.user.has_perm("intake.change_calltask")
        home = "frontdesk" if request.user.has_perm("intake.view_frontdesk") else "submission"
        self.texts = received_texts.waiting(request) if self.is_of_open_calls else []
        for row in self.result_list:
            row.news, row.may_note, row.home = news.get(row.pk, ""), may_note, home
            row.reach, row.tried = reaches[row.submission_id], tries[row.pk]


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
class CallTaskAdmin(ListOnly[CallTask], FrontList[CallTask]):
    """The call list, whose buttons note the outcome of a call."""

    list_display = ["due", "patient", "phone", "why", "tries", "opens", "acts"]
    list_filter = [SettledFilter]
    list_select_related = ["submission", "settled_by"]
    sortable_by = ()
    posts = list(BUTTONS)
    list_title = gettext_lazy("Calls to make")
    is_in_index = False
    changelist = ByDue
    reference_lookup = "submission__reference"

    def changelist_view(
        self, request: HttpRequest, extra_context: Context | None = None
    ) -> HttpResponse:
        """Say above the list how many callers could not talk freely."""
        later = 0
        if request.user.has_perm("intake.enter_by_phone"):
            later = PhoneCall.objects.to_call_back().count()
        return super().changelist_view(request, {"callers_later": later, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        pages = {"procedure": self.procedure_view, "texts": self.texts_view}
        own = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"intake_calltask_{name}")
            for name, view in pages.items()
        ]
        return own + super().get_urls()

    def titled(self, extra_context: Context | None) -> dict[str, Any]:
        shown = {"word_to_leave": word_to_leave(), "procedure": procedure.newest()}
        return super().titled({**shown, **(extra_context or {})})

    def procedure_view(self, request: StaffRequest) -> HttpResponse:
        """Show the procedure for patients who are not reached, and let clinicians write it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        may_write = request.user.has_perm("intake.change_notreachedprocedure")
        known = procedure.newest()
        form = procedure.ProcedureForm(initial={"text": known.text if known else ""})
        if request.method == "POST":
            if not may_write:
                raise PermissionDenied
            form = procedure.ProcedureForm(request.POST)
            if form.is_valid():
                procedure.write(
                    text=form.cleaned_data["text"], by=request.user, request_id=request.request_id
                )
                messages.success(request, _("The procedure is stored."))
                return redirect(self.address("changelist"))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Our procedure"),
            "procedure": known,
            "may_write": may_write,
            "form": form,
        }
        status = 422 if form.errors else 200
        page = "admin/intake/calltask/procedure.html"
        return TemplateResponse(request, page, context, status=status)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CallTask]:
        rows = CallTask.objects.select_related("submission", "settled_by")
        rows = rows.prefetch_related(Prefetch("submission__calls", calls_without_notes()))
        return rows.defer("submission__answers", "submission__assessment")

    def matches(self, rows: QuerySet[Any], term: search.Term) -> QuerySet[Any]:
        called = Submission.objects.filter(call_tasks__in=rows).distinct()
        return rows.filter(submission__in=find_patients(called, term))

    def submissions_shown(self, rows: list[CallTask]) -> list[Submission]:
        return [row.submission for row in rows]

    def record_list(self, request: HttpRequest, changelist: Any) -> None:
        """Record the patients of the list, and the texts to our number above it."""
        super().record_list(request, changelist)
        if changelist.texts:
            ids = [str(row.pk) for number in changelist.texts for row in number.rows]
            audit.record_request(request, "list", page="receivedtext", ids=ids)

    def texts_view(self, request: StaffRequest) -> HttpResponse:
        """Note that the texts of one number are dealt with, with the button that was pressed."""
        if not request.user.has_perm("intake.change_calltask"):
            raise PermissionDenied
        if request.method == "POST":
            received_texts.deal_with(request)
        return redirect(self.address("changelist"))

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
        found = format_html(link, number, phone_words(number), words)
        wrong = wrong_number_words(row.submission.calls.all(), row.submission.person)
        return format_html("{}<br><strong>{}</strong>", found, wrong) if wrong else found

    @admin.display(description=gettext_lazy("Tries"), empty_value="")
    def tries(self, row: CallTask) -> str | None:
        calls_since = (call for call in row.submission.calls.all() if call.at >= row.created_at)
        return tries_words(calls_since) or None

    @admin.display(description=gettext_lazy("What to tell"))
    def why(self, row: Any) -> str:
        words = [row.news] if row.news else []
        if row.tried >= MOST_TRIES and row.settled_at is None:
            mark = _("%(n)s tries did not reach the patient") % {"n": row.tried}
            words.append(format_html('<a class="flag" href="#procedure">{}</a>', mark))
        more = format_html_join("", "<br>{}", ((each,) for each in words))
        return format_html("<strong>{}</strong>{}", row.get_reason_display(), more)

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
        again = format_html(
            '<label class="hint" for="again-{0}">{1}</label><select id="again-{0}" name="{2}">{3}'
            "</select>",
            row.pk,
            _("If not reached, call again"),
            again_name(row),
            format_html_join(
                "",
                '<option value="{}">{}</option>',
                again_choices(timezone.now(), row.reach.hours, urgency=row.submission.urgency),
            ),
        )
        buttons = format_html_join(
            " ",
            '<button class="button{}" formaction="{}">{}</button>',
            [
                ("" if name == "reached" else " plain", self.address(name, row.pk), words)
                for name, words in buttons_of([row], row.reach)
            ],
        )
        return format_html("{} {}", buttons, again) if row.reach.may_call else buttons

    # --- its buttons -----------------------------------------------------------------------------
    def reached_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.note(request, object_id, button="reached")

    def left_word_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.note(request, object_id, button="left_word")

    def not_reached_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.note(request, object_id, button="not_reached")

    def wrong_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.note(request, object_id, button="wrong")

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
                for each in (each for each in tasks if each.reason not in UNTIL_REACHED):
                    calls.settle(task=each, **given)
                messages.success(request, DONE[button])
            else:
                try:
                    made = calls.record(
                        submission=task.submission,
                        outcome=button,
                        tasks=tasks,
                        again_at=self.again_of(request, task),
                        **given,
                    )
                except Refused as error:
                    messages.error(request, str(error))
                    return self.back(request)
                messages.success(request, settled_words(task, made) or DONE[button])
                warn_of_colleague(request, made)
        return self.back(request)

    def again_of(self, request: StaffRequest, task: CallTask) -> datetime | None:
        """Return when to call again, as posted; None for a page that asks for no time."""
        now, hours = timezone.now(), reach_of(task.submission).hours
        offered = dict(again_choices(now, hours, urgency=task.submission.urgency))
        code = request.POST.get(again_name(task), "")
        return again_at(code, now, hours) if code in offered else None

    def back(self, request: StaffRequest) -> HttpResponse:
        """Redirect to the page from which the outcome was posted."""
        return redirect(address_back(request, self.address("changelist")))

    def posted_with(self, request: StaffRequest, task: CallTask) -> list[CallTask]:
        """Return the patient's other open tasks whose ids were posted, too."""
        posted = set(request.POST.getlist("task"))
        others = CallTask.objects.open().filter(submission=task.submission).exclude(pk=task.pk)
        return [each for each in others if str(each.pk) in posted]


def settled_words(task: CallTask, made: Call) -> str:
    """Say that the task was off the list before the call `made`; '' if it was on the list.

    The button was pressed on an old page. A double click says the same as the first click.
    """
    if task.settled_at is None or (task.settled_by == made.by and made.outcome in Call.SPOKE):
        return ""
    return _("The call is noted. It was off the list before: %(who)s, %(time)s.") % {
        "who": person_words(task.settled_by) if task.settled_by else _("no longer needed"),
        "time": date_format(timezone.localtime(task.settled_at), "TIME_FORMAT"),
    }
