"""The form in which a clinician decides on a submission."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake import services
from intake.domain import workflow
from intake.models import Submission, Urgency

ALARM_UNREAD = gettext_lazy("Read what the patient wrote, on top of this page, then tick this.")


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
        self.ask_of_alarm()

    @property
    def is_of_now(self) -> bool:
        """Whether it is of the revision that is read now; of another one, all that can be said is
        that somebody has changed it."""
        return not self.is_bound or self.data.get("revision") == str(self.submission.revision)

    def ask_of_alarm(self) -> None:
        """With words of alarm unread, ask whether they are read."""
        if self.submission.alarm and self.is_of_now:
            told = self.submission.communications.filter(by=None).only("at").last()
            at = date_format(timezone.localtime(told.at), "DATETIME_FORMAT") if told else "–"
            read = forms.BooleanField(
                label=_("I have read what the patient wrote on %(at)s") % {"at": at},
                error_messages={"required": ALARM_UNREAD},
            )
            read.legend = _("Alarm")
            self.fields = {"alarm_read": read, **self.fields}

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        changed = "urgency" in data and data["urgency"] != self.submission.urgency
        if (
            changed
            and self.is_of_now
            and not data.get("reason", "").strip()
            and "reason" not in self.errors
        ):
            self.add_error("reason", _("Say why you change the urgency."))
        return data

    def verdict(self) -> services.Verdict:
        data = self.cleaned_data
        return services.Verdict(
            urgency=data["urgency"],
            outcome=data["outcome"],
            reason=data["reason"],
            note=data["note"],
            alarm_read=data.get("alarm_read", False),
        )

    def renew(self, submission: Submission) -> None:
        """After a conflict: what was typed stays, the revision is the one now on the page. What the
        patient wrote meanwhile is asked for, whatever was ticked before."""
        self.submission = submission
        self.data = self.data.copy()
        self.data["revision"] = str(submission.revision)
        self.data.pop("alarm_read", None)
        self.ask_of_alarm()
