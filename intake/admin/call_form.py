"""The form in which staff note a call to a patient."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clinic import hours
from intake.models import Call

# minutes of opening time until the next try; '' leaves it to the program
AGAIN = (
    ("", gettext_lazy("at the next reminder")),
    ("60", gettext_lazy("in 1 hour")),
    ("120", gettext_lazy("in 2 hours")),
    ("open", gettext_lazy("when we open next")),
)


class CallForm(forms.Form):
    """What became of a call. The revision it carries is the one that was read."""

    outcome = forms.ChoiceField(
        label=gettext_lazy("The call"),
        choices=Call.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say what became of the call.")},
    )
    again = forms.ChoiceField(
        label=gettext_lazy("If not reached, try again"), choices=AGAIN, required=False
    )
    words = forms.CharField(
        label=gettext_lazy("What was said"),
        required=False,
        max_length=2000,
        widget=forms.Textarea({"rows": 2}),
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, **given: Any) -> None:
        super().__init__(**given, auto_id="id_call_%s")  # beside the form of a decision

    def again_at(self) -> datetime | None:
        """When to try again, as chosen; None for when the program says."""
        now, chosen, calendar = timezone.now(), self.cleaned_data["again"], hours.current()
        if chosen == "open":
            return calendar.next_opening(calendar.closing(now))
        return calendar.add_open(now, timedelta(minutes=int(chosen))) if chosen else None
