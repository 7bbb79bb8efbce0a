"""The staff's list of invitations, the page of one, and the pages that invite."""

from collections.abc import Callable, Sequence
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from clinic import audit
from clinic.lists import Context, FindList, FixedFilter
from clinic.requests import StaffRequest, request_id, signed_in_user
from intake import search
from intake.appointments.admin.day_list import COLUMNS, DayColumn
from intake.errors import STAFF_REFUSALS
from intake.invitations import csv_file, inviting, lists
from intake.invitations.staff_forms import ListForm, PersonForm, VisitForm
from intake.invitations.staff_words import (
    line_words,
    moment_words,
    say_how_told,
    steps_of,
    visit_words,
    way_words,
)
from intake.models.appointments import Appointment
from intake.models.invitations import Invitation, InvitationList
from intake.models.submissions import Submission
from intake.staff import paperwork, reads
from intake.staff.lists import PatientAdmin, record_page, record_view
from intake.ways import invited as invited_ways
from intake.wording.languages import month_names
from intake.wording.reading import date_words, phone_words

SHOWN_ROWS = 200
"""How many good lines of a list the preview shows. Lines with a problem are all shown."""


class Newest(FindList):
    """Sort calls by due time, and all other invitations with the newest first."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        if self.params.get("show") == "call":
            return ["call_due_at", "id"]
        return ["-created_at", "-id"]


class ShowFilter(FixedFilter):
    title = gettext_lazy("invitations")
    parameter_name = "show"
    options = [("call", gettext_lazy("To call")), ("all", gettext_lazy("Ended as well"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "call":
            return queryset.filter(call_due_at__isnull=False)
        if self.value() == "all":
            return queryset
        return queryset.filter(
            Q(appointment=None, expires_at__gt=timezone.now())
            | Q(appointment__during__startswith__gt=timezone.now()),
            withdrawn_at=None,
        )

    def default_words(self, changelist: ChangeList) -> Any:
        return _("Open")


def paperwork_cells(rows: Sequence[Appointment]) -> dict[UUID, str]:
    """Map the ids of visits to the paperwork light, for the list of the day."""
    return {pk: light.html for pk, light in paperwork.paperwork_of(rows).items()}


COLUMNS.append(DayColumn("paperwork", gettext_lazy("Paperwork"), paperwork_cells))


@admin.register(Invitation)
class InvitationAdmin(PatientAdmin[Invitation]):
    """The list of invitations and the page of one. A clinician and the front desk see all."""

    list_display = ["patient", "state", "visit", "way", "invited"]
    list_filter = [ShowFilter]
    list_select_related = []
    list_per_page = 50
    sortable_by = ()
    posts = ["again", "withdraw", "decline", "reached", "not_reached", "code"]
    list_title = gettext_lazy("Invitations")
    search_help_text = gettext_lazy("Name, phone, e-mail or date of birth")
    is_in_index = False
    changelist = Newest
    reference_lookup = "submission__reference"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("intake.add_invitation")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        return paperwork.with_facts(Invitation.objects.all())

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Invitation | None:
        try:
            return self.get_queryset(request).filter(pk=object_id).first()
        except (ValidationError, ValueError):
            return None

    def matches(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        months = month_names()
        wanted = search.query_tokens(term, months)
        for alternatives in wanted:
            rows = rows.filter(search_keys__overlap=alternatives)
        found = rows[: search.CANDIDATES] if wanted else []
        near = [row for row in found if search.rank(term, row.person, months) < 3]
        return self.get_queryset(cast(Any, None)).filter(pk__in=[row.pk for row in near])

    def submissions_shown(self, rows: list[Invitation]) -> list[Submission]:
        """Return the invitations themselves: the read of an invitation is recorded by its id."""
        return cast(list[Submission], rows)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "list/",
                self.admin_site.admin_view(self.list_view),
                name="intake_invitationlist_add",
            ),
            path(
                "list/<uuid:object_id>/",
                self.admin_site.admin_view(self.preview_view),
                name="intake_invitationlist_change",
            ),
        ]
        return own + super().get_urls()

    # --- columns ---------------------------------------------------------------------------------
    @admin.display(description=gettext_lazy("Patient"))
    def patient(self, row: Any) -> str:
        name = row.person.get("name") or _("Name not given")
        return format_html('<a href="{}">{}</a>', self.address("change", row.pk), name)

    @admin.display(description=gettext_lazy("What became of it"))
    def state(self, row: Any) -> str:
        return paperwork.standing_of(row).html

    @admin.display(description=gettext_lazy("Visit"), empty_value="–")
    def visit(self, row: Invitation) -> str | None:
        return visit_words(row)

    @admin.display(description=gettext_lazy("By"))
    def way(self, row: Invitation) -> str:
        return way_words(row)

    @admin.display(description=gettext_lazy("Invited"))
    def invited(self, row: Invitation) -> str:
        return moment_words(timezone.localtime(row.created_at))

    # --- the page of an invitation ---------------------------------------------------------------
    @record_view
    def change_view(self, request: StaffRequest, row: Invitation, **kwargs: Any) -> HttpResponse:
        return self.show(request, row)

    @record_page("admin/intake/invitation/read.html")
    def show(
        self, request: StaffRequest, row: Any, *, code: str = "", error: Exception | None = None
    ) -> Context:
        reads.record_read(submission=row, by=request.user, request_id=request.request_id)
        standing, person = paperwork.standing_of(row), row.person
        phone = invited_ways.reach_of(row).phone
        may_change = request.user.has_perm("intake.change_invitation")
        is_over = row.is_withdrawn or row.sent_kind is not None
        return {
            "title": person.get("name") or _("Name not given"),
            "row": row,
            "standing": standing,
            "part": row.get_part_display(),
            "born": date_words(person["birth_date"]),
            "guardian": person.get("guardian"),
            "way": way_words(row),
            "email": person.get("email", ""),
            "phone": phone,
            "phone_words": phone_words(phone) if phone else "",
            "visit": visit_words(row),
            "steps": steps_of(row),
            "until": row.ends_at,
            "code": code,
            "address": settings.SITE_ORIGIN + reverse("intake:invited"),
            "refused": error,
            "may_change": may_change,
            "may_send": may_change and not is_over,
            "may_end": may_change and not is_over and row.declined_at is None,
            "may_call": may_change and row.call_due_at is not None,
            "may_read_code": may_change and standing.is_open,
        }

    # --- its buttons -----------------------------------------------------------------------------
    def again_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, inviting.send_again)

    def withdraw_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, inviting.withdraw, _("The invitation is taken back."))

    def decline_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        done = _("Noted: the patient does not want to answer.")
        return self.act(request, object_id, inviting.decline, done)

    def reached_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        done = _("Noted: the patient was reached.")
        return self.act(request, object_id, inviting.note_call, done, reached=True)

    def not_reached_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        done = _("Noted: not reached. The call stays on the list.")
        return self.act(request, object_id, inviting.note_call, done, reached=False)

    def code_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        """Show the code once, for a member of staff who reads it to the patient."""
        row = self.changeable(request, object_id)
        if request.method != "POST":
            return redirect(self.address("change", row.pk))
        given: dict[str, Any] = {"by": request.user, "request_id": request.request_id}
        try:
            code = inviting.read_code(invitation=row, **given)
        except STAFF_REFUSALS as error:
            return self.show(request, row, error=error, status=409)
        return self.show(request, row, code=code)

    def changeable(self, request: StaffRequest, object_id: str) -> Invitation:
        """Return the invitation. Raises PermissionDenied if the reader may not change it."""
        if not request.user.has_perm("intake.change_invitation"):
            raise PermissionDenied
        return self.record_or_404(request, object_id)

    def act(
        self,
        request: StaffRequest,
        object_id: str,
        service: Callable[..., None],
        done: str = "",
        **given: Any,
    ) -> HttpResponse:
        """Call the service of a button, and say the result. Without `done`, say who is told how."""
        row = self.changeable(request, object_id)
        if request.method == "POST":
            who: dict[str, Any] = {"by": request.user, "request_id": request.request_id}
            try:
                service(invitation=row, **who, **given)
            except STAFF_REFUSALS as error:
                return self.show(request, row, error=error, status=409)
            if done:
                messages.success(request, done)
            else:
                say_how_told(request, row)
        return redirect(self.address("change", row.pk))

    # --- inviting one person ---------------------------------------------------------------------
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context | None = None
    ) -> HttpResponse:
        """Invite the patient of a visit (`visit` in the query), or any person."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        staff = cast(StaffRequest, request)
        if "visit" in request.GET:
            return self.invite_of_visit(staff, visit_or_404(request))
        form = PersonForm(request.POST if request.method == "POST" else None)
        return self.invite(staff, form, lambda: form.invited())

    def invite_of_visit(self, request: StaffRequest, visit: Appointment) -> HttpResponse:
        submission = visit.submission
        if submission is None:
            raise Http404
        with transaction.atomic():
            reads.record_read(submission=submission, by=request.user, request_id=request.request_id)
        posted = request.POST if request.method == "POST" else None
        form = VisitForm(posted, person=submission.person)
        return self.invite(
            request, form, lambda: inviting.of_visit(visit, form.guardian()), appointment=visit
        )

    def invite(
        self,
        request: StaffRequest,
        form: Any,
        invited: Callable[[], inviting.Invited],
        appointment: Appointment | None = None,
    ) -> HttpResponse:
        """Show the form, or invite the person and say how the person hears of it."""
        error: Exception | None = None
        if request.method == "POST" and form.is_valid():
            try:
                row = inviting.invite(
                    invited=invited(),
                    protocol=form.cleaned_data["protocol"],
                    language=form.cleaned_data["language"],
                    by=request.user,
                    request_id=request.request_id,
                    appointment=appointment,
                )
            except STAFF_REFUSALS as refused:
                error = refused
            else:
                say_how_told(request, row)
                return redirect(self.address("change", row.pk))
        status = 409 if error else 422 if form.is_bound else 200
        person = appointment.submission.person if appointment and appointment.submission else {}
        context = {
            "form": form,
            "refused": error,
            "name": person.get("name", ""),
            "visit": moment_words(appointment.starts) if appointment else "",
        }
        title = _("Invite a patient")
        return self.answer(request, "add", title, context, status)

    # --- inviting a day's list -------------------------------------------------------------------
    def list_view(self, request: HttpRequest) -> HttpResponse:
        """Read a file with a day's list, and go on to its preview."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        posted = request.method == "POST"
        form = ListForm(request.POST if posted else None, files=request.FILES if posted else None)
        if posted and form.is_valid():
            try:
                found = csv_file.read(form.cleaned_data["file"])
            except csv_file.NotReadable as error:
                form.add_error("file", str(error))
            else:
                batch = lists.keep(
                    found=found,
                    protocol=form.cleaned_data["protocol"],
                    language=form.cleaned_data["language"],
                    by=signed_in_user(request),
                    request_id=request_id(request),
                )
                return redirect("admin:intake_invitationlist_change", batch.pk)
        status = 422 if posted else 200
        return self.answer(request, "list", _("Invite a day’s list"), {"form": form}, status)

    def preview_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Show what the list would do, and do it once when staff confirm."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        batch = InvitationList.objects.filter(pk=object_id).first()
        if batch is None:
            raise Http404
        by, at = signed_in_user(request), request_id(request)
        if request.method == "POST":
            try:
                count = lists.send(batch=batch, by=by, request_id=at)
            except STAFF_REFUSALS as error:
                messages.warning(request, str(error))
            else:
                words = ngettext("%(n)s patient is invited.", "%(n)s patients are invited.", count)
                messages.success(request, words % {"n": count})
            return redirect(self.address("changelist"))
        kept: dict[str, Any] = batch.rows or {}
        rows: list[dict[str, Any]] = kept.get("rows", [])
        with transaction.atomic():
            audit.record(
                actor=audit.staff(by),
                action="list",
                subject=str(batch.pk),
                purpose="TREAT",
                request_id=at,
                detail={"kind": "invitation_list", "count": len(rows)},
            )
        good = [row for row in rows if not row["problems"]]
        context = {
            "batch": batch,
            "encoding": csv_file.ENCODINGS.get(kept.get("encoding", ""), ""),
            "wrong": [line_words(row) for row in rows if row["problems"]],
            "good": [line_words(row) for row in good[:SHOWN_ROWS]],
            "count": len(good),
            "more": max(0, len(good) - SHOWN_ROWS),
            "calls": sum(row["way"] != "email" for row in good),
        }
        return self.answer(request, "preview", _("Look at the list"), context, 200)

    def answer(
        self, request: HttpRequest, page: str, title: str, context: Context, status: int
    ) -> HttpResponse:
        names = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "is_popup": False,
            "title": title,
            **context,
        }
        template = f"admin/intake/invitation/{page}.html"
        return TemplateResponse(request, template, names, status=status)


def visit_or_404(request: HttpRequest) -> Appointment:
    """Return the visit that the query names, if the reader may see visits. Raises Http404."""
    try:
        pk = UUID(request.GET["visit"])
    except ValueError:
        raise Http404 from None
    row = Appointment.objects.for_reading().filter(pk=pk).first()
    if row is None:
        raise Http404
    if not request.user.has_perm("intake.view_appointment"):
        raise PermissionDenied
    is_own = row.clinician.user_id == request.user.pk
    if not is_own and not request.user.has_perm("intake.change_appointment"):
        raise PermissionDenied
    return row
