"""Take the decision of a clinician on a submission."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _

from clinic.requests import StaffRequest
from intake.desk import changes, decisions
from intake.desk.forms import DecisionForm
from intake.desk.submission_view import SubmissionView
from intake.domain import workflow
from intake.errors import Conflict
from intake.models.submissions import Submission
from intake.staff.lists import record_view


class DecideView(SubmissionView):
    """Stores a decision, and offers the next submission."""

    def offer_next(self, request: StaffRequest, submission: Submission) -> None:
        """Say that the decision is stored, and link to the next submission.

        This is a link and no redirect, because opening a submission is recorded as reading it.
        """
        stored = _("Decision on %(ref)s stored.") % {"ref": submission.reference}
        following = self.first_waiting(submission, request.user)
        if following is None:
            messages.success(request, stored)
            return
        words = _("Open next: %(ref)s (%(urgency)s)") % {
            "ref": following.reference,
            "urgency": following.get_urgency_display(),
        }
        link = self.address("change", following.pk)
        messages.success(request, format_html('{} <a href="{}">{}</a>', stored, link, words))

    @record_view
    def decide_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        if request.method != "POST":
            return redirect(self.address("change", submission.pk))
        if not request.user.has_perm("intake.decide_submission"):
            raise PermissionDenied
        form = DecisionForm(data=request.POST, submission=submission)
        if not form.is_valid():
            return self.show(request, submission, form=form, status=422)
        try:
            with transaction.atomic():
                decisions.decide(
                    submission=submission,
                    given=form.decision_input(),
                    by=request.user,
                    revision=form.cleaned_data["revision"],
                    request_id=request.request_id,
                )
        except (Conflict, workflow.NotAllowed) as error:
            words = str(error)
            if not form.is_current and isinstance(error, workflow.NotAllowed):
                words = f"{changes.CHANGED_MEANWHILE} {words}"
            submission.refresh_from_db()
            form.refresh(submission)
            form.add_error(None, words)
            return self.show(request, submission, form=form, status=409)
        self.offer_next(request, submission)
        return redirect(self.address("change", submission.pk))
