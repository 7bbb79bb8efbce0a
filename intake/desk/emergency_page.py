"""What the front desk does at an emergency: tell a clinician now, and note a call."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from clinic.requests import StaffRequest
from intake.desk.red_flags import told_words
from intake.domain import workflow
from intake.errors import Refused
from intake.models.calls import Call
from intake.models.submissions import Kind, Submission
from intake.staff.lists import PatientAdmin
from intake.staff.tries import warn_of_colleague
from intake.ways import calls, escalation
from intake.ways.contact import Reach
from intake.ways.forms import CallForm


class EmergencyPage(PatientAdmin[Any]):
    """Adds the buttons of an emergency to the front desk's page of a submission."""

    show: Callable[..., HttpResponse]  # the page of the submission

    def tell_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        """Tell the next staff of the escalation at once."""
        row = self._posted(request, object_id)
        if row is None:
            return redirect(self.address("change", object_id))
        try:
            step = escalation.tell_now(
                submission=row, by=request.user, request_id=request.request_id
            )
        except Refused as error:
            return self.show(request, row, request.GET, error=error, status=409)
        done = _("A letter goes out now to: %(who)s. Tell a clinician in the clinic, too.")
        messages.success(request, done % {"who": told_words(step)})
        return redirect(self.address("change", row.pk))

    def noted_view(self, request: StaffRequest, object_id: str) -> HttpResponse:
        """Note a call to the patient. It puts the next letter off, and ends nothing."""
        row = self._posted(request, object_id)
        if row is None:
            return redirect(self.address("change", object_id))
        form = CallForm(submission=row, data=request.POST)
        if not form.is_valid():
            return self.show(request, row, request.GET, call_form=form, status=422)
        made = form.call_input()
        try:
            call = calls.record(
                submission=row,
                outcome=made.outcome,
                again_at=made.again_at,
                words=made.words,
                revision=form.cleaned_data["revision"],
                by=request.user,
                request_id=request.request_id,
            )
        except Refused as error:
            return self.show(request, row, request.GET, error=error, call_form=form, status=409)
        messages.success(request, _("The call is noted. Only a clinician ends an emergency."))
        warn_of_colleague(request, call)
        return redirect(self.address("change", row.pk))

    def _posted(self, request: StaffRequest, object_id: str) -> Submission | None:
        """Return the record of a posted button; None for a page that was only opened.

        Raises PermissionDenied for staff who may not note calls.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        row: Submission = self.record_or_404(request, object_id)
        if request.method != "POST":
            return None
        if not request.user.has_perm("intake.change_calltask"):
            raise PermissionDenied
        return row


def emergency_of(
    row: Submission, reach: Reach, made: Iterable[Call], form: CallForm | None
) -> dict[str, Any] | None:
    """Return what the page shows of a stopped form or of words of danger that nobody has ended.

    Returns None for any other submission. `made` are the calls to the patient, `form` is a call
    that came back with an error.
    """
    reached = any(call.by_clinician and call.outcome in Call.SPOKE for call in made)
    stopped = row.kind == Kind.STOPPED and (row.escalate_at or not reached)
    if not (row.alarm or (stopped and row.status in workflow.OPEN)):
        return None
    return {
        "told": told_words(row.escalations),
        "next_at": row.escalate_at,
        "next": told_words(row.escalations + 1),
        "form": form or CallForm(submission=row, reach=reach),
    }
