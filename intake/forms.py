"""Forms: what a page looks like and how the contact and the wish are read.

A page of the questionnaire is cleaned by the domain (intake.domain.answers); PageForm only shows
it. The contact and the wish are ordinary Django forms.
"""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import phonenumbers
from crispy_forms.helper import FormHelper
from django import forms
from django.conf import settings
from django.core.validators import EmailValidator
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.ids import parse_reference
from intake.advice import speak
from intake.domain import answers as domain
from intake.domain.definition import Page, Protocol, Question
from intake.models import Day, TimeOfDay, VisitType
from intake.reading import PREFER, PREFER_TIME, date_words
from intake.walk import age_on

CONSENT_VERSION = "draft-1"  # of the words of ContactForm.consent and of the privacy notice


class WalkForm(forms.Form):
    """What all forms of the walk share: our template pack inside our own <form> element."""

    single_question = False

    def control_names(self) -> set[str]:
        """The names of all controls that this form sends."""
        names = set()
        for name, field in self.fields.items():
            parts = getattr(field.widget, "widgets_names", [""])
            names |= {f"{name}{part}" for part in parts}
        return names

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        return helper


class PageForm(WalkForm):
    """One page of the questionnaire, shown: blank, with answers, or with what was typed wrongly."""

    def __init__(
        self,
        page: Page,
        *,
        proxied: bool = False,
        answers: Mapping[str, Any] | None = None,
        typed: QueryDict | None = None,
        errors: Mapping[str, domain.InvalidAnswer] | None = None,
        problem: str = "",
    ) -> None:
        super().__init__(data=typed, initial=dict(answers or {}))
        self.single_question = len(page.questions) == 1
        for question in page.questions:
            asked = question.for_proxy() if proxied else question
            self.fields[question.id] = question_field(asked)
        # Bound without cleaning: the domain has judged already.
        self._errors = ErrorDict()
        self.cleaned_data = {}
        for name, error in (errors or {}).items():
            self.add_error(name, error.message)
        if problem:
            self.add_error(None, problem)


def question_field(question: Question) -> forms.Field:
    """The form field that shows a question."""
    choices = [(option.code, option.label) for option in question.options]
    common = {
        "label": question.text,
        "help_text": speak(question.help or ""),
        "required": question.required,
    }
    match question.type:
        case "single":
            field = forms.ChoiceField(choices=choices, widget=forms.RadioSelect, **common)
        case "multi":
            widget = forms.CheckboxSelectMultiple
            field = forms.MultipleChoiceField(choices=choices, widget=widget, **common)
        case "boolean":
            field = forms.BooleanField(**common)
        case "integer" | "decimal":
            mode = "numeric" if question.type == "integer" else "decimal"
            attrs = {"inputmode": mode, "autocomplete": "off"}
            field = forms.CharField(widget=forms.TextInput(attrs), **common)
        case _:
            field = forms.CharField(widget=forms.Textarea({"rows": 4}), **common)
    field.unit = question.unit if question.unit not in (None, "a", "d") else ""
    field.exclusive = set(question.exclusive)
    return field


class Date3Widget(forms.MultiWidget):
    """A date in three text boxes, named <field>_month, _day and _year."""

    template_name = "widgets/date3.html"

    def __init__(self, *, autocomplete: str = "") -> None:
        prefix = f"{autocomplete}-" if autocomplete else ""
        boxes = {
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
    """A date typed as month, day and year."""

    def __init__(self, *, autocomplete: str = "", **options: Any) -> None:
        required = options.get("required", True)
        super().__init__(
            fields=[forms.CharField(required=False)] * 3,
            widget=Date3Widget(autocomplete=autocomplete),
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
    """No quoted names, no address literals, no bare host: what a mail program can answer."""

    user_regex = re.compile(
        r"^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*\Z", re.I
    )
    literal_regex = re.compile(r"(?!)")

    def __init__(self) -> None:
        super().__init__(
            message=_("Check the e-mail address. It looks like name@example.com."), allowlist=[]
        )


def _text_question(max_length: int) -> Question:
    return Question(
        id="text", type="text", text="", required=False, show_if=None, max_length=max_length
    )


class PlainTextField(forms.CharField):
    """One line of text, cleaned by the same rules as an answer in words."""

    def __init__(self, *, max_length: int, **options: Any) -> None:
        super().__init__(strip=False, **options)
        self.question = _text_question(max_length)

    def to_python(self, value: Any) -> str:
        try:
            text = domain.clean_answer(self.question, [value or ""]) or ""
        except domain.InvalidAnswer as error:
            raise forms.ValidationError(error.message) from None
        return " ".join(str(text).split())


class PhoneField(PlainTextField):
    """A phone number, kept in its international form (E.164), `;ext=` and an extension after it."""

    def __init__(self, **options: Any) -> None:
        attrs = {"type": "tel", "inputmode": "tel", "autocomplete": "tel"}
        super().__init__(max_length=25, widget=forms.TextInput(attrs), **options)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            number = phonenumbers.parse(text, settings.PHONE_REGION)
        except phonenumbers.NumberParseException:
            number = None
        whole = phonenumbers.ValidationResult.IS_POSSIBLE  # with its area code
        if number is None or phonenumbers.is_possible_number_with_reason(number) != whole:
            raise forms.ValidationError(
                _("Check the phone number. Write it with the area code, for example 202-555-0123.")
            )
        stored = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        return f"{stored};ext={number.extension}" if number.extension else stored


def _sent_once(form: forms.Form) -> None:
    """A control that takes one value and came with several was not filled in by our page."""
    for name, field in form.fields.items():
        single = not isinstance(field, forms.MultipleChoiceField)
        parts = getattr(field.widget, "widgets_names", [""])
        if single and any(len(form.data.getlist(f"{name}{part}")) > 1 for part in parts):
            form.add_error(name, _("This was sent twice. Give one answer."))


class ContactForm(WalkForm):
    """Who the patient is and how to reach them, with the protocol's own contact questions.

    `known` are the answers so far: the age that the birth date has to agree with, and who fills
    the form in. A request without the questionnaire asks the latter here.
    """

    name = PlainTextField(
        label=_("Patient’s full name"),
        max_length=120,
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": _("Enter the patient’s name.")},
    )
    proxy_name = PlainTextField(
        label=_("Your own name"),
        help_text=_("The person who fills this in."),
        max_length=120,
        error_messages={"required": _("Enter your own name.")},
    )
    birth_date = Date3Field(
        label=_("Patient’s date of birth"),
        help_text=_("For example 3 27 1984"),
        autocomplete="bday",
    )
    callback_phone = PhoneField(error_messages={"required": _("Enter a phone number.")})
    email = PlainTextField(
        label=_("E-mail address"),
        help_text=_(
            "We confirm your request there. We never write about your health in an e-mail."
        ),
        max_length=254,
        required=False,
        widget=forms.TextInput({"type": "email", "inputmode": "email", "autocomplete": "email"}),
    )
    prefer = forms.ChoiceField(
        label=_("How should we reach you?"),
        choices=list(PREFER.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one answer.")},
    )
    prefer_time = forms.ChoiceField(
        label=_("When is a good time to call?"),
        choices=list(PREFER_TIME.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one answer.")},
    )
    consent = forms.BooleanField(
        label=_("I agree that the clinic stores and reads my answers, as the privacy notice says."),
        error_messages={
            "required": _(
                "Tick the box to go on. If you do not want to agree, please call us instead."
            )
        },
    )
    order = (
        "who name proxy_name birth_date callback_phone email prefer prefer_time lang_help "
        "consent ack"
    )

    def __init__(
        self,
        protocol: Protocol,
        *,
        known: Mapping[str, Any],
        kind: str,
        data: QueryDict | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data=data, initial=dict(initial or {}))
        self.known, self.kind = known, kind
        for question_id in ("lang_help", "ack", *(["who"] if kind == "appointment" else [])):
            question = protocol.question(question_id)
            proxied = kind != "appointment" and known.get("who") in ("parent_guardian", "caregiver")
            self.fields[question_id] = question_field(question.for_proxy() if proxied else question)
            missing = domain.missing_message(question).message
            self.fields[question_id].error_messages["required"] = missing
        phone = protocol.question("callback_phone")
        self.fields["callback_phone"].label = phone.text
        self.fields["consent"].legend = _("Your consent")
        who = self.data.get("who") if self.is_bound and kind == "appointment" else known.get("who")
        if kind == "appointment":
            self.fields["proxy_name"].required = who in ("parent_guardian", "caregiver")
            self.fields["proxy_name"].label = _("Your own name, if you are not the patient")
        elif who not in ("parent_guardian", "caregiver"):
            del self.fields["proxy_name"]
        self.order_fields(self.order.split())

    def clean_email(self) -> str:
        email = self.cleaned_data["email"]
        if email:
            StrictEmail()(email)
        return email

    def clean_birth_date(self) -> date:
        born = self.cleaned_data["birth_date"]
        today = timezone.localdate()
        if born > today:
            raise forms.ValidationError(_("This date is in the future. Check the year."))
        if age_on(today, born) > 120:
            raise forms.ValidationError(_("This date is more than 120 years ago. Check the year."))
        told = self.known.get("age_years")
        if self.kind != "appointment" and told is not None and age_on(today, born) != told:
            raise forms.ValidationError(
                _(
                    "You said that the patient is %(told)s years old, but this date makes "
                    "%(born)s. Check the date, or go back and change the age."
                )
                % {"told": told, "born": age_on(today, born)},
                code="age",
            )
        return born

    def clean(self) -> dict[str, Any]:
        _sent_once(self)
        data = self.cleaned_data
        if data.get("prefer") == "email" and not data.get("email") and "email" not in self.errors:
            self.add_error("email", _("Enter an e-mail address, or choose another way above."))
        return data

    def contact(self) -> dict[str, Any]:
        """The contact as it is stored, plain JSON."""
        data = self.cleaned_data
        kept = ("name", "proxy_name", "callback_phone", "email", "prefer", "prefer_time")
        return {
            **{name: data[name] for name in kept if data.get(name)},
            "birth_date": data["birth_date"].isoformat(),
            "lang_help": data["lang_help"],
            "ack": True,
            "consent": {"version": CONSENT_VERSION, "at": timezone.now().isoformat()},
        }

    def answers(self) -> dict[str, Any]:
        """The answers it brings along: none, but for a request without the questionnaire."""
        if self.kind != "appointment":
            return {}
        age = age_on(timezone.localdate(), self.cleaned_data["birth_date"])
        return {"who": self.cleaned_data["who"], "age_years": age}

    def typed(self) -> dict[str, Any]:
        """What was typed so far, for who stops here and comes back: shown again, answering nothing.
        The two boxes to tick are ticked anew."""
        wanted = set(self.fields) - {"consent", "ack", "birth_date"}
        found = {name: self.data.get(name, "")[:300] for name in wanted if self.data.get(name)}
        if born := self.cleaned_data.get("birth_date"):
            found["birth_date"] = born.isoformat()
        return found

    @staticmethod
    def initial_of(contact: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
        """What the form shows when the patient comes back to it."""
        if not contact:
            return {}
        born = contact.get("birth_date")
        return {
            **contact,
            "who": answers.get("who") or contact.get("who"),
            "birth_date": date.fromisoformat(born) if born else None,
            "consent": "consent" in contact,
        }


class WishForm(WalkForm):
    """The appointment a patient wishes for."""

    visit_type = forms.ChoiceField(
        label=_("What kind of visit would you like?"),
        choices=VisitType.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one answer.")},
    )
    place = forms.ChoiceField(label=_("Where?"), widget=forms.RadioSelect, required=False)
    days = forms.MultipleChoiceField(
        label=_("Which days suit you?"),
        help_text=_("Leave it empty if any day is fine."),
        choices=Day.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    times = forms.MultipleChoiceField(
        label=_("Which times of day suit you?"),
        help_text=_("Leave it empty if any time is fine."),
        choices=TimeOfDay.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    earliest = Date3Field(
        label=_("Not before this date"),
        help_text=_("Leave it empty if the first free date is fine."),
        required=False,
    )

    def __init__(self, *, data: QueryDict | None = None, initial: Mapping[str, Any] | None = None):
        super().__init__(data=data, initial=dict(initial or {}))
        places = settings.CLINIC_PLACES
        if len(places) > 1:
            self.fields["place"].choices = [(place, place) for place in places]
        else:
            del self.fields["place"]
        for name in ("visit_type", "place", "days", "times"):
            if name in self.fields:
                self.fields[name].error_messages["invalid_choice"] = _(
                    "Choose one of the answers shown."
                )

    def clean_earliest(self) -> date | None:
        earliest, today = self.cleaned_data["earliest"], timezone.localdate()
        if earliest and earliest < today:
            raise forms.ValidationError(_("This date is in the past. Choose a later one."))
        if earliest and earliest > today + timedelta(days=365):
            raise forms.ValidationError(_("Choose a date within the next 12 months."))
        return earliest

    def clean(self) -> dict[str, Any]:
        _sent_once(self)
        data = self.cleaned_data
        asked = "place" in self.fields and "place" not in self.errors
        if asked and data.get("visit_type") == VisitType.IN_PERSON and not data.get("place"):
            self.add_error("place", _("Choose a place for a visit in person."))
        return data

    def wish(self) -> dict[str, Any]:
        """The wish as it is stored in the draft, plain JSON."""
        data = self.cleaned_data
        place = data.get("place") or (settings.CLINIC_PLACES[0])
        return {
            "visit_type": data["visit_type"],
            "place": place if data["visit_type"] == VisitType.IN_PERSON else "",
            "days": data["days"],
            "times": data["times"],
            "earliest": data["earliest"].isoformat() if data["earliest"] else None,
        }

    @staticmethod
    def initial_of(wish: Mapping[str, Any]) -> dict[str, Any]:
        """What the form shows when the patient comes back to it."""
        earliest = wish.get("earliest")
        return {**wish, "earliest": date.fromisoformat(earliest) if earliest else None}

    @staticmethod
    def in_words(wish: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
        """The wish as label and values, for reading back."""
        if not wish:
            return []
        any_of = [gettext("Any")]
        return [
            (gettext("Kind of visit"), [str(VisitType(wish["visit_type"]).label)]),
            *([(gettext("Place"), [wish["place"]])] if wish.get("place") else []),
            (gettext("Days"), [str(Day(day).label) for day in wish.get("days", ())] or any_of),
            (gettext("Times"), [str(TimeOfDay(t).label) for t in wish.get("times", ())] or any_of),
            (
                gettext("Not before"),
                [date_words(wish["earliest"])] if wish.get("earliest") else any_of,
            ),
        ]


class AddressField(PlainTextField):
    """An e-mail address, or where text messages can be sent a phone number, to send a code to."""

    def __init__(self, **options: Any) -> None:
        attrs = {"autocomplete": "email", "autocapitalize": "none", "spellcheck": "false"}
        super().__init__(max_length=254, widget=forms.TextInput(attrs), **options)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if "@" in text:
            StrictEmail()(text)
            return text
        if settings.SMS_BACKEND and re.search(r"\d", text):
            return PhoneField().clean(text)
        raise forms.ValidationError(_("Enter an e-mail address. It looks like name@example.com."))


class ReferenceField(PlainTextField):
    """The number that a patient was given, in its one written form."""

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


class OnceForm(WalkForm):
    """A form whose every control takes one value."""

    def clean(self) -> dict[str, Any]:
        _sent_once(self)
        return self.cleaned_data


class FindForm(OnceForm):
    """Where a code may be sent: the patient's own mailbox or phone."""

    address = AddressField(error_messages={"required": _("Enter your e-mail address.")})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.fields["address"].label = (
            _("Your e-mail address or mobile number")
            if settings.SMS_BACKEND
            else _("Your e-mail address")
        )


class ReturnForm(FindForm):
    """The number of what was sent or saved, and the address that was given with it."""

    reference = ReferenceField(
        label=_("Your number"),
        help_text=_("It looks like 7F3K-92QD."),
        error_messages={"required": _("Enter your number.")},
    )
    field_order = ["reference", "address"]

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.fields["address"].help_text = _("The one you gave us before.")


class CodeForm(OnceForm):
    """A one-time code: one box, paste allowed."""

    code = PlainTextField(
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


class ReplyForm(OnceForm):
    """What a patient writes to the clinic."""

    text = forms.CharField(
        label=_("Write to us"),
        help_text=_("Not for emergencies. Nobody reads this at once."),
        widget=forms.Textarea({"rows": 4}),
        strip=False,
        error_messages={"required": _("Write something, or leave this page.")},
    )

    def clean_text(self) -> str:
        try:
            text = domain.clean_answer(_text_question(2000), [self.cleaned_data["text"]])
        except domain.InvalidAnswer as error:
            raise forms.ValidationError(error.message) from None
        if not text:
            raise forms.ValidationError(self.fields["text"].error_messages["required"])
        return str(text)


class TellForm(WalkForm):
    """'Also tell the clinic', on the emergency page."""

    phone = PhoneField(
        label=_("Your phone number"), error_messages={"required": _("Enter a phone number.")}
    )
    name = PlainTextField(label=_("Your name"), max_length=120, required=False)

    def clean(self) -> dict[str, Any]:
        _sent_once(self)
        return self.cleaned_data
