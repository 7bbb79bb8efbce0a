"""The short forms outside the walk: tell the clinic, come back by a code, reply to the clinic."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intake.domain import answers as domain
from intake.domain.definition import Question
from intake.domain.wrong_answers import InvalidAnswer
from intake.forms.base import SingleValueForm, ask_about_slip
from intake.forms.fields import (
    AddressField,
    KeyField,
    PhoneField,
    PlainTextField,
    ReferenceField,
    text_question,
)


class TellForm(SingleValueForm):
    """The form 'Also tell the clinic' on the emergency page.

    The name is the patient's name. With `proxied`, another person fills in the form, and the label
    says whose name is meant.
    """

    phone = PhoneField(
        label=_("Your phone number"), error_messages={"required": _("Enter a phone number.")}
    )
    name = PlainTextField(label=_("Your name"), max_length=120, required=False)

    def __init__(self, *, proxied: bool = False, **options: Any) -> None:
        super().__init__(**options)
        if proxied:
            self.fields["name"].label = _("Patient’s full name")
        else:
            self.fields["name"].widget.attrs["autocomplete"] = "name"


class FindForm(SingleValueForm):
    """Ask where a code may be sent: the patient's own mailbox or phone."""

    address = AddressField(error_messages={"required": _("Enter your e-mail address.")})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.fields["address"].label = (
            _("Your e-mail address or mobile number")
            if settings.SMS_BACKEND
            else _("Your e-mail address")
        )

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("address") != self.initial.get("address") and not self.left_blank:
            ask_about_slip(self, "address")
        return self.cleaned_data


class ReturnForm(FindForm):
    """Ask for the reference of a submission or draft, and for the address given with it."""

    reference = ReferenceField(
        label=_("Your number"),
        help_text=_("It looks like 7F3K-92QD."),
        error_messages={"required": _("Enter your number.")},
    )
    field_order = ["reference", "address"]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.fields["address"].help_text = _("The one you gave us before.")


class ResumeForm(ReturnForm):
    """Ask for the address of a saved draft. The reference helps, but the patient may lack it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.fields["reference"].required = False
        self.order_fields(["address", "reference"])


class QuietField(forms.BooleanField):
    """The check box against a reminder, with a legend that the template shows above the box."""

    legend = _("A reminder")


class SaveForm(FindForm):
    """Ask to which address the way back to saved answers goes, and whether to remind."""

    quiet = QuietField(
        label=_("Do not remind me"),
        help_text=_("We remind you once after a day, if you have not sent your answers."),
        required=False,
    )


class CodeForm(SingleValueForm):
    """Ask for a one-time code in a single field, so that the patient can paste the code."""

    code = KeyField(
        label=_("Your code"),
        help_text=_("Eight letters and figures. Capitals, spaces and hyphens do not matter."),
        max_length=40,
        widget=forms.TextInput(
            {
                "autocomplete": "one-time-code",
                "inputmode": "text",
                "autocapitalize": "characters",
                "spellcheck": "false",
            }
        ),
        error_messages={"required": _("Enter the code.")},
    )


class ReplyForm(SingleValueForm):
    """Ask for a patient's message to the clinic.

    `second` is the question whether the message can wait; None where it is not asked.
    """

    text = forms.CharField(
        label=_("Write to us"),
        help_text=_("Not for emergencies. No one reads this right away."),
        widget=forms.Textarea({"rows": 4, "autocomplete": "off", "dir": "auto"}),
        strip=False,
        error_messages={"required": _("Write something, or leave this page.")},
    )

    def __init__(self, *, second: Question | None = None, **options: Any) -> None:
        super().__init__(**options)
        if second is not None:
            self.fields["second"] = forms.ChoiceField(
                label=second.text,
                choices=[(option.code, option.label) for option in second.options],
                widget=forms.RadioSelect,
                required=False,
            )

    def clean_text(self) -> str:
        try:
            text = domain.clean_answer(text_question(2000), [self.cleaned_data["text"]])
        except InvalidAnswer as error:
            raise forms.ValidationError(error.message_in(gettext)) from None
        if not text:
            raise forms.ValidationError(self.fields["text"].error_messages["required"])
        return str(text)
