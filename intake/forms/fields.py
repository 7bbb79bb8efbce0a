"""The fields of patients' forms: dates, text, phone numbers, addresses, references."""

import re
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import EmailValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.ids import parse_reference
from intake import mail_address
from intake.domain import answers as domain
from intake.domain.definition import Question
from intake.domain.typed_date import read_date
from intake.domain.typed_text import as_key, as_lines, as_name
from intake.domain.wrong_answers import InvalidAnswer
from intake.forms.phone_numbers import read_phone
from intake.wording.languages import month_names


class Date3Widget(forms.MultiWidget):
    """A date in three text boxes, whose names end in _month, _day and _year."""

    template_name = "widgets/date3.html"

    def __init__(self, *, autocomplete: str = "") -> None:
        prefix = f"{autocomplete}-" if autocomplete else ""
        boxes: dict[str, forms.Widget | type[forms.Widget]] = {
            part: forms.TextInput(
                {
                    "inputmode": "numeric",
                    "autocomplete": f"{prefix}{part}" if prefix else "off",
                }
            )
            for part in ("month", "day", "year")
        }
        super().__init__(boxes)

    def decompress(self, value: date | None) -> list[int | None]:
        return [value.month, value.day, value.year] if value else [None, None, None]


class Date3Field(forms.MultiValueField):
    """A date that is typed as month, day and year in three boxes, or pasted into one of them."""

    def __init__(self, **options: Any) -> None:
        required = options.get("required", True)
        super().__init__(
            fields=[forms.CharField(required=False)] * 3,
            widget=Date3Widget(),
            require_all_fields=False,
            **{**options, "required": required},
        )

    def clean(self, value: list[str] | None) -> date | None:
        try:
            found = read_date([part or "" for part in value or ()], month_names())
        except InvalidAnswer as error:
            raise forms.ValidationError(error.message_in(gettext)) from None
        if found is None and self.required:
            raise forms.ValidationError(_("Enter the date: month, day and year."))
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True


class StrictEmail(EmailValidator):
    """A validator that refuses quoted names, address literals and hosts without a domain.

    Not all mail programs can send to these addresses.
    """

    user_regex = re.compile(
        r"^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*\Z", re.I
    )
    literal_regex = re.compile(r"(?!)")

    def __init__(self) -> None:
        super().__init__(
            message=_("Check the e-mail address. It looks like name@example.com."), allowlist=[]
        )


_NOT_IN_LOCAL_PART = re.compile(r"[^-!#$%&'*+/=?^_`{|}~0-9A-Za-z.]")
_NOT_IN_DOMAIN = re.compile(r"[^-.\w。]")


def text_question(max_length: int) -> Question:
    return Question(
        id="text", type="text", text="", required=False, show_if=None, max_length=max_length
    )


class LinesField(forms.CharField):
    """Several lines of text. Each line end counts as one letter; browsers send two."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        return as_lines(super().to_python(value) or "")


class PlainTextField(forms.CharField):
    """One line of text, cleaned like the answer to a text question.

    Invisible characters are left out. The browser's autocomplete is off unless the widget sets the
    attribute `autocomplete`.
    """

    tidied = staticmethod(as_name)

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(strip=False, **options)
        self.widget.attrs.setdefault("autocomplete", "off")
        self.question = text_question(max_length)

    def to_python(self, value: Any) -> str:
        try:
            text = domain.clean_answer(self.question, [self.tidied(value or "")]) or ""
        except InvalidAnswer as error:
            raise forms.ValidationError(error.message_in(gettext)) from None
        return " ".join(str(text).split())


class KeyField(PlainTextField):
    """One line that must match exactly: a code, a reference, an address, a number."""

    tidied = staticmethod(as_key)


class PhoneField(KeyField):
    """A phone number. The value is in E.164 (+12025550123), with `;ext=12` for an extension."""

    def __init__(self, **options: Any) -> None:
        attrs = {"type": "tel", "inputmode": "tel", "autocomplete": "tel"}
        foreign = _("From another country: begin with + and the country code.")
        # 40 characters, because the page may show the stored number, which is longer than the
        # number that people type, and the browser then posts the stored number again
        super().__init__(
            max_length=40,
            widget=forms.TextInput(attrs),
            **{"help_text": foreign, **options},
        )

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        return read_phone(text) if text else ""


class EmailField(KeyField):
    """An e-mail address. The value is the address as it is stored (see `mail_address`)."""

    def __init__(self, **options: Any) -> None:
        attrs = {"type": "email", "inputmode": "email", "autocomplete": "email"}
        super().__init__(max_length=254, **{"widget": forms.TextInput(attrs), **options})

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        return _read_email(text) if text else ""


class AddressField(EmailField):
    """An address for one-time codes: an e-mail address, or a phone number if SMS_BACKEND is set."""

    def __init__(self, **options: Any) -> None:
        attrs = {"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}
        super().__init__(widget=forms.TextInput(attrs), **options)

    def clean(self, value: Any) -> str:
        text: str = KeyField.clean(self, value)
        if "@" in text:
            return _read_email(text)
        if settings.SMS_BACKEND and re.search(r"\d", text):
            return PhoneField().clean(text)
        raise forms.ValidationError(_("Enter an e-mail address. It looks like name@example.com."))


def _read_email(text: str) -> str:
    """Return an e-mail address as it is stored. Raises ValidationError."""
    local, _at, domain = text.rpartition("@")
    strange = _NOT_IN_LOCAL_PART.findall(local) + _NOT_IN_DOMAIN.findall(domain)
    if signs := [sign for sign in strange if not sign.isspace()]:
        sentence = _(
            "We do not understand “%(typed)s” in an e-mail address. It looks like name@example.com."
        )
        raise forms.ValidationError(sentence % {"typed": signs[0]})
    if strange:
        raise forms.ValidationError(
            _("An e-mail address has no spaces. It looks like name@example.com.")
        )
    validate = StrictEmail()
    try:
        stored = mail_address.stored_form(text)
    except ValueError:
        raise forms.ValidationError(validate.message) from None
    validate(stored)
    return stored


class ReferenceField(KeyField):
    """The reference of a submission or draft. The value is in the form `7F3K-92QD`."""

    def __init__(self, **options: Any) -> None:
        attrs = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        super().__init__(max_length=40, widget=forms.TextInput(attrs), **options)

    def clean(self, value: Any) -> str:
        typed = super().clean(value)
        reference = parse_reference(typed) if typed or self.required else ""
        if reference is None:
            raise forms.ValidationError(
                _("Check the number. It has 8 letters and figures, such as 7F3K-92QD.")
            )
        return reference
