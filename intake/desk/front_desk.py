"""The front desk's list and pages: contact and appointment, no answers.

A page shows the patient's wish, the free times that fit the wish, and a week. Offering and booking
call one service each, outside of any transaction of the page, because a service takes its locks
first and retries by itself.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic.lists import Context
from clinic.requests import StaffRequest
from intake.appointments import booking as booking_module
from intake.appointments import free_times, waiting_list
from intake.appointments import offers as offers_module
from intake.appointments.admin.time_forms import ChosenSlotsForm, OverbookForm, duration_choices
from intake.appointments.admin.times import Times
from intake.appointments.admin.words import time_words, wish_rows
from intake.appointments.booking import confirm_by_call
from intake.appointments.offers import open_offers, withdraw_offers
from intake.appointments.slot_gone import SlotGone
from intake.chart import details
from intake.chart.block import block
from intake.desk import transitions
from intake.desk.chart_page import ChartPage
from intake.desk.correct_page import CorrectPage, unverified_words
from intake.desk.emergency_page import EmergencyPage, emergency_of
from intake.desk.forms import ProgressForm
from intake.desk.instructions import instructions_for
from intake.desk.preview_view import FrontPreview
from intake.desk.reach import ReachPage
from intake.desk.submission_page import SubmissionPage
from intake.domain import workflow
from intake.domain.stored import PHONE
from intake.errors import REFUSALS, STAFF_REFUSALS
from intake.models.appointments import AppointmentRequest
from intake.models.calls import CallTask
from intake.models.clinic_time import Clinician, VisitType
from intake.models.submissions import Decision, FrontDesk, Kind, Submission
from intake.staff import reads
from intake.staff.filters import NotClosedFilter, ProgressFilter, SentFilter, UrgencyFilter
from intake.staff.front_lists import FrontList, ListFilter, is_to_book
from intake.staff.lists import WorklistOrder, record_page, record_view, run_service
from intake.staff.owed_calls import letter_words, owed_calls_of, say_who_tells_patient
from intake.staff.reach_words import NO_WAY, reach_words
from intake.staff.status_words import alarm_mark, standing_words, target_words
from intake.staff.told import told_words
from intake.staff.tries import call_words, calls_without_notes, wrong_number_words
from intake.ways.contact import Reach, reach_of
from intake.ways.forms import CallForm
from intake.wording.reading import phone_words

CALLED_ALONE = gettext_lazy(
    "No letter reaches this patient, so no time is offered by itself. Call when one becomes free."
)


def booking_view(method: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Turn a method into the view of a button that offers or books.

    Checks both permissions, and gives the method the record in place of its id. Opens no
    transaction. When the service refuses, shows the page as it is now, with the reason.
    """

    @wraps(method)
    def view(self: "FrontDeskAdmin", request: StaffRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.record_or_404(request, object_id)
        if request.method != "POST":
            return redirect(self.address("change", row.pk))
        if not request.user.has_perm("intake.change_appointment"):
            raise PermissionDenied
        try:
            return method(self, request, row)
        except REFUSALS as error:
            return self.show(request, row, request.POST, error=error, status=409)

    return view


class FrontOrder(WorklistOrder):
    """Sorts the visits to book by the day until which they are booked, all others as the worklist.

    Gives each visit to book the instruction of its decision, with a fixed number of queries.
    """

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        order = super().get_ordering(request, queryset)
        return [F("book_by").asc(nulls_last=True), *order] if is_to_book(request) else order

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        given = instructions_for(self.result_list) if is_to_book(request) else {}
        for row in self.result_list:
            row.instruction = given.get(row.pk, [])


@admin.register(FrontDesk)
class FrontDeskAdmin(
    CorrectPage, EmergencyPage, ReachPage, ChartPage, FrontPreview, FrontList[FrontDesk]
):
    """The list and pages of patients: how to reach them, which visit they want, no answers."""

    list_display = [
        "urgency_mark", "opens", "patient", "waiting_for", "phone", "contact_by", "to_do", "wish",
        "progress", "look",
    ]  # fmt: skip
    list_filter = [ListFilter, ProgressFilter, NotClosedFilter, UrgencyFilter, SentFilter]
    list_select_related = ["appointment_request__waiting"]
    posts = [
        *("progress", "offer", "call", "withdraw", "overbook", "wait", "reach", "chart"),
        *("correct", "number", "tell", "noted", "preview"),
    ]
    list_title = gettext_lazy("Contacts and appointments")
    changelist = FrontOrder

    def get_queryset(self, request: HttpRequest) -> QuerySet[FrontDesk]:
        rows = super().get_queryset(request).select_related("appointment_request__waiting")
        decided = Decision.objects.filter(submission=OuterRef("pk")).order_by("-at", "-id")
        rows = rows.annotate(
            outcome=Subquery(decided.values("outcome")[:1]),
            book_by=Subquery(decided.values("book_by")[:1]),
        )
        deferred: QuerySet[FrontDesk] = rows.defer("answers", "assessment", "search_keys")
        return deferred

    @admin.display(description=gettext_lazy("Phone"))
    def phone(self, row: FrontDesk) -> str:
        number = row.person.get(PHONE, "")
        return (
            format_html('<a href="tel:{}">{}</a>', number, phone_words(number)) if number else "–"
        )

    @admin.display(description=gettext_lazy("Decided"))
    def to_do(self, row: Any) -> str:
        if row.redirected_at and row.status in workflow.OPEN:
            words = standing_words(row)
        else:
            words = workflow.OUTCOMES.get(row.outcome, row.get_status_display())
        if given := getattr(row, "instruction", []):
            words = format_html('{}<br><span class="hint">{}</span>', words, "; ".join(given))
        return format_html("{}<br>{}", alarm_mark(), words) if row.alarm else words

    @admin.display(description=gettext_lazy("Wish"))
    def wish(self, row: FrontDesk) -> str:
        request = request_of(row)
        return request.get_visit_type_display() if request else "–"

    @admin.display(description=gettext_lazy("Appointment"))
    def progress(self, row: Any) -> str:
        request = request_of(row)
        if request is None:
            return "–"
        words = progress_words(request, row.outcome)
        if getattr(request, "waiting", None):
            return _("%(progress)s; on the waiting list") % {"progress": words}
        return words

    # --- the page of a patient -------------------------------------------------------------------
    @record_view
    def change_view(self, request: StaffRequest, row: FrontDesk, **kwargs: Any) -> HttpResponse:
        return self.show(request, row, request.GET)

    @record_page("admin/intake/frontdesk/read.html")
    def show(
        self,
        request: StaffRequest,
        row: Any,
        typed: QueryDict,
        *,
        form: ChosenSlotsForm | None = None,
        overbook: OverbookForm | None = None,
        call_form: CallForm | None = None,
        error: Exception | None = None,
    ) -> Context:
        """Show the page. After a refusal the page keeps the choices (`typed`) and shows the reason.

        `row` is a FrontDesk with the annotations of `get_queryset`.
        """
        reads.record_read(submission=row, by=request.user, request_id=request.request_id)
        page, wish, reach = SubmissionPage(row), request_of(row), reach_of(row)
        made = list(calls_without_notes().filter(submission=row))
        newest = details.newest_of(row)
        return {
            "title": row.reference,
            "submission": row,
            "to_do": self.to_do(row),
            "instruction": instructions_for([row]).get(row.pk, []),
            "progress": progress_words(wish, row.outcome) if wish else "",
            "name": page.name,
            "phone": reach.phone,
            "phone_words": phone_words(reach.phone),
            "reach_words": reach_words(reach),
            "told": told_words(row),
            "language": page.language,
            "entered": page.entered,
            "contact": page.contact,
            "unverified": unverified_words(row),
            "number_typed": (request.POST.get("channel"), request.POST.get("number", "")),
            "chart": block(row, newest.details if newest else {}),
            "calls": [call_words(call) for call in made],
            "wrong_number": wrong_number_words(made, row.person),
            "request_": wish,
            "waits": wish is not None and getattr(wish, "waiting", None) is not None,
            "stopped": row.kind == Kind.STOPPED,
            "emergency": emergency_of(row, reach, made, call_form),
            "urgency_mark": self.urgency_mark(row),
            "target": target_words(row),
            "waiting": self.waiting_for(row),
            "form": ProgressForm(progress=wish.progress) if wish else None,
            "refused": error,
            **self.times_context(request, row, wish, reach, typed, form, overbook, error),
        }

    def times_context(
        self,
        request: StaffRequest,
        row: FrontDesk,
        wish: AppointmentRequest | None,
        reach: Reach,
        typed: QueryDict,
        form: ChosenSlotsForm | None,
        overbook: OverbookForm | None,
        error: Exception | None,
    ) -> dict[str, Any]:
        """Return the part of the context about visits, offers and free times.

        The week names other patients with a visit. Records that the reader saw these patients.
        """
        may_book = request.user.has_perm("intake.change_appointment")
        may_wait, letter = free_times.may_be_offered(submission=row), letter_words(reach)
        visit = row.appointments.filter(status="confirmed").for_reading().first()
        shown: dict[str, Any] = {
            "visit": visit,
            "visit_words": time_words(visit.starts, visit.ends) if visit else "",
            "offers": [],
            "wish": wish_rows(wish, Clinician.objects.all()) if wish else [],
            "may_book": may_book,
            "may_wait": may_wait,
            "may_offer": may_wait and bool(letter),
            "letter": letter,
            "owed": owed_calls_of(request, row, reach),
            "times": None,
            "times_form": form,
            "hold_choices": [],
            "overbook": None,
            "page_address": self.address("change", row.pk),
            "buttons": "admin/intake/frontdesk/buttons.html",
            "choosing": True,
        }
        if wish is None or not may_book:
            return shown
        offers = open_offers(submission=row)
        shown["offers"] = [
            (offer, time_words(offer.appointment.starts, offer.appointment.ends))
            for offer in offers
        ]
        if visit or wish.progress in ("done", "withdrawn"):
            return shown
        times = Times(typed=typed, kinds=visit_types_for(wish), request=wish)
        if isinstance(error, SlotGone):
            times.gone = error
        reads.record_list(
            submissions=[each.submission for each in times.visits if each.submission],
            by=request.user,
            request_id=request.request_id,
            page="calendar",
        )
        held = typed.get("hours", "")
        if request.user.has_perm("intake.overbook_appointment"):
            shown["overbook"] = overbook or OverbookForm(times=times)
        return shown | {
            "times": times,
            "hold_choices": [
                (number, words, str(number) == (held or str(settings.APPOINTMENT_OFFER_HOURS)))
                for number, words in duration_choices()
            ],
        }

    # --- its buttons -----------------------------------------------------------------------------
    @record_view
    def progress_view(self, request: StaffRequest, row: FrontDesk) -> HttpResponse:
        if request.method == "POST":
            if not request.user.has_perm("intake.change_frontdesk"):
                raise PermissionDenied
            form = ProgressForm(data=request.POST)
            if form.is_valid() and request_of(row):
                progress = form.cleaned_data["progress"]
                booked = row.appointments.filter(status="confirmed")
                ends_visit = progress == "withdrawn" and booked.exists()
                if (
                    run_service(request, row, transitions.set_progress, progress=progress)
                    and ends_visit
                ):
                    done = _("The appointment is cancelled.")
                    say_who_tells_patient(request, row, done, CallTask.Reason.CANCELLED)
        return redirect(self.address("change", row.pk))

    @booking_view
    def offer_view(self, request: StaffRequest, row: FrontDesk) -> HttpResponse:
        form = ChosenSlotsForm(request.POST)
        if not form.is_valid():
            return self.show(request, row, request.POST, form=form, status=422)
        made = offers_module.offer(
            submission=row,
            slots=form.cleaned_data["slot"],
            visit_type=form.cleaned_data["type"],
            hours=form.cleaned_data["hours"],
            by=request.user,
            request_id=request.request_id,
        )
        done = ngettext("%(n)s time is offered.", "%(n)s times are offered.", len(made))
        return self.say_and_return(request, row, done % {"n": len(made)}, CallTask.Reason.OFFER)

    @booking_view
    def call_view(self, request: StaffRequest, row: FrontDesk) -> HttpResponse:
        form = ChosenSlotsForm(request.POST, one=True)
        if not form.is_valid():
            return self.show(request, row, request.POST, form=form, status=422)
        confirm_by_call(
            submission=row,
            slot=form.cleaned_data["slot"][0],
            visit_type=form.cleaned_data["type"],
            by=request.user,
            request_id=request.request_id,
        )
        done = _("The appointment is booked.")
        return self.say_and_return(request, row, done, CallTask.Reason.CONFIRMED)

    @booking_view
    def withdraw_view(self, request: StaffRequest, row: FrontDesk) -> HttpResponse:
        had_heard = withdraw_offers(submission=row, by=request.user, request_id=request.request_id)
        done = _("The offers are taken back.")
        if had_heard:
            return self.say_and_return(request, row, done, CallTask.Reason.LOST)
        messages.success(request, done)
        return redirect(self.address("change", row.pk))

    @booking_view
    def wait_view(self, request: StaffRequest, row: FrontDesk) -> HttpResponse:
        leave = request.POST.get("to") == "leave"
        service = waiting_list.leave_waitlist if leave else waiting_list.join_waitlist
        service(submission=row, by=request.user, request_id=request.request_id)
        if leave:
            messages.success(request, _("Taken off the waiting list."))
        elif (reach := reach_of(row)).way:
            messages.success(request, _("Put on the waiting list."))
        else:
            why = CALLED_ALONE if reach.may_call else NO_WAY
            messages.warning(request, _("Put on the waiting list.") + f" {why}")
        return redirect(self.address("change", row.pk))

    @booking_view
    def overbook_view(self, request: StaffRequest, row: FrontDesk) -> HttpResponse:
        if not request.user.has_perm("intake.overbook_appointment"):
            raise PermissionDenied
        wish = request_of(row)
        times = Times(typed=request.POST, kinds=visit_types_for(wish) if wish else [])
        form = OverbookForm(request.POST, times=times)
        if not form.is_valid():
            return self.show(request, row, request.POST, overbook=form, status=422)
        data = form.cleaned_data
        try:
            booking_module.overbook(
                submission=row,
                clinician=data["clinician"],
                location=data["location"],
                visit_type=data["visit_type"],
                start=data["start"],
                reason=data["reason"],
                by=request.user,
                request_id=request.request_id,
            )
        except STAFF_REFUSALS as error:
            return self.show(request, row, request.POST, overbook=form, error=error, status=409)
        done = _("The appointment is booked, above what the hours allow.")
        return self.say_and_return(request, row, done, CallTask.Reason.CONFIRMED)

    def say_and_return(
        self, request: StaffRequest, row: FrontDesk, done: str, reason: str
    ) -> HttpResponse:
        """Say what was done and how the patient hears of it, then redirect to the page."""
        say_who_tells_patient(request, row, done, reason)
        return redirect(self.address("change", row.pk))


def request_of(row: Submission) -> AppointmentRequest | None:
    """Return the submission's request for a visit, or None when the form was stopped."""
    return getattr(row, "appointment_request", None)


def progress_words(wish: AppointmentRequest, outcome: str | None) -> str:
    """Say in words how far a request is. For a closed request, say which decision closed it."""
    if wish.progress == "withdrawn" and outcome in workflow.NO_VISIT:
        return _("Closed: %(outcome)s") % {"outcome": workflow.OUTCOMES[outcome]}
    return wish.get_progress_display()


def visit_types_for(wish: AppointmentRequest) -> list[VisitType]:
    """Return all visit types that staff can book, the type of the patient's wish first.

    A patient on the phone may choose another type than in the wish.
    """
    kinds = VisitType.objects.filter(is_active=True, clinicians__is_active=True).distinct()
    return sorted(kinds, key=lambda kind: kind.kind != wish.visit_type)
