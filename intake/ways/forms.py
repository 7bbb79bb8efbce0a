"""The form in which staff note a call to a patient: on its own, or as part of a decision."""

from datetime import datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import hours
from intake.models.calls import Call
from intake.models.submissions import Submission, Urgency
from intake.ways.calls import CallInput
from intake.ways.contact import Reach, reach_of

SOON, LATER, TOMORROW = "soon", "later", "tomorrow"
AGAIN = {
    SOON: gettext_lazy("In 30 minutes"),
    LATER: gettext_lazy("In 2 hours"),
    TOMORROW: gettext_lazy("When we open tomorrow"),
}


def again_at(code: str, now: datetime) -> datetime:
    """Return when to call again, for one of the codes in AGAIN."""
    if code == TOMORROW:
        tomorrow = timezone.localtime(now).date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, time(), timezone.get_current_timezone())
        return hours.usual().next_opening(midnight)
    return now + (timedelta(hours=2) if code == LATER else timedelta(minutes=30))


class CallForm(forms.Form):
    """A call that staff made, with the revision of the submission that the caller had read."""

    call = forms.ChoiceField(
        label=gettext_lazy("What became of the call"),
        choices=Call.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say what became of the call.")},
    )
    again = forms.ChoiceField(
        label=gettext_lazy("If not reached, call again"),
        choices=list(AGAIN.items()),
        required=False,
    )
    call_note = forms.CharField(
        label=gettext_lazy("What was said"),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
    )

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(
        self,
        *,
        submission: Submission,
        data: Any = None,
        reach: Reach | None = None,
        **kwargs: Any,
    ) -> None:
        self.submission, self.reach = submission, reach or reach_of(submission)
        initial = {"revision": submission.revision, **kwargs.pop("initial", {})}
        super().__init__(data=data, initial=initial, **kwargs)
        self.offer_outcomes([])

    def offer_outcomes(self, first: list[tuple[str, Any]]) -> None:
        """Offer `first` and the outcomes that a call to this patient may have."""
        field = cast(forms.ChoiceField, self.fields["call"])
        field.choices = first + [
            (code, words)
            for code, words in Call.Outcome.choices
            if self.reach.may_leave_word or code != Call.Outcome.LEFT_WORD
        ]
        if not self.reach.may_leave_word:
            field.help_text = _("Leave no message: this patient does not allow it.")
            field.error_messages["invalid_choice"] = _(
                "This patient allows no message. Say what else became of the call."
            )

    def clean(self) -> dict[str, Any]:
        """Refuse "tomorrow" for an urgent patient whom the call did not reach."""
        data = self.cleaned_data
        missed = data.get("call") in (Call.Outcome.LEFT_WORD, Call.Outcome.NOT_REACHED)
        if missed and data.get("again") == TOMORROW and self.cannot_wait():
            self.add_error("again", _("This cannot wait until tomorrow. Choose an earlier time."))
        return data

    def cannot_wait(self) -> bool:
        """Whether staff must reach the patient today, because the urgency allows no delay."""
        return self.submission.urgency >= Urgency.SAME_DAY

    def call_input(self) -> CallInput:
        """Return the call that staff entered. The form must be valid."""
        data = self.cleaned_data
        # a form of the previous release has no `again`, so the service chooses the time
        again = again_at(data["again"], timezone.now()) if data.get("again") else None
        return CallInput(outcome=data["call"], again_at=again, words=data.get("call_note", ""))
