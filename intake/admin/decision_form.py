"""The form in which a clinician decides on a submission."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake import services
from intake.domain import workflow
from intake.models import Submission, Urgency


class DecisionForm(forms.Form):
    """A clinician's decision. The revision it carries is the one that was read."""

    urgency = forms.TypedChoiceField(
        label=gettext_lazy("Urgency"),
        choices=[(urgency.value, urgency.label) for urgency in Urgency],
        coerce=lambda value: Urgency(int(value)),
        widget=forms.RadioSelect,
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("What happens now"),
        choices=[("", gettext_lazy("Choose")), *workflow.OUTCOMES.items()],
        error_messages={"required": gettext_lazy("Choose what happens now.")},
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Needed when you raise or lower the urgency."),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=4000,
        widget=forms.Textarea({"rows": 3}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *, submission: Submission, data: QueryDict | None = None) -> None:
        self.submission = submission
        initial = {"urgency": submission.urgency, "revision": submission.revision}
        super().__init__(data=data, initial=initial)

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        changed = "urgency" in data and data["urgency"] != self.submission.urgency
        if changed and not data.get("reason", "").strip() and "reason" not in self.errors:
            self.add_error("reason", _("Say why you change the urgency."))
        return data

    def verdict(self) -> services.Verdict:
        data = self.cleaned_data
        return services.Verdict(
            urgency=data["urgency"],
            outcome=data["outcome"],
            reason=data["reason"],
            note=data["note"],
        )

    def renew(self, submission: Submission) -> None:
        """After a conflict: what was typed stays, the revision is the one now on the page."""
        self.submission = submission
        self.data = self.data.copy()
        self.data["revision"] = str(submission.revision)
