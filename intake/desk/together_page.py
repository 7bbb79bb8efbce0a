"""The page on which staff write a note for colleagues, or hand a submission to one of them."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.requests import StaffRequest
from intake.desk import teamwork
from intake.desk.submission_page import SubmissionPage
from intake.desk.submission_view import SubmissionView, holder_words
from intake.domain import workflow
from intake.errors import Conflict, Refused
from intake.forms.fields import LinesField
from intake.models.people import deciders, with_leave
from intake.models.submissions import Submission
from intake.staff import reads
from intake.staff.lists import record_view
from intake.wording.people import person_words

MISSING = gettext_lazy("Write a note, or choose a colleague.")


class TogetherForm(forms.Form):
    """A note for colleagues, and the colleague who gets the submission."""

    note = LinesField(
        label=gettext_lazy("Note for colleagues"),
        help_text=gettext_lazy("The patient never reads it."),
        required=False,
        max_length=4000,
        widget=forms.Textarea({"rows": 4}),
    )
    to: Any = forms.ModelChoiceField(
        queryset=None,
        label=gettext_lazy("Hand it to"),
        required=False,
        empty_label=gettext_lazy("nobody else"),
        error_messages={
            "invalid_choice": gettext_lazy("This colleague cannot decide. Choose another one.")
        },
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    over = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)

    def __init__(self, *, submission: Submission, by: User, data: Any = None) -> None:
        initial = {"revision": submission.revision, "over": _over(submission, by)}
        super().__init__(data=data, initial=initial)
        people = with_leave(deciders(), timezone.localdate()).exclude(pk=by.pk).distinct()
        field = self.fields["to"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = people.order_by("first_name", "username")
        field.label_from_instance = _colleague_words  # type: ignore[method-assign, assignment]
        if "assign" not in workflow.allowed(submission.status):
            del self.fields["to"]

    def refresh(self, submission: Submission, *, by: User) -> None:
        """Take over the stored revision and holder after a conflict; keep what was typed."""
        data = cast(QueryDict, self.data).copy()
        data["revision"], data["over"] = str(submission.revision), _over(submission, by)
        self.data = data

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("note", "").strip() and not data.get("to") and not self.errors:
            self.add_error("note", MISSING)
        return data


def _over(submission: Submission, by: User) -> str:
    """Return the id of the colleague who has the submission; '' for nobody and for `by`."""
    holder = submission.assignee_id
    return str(holder) if holder and holder != by.pk else ""


class TogetherPage(SubmissionView):
    """Serves the page of notes, and hands submissions over."""

    @record_view
    def together_view(self, request: StaffRequest, submission: Submission) -> HttpResponse:
        if not request.user.has_perm("intake.decide_submission"):
            raise PermissionDenied
        if request.method != "POST":
            form = TogetherForm(submission=submission, by=request.user)
            return self._together(request, submission, form)
        submission = self.let_take_effect(request, submission)
        form = TogetherForm(submission=submission, by=request.user, data=request.POST)
        if not form.is_valid():
            return self._together(request, submission, form, status=422)
        data = form.cleaned_data
        given: dict[str, Any] = {"by": request.user, "request_id": request.request_id}
        to = data.get("to")
        try:
            if to is None:
                teamwork.add_note(submission=submission, text=data["note"], **given)
                messages.success(request, _("The note is stored."))
            else:
                teamwork.hand_over(
                    submission=submission,
                    to=to,
                    note=data["note"],
                    revision=data["revision"],
                    over=data["over"],
                    **given,
                )
                words = _("%(name)s has it now, and hears of it by e-mail.")
                if not to.email:
                    words = _("%(name)s has it now, and has no e-mail address: say so yourself.")
                messages.success(request, words % {"name": person_words(to)})
        except (Conflict, Refused, workflow.NotAllowed) as error:
            form.add_error(None, str(error))
            submission = self.record_or_404(request, submission.pk)
            form.refresh(submission, by=request.user)
            return self._together(request, submission, form, status=409)
        return redirect(self.address("change", submission.pk))

    def _together(
        self, request: StaffRequest, submission: Submission, form: TogetherForm, status: int = 200
    ) -> HttpResponse:
        reads.record_read(
            submission=submission, by=request.user, request_id=request.request_id, page="notes"
        )
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": submission.reference,
            "submission": submission,
            "name": SubmissionPage(submission).name,
            "assignee": holder_words(submission),
            "form": form,
            "notes": list(submission.staff_notes.select_related("by")),
            "page_address": self.address("change", submission.pk),
            "is_popup": False,
        }
        template = "admin/intake/submission/notes.html"
        return TemplateResponse(request, template, context, status=status).render()


def _colleague_words(user: Any) -> str:
    """Name a colleague, and say until when a leave lasts that has begun."""
    if user.leave_from and user.leave_from <= timezone.localdate():
        return _("%(name)s (on leave)") % {"name": person_words(user)}
    return person_words(user)
