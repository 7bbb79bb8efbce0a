"""The form in which staff note a call to a patient: on its own, or as part of a decision."""

from datetime import datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import hours
from intake.domain.slots import TIMES_OF_DAY
from intake.forms.fields import LinesField
from intake.models.calls import Call
from intake.models.submissions import Submission, Urgency
from intake.ways.calls import CallInput
from intake.ways.contact import Reach, reach_of

SOON, LATER, TOMORROW = "soon", "later", "tomorrow"
TODAY = (SOON, LATER)
BUSINESS_DAYS = 5  # how many coming days offer times to call again
DAYS_AHEAD = 15  # safe hours that are in none of these days are ignored
AGAIN = {
    SOON: gettext_lazy("In 30 minutes"),
    LATER: gettext_lazy("In 2 hours"),
    TOMORROW: gettext_lazy("When we open tomorrow"),
}


def again_at(code: str, now: datetime, safe_hours: str = "") -> datetime:
    """Return when to call again, for one of the codes of `again_choices`.

    `safe_hours` is the time of day to which the patient limits calls, or ''.
    """
    if code not in AGAIN:
        return datetime.fromisoformat(code)
    if code == TOMORROW:
        tomorrow = timezone.localtime(now).date() + timedelta(days=1)
        midnight = datetime.combine(tomorrow, time(), timezone.get_current_timezone())
        at = hours.usual().next_opening(midnight)
    else:
        at = now + (timedelta(hours=2) if code == LATER else timedelta(minutes=30))
    return _in_safe_hours(at, safe_hours) if safe_hours in TIMES_OF_DAY else at


def _in_safe_hours(at: datetime, safe_hours: str) -> datetime:
    """Return the first moment from `at` on that is in opening hours and in the safe hours."""
    first, last = TIMES_OF_DAY[safe_hours]
    day, zone = timezone.localtime(at).date(), timezone.get_current_timezone()
    for number in range(DAYS_AHEAD):
        on = day + timedelta(days=number)
        start = max(at, datetime.combine(on, first, zone))
        opens = timezone.localtime(hours.usual().next_opening(start))
        if opens < datetime.combine(on, last, zone):
            return opens
    return at


def again_choices(
    now: datetime, safe_hours: str, *, urgency: int = Urgency.ROUTINE
) -> list[tuple[str, str]]:
    """Return the codes and words of the times to call again that a patient's urgency allows.

    A patient who can wait may also be called at certain times of the next business days. With safe
    hours, all times are in the safe hours, and each comes once.
    """
    can_wait = urgency < Urgency.SAME_DAY
    codes = [code for code in AGAIN if code != TOMORROW or can_wait]
    named = {at.isoformat(): at for at in _coming_times(now, safe_hours)} if can_wait else {}
    if not safe_hours:
        usual = [(code, str(AGAIN[code])) for code in codes]
        return usual + [(code, _moment_words(at)) for code, at in named.items()]
    found: dict[datetime, str] = {}
    for code in codes:
        found.setdefault(again_at(code, now, safe_hours), code)
    for code, at in named.items():
        found.setdefault(at, code)
    return [(code, _moment_words(at)) for at, code in sorted(found.items())]


def _coming_times(now: datetime, safe_hours: str) -> list[datetime]:
    """Return three times of each of the next business days, as far as they are in safe hours."""
    usual, zone, found = hours.usual(), timezone.get_current_timezone(), []
    day = timezone.localtime(now).date()
    first, last = TIMES_OF_DAY.get(safe_hours, (time.min, time.max))
    for _number in range(BUSINESS_DAYS):
        midnight = datetime.combine(day + timedelta(days=1), time(), zone)
        opens = timezone.localtime(usual.next_opening(midnight))
        closes = timezone.localtime(usual.closing(opens))
        day = opens.date()
        noon = datetime.combine(day, time(13), zone)
        for at in sorted({opens, noon, closes - timedelta(hours=1)}):
            if usual.is_open(at) and first <= at.time() < last:
                found.append(at)
    return found


def _moment_words(at: datetime) -> str:
    return date_format(timezone.localtime(at), "D j M, H:i")


class CallForm(forms.Form):
    """A call that staff made, with the revision of the submission that the caller had read."""

    call = forms.ChoiceField(
        label=gettext_lazy("What became of the call"),
        choices=Call.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"), gettext_lazy("Say what became of the call.")
        ),
    )
    again = forms.ChoiceField(
        label=gettext_lazy("If not reached, call again"),
        choices=list(AGAIN.items()),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("This time is over. Choose another time.")},
    )
    call_note = LinesField(
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
        again = cast(forms.ChoiceField, self.fields["again"])
        again.choices = again_choices(timezone.now(), self.reach.hours)

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
        """Refuse a later day for an urgent patient whom the call did not reach."""
        data = self.cleaned_data
        missed = data.get("call") in (Call.Outcome.LEFT_WORD, Call.Outcome.NOT_REACHED)
        if missed and data.get("again") not in (*TODAY, "", None) and self.cannot_wait():
            self.add_error("again", _("This cannot wait until tomorrow. Choose an earlier time."))
        return data

    def cannot_wait(self) -> bool:
        """Whether staff must reach the patient today, because the urgency allows no delay."""
        return self.submission.urgency >= Urgency.SAME_DAY

    def call_input(self) -> CallInput:
        """Return the call that staff entered. The form must be valid."""
        data = self.cleaned_data
        # a form of the previous release has no `again`, so the service chooses the time
        again = (
            again_at(data["again"], timezone.now(), self.reach.hours) if data.get("again") else None
        )
        if data["call"] == Call.Outcome.WRONG_NUMBER:
            again = None
        return CallInput(outcome=data["call"], again_at=again, words=data.get("call_note", ""))
