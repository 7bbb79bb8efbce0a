"""The list of visits, the page of one visit, and its buttons.

The front desk sees and changes all visits; a clinician sees the visits with that clinician.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context
from clinic.requests import StaffRequest
from intake import search
from intake.appointments import arrival, changing
from intake.appointments.admin.day_list import DayList, state_words
from intake.appointments.admin.time_forms import ChosenSlotsForm
from intake.appointments.admin.times import Times
from intake.appointments.admin.visit_buttons import buttons_for, may_change
from intake.appointments.admin.words import time_words
from intake.appointments.slot_gone import SlotGone
from intake.appointments.steps import submission_of
from intake.domain import workflow
from intake.errors import STAFF_REFUSALS
from intake.forms.fields import LinesField
from intake.models.appointments import Appointment, CancelReason, Offer
from intake.models.calls import CallTask
from intake.models.clinic_time import VisitType
from intake.models.submissions import Submission
from intake.staff import paperwork, reads
from intake.staff.lists import address_back, find_patients, record_page, record_view
from intake.staff.owed_calls import letter_words, owed_calls_of, say_who_tells_patient
from intake.staff.reach_words import reach_words
from intake.ways.contact import reach_of
from intake.wording.people import person_words
from intake.wording.reading import phone_words

STEP_WORDS = {
    "hold": gettext_lazy("Held by the patient"),
    "offer": gettext_lazy("Held for an offer"),
    "release": gettext_lazy("Released"),
    "expire": gettext_lazy("The hold ended"),
    "confirm": gettext_lazy("Confirmed"),
    "move": gettext_lazy("Moved"),
    "cancel": gettext_lazy("Cancelled"),
    "complete": gettext_lazy("Took place"),
    "miss": gettext_lazy("Did not come"),
    "arrive": gettext_lazy("Arrived"),
    "call_in": gettext_lazy("Asked to come in"),
    "leave": gettext_lazy("Arrival taken back"),
}
"""The steps of an appointment's history, in words."""


class CancelForm(forms.Form):
    """Why a visit is cancelled. The message to the patient states the reason, but not the note."""

    reason = forms.ChoiceField(
        label=gettext_lazy("Why?"),
        choices=[("", gettext_lazy("Choose")), *CancelReason.choices],
        error_messages={"required": gettext_lazy("Choose a reason.")},
    )
    note = LinesField(
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("For staff. The patient does not read it."),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
    )
    again = forms.BooleanField(label=gettext_lazy("The patient wants another time"), required=False)

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, use_required_attribute=False)
        cast(Any, self.fields["again"]).legend = _("And then?")


@admin.register(Appointment)
class AppointmentAdmin(DayList):
    """The list of visits and the page of one visit."""

    posts = ["move", "cancel", "complete", "miss", "arrive", "call_in", "leave"]

    def has_view_permission(self, request: HttpRequest, obj: Appointment | None = None) -> bool:
        if not request.user.has_perm("intake.view_appointment"):
            return False
        if obj is None or may_change(request):
            return True
        return bool(obj.clinician.user_id == request.user.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appointment]:
        rows = Appointment.objects.for_reading()
        rows = rows.defer("submission__answers", "submission__assessment")
        return rows if may_change(request) else rows.filter(clinician__user=request.user.pk)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Appointment | None:
        """Return any appointment.

        `record_or_404` checks the permission afterwards and raises PermissionDenied, so that the
        refusal is recorded.
        """
        try:
            return Appointment.objects.for_reading().filter(pk=object_id).first()
        except (ValidationError, ValueError):
            return None

    def matches(self, rows: QuerySet[Any], term: search.Term) -> QuerySet[Any]:
        seen = Submission.objects.filter(appointments__in=rows).distinct()
        return rows.filter(submission__in=find_patients(seen, term))

    # --- the page --------------------------------------------------------------------------------
    @record_view
    def change_view(self, request: StaffRequest, row: Appointment, **kwargs: Any) -> HttpResponse:
        return self.show(request, row)

    @record_page("admin/intake/appointment/read.html")
    def show(
        self,
        request: StaffRequest,
        row: Appointment,
        *,
        form: CancelForm | None = None,
        error: Exception | None = None,
    ) -> Context:
        offers = list(Offer.objects.filter(appointment=row).select_related("request__submission"))
        self.record(request, row, [offer.request.submission for offer in offers])
        context = self.context(request, row)
        return {
            **context,
            "offers": offers,
            "paperwork": paperwork.paperwork_of([row]).get(row.pk),
            **notes_of(row),
            "history": history_of(row),
            **buttons_for(row, request),
            "state": state_words(row),
            "form": form or CancelForm(),
            "refused": error,
            "owed": owed_calls_of(request, row.submission, context["reach"]),
        }

    def context(self, request: HttpRequest, row: Appointment) -> dict[str, Any]:
        person = row.submission.person if row.submission else {}
        home = next(
            (
                reverse(f"admin:intake_{name}_change", args=[row.submission_id])
                for name in ("frontdesk", "submission")
                if row.submission and request.user.has_perm(f"intake.view_{name}")
            ),
            "",
        )
        reach = reach_of(row.submission) if row.submission else None
        phone = reach.phone if reach else ""
        return {
            "title": row.submission.reference if row.submission else _("Held time"),
            "row": row,
            "when": time_words(row.starts, row.ends),
            "status": workflow.VISIT_STATES[row.state],
            "name": person.get("name", ""),
            "phone": phone,
            "phone_words": phone_words(phone) if phone else "",
            "reach": reach,
            "unreached": reach is not None and reach.way is None,
            "reach_words": reach_words(reach) if reach else "",
            "home": home,
            "page_address": self.address("change", row.pk),
        }

    def record(
        self, request: StaffRequest, row: Appointment, others: list[Submission], page: str = ""
    ) -> None:
        """Record which patients the page shows, before the page is sent."""
        if row.submission:
            reads.record_read(
                submission=row.submission, by=request.user, request_id=request.request_id
            )
        reads.record_list(
            submissions=others,
            by=request.user,
            request_id=request.request_id,
            page=page or "appointment",
        )

    # --- its buttons -------------------------------------------------------------------------
    def cancel_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        row = self.changeable(request, object_id)
        if request.method != "POST":
            return redirect(self.address("change", row.pk))
        form = CancelForm(request.POST)
        if not form.is_valid():
            return self.show(request, row, form=form, status=422)
        return self.act(
            request,
            row,
            changing.cancel,
            _("The appointment is cancelled."),
            form,
            reason_to_call=CallTask.Reason.CANCELLED,
            **form.cleaned_data,
        )

    def complete_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        row = self.changeable(request, object_id)
        return self.act(
            request, row, changing.record_attendance, _("Stored: the visit took place.")
        )

    def miss_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        row = self.changeable(request, object_id)
        return self.act(
            request,
            row,
            changing.record_no_show,
            _("Stored: the patient did not come."),
            reason_to_call=CallTask.Reason.MISSED if changing.is_news(row) else "",
        )

    def arrive_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        row = self.changeable(request, object_id)
        return self.note_arrival(request, row, arrival.arrive, _here_words)

    def call_in_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        """Ask the patient to come in, as the front desk or as the clinician of the visit."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.record_or_404(request, object_id)
        return self.note_arrival(request, row, arrival.call_in, _called_in_words)

    def leave_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        row = self.changeable(request, object_id)
        return self.note_arrival(request, row, arrival.leave, _left_words)

    def note_arrival(
        self,
        request: StaffRequest,
        row: Appointment,
        service: Callable[..., Appointment],
        words: Callable[[Appointment], str],
    ) -> HttpResponse:
        """Call the service of a button about an arrival, and say in `words` how it is now."""
        if request.method == "POST":
            try:
                visit = service(appointment=row, by=request.user, request_id=request.request_id)
            except STAFF_REFUSALS as error:
                return self.show(request, row, error=error, status=409)
            messages.success(request, words(visit))
        return redirect(address_back(request, self.address("change", row.pk)))

    def changeable(self, request: StaffRequest, object_id: str) -> Appointment:
        """Return the appointment whose button was pressed.

        Raises PermissionDenied for staff who may only read.
        """
        if not self.has_view_permission(request) or not may_change(request):
            raise PermissionDenied
        return self.record_or_404(request, object_id)

    def act(
        self,
        request: StaffRequest,
        row: Appointment,
        service: Callable[..., None],
        done: str,
        form: CancelForm | None = None,
        *,
        reason_to_call: str = "",
        **given: Any,
    ) -> HttpResponse:
        """Call the service of a button, and say the result.

        `done` is the sentence after success. After a refusal the page of the visit shows why.
        `reason_to_call` is the reason of the call that staff owe the patient if no letter tells the
        patient.
        """
        if request.method == "POST":
            try:
                service(appointment=row, by=request.user, request_id=request.request_id, **given)
            except STAFF_REFUSALS as error:
                return self.show(request, row, form=form, error=error, status=409)
            if reason_to_call:
                say_who_tells_patient(request, submission_of(row), done, reason_to_call)
            else:
                messages.success(request, done)
        return redirect(address_back(request, self.address("change", row.pk)))

    # --- moving it -------------------------------------------------------------------------------
    def move_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        """Show a week with its free times, and move the visit to the chosen slot."""
        row = self.changeable(request, object_id)
        if request.method != "POST":
            return self.show_move(request, row, request.GET)
        form = ChosenSlotsForm(request.POST, one=True)
        if not form.is_valid():
            return self.show_move(request, row, request.POST, form=form, status=422)
        try:
            changing.reschedule(
                appointment=row,
                slot=form.cleaned_data["slot"][0],
                visit_type=form.cleaned_data["type"],
                by=request.user,
                request_id=request.request_id,
            )
        except STAFF_REFUSALS as error:
            return self.show_move(request, row, request.POST, error=error, status=409)
        moved = _("The appointment is moved.")
        say_who_tells_patient(request, submission_of(row), moved, CallTask.Reason.CHANGED)
        return redirect(self.address("change", row.pk))

    @record_page("admin/intake/appointment/move.html")
    def show_move(
        self,
        request: StaffRequest,
        row: Appointment,
        typed: QueryDict,
        *,
        form: ChosenSlotsForm | None = None,
        error: Exception | None = None,
    ) -> Context:
        types = VisitType.objects.filter(is_active=True, clinicians=row.clinician_id)
        kinds = sorted(types, key=lambda kind: kind.pk != row.visit_type_id)
        if not typed.get("week"):
            typed = typed.copy()
            typed["week"] = row.starts.date().isoformat()
        times = Times(typed=typed, kinds=kinds, place=row.location, many=False)
        if isinstance(error, SlotGone):
            times.gone = error
        seen = [each.submission for each in times.visits if each.submission]
        self.record(request, row, seen, page="calendar")
        return {
            **self.context(request, row),
            "page_address": self.address("move", row.pk),
            "times": times,
            "times_form": form,
            "refused": error,
            "may_offer": False,
            "hold_choices": [],
            "choosing": row.status == "confirmed",
            "buttons": "admin/intake/appointment/buttons.html",
        }


def notes_of(row: Appointment) -> dict[str, str]:
    """Return the texts of staff about a visit: the note, the reasons to cancel and to overbook."""
    return {
        "note": (row.note or {}).get("text", ""),
        "reason": str(CancelReason(row.cancel_reason).label) if row.cancel_reason else "",
        "overbooked_by": person_words(row.overbooked_by) if row.overbooked_by else "",
        "overbook_reason": (row.overbook_reason or {}).get("text", ""),
    }


def history_of(row: Appointment) -> list[tuple[Any, str, datetime, str]]:
    """Return the visit's steps: what was done, the visit's time then, when and by whom."""
    return [
        (
            STEP_WORDS.get(step.action, step.action),
            time_words(
                step.during.lower.astimezone(row.zone), step.during.upper.astimezone(row.zone)
            ),
            step.at,
            person_words(step.by) if step.by else "",
        )
        for step in row.changes.select_related("by")
    ]


def _here_words(visit: Appointment) -> str:
    if visit.here_since is None:
        return ""
    return _("The patient has been here since %(time)s.") % {
        "time": date_format(visit.here_since, "TIME_FORMAT")
    }


def _called_in_words(visit: Appointment) -> str:
    letter = letter_words(reach_of(submission_of(visit))) or _(
        "No letter goes out: say it in person."
    )
    return _("The patient’s page says: please come in.") + f" {letter}"


def _left_words(visit: Appointment) -> str:
    return _("Stored: the patient is not here.")
