"""The staff's pages that invite: one person, the patient of a visit, a day's list."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clinic import audit
from clinic.lists import Context
from clinic.requests import StaffRequest, request_id, signed_in_user
from intake.errors import STAFF_REFUSALS
from intake.invitations import csv_file, inviting, lists
from intake.invitations.staff_forms import ListForm, PersonForm, VisitForm
from intake.invitations.staff_words import line_words, moment_words, say_how_told
from intake.models.appointments import Appointment
from intake.models.invitations import Invitation, InvitationList
from intake.staff import reads
from intake.staff.lists import PatientAdmin

SHOWN_ROWS = 200
"""How many good lines of a list the preview shows. Lines with a problem are all shown."""


class InvitingPages(PatientAdmin[Invitation]):
    """The pages that invite. Whoever may add an invitation may open all of them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("intake.add_invitation")

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
