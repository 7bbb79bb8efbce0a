"""The forms with which staff invite one person, or the patients of a day's list."""

from datetime import date, datetime, time
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.outgoing import sms
from intake.domain.stored import PHONE
from intake.forms.fields import EmailField, PhoneField, PlainTextField
from intake.invitations.inviting import Invited, is_child
from intake.protocols import served

EMAIL, TEXT, CALL = "email", "text", "call"
MAX_BYTES = 1_500_000
"""The largest file with a list: 10,000 long lines. Larger ones are refused before they are read."""


class ProtocolForm(forms.Form):
    """Which questions the invited people answer, and in which language the letter is."""

    protocol = forms.ChoiceField(label=gettext_lazy("Questions"))
    language = forms.ChoiceField(label=gettext_lazy("Language of the message"))

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, use_required_attribute=False, **kwargs)
        choices = [(each.name, each.questionnaire.title or each.name) for each in served()]
        self.fields["protocol"] = forms.ChoiceField(
            label=_("Questions"), choices=choices, initial=choices[0][0]
        )
        self.fields["language"] = forms.ChoiceField(
            label=_("Language of the message"),
            choices=settings.LANGUAGES,
            initial=settings.LANGUAGE_CODE,
        )


class GuardianForm(forms.Form):
    """The parent or guardian of a child, to whom alone the invitation goes."""

    guardian_name = PlainTextField(
        label=gettext_lazy("Name of the parent or guardian"), max_length=120, required=False
    )
    guardian_relation = PlainTextField(
        label=gettext_lazy("How related to the patient"),
        help_text=gettext_lazy("Only for a patient under 18, such as: mother, legal guardian."),
        max_length=60,
        required=False,
    )

    def guardian(self) -> dict[str, str]:
        data = self.cleaned_data
        name, relation = data.get("guardian_name"), data.get("guardian_relation")
        return {"name": name, "relation": relation} if name and relation else {}

    def check_guardian(self, person: dict[str, Any]) -> None:
        """Refuse a child without name and relation of the guardian."""
        if not person.get("birth_date") or not is_child(person, timezone.localdate()):
            return
        for name in ("guardian_name", "guardian_relation"):
            if not self.cleaned_data.get(name):
                self.add_error(
                    name,
                    _("The patient is under 18, so only a parent or guardian is invited."),
                )


class VisitForm(GuardianForm, ProtocolForm):
    """Invite the patient of a visit. Name, birth date and ways are those of the request."""

    field_order = ("protocol", "language", "guardian_name", "guardian_relation")

    def __init__(self, data: QueryDict | None = None, *, person: dict[str, Any]) -> None:
        super().__init__(data, initial={"guardian_name": person.get("proxy_name", "")})
        self.person = person
        if not person.get("birth_date") or not is_child(person, timezone.localdate()):
            del self.fields["guardian_name"], self.fields["guardian_relation"]

    def clean(self) -> dict[str, Any]:
        self.check_guardian(self.person)
        return self.cleaned_data


class PersonForm(GuardianForm, ProtocolForm):
    """Invite a person whom the clinic knows, who may have a visit in the clinic's own calendar."""

    name = PlainTextField(
        label=gettext_lazy("Patient’s full name"),
        max_length=120,
        error_messages={"required": gettext_lazy("Enter the patient’s name.")},
    )
    birth_date = forms.DateField(
        label=gettext_lazy("Patient’s date of birth"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Enter the date of birth."),
            "invalid": gettext_lazy("Choose a day."),
        },
    )
    way = forms.ChoiceField(
        label=gettext_lazy("Send it by"), widget=forms.RadioSelect, initial=EMAIL
    )
    email = EmailField(
        label=gettext_lazy("E-mail address"), required=False, widget=forms.TextInput()
    )
    phone = PhoneField(label=gettext_lazy("Phone"), required=False)
    visit_day = forms.DateField(
        label=gettext_lazy("Day of the visit, if there is one"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("Choose a day.")},
    )
    visit_time = forms.TimeField(
        label=gettext_lazy("Time of the visit"),
        required=False,
        widget=forms.TimeInput({"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Enter a time, such as 14:30.")},
    )
    field_order = (
        "protocol", "language", "name", "birth_date", "guardian_name", "guardian_relation",
        "way", "email", "phone", "visit_day", "visit_time",
    )  # fmt: skip

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        ways = [(EMAIL, _("E-mail"))]
        if sms.is_on():
            ways += [(TEXT, _("Text message: the patient agreed to get texts from us"))]
        ways += [(CALL, _("We call: no message"))]
        self.fields["way"] = forms.ChoiceField(
            label=_("Send it by"), choices=ways, widget=forms.RadioSelect, initial=EMAIL
        )
        self.fields["phone"].widget = forms.TextInput()
        for name in ("name", "email", "phone"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        if not born.year >= 1900 or born > timezone.localdate():
            raise forms.ValidationError(_("This date of birth cannot be right."))
        return born

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        needed = "email" if data.get("way") == EMAIL else "phone"
        if not data.get(needed) and needed not in self.errors:
            missing = {
                "email": _("Enter an e-mail address, or choose another way."),
                "phone": _("Enter a phone number, or choose another way."),
            }
            self.add_error(needed, missing[needed])
        if data.get("visit_time") and not data.get("visit_day"):
            self.add_error("visit_day", _("A time needs a day."))
        if data.get("birth_date"):
            self.check_guardian({"birth_date": data["birth_date"].isoformat()})
        return data

    def invited(self) -> Invited:
        """Return the person to invite. The form must be valid."""
        data = self.cleaned_data
        ways = {
            EMAIL: {"email": data["email"], PHONE: data["phone"]},
            TEXT: {PHONE: data["phone"], "prefer": "text"},
            CALL: {PHONE: data["phone"], "prefer": "phone"},
        }
        day, clock = data["visit_day"], data["visit_time"] or time(23, 59)
        zone = timezone.get_default_timezone()
        return Invited(
            person={
                "name": data["name"],
                "birth_date": data["birth_date"].isoformat(),
                **ways[data["way"]],
            },
            guardian=self.guardian(),
            visit_at=datetime.combine(day, clock, zone) if day else None,
        )


class ListForm(ProtocolForm):
    """The file with a day's list."""

    file = forms.FileField(
        label=gettext_lazy("The list, as a CSV file"),
        help_text=gettext_lazy(
            "The first line names the columns: name, birth date, e-mail, phone, visit, date, time, "
            "guardian. At most 1,000 lines. The file itself is not stored."
        ),
        widget=forms.FileInput({"accept": ".csv,text/csv,text/plain"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("The file is empty."),
        },
    )

    def clean_file(self) -> bytes:
        data: bytes = self.cleaned_data["file"].read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise forms.ValidationError(_("This file is too large. Send one day at a time."))
        return data
