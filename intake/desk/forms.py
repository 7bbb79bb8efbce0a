"""The forms of the desk: a clinician's decision, a message to the patient, a request's progress."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.db.models import F, Value
from django.forms import BoundField
from django.http import QueryDict
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.appointments.admin.words import time_words
from intake.appointments.ending import CHANGED, OFFERS, PLACE, VISIT, Arranged, arranged_for
from intake.desk.decisions import DecisionInput
from intake.desk.instructions import Instruction
from intake.desk.submission_record import SubmissionRecord
from intake.domain import workflow
from intake.forms.fields import LinesField
from intake.letters.sentences import MESSAGES, words
from intake.models.clinic_time import Clinician, VisitType
from intake.models.submissions import Fit, Submission, Urgency
from intake.ways.contact import Reach
from intake.ways.forms import CallForm
from intake.wording.reading import phone_words

ALARM_UNREAD = gettext_lazy("Read what the patient wrote, on top of this page, then tick this.")
CALL = ("call", "again", "call_note")
REQUEST = ("close_request", "ends")
DESK = ("desk_clinician", "desk_visit_type", "desk_duplex_first", "desk_book_by", "desk_words")
# For each outcome, the optional fields that count. Fields that no outcome lists always count.
BELONGING = dict.fromkeys(workflow.OUTCOMES, ("tell", *DESK)) | {
    "call_today": ("tell",),
    "refer_elsewhere": ("tell", *REQUEST),
    "advice_only": ("tell", *REQUEST),
    workflow.NEED_INFORMATION: ("sentence", *CALL),
    workflow.EMERGENCY_CARE: (*CALL, *REQUEST),
}
MESSAGE = ("sentence", "tell")
OPTIONAL = {name for names in BELONGING.values() for name in names}
QUICK = {
    "known": gettext_lazy("seen here before"),
    "not_new": gettext_lazy("not new"),
    "milder": gettext_lazy("milder than it reads"),
    "worse": gettext_lazy("worse than it reads"),
    "spoke": gettext_lazy("after speaking with the patient"),
}
"""Reasons for another urgency that take one tap. They are stored as words."""


@dataclass(frozen=True)
class OutcomePart:
    """Fields that count for some outcomes only, under a heading that names these outcomes."""

    name: str
    title: str
    hint: str
    fields: tuple[BoundField, ...]


class AlarmReadField(forms.BooleanField):
    """The box that the clinician ticks after reading the patient's alarm words."""

    legend = gettext_lazy("Alarm")


class BeforeTheVisitField(forms.BooleanField):
    """A box for what the front desk arranges before the visit."""

    legend = gettext_lazy("Before the visit")


class DecisionForm(CallForm):
    """A clinician's decision on the revision of the submission that the clinician has read.

    Fields that do not count for the chosen outcome are ignored, whatever they contain.
    """

    urgency = forms.TypedChoiceField(
        label=gettext_lazy("Urgency"),
        choices=[(urgency.value, urgency.label) for urgency in Urgency],
        coerce=lambda value: Urgency(int(value)),
        widget=forms.RadioSelect,
    )
    outcome = forms.ChoiceField(
        label=gettext_lazy("What happens now"),
        choices=list(workflow.OUTCOMES.items()),
        widget=forms.RadioSelect,
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
    desk_clinician = forms.ChoiceField(
        label=gettext_lazy("With"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("This clinician sees no patients now.")},
    )
    desk_visit_type = forms.ChoiceField(
        label=gettext_lazy("Visit"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("This kind of visit is not offered now.")},
    )
    desk_duplex_first = BeforeTheVisitField(label=gettext_lazy("Duplex scan first"), required=False)
    desk_book_by = forms.DateField(
        label=gettext_lazy("By"), required=False, widget=forms.DateInput({"type": "date"})
    )
    desk_words = forms.CharField(
        label=gettext_lazy("More for the front desk"), required=False, max_length=200
    )
    quick = forms.MultipleChoiceField(
        label=gettext_lazy("Reason, if you change the urgency"),
        choices=list(QUICK.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    reason = LinesField(
        label=gettext_lazy("Reason in your words"),
        required=False,
        max_length=1000,
        widget=forms.Textarea({"rows": 1}),
    )
    tell = forms.ChoiceField(
        label=gettext_lazy("To the patient"),
        choices=[("", gettext_lazy("No message")), *((code, words(code)) for code in MESSAGES)],
        required=False,
    )
    fit = forms.ChoiceField(
        label=gettext_lazy("Was the urgency of the rules right?"),
        choices=Fit.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    note = LinesField(
        label=gettext_lazy("Note for colleagues"),
        required=False,
        max_length=4000,
        widget=forms.Textarea({"rows": 2}),
    )
    field_order = (
        *("urgency", "quick", "reason", "outcome", "sentence", *CALL, *DESK, *REQUEST),
        *("tell", "note", "fit"),
    )

    def __init__(
        self,
        *,
        submission: Submission,
        data: QueryDict | None = None,
        reach: Reach | None = None,
        page: SubmissionRecord | None = None,
    ) -> None:
        """Make the form. With `page`, what the page has read is not read again."""
        self.page = page
        initial = {"urgency": submission.urgency}
        super().__init__(submission=submission, data=data, reach=reach, initial=initial)
        # With "No call" the clinician can undo a mistaken choice.
        self.offer_outcomes([("", _("No call"))])
        self.offer_endings()
        self.offer_desk()
        self.ask_alarm_read()
        self.fields["tell"].help_text = way_words(self.reach)
        if self.reach.way is None:
            self.explain_call()

    def explain_call(self) -> None:
        """Explain that no letter reaches this patient, so that a message also needs a call."""
        sentence = self.fields["sentence"]
        sentence.initial, sentence.label = "", _("Tell the patient")
        sentence.help_text = _(
            "No letter reaches this patient. Call %(phone)s and note the call below. Or choose "
            "what the patient has to hear: the call is put on the call list."
        ) % {"phone": phone_words(self.reach.phone)}
        if not self.reach.may_call:
            sentence.help_text = _(
                "There is no safe way to reach this patient: do not call. The patient reads a "
                "message only on the own page."
            )
        sentence.error_messages["required"] = _(
            "Note a call, or choose what the patient has to hear."
        )

    def offer_endings(self) -> None:
        """Offer to end the arrangements that the patient has now, and no others."""
        read = self.page.arranged if self.page else None
        wanted = self._is_decidable()
        arranged = read or arranged_for(submission=self.submission) if wanted else Arranged()
        choices = [(key, ending_words(part, arranged)) for part, key in arranged.keys.items()]
        _set_choices(self.fields["ends"], choices)
        if not arranged.is_open:
            self.fields.pop("close_request", None)
        self.asks_of_request = arranged.is_open or bool(choices)

    def offer_desk(self) -> None:
        """Offer the clinicians and visit types of now for the instruction. One query."""
        kinds = VisitType.objects.filter(is_active=True).order_by()
        rows = Clinician.objects.filter(is_active=True).order_by()
        found = rows.values_list("pk", "name", Value(0)).union(
            kinds.values_list("pk", "title", F("minutes") + 0)
        )
        listed = sorted(found, key=lambda row: str(row[1])) if self._is_decidable() else []
        people = [(str(pk), name) for pk, name, minutes in listed if not minutes]
        visits = [
            (str(pk), _("%(title)s, %(n)s min") % {"title": title, "n": minutes})
            for pk, title, minutes in listed
            if minutes
        ]
        _set_choices(self.fields["desk_clinician"], [("", _("any clinician")), *people])
        _set_choices(self.fields["desk_visit_type"], [("", _("as wished")), *visits])

    def _is_decidable(self) -> bool:
        return "decide" in workflow.allowed(self.submission.status)

    @property
    def is_current(self) -> bool:
        """Whether the form was made for the stored revision.

        A form for an older revision gets only one error: the submission was changed meanwhile.
        """
        return not self.is_bound or self.data.get("revision") == str(self.submission.revision)

    def ask_alarm_read(self) -> None:
        """While alarm words are unread, ask the clinician to tick that they are read."""
        if self.submission.alarm and self.is_current:
            page = self.page or SubmissionRecord(self.submission)
            newest = [letter.at for letter in page.letters if letter.by_id is None][-1:]
            at = date_format(timezone.localtime(newest[0]), "D j M Y, H:i") if newest else "–"
            read = AlarmReadField(
                label=_("I have read what the patient wrote on %(at)s") % {"at": at},
                error_messages={"required": ALARM_UNREAD},
            )
            self.fields = {"alarm_read": read, **self.fields}

    # --- how the page shows the form -------------------------------------------------------------
    def first(self) -> Iterator[BoundField]:
        """Yield the common fields that come before the parts."""
        names = ("revision", "alarm_read", "urgency", "quick", "reason", "outcome")
        return (self[name] for name in names if name in self.fields)

    def last(self) -> Iterator[BoundField]:
        """Yield the common fields that come after the parts."""
        return (self[name] for name in ("tell", "note", "fit"))

    def parts(self) -> Iterator[OutcomePart]:
        """Yield the fields that count for some outcomes only."""
        yield OutcomePart(
            "more",
            _("If you need more information"),
            _("Write to the patient, or note a call, or both."),
            (self["sentence"],),
        )
        yield OutcomePart(
            "call",
            _("The call: for more information, or for emergency care"),
            _("More information: not needed if you write. At same day and above the clock runs "
              "until a call reaches the patient. Emergency care: needed. The submission stays on "
              "top of the worklist until a call reaches the patient."),
            tuple(self[name] for name in CALL),
        )  # fmt: skip
        yield OutcomePart(
            "visit",
            _("To the front desk"),
            _("What the front desk keeps to when it books."),
            tuple(self[name] for name in DESK),
        )
        if self.asks_of_request:
            yield OutcomePart(
                "request",
                _("If you plan no visit here"),
                _("For emergency care, another service, or advice only. The request stays open "
                  "while a visit is booked or the patient is on the waiting list."),
                tuple(self[name] for name in REQUEST if name in self.fields),
            )  # fmt: skip

    # --- what the clinician sent -----------------------------------------------------------------
    def clean(self) -> dict[str, Any]:
        """Ask why the urgency is changed, and drop the errors of fields that do not count."""
        data = super().clean()
        changed = "urgency" in data and data["urgency"] != self.submission.urgency
        quick = "; ".join(str(QUICK[code]) for code in data.get("quick", ()))
        data["reason"] = "; ".join(filter(None, (quick, data.get("reason", "").strip())))
        unexplained = not data["reason"] and "reason" not in self.errors
        if changed and unexplained and self.is_current:
            self.add_error("reason", _("Say why you change the urgency."))
        outcome = data.get("outcome", "")
        if (day := data.get("desk_book_by")) and day < timezone.localdate():
            self.add_error("desk_book_by", _("This day is over."))
        unwanted = OPTIONAL - set(BELONGING.get(outcome, ()))
        if outcome == workflow.NEED_INFORMATION:  # a message or a call is enough
            if self.has_error("call", "required"):
                unwanted.add("call")
            if self.has_error("sentence", "required") and data.get("call"):
                unwanted.add("sentence")
        for name in unwanted:
            self.errors.pop(name, None)
        return data

    def cannot_wait(self) -> bool:
        """Whether the decision means that staff must reach the patient today."""
        data = self.cleaned_data
        urgent = data.get("urgency", self.submission.urgency) >= Urgency.SAME_DAY
        return urgent or data.get("outcome") == workflow.EMERGENCY_CARE

    def decision_input(self) -> DecisionInput:
        """Return the decision of a valid form, with the fields that count for its outcome."""
        data = self.cleaned_data
        belongs = BELONGING.get(data["outcome"], ())
        message = next((data.get(name, "") for name in MESSAGE if name in belongs), "")
        return DecisionInput(
            urgency=data["urgency"],
            outcome=data["outcome"],
            reason=data["reason"],
            note=data["note"],
            message=message,
            call=self.call_input() if "call" in belongs and data.get("call") else None,
            close_request="ends" in belongs and data.get("close_request") == "yes",
            ends=tuple(data.get("ends", ())) if "ends" in belongs else (),
            alarm_read=data.get("alarm_read", False),
            desk=self._instruction() if DESK[0] in belongs else None,
            fit=data.get("fit", ""),
        )

    def _instruction(self) -> Instruction | None:
        data = self.cleaned_data
        day = data.get("desk_book_by")
        given = Instruction(
            clinician=data.get("desk_clinician", ""),
            visit_type=data.get("desk_visit_type", ""),
            duplex_first=data.get("desk_duplex_first", False),
            book_by=day.isoformat() if day else "",
            words=data.get("desk_words", "").strip(),
        )
        return given or None

    def refresh(self, submission: Submission) -> None:
        """Bring the form up to date after a conflict, and keep what the clinician typed.

        Takes over the stored revision and the current arrangements. The clinician must tick again
        that the alarm words are read.
        """
        self.submission, self.page = submission, None
        data = cast(QueryDict, self.data).copy()
        data["revision"] = str(submission.revision)
        data.pop("alarm_read", None)
        self.data = data
        self.offer_endings()
        self.ask_alarm_read()


def way_words(reach: Reach) -> str:
    """Say by which way a message reaches the patient, or that nobody tells the patient."""
    if reach.way is None:
        return _("Will reach: nobody. Call.") if reach.may_call else _("Will reach: nobody.")
    return {"email": _("Will reach: e-mail."), "sms": _("Will reach: text message.")}[reach.way[0]]


def ending_words(part: str, arranged: Arranged) -> str:
    """Return the label of the box that ends one part of the arrangements, with names and times."""
    if part == VISIT and arranged.visit:
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
    assert arranged.place
    since = date_format(arranged.place.since, "D, M j, Y")
    return _("Take off the waiting list (since %(since)s)") % {"since": since}


class MessageForm(forms.Form):
    """The form in which staff choose a fixed sentence to a patient."""

    message = forms.ChoiceField(
        label=gettext_lazy("Write to the patient"),
        choices=[("", gettext_lazy("Choose")), *((code, words(code)) for code in MESSAGES)],
    )


class ProgressForm(forms.Form):
    """The progress of a request for a visit, as far as the front desk notes it by hand.

    Offers only the steps that the current `progress` of the request allows; '' allows all steps.
    """

    progress = forms.ChoiceField(label=gettext_lazy("Note"))

    def __init__(self, *, data: QueryDict | None = None, progress: str = "") -> None:
        super().__init__(data=data)
        labels = {
            "requested": gettext_lazy("The patient wants an appointment again"),
            "called": gettext_lazy("Patient called"),
            "withdrawn": gettext_lazy("No appointment is wanted any more"),
        }
        allowed = [
            (code, labels[code])
            for code, action in workflow.FRONT_DESK_ACTIONS.items()
            if not progress or (progress, action) in workflow.REQUEST_MOVES
        ]
        self.has_choice = bool(allowed)
        _set_choices(self.fields["progress"], [("", gettext_lazy("Choose")), *allowed])


def _set_choices(field: forms.Field, choices: list[tuple[str, Any]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
