"""Take the decision of a clinician on a submission."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic.requests import StaffRequest
from intake.desk import changes, pending
from intake.desk.forms import DecisionForm
from intake.desk.list_place import asked_place, next_of, with_place
from intake.desk.submission_view import DECIDED, HOLDS, SubmissionView
from intake.domain import workflow
from intake.errors import Conflict
from intake.models.pending import PendingDecision
from intake.models.submissions import Submission
from intake.staff.lists import posted_revision, record_view
from intake.wording.people import person_words


class DecideView(SubmissionView):
    """Stores a decision, and offers the next submission."""

    @record_view
    def decide_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        if request.method != "POST":
            return redirect(self.address("change", submission.pk))
        if not request.user.has_perm("intake.decide_submission"):
            raise PermissionDenied
        row = getattr(submission, "pending_decision", None)
        is_mine = row is not None and row.by_id == request.user.pk
        if not is_mine:
            submission = self.let_take_effect(request, submission)
        form = DecisionForm(data=request.POST, submission=submission)
        if not form.is_valid():
            return self.show(request, submission, form=form, status=422)
        listed, given = copy(submission), form.decision_input()
        who: dict[str, Any] = {"by": request.user, "request_id": request.request_id}
        try:
            with transaction.atomic():  # so that a refused decision leaves the one before
                if is_mine:  # the clinician decides again within the minute
                    pending.undo(submission=submission, **who)
                held = pending.hold(
                    submission=submission,
                    given=given,
                    revision=form.cleaned_data["revision"],
                    **who,
                )
        except (Conflict, workflow.NotAllowed) as error:
            words = str(error)
            if not form.is_current and isinstance(error, workflow.NotAllowed):
                words = f"{changes.CHANGED_MEANWHILE} {words}"
            words = " ".join(filter(None, (words, decided_words(submission, request.user))))
            submission.refresh_from_db()
            form.refresh(submission)
            form.add_error(None, words)
            return self.show(request, submission, form=form, status=409)
        if held:
            request.session[HOLDS] = True
        place = asked_place(request)
        following = next_of(listed, place, request)
        request.session[DECIDED] = {
            "pk": str(submission.pk),
            "outcome": given.outcome,
            "next": str(following.pk) if following else "",
        }
        return redirect(with_place(self.address("change", submission.pk), asked_place(request)))

    @record_view
    def undo_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        """Undo a decision that has not taken effect."""
        if request.method == "POST":
            if not request.user.has_perm("intake.decide_submission"):
                raise PermissionDenied
            revision = posted_revision(request)
            undone = pending.undo(
                submission=submission,
                by=request.user,
                request_id=request.request_id,
                revision=revision,
            )
            if undone:
                messages.success(request, _("Undone. Nothing was sent."))
            else:
                messages.error(request, not_undone_words(submission, request.user, revision))
        return redirect(with_place(self.address("change", submission.pk), asked_place(request)))


def not_undone_words(submission: Submission, reader: User, revision: int) -> str:
    """Say why a decision cannot be undone. `revision` is that of the page with the button."""
    held = PendingDecision.objects.filter(submission=submission, failed_at=None).exclude(by=reader)
    if other := held.select_related("by").defer("given").first():
        return _("Only %(name)s can undo this decision.") % {"name": person_words(other.by)}
    if submission.decisions.filter(revision=revision).exists():
        return _(
            "It is too late to undo the decision: it has taken effect. Correct it with another "
            "decision."
        )
    return _("There is nothing to undo: this decision was undone before, or it was not stored.")


def decided_words(submission: Submission, reader: User) -> str:
    """Say what a colleague decided meanwhile, by name; '' if no colleague decided."""
    held = PendingDecision.objects.filter(submission=submission).exclude(by=reader)
    made = submission.decisions.exclude(by=reader).defer("words")
    found = held.select_related("by").defer("given").first() or made.select_related("by").first()
    if found is None:
        return ""
    return _("%(name)s decided: %(outcome)s (%(time)s).") % {
        "name": person_words(found.by),
        "outcome": found.get_outcome_display(),
        "time": date_format(timezone.localtime(found.at), "TIME_FORMAT"),
    }
