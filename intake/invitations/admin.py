"""The staff's list of invitations, the page of one, and the pages that invite."""

from collections.abc import Callable, Sequence
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.lists import Context, FindList, FixedFilter
from clinic.requests import StaffRequest
from intake import search
from intake.appointments.admin.day_list import COLUMNS, DayColumn
from intake.errors import STAFF_REFUSALS
from intake.invitations import managing
from intake.invitations.inviting_pages import InvitingPages
from intake.invitations.staff_words import (
    moment_words,
    say_how_told,
    steps_of,
    visit_words,
    way_words,
)
from intake.models.appointments import Appointment
from intake.models.invitations import Invitation
from intake.models.submissions import Submission
from intake.staff import paperwork, reads
from intake.staff.lists import record_page, record_view
from intake.ways import invited as invited_ways
from intake.wording.reading import date_words, phone_words


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
class InvitationAdmin(InvitingPages):
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        return paperwork.with_facts(Invitation.objects.all())

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Invitation | None:
        try:
            return self.get_queryset(request).filter(pk=object_id).first()
        except (ValidationError, ValueError):
            return None

    def matches(self, rows: QuerySet[Any], term: search.Term) -> QuerySet[Any]:
        wanted = search.query_tokens(term)
        for alternatives in wanted:
            rows = rows.filter(search_keys__overlap=alternatives)
        found = rows[: search.CANDIDATES] if wanted else []
        near = [row for row in found if search.rank(term, row.person) < 3]
        return self.get_queryset(cast(Any, None)).filter(pk__in=[row.pk for row in near])

    def submissions_shown(self, rows: list[Invitation]) -> list[Submission]:
        """Return the invitations themselves: the read of an invitation is recorded by its id."""
        return cast(list[Submission], rows)

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
        return self.act(request, object_id, managing.send_again)

    def withdraw_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        return self.act(request, object_id, managing.withdraw, _("The invitation is taken back."))

    def decline_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        done = _("Noted: the patient does not want to answer.")
        return self.act(request, object_id, managing.decline, done)

    def reached_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        done = _("Noted: the patient was reached.")
        return self.act(request, object_id, managing.note_call, done, reached=True)

    def not_reached_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        done = _("Noted: not reached. The call stays on the list.")
        return self.act(request, object_id, managing.note_call, done, reached=False)

    def code_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        """Show the code once, for a member of staff who reads it to the patient."""
        row = self.changeable(request, object_id)
        if request.method != "POST":
            return redirect(self.address("change", row.pk))
        given: dict[str, Any] = {"by": request.user, "request_id": request.request_id}
        try:
            code = managing.read_code(invitation=row, **given)
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
