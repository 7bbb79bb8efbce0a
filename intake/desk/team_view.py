"""Take the other acts of staff on a submission: each button calls one service."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from clinic.requests import StaffRequest
from intake.desk import patient_messages, teamwork, transitions
from intake.desk.findings_page import findings_page
from intake.desk.forms import MessageForm
from intake.desk.submission_view import SubmissionView, call_form_of
from intake.letters import sentences
from intake.models.calls import CallTask
from intake.models.submissions import Submission
from intake.staff.lists import record_view, run_service
from intake.staff.owed_calls import say_who_tells_patient
from intake.staff.tries import warn_of_colleague
from intake.ways import calls


class TeamView(SubmissionView):
    """Serves the buttons of a submission other than the decision."""

    @record_view
    def call_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        """Record a call.

        If the call reached the patient, settles the calls that staff owe for more information.
        """
        back = f"{self.address('change', submission.pk)}#call"
        if request.method != "POST":
            return redirect(back)
        if not request.user.has_perm("intake.decide_submission"):
            raise PermissionDenied
        submission = self.let_take_effect(request, submission)
        form = call_form_of(submission, request.POST)
        if not form.is_valid():
            return self.show(request, submission, call_form=form, status=422)
        made = form.call_input()
        call = calls.record(
            submission=submission,
            outcome=made.outcome,
            again_at=made.again_at,
            words=made.words,
            revision=form.cleaned_data["revision"],
            by=request.user,
            request_id=request.request_id,
            tasks=submission.call_tasks.filter(settled_at=None, reason=CallTask.Reason.MORE),
        )
        submission.refresh_from_db(fields=["alarm"])
        if submission.alarm:
            messages.warning(request, _("The call is noted. What the patient wrote still waits."))
        else:
            messages.success(request, _("The call is noted."))
        if made.is_wrong_number:
            messages.warning(
                request,
                _("The number is wrong, so nothing is put off. Look for another number."),
            )
        warn_of_colleague(request, call)
        return redirect(back)

    @record_view
    def findings_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        back = self.address("change", submission.pk)
        return findings_page(request, submission, back=back, context=context)

    @record_view
    def assign_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        to = None if request.POST.get("to") == "nobody" else request.user
        over = request.POST.get("over", "")
        return self._act(request, submission, teamwork.assign, to=to, over=over)

    @record_view
    def move_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        action, fit = (request.POST.get(name, "") for name in ("action", "fit"))
        return self._act(request, submission, transitions.move, action=action, fit=fit)

    @record_view
    def message_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        form = MessageForm(data=request.POST)
        if not form.is_valid():
            messages.error(request, _("Choose a message."))
            return redirect(self.address("change", submission.pk))
        texts = sentences.message_texts([form.cleaned_data["message"]], submission.language)
        news = (_("The message is stored."), CallTask.Reason.MESSAGE)
        return self._act(request, submission, patient_messages.send, news=news, **texts)

    @record_view
    def settle_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, patient_messages.settle_reply)

    @record_view
    def trust_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        return self._act(request, submission, transitions.mark_genuine)

    def _act(
        self,
        request: StaffRequest,
        submission: Submission,
        service: Callable[..., None],
        news: tuple[str, str] | None = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Run the service of a button with the revision that staff read.

        Pass `news` if the patient has to hear of the act: what was done, and the reason of the call
        that staff owe if no letter tells the patient.
        """
        if request.method == "POST":
            if not request.user.has_perm("intake.decide_submission"):
                raise PermissionDenied
            submission = self.let_take_effect(request, submission)
            if run_service(request, submission, service, **kwargs) and news:
                say_who_tells_patient(request, submission, *news)
        return redirect(self.address("change", submission.pk))
