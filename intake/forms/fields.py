"""The fields of patients' forms: dates, text, phone numbers, addresses, references."""

import re
from datetime import date
from typing import Any

import phonenumbers
from django import forms
from django.conf import settings
from django.core.validators import EmailValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.ids import parse_reference
from intake.domain import answers as domain
from intake.domain.definition import Question
from intake.domain.wrong_answers import InvalidAnswer


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
                    "maxlength": 4,
                }
            )
            for part in ("month", "day", "year")
        }
        super().__init__(boxes)

    def decompress(self, value: date | None) -> list[int | None]:
        return [value.month, value.day, value.year] if value else [None, None, None]


class Date3Field(forms.MultiValueField):
    """A date that is typed as month, day and year in three boxes."""

    def __init__(self, **options: Any) -> None:
        required = options.get("required", True)
        super().__init__(
            fields=[forms.CharField(required=False)] * 3,
            widget=Date3Widget(),
            require_all_fields=False,
            **{**options, "required": required},
        )

    def clean(self, value: list[str] | None) -> date | None:
        parts = [(part or "").strip() for part in value or ["", "", ""]]
        if not any(parts):
            if self.required:
                raise forms.ValidationError(_("Enter the date: month, day and year."))
            return None
        if not all(parts):
            raise forms.ValidationError(_("Fill in all three boxes: month, day and year."))
        if not all(re.fullmatch(r"[0-9]{1,4}", part) for part in parts):
            raise forms.ValidationError(_("Use numbers only, for example 3 27 1984."))
        month, day, year = (int(part) for part in parts)
        if year < 1000:
            raise forms.ValidationError(_("Write the year with four numbers, for example 1984."))
        try:
            return date(year, month, day)
        except ValueError:
            raise forms.ValidationError(
                _("There is no such date. Check the month, the day and the year.")
            ) from None

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


def text_question(max_length: int) -> Question:
    return Question(
        id="text", type="text", text="", required=False, show_if=None, max_length=max_length
    )


class PlainTextField(forms.CharField):
    """One line of text, cleaned like the answer to a text question.

    The browser's autocomplete is off unless the widget sets the attribute `autocomplete`.
    """

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(strip=False, **options)
        self.widget.attrs.setdefault("autocomplete", "off")
        self.question = text_question(max_length)

    def to_python(self, value: Any) -> str:
        try:
            text = domain.clean_answer(self.question, [value or ""]) or ""
        except InvalidAnswer as error:
            raise forms.ValidationError(error.message_in(gettext)) from None
        return " ".join(str(text).split())


class PhoneField(PlainTextField):
    """A phone number. The value is in E.164 (+12025550123), with `;ext=12` for an extension."""

    def __init__(self, **options: Any) -> None:
        attrs = {"type": "tel", "inputmode": "tel", "autocomplete": "tel"}
        # 40 characters, because the page may show the stored number, which is longer than the
        # number that people type, and the browser then posts the stored number again
        super().__init__(max_length=40, widget=forms.TextInput(attrs), **options)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if not text:
            return ""
        try:
            number = phonenumbers.parse(text, settings.PHONE_REGION)
        except phonenumbers.NumberParseException:
            number = None
        whole = phonenumbers.ValidationResult.IS_POSSIBLE  # a number with its area code
        if number is None or phonenumbers.is_possible_number_with_reason(number) != whole:
            raise forms.ValidationError(
                _("Check the phone number. Write it with the area code, for example 202-555-0123.")
            )
        stored = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return f"{stored};ext={number.extension}" if number.extension else stored


class AddressField(PlainTextField):
    """An address for one-time codes: an e-mail address, or a phone number if SMS_BACKEND is set."""

    def __init__(self, **options: Any) -> None:
        attrs = {"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}
        super().__init__(max_length=254, widget=forms.TextInput(attrs), **options)

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if "@" in text:
            StrictEmail()(text)
            return text
        if settings.SMS_BACKEND and re.search(r"\d", text):
            return PhoneField().clean(text)
        raise forms.ValidationError(_("Enter an e-mail address. It looks like name@example.com."))


class ReferenceField(PlainTextField):
    """The reference of a submission or draft. The value is in the form `7F3K-92QD`."""

    def __init__(self, **options: Any) -> None:
        attrs = {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        super().__init__(max_length=40, widget=forms.TextInput(attrs), **options)

    def clean(self, value: Any) -> str:
        reference = parse_reference(super().clean(value))
        if reference is None:
            raise forms.ValidationError(
                _("Check the number. It has 8 letters and figures, such as 7F3K-92QD.")
            )
        return reference
