"""The forms of a call beside the questionnaire: how to call back, who calls, what came of it."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from intake.documents import title_of
from intake.forms.fields import PhoneField, PlainTextField
from intake.models.phone_calls import Caller, CameOf
from intake.models.submissions import Kind
from intake.protocols import served

YES, NO = "yes", "no"
NONE, SERVICE, PERSON = "none", "service", "person"
INTERPRETERS = {
    NONE: gettext_lazy("No interpreter"),
    SERVICE: gettext_lazy("An interpreting service"),
    PERSON: gettext_lazy("A person whom the caller or the clinic knows"),
}
ENTER_PHONE = gettext_lazy("Enter the number to call back.")


def _radios(label: Any, choices: Any, missing: Any, **options: Any) -> forms.ChoiceField:
    errors = {"required": missing, "invalid_choice": missing}
    return forms.ChoiceField(
        label=label, choices=choices, widget=forms.RadioSelect, error_messages=errors, **options
    )


class OpeningForm(forms.Form):
    """What is asked first: the number to call back, and whether the caller can talk freely."""

    phone = PhoneField(
        label=gettext_lazy("If the line breaks, on what number can I call you back?"),
        error_messages={"required": ENTER_PHONE},
    )
    freely = _radios(
        gettext_lazy("Can you talk freely?"),
        [(YES, gettext_lazy("Yes")), (NO, gettext_lazy("No, or the caller is not sure"))],
        gettext_lazy("Ask whether the caller can talk freely."),
    )


class CallBackForm(forms.Form):
    """When and how to call back a caller who cannot talk freely."""

    phone = PhoneField(
        label=gettext_lazy("On what number?"), error_messages={"required": ENTER_PHONE}
    )
    day = forms.DateField(
        label=gettext_lazy("On what day?"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Enter the day.")},
    )
    time = forms.TimeField(
        label=gettext_lazy("At what time?"),
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        error_messages={"required": gettext_lazy("Enter the time.")},
    )
    say = PlainTextField(
        label=gettext_lazy("If another person answers, what may I say?"),
        help_text=gettext_lazy(
            "Nothing about the clinic or about health. Left empty: hang up without a word."
        ),
        max_length=200,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("day") and data.get("time") and self.at < timezone.now():
            self.add_error("time", _("This time is past. Enter a time to come."))
        return data

    @property
    def at(self) -> datetime:
        """The time of the call. The day and the time must be valid."""
        local = datetime.combine(self.cleaned_data["day"], self.cleaned_data["time"])
        return timezone.make_aware(local)


class CallerForm(forms.Form):
    """Who calls, by what right, with which interpreter, in which language, about what."""

    caller = _radios(
        gettext_lazy("Who is calling?"), Caller.choices, gettext_lazy("Ask who is calling.")
    )
    relation = PlainTextField(
        label=gettext_lazy("If it is not the patient: how is the caller related to the patient?"),
        help_text=gettext_lazy("Such as daughter, husband, nurse of the home."),
        max_length=60,
        required=False,
    )
    interpreter = _radios(
        gettext_lazy("Does an interpreter help?"),
        list(INTERPRETERS.items()),
        gettext_lazy("Say whether an interpreter helps."),
        initial=NONE,
    )
    interpreter_name = PlainTextField(
        label=gettext_lazy("Which service and number, or whose name?"),
        max_length=80,
        required=False,
    )
    language = forms.ChoiceField(label=gettext_lazy("In which language do you read the questions?"))
    topic = _radios(gettext_lazy("What is the call about?"), [], gettext_lazy("Choose a subject."))
    kind = _radios(
        gettext_lazy("What does the caller want?"),
        [
            (Kind.INTAKE, gettext_lazy("To answer the questions, and a visit")),
            (Kind.APPOINTMENT, gettext_lazy("Only to ask for a visit: few questions")),
        ],
        gettext_lazy("Choose one."),
        initial=Kind.INTAKE,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = [code for code, _name in settings.LANGUAGES]
        self.fields["language"] = forms.ChoiceField(
            label=self.fields["language"].label,
            choices=[(code, get_language_info(code)["name"]) for code in names],
        )
        topics = [(each.name, title_of(each.content_hash)) for each in served()]
        self.fields["topic"] = _radios(
            self.fields["topic"].label,
            topics,
            gettext_lazy("Choose a subject."),
        )
        if len(topics) == 1:
            self.fields["topic"].initial = topics[0][0]
            self.fields["topic"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("caller") == Caller.OTHER and not data.get("relation"):
            self.add_error("relation", _("Enter how the caller is related to the patient."))
        helped = data.get("interpreter") in (SERVICE, PERSON)
        if helped and not data.get("interpreter_name"):
            self.add_error("interpreter_name", _("Enter the service or the name."))
        return data

    def about(self) -> dict[str, str]:
        """Return who calls and who interprets, as it is stored. The form must be valid."""
        data = self.cleaned_data
        named = data["interpreter"] != NONE
        return {
            "caller": data["caller"],
            "relation": "" if data["caller"] == Caller.PATIENT else data["relation"],
            "interpreter": data["interpreter_name"] if named else "",
        }


class StepForm(forms.Form):
    """What was done for a caller with an emergency."""

    place = PlainTextField(
        label=gettext_lazy("Where is the patient now? Street, town, floor"),
        help_text=gettext_lazy("Ask this first. The ambulance needs it."),
        max_length=200,
        required=False,
    )
    came_of = _radios(
        gettext_lazy("What came of it?"), CameOf.choices, gettext_lazy("Say what came of it.")
    )


class StopForm(StepForm):
    """As StepForm, with how to reach the patient, which clinicians need at once."""

    phone = PhoneField(
        label=gettext_lazy("Number to call back"), error_messages={"required": ENTER_PHONE}
    )
    name = PlainTextField(label=gettext_lazy("The patient’s name"), max_length=120, required=False)
