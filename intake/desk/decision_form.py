"""The form in which a clinician decides on a submission."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.appointments.admin.words import time_words
from intake.appointments.ending import CHANGED, OFFERS, PLACE, VISIT, Arranged, arranged_for
from intake.desk.decisions import DecisionInput
from intake.domain import workflow
from intake.letters.sentences import MESSAGES, words
from intake.models.submissions import Submission, Urgency
from intake.ways.contact import way_to
from intake.ways.forms import CallForm
from intake.wording.reading import phone_words

ALARM_UNREAD = gettext_lazy("Read what the patient wrote, on top of this page, then tick this.")
CALL = ("call", "again", "call_note")
REQUEST = ("close_request", "ends")
# outcome → the fields that belong to it beside those of every outcome
BELONGING = dict.fromkeys(workflow.NO_VISIT, REQUEST) | {
    workflow.MORE: ("sentence", *CALL),
    workflow.EMERGENCY_CARE: (*CALL, *REQUEST),
}


@dataclass(frozen=True)
class Part:
    """Fields that belong to some outcomes alone, under a heading that says which."""

    name: str
    title: str
    hint: str
    fields: tuple[BoundField, ...]


class DecisionForm(CallForm):
    """A clinician's decision. The revision it carries is the one that was read.

    Fields that do not belong to the chosen outcome are ignored, whatever they hold.
    """

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
    sentence = forms.ChoiceField(
        label=gettext_lazy("Message to the patient"),
        choices=[("", gettext_lazy("No message")), *((code, words(code)) for code in MESSAGES)],
        initial="more_needed",
        error_messages={"required": gettext_lazy("Write to the patient, or note a call.")},
    )
    close_request = forms.ChoiceField(
        label=gettext_lazy("Close the open request for a visit"),
        choices=[("yes", gettext_lazy("Yes, and tell the patient")), ("no", gettext_lazy("No"))],
        initial="yes",
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Say whether to close the open request.")},
    )
    ends = forms.MultipleChoiceField(
        label=gettext_lazy("End as well"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": CHANGED},
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
    field_order = ("urgency", "outcome", "sentence", *CALL, *REQUEST, "reason", "note")

    def __init__(self, *, submission: Submission, data: QueryDict | None = None) -> None:
        super().__init__(submission=submission, data=data, initial={"urgency": submission.urgency})
        self.read_arranged()
        self.ask_of_alarm()
        if way_to(submission.person) is None:
            self.ask_for_a_call()

    def ask_for_a_call(self) -> None:
        """Say that a message alone tells this patient nothing."""
        sentence, phone = self.fields["sentence"], self.submission.person.get("callback_phone", "")
        sentence.initial, sentence.label = "", _("Tell the patient")
        sentence.help_text = _(
            "No letter reaches this patient. Call %(phone)s and note the call below. Or choose "
            "what the patient has to hear: the call is put on the call list."
        ) % {"phone": phone_words(phone)}
        sentence.error_messages["required"] = _(
            "Note a call, or choose what the patient has to hear."
        )

    def read_arranged(self) -> None:
        """Ask for what is arranged for the patient now, and only for that."""
        decidable = "decide" in workflow.allowed(self.submission.status)
        arranged = arranged_for(submission=self.submission) if decidable else Arranged()
        choices = [(key, ending_words(part, arranged)) for part, key in arranged.keys.items()]
        self.fields["ends"].choices = choices
        if not arranged.is_open:
            self.fields.pop("close_request", None)
        self.asks_of_request = arranged.is_open or bool(choices)

    @property
    def is_of_now(self) -> bool:
        """Whether the form was made for the revision that is stored now. Of an older one all that
        can be said is that somebody has changed the submission."""
        return not self.is_bound or self.data.get("revision") == str(self.submission.revision)

    def ask_of_alarm(self) -> None:
        """While words of alarm are unread, ask for a tick that they are read."""
        if self.submission.alarm and self.is_of_now:
            told = self.submission.communications.filter(by=None).only("at").last()
            at = date_format(timezone.localtime(told.at), "DATETIME_FORMAT") if told else "–"
            read = forms.BooleanField(
                label=_("I have read what the patient wrote on %(at)s") % {"at": at},
                error_messages={"required": ALARM_UNREAD},
            )
            read.legend = _("Alarm")
            self.fields = {"alarm_read": read, **self.fields}

    # --- how it is shown -------------------------------------------------------------------------
    def first(self) -> Iterator[BoundField]:
        """The fields of every outcome that come before the parts."""
        names = ("revision", "alarm_read", "urgency", "outcome")
        return (self[name] for name in names if name in self.fields)

    def last(self) -> Iterator[BoundField]:
        """Those that come after them."""
        return (self[name] for name in ("reason", "note"))

    def parts(self) -> Iterator[Part]:
        """What belongs to some outcomes alone."""
        yield Part(
            "more",
            _("If you need more information"),
            _("Write to the patient, or note a call, or both."),
            (self["sentence"],),
        )
        yield Part(
            "call",
            _("The call: for more information, or for emergency care"),
            _("Emergency care needs a call. Until one reaches the patient, the submission stays on "
              "top of the worklist."),
            tuple(self[name] for name in CALL),
        )  # fmt: skip
        if self.asks_of_request:
            yield Part(
                "request",
                _("If you plan no visit here"),
                _("For emergency care, another service, or advice only. The request stays open "
                  "while a visit is booked or the patient is on the waiting list."),
                tuple(self[name] for name in REQUEST if name in self.fields),
            )  # fmt: skip

    # --- what was sent ---------------------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        data = super().clean()
        changed = "urgency" in data and data["urgency"] != self.submission.urgency
        unexplained = not data.get("reason", "").strip() and "reason" not in self.errors
        if changed and unexplained and self.is_of_now:
            self.add_error("reason", _("Say why you change the urgency."))
        outcome = data.get("outcome", "")
        unwanted = {"sentence", *CALL, *REQUEST} - set(BELONGING.get(outcome, ()))
        if outcome == workflow.MORE:  # one of the two is enough
            if self.has_error("call", "required"):
                unwanted.add("call")
            if self.has_error("sentence", "required") and data.get("call"):
                unwanted.add("sentence")
        for name in unwanted:
            self.errors.pop(name, None)
        return data

    def cannot_wait(self) -> bool:
        data = self.cleaned_data
        urgent = data.get("urgency", self.submission.urgency) >= Urgency.SAME_DAY
        return urgent or data.get("outcome") == workflow.EMERGENCY_CARE

    def verdict(self) -> DecisionInput:
        """The decision, once the form is valid, with what belongs to its outcome."""
        data = self.cleaned_data
        belongs = BELONGING.get(data["outcome"], ())
        return DecisionInput(
            urgency=data["urgency"],
            outcome=data["outcome"],
            reason=data["reason"],
            note=data["note"],
            message=data.get("sentence", "") if "sentence" in belongs else "",
            call=self.made() if "call" in belongs and data.get("call") else None,
            close_request="ends" in belongs and data.get("close_request") == "yes",
            ends=tuple(data.get("ends", ())) if "ends" in belongs else (),
            alarm_read=data.get("alarm_read", False),
        )

    def renew(self, submission: Submission) -> None:
        """After a conflict: what was typed stays, the revision is the one now on the page, and what
        is arranged is as it is now. A tick that the patient's words are read has to be set anew."""
        self.submission = submission
        self.data = self.data.copy()
        self.data["revision"] = str(submission.revision)
        self.data.pop("alarm_read", None)
        self.read_arranged()
        self.ask_of_alarm()


def ending_words(part: str, arranged: Arranged) -> str:
    """What ending a part of what is arranged does, by name and time."""
    if part == VISIT:
        visit = arranged.visit
        return _("Cancel the visit on %(time)s with %(clinician)s") % {
            "time": time_words(visit.starts, visit.ends),
            "clinician": visit.clinician,
        }
    if part == OFFERS:
        times = (offer.appointment for offer in arranged.offers)
        return _("Take back the offered times: %(times)s") % {
            "times": "; ".join(time_words(each.starts, each.ends) for each in times)
        }
    assert part == PLACE
    since = date_format(arranged.place.since, "D, M j, Y")
    return _("Take off the waiting list (since %(since)s)") % {"since": since}
