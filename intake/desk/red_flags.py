"""The list of red flags that nobody has ended, for the clinician who leads."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context, ListOnly
from intake import calendars
from intake.domain import workflow
from intake.models.calls import OpenRedFlag, is_open_red_flag
from intake.models.submissions import (
    BANNER_FROM,
    EVERYBODY_FROM,
    Decision,
    Kind,
    StatusChange,
    Submission,
)
from intake.staff.lists import PatientAdmin, WorklistOrder
from intake.staff.status_words import span_words
from intake.staff.tries import calls_without_notes, tries_words, wrong_number_words
from intake.wording.people import person_words
from intake.wording.reading import phone_words

BEGINS = ("reply", "reopen")
"""The steps of a history with which a red flag can begin after a decision."""


def since(row: Submission) -> datetime:
    """Return when a red flag began.

    After a decision, that is the patient's first message since, or the reopening. Reads the
    decisions and the history that the list has loaded.
    """
    decided = max((decision.at for decision in row.decisions.all()), default=None)
    if decided is None or row.status in workflow.OPEN:
        return row.submitted_at
    later = (step.at for step in row.history.all() if step.action in BEGINS and step.at >= decided)
    return min(later, default=row.submitted_at)


def told_words(step: int) -> str:
    """Say whom a step of the escalation tells; step 0 is the alert."""
    if step == 0:
        return _("clinicians, front desk")
    if step < EVERYBODY_FROM:
        return _("duty role")
    return _("all staff") if step < BANNER_FROM else _("all staff, on every staff page")


class OldestUrgent(WorklistOrder):
    """Sorts like the worklist, and loads what the columns read."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for row in self.result_list:
            vars(row)["since"] = since(row)


@admin.register(OpenRedFlag)
class OpenRedFlagAdmin(ListOnly[OpenRedFlag], PatientAdmin[OpenRedFlag]):
    """The open red flags: since when, who tried, who was told, and what comes next."""

    list_display = [
        "urgency_mark", "opens", "patient", "age", "state", "assigned", "tries", "told",
        "next_step",
    ]  # fmt: skip
    list_title = gettext_lazy("Open red flags")
    is_in_index = False
    changelist = OldestUrgent

    def get_queryset(self, request: HttpRequest) -> QuerySet[OpenRedFlag]:
        rows = super().get_queryset(request).filter(is_open_red_flag()).select_related("assignee")
        rows = rows.prefetch_related(
            Prefetch("calls", calls_without_notes()),
            Prefetch("decisions", Decision.objects.only("submission", "at")),
            Prefetch("history", StatusChange.objects.only("submission", "action", "at")),
        )
        deferred: QuerySet[OpenRedFlag] = rows.defer("answers", "assessment", "search_keys")
        return deferred

    def titled(self, extra_context: Context | None) -> Context:
        return super().titled({"on_call": on_call_words(), **(extra_context or {})})

    # --- columns ---------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Reference"))
    def opens(self, row: Submission) -> str:
        page = reverse("admin:intake_submission_change", args=[row.pk])
        return format_html('<a href="{}">{}</a>', page, row.reference)

    @admin.display(description=gettext_lazy("Patient"))
    def patient(self, row: Any) -> str:
        name = super().patient(row)
        if not row.reach.may_call:
            return name
        number = row.reach.phone
        link = '{}<br><a class="tel" href="tel:{}">{}</a>'
        return format_html(link, name, number, phone_words(number))

    @admin.display(description=gettext_lazy("Open for"))
    def age(self, row: Any) -> str:
        return span_words(timezone.now() - row.since)

    @admin.display(description=gettext_lazy("Status"))
    def state(self, row: Submission) -> str:
        status = super().state(row)
        if row.kind != Kind.STOPPED:
            return status
        return format_html("{}<br>{}", row.get_kind_display(), status)

    @admin.display(description=gettext_lazy("Assigned to"))
    def assigned(self, row: Submission) -> str:
        return person_words(row.assignee) if row.assignee else "–"

    @admin.display(description=gettext_lazy("Tries"))
    def tries(self, row: Any) -> str:
        made = list(row.calls.all())
        words = tries_words(call for call in made if call.at >= row.since) or _("no try yet")
        wrong = wrong_number_words(made, row.person)
        return format_html("{}<br><strong>{}</strong>", words, wrong) if wrong else words

    @admin.display(description=gettext_lazy("Told"))
    def told(self, row: Submission) -> str:
        words = told_words(row.escalations)
        if not row.escalations:
            return words
        return _("step %(n)s: %(who)s") % {"n": row.escalations, "who": words}

    @admin.display(description=gettext_lazy("Next step"))
    def next_step(self, row: Submission) -> str:
        if row.escalate_at is None:
            return _("no step: a clinician has to decide, or to reach the patient")
        local = timezone.localtime(row.escalate_at)
        day = "" if local.date() == timezone.localdate() else date_format(local, "D j M, ")
        return _("%(time)s: %(who)s") % {
            "time": f"{day}{date_format(local, 'TIME_FORMAT')}",
            "who": told_words(row.escalations + 1),
        }


def on_call_words() -> Iterable[str]:
    """Return who is on call now, each with the phone number or the e-mail address."""
    shifts = calendars.on_call(timezone.now(), None)
    return [
        f"{shift.name}, {phone_words(shift.phone) if shift.phone else shift.address}"
        for shift in shifts
    ]
