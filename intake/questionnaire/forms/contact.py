"""The form of the contact step, which asks who the patient is and how to reach the patient."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from clinic.outgoing import sms
from intake import mail_address
from intake.domain import wrong_answers
from intake.domain.stored import WHO
from intake.domain.uses import Uses
from intake.domain.wording import Wording
from intake.draft_content import CONTACT, detail
from intake.forms.base import (
    Controls,
    WalkForm,
    ask_about_slip,
    question_field,
    refuse_repeated_controls,
)
from intake.forms.fields import (
    Date3Field,
    Date3Widget,
    EmailField,
    PhoneField,
    PlainTextField,
)
from intake.questionnaire.walk import age_on
from intake.wording.reading import (
    BEEN_HERE,
    CALLS,
    PREFER,
    PREFER_TIME,
    VOICEMAIL,
    date_words,
    phone_words,
)

FOLDED = ("prefer", "prefer_time", "calls", "voicemail", "hears")
"""The fields with a default, besides the language."""


def stored_names(uses: Uses) -> dict[str, str]:
    """Map the form fields that are questions of the protocol to their names in a stored contact."""
    return {uses.who.q: WHO, **uses.contact.stored_names}


def field_names(uses: Uses) -> dict[str, str]:
    """Map names in a stored contact to the form fields that are questions of the protocol."""
    return {name: field for field, name in stored_names(uses).items()}


class DefaultField(forms.ChoiceField):
    """Radio buttons of which the first is the default: a missing answer means the default."""

    unmarked = True

    def __init__(self, *, choices: list[tuple[str, Any]], **kwargs: Any) -> None:
        first = choices[0][0]
        kwargs |= {"required": False, "initial": first, "widget": forms.RadioSelect}
        super().__init__(choices=choices, **kwargs)


class ContactForm(WalkForm):
    """Who the patient is and how to reach the patient, with the protocol's contact questions.

    `known` are the answers so far, among them the age and who fills in the form. The birth date
    must agree with the age. In a request for a visit, this form itself asks who fills in the form,
    and whether the patient is new. How to reach the patient safely, and the language, have defaults
    and stand in a folded part.
    """

    name = PlainTextField(
        label=_("Patient’s full name"),
        max_length=120,
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
    )
    been_here = forms.ChoiceField(
        label=_("Has the patient been to our clinic before?"),
        choices=list(BEEN_HERE.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one answer.")},
    )
    email = EmailField(
        label=_("E-mail address"),
        help_text=_("To confirm your request. We never write about health."),
        required=False,
    )
    prefer = forms.ChoiceField(
        label=_("How should we reach you?"),
        choices=list(PREFER.items()),
        initial="phone",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one answer.")},
    )
    prefer_time = forms.ChoiceField(
        label=_("When is a good time to call?"),
        choices=list(PREFER_TIME.items()),
        initial="any",
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one answer.")},
    )
    # A page of the release before posts no answer to the next three fields: the default counts.
    calls = DefaultField(label=_("May we call you?"), choices=list(CALLS.items()))
    voicemail = DefaultField(
        label=_("May we leave a voice message?"),
        help_text=_("We say only our short name and our number."),
        choices=list(VOICEMAIL.items()),
    )
    hears = PlainTextField(
        label=_("Who else may talk with us about this?"),
        help_text=_("Write the name. Leave it empty if no one may."),
        max_length=120,
        initial="",
        required=False,
    )

    def __init__(
        self,
        words: Wording,
        *,
        known: Mapping[str, Any],
        kind: str,
        data: QueryDict | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data=data, initial=dict(initial or {}))
        protocol = words.protocol
        self.uses, self.known, self.kind = protocol.uses, known, kind
        asked, who = self.uses.contact, self.uses.who.q
        answered = known.get(who)
        for question_id in (asked.language_help, *self._asks_who):
            question = protocol.question(question_id)
            proxied = not self._asks_who and self.uses.is_proxy(answered)
            self.fields[question_id] = question_field(question.for_proxy() if proxied else question)
            missing = wrong_answers.missing(question).message_in(gettext)
            self.fields[question_id].error_messages["required"] = missing
        self.fields[asked.language_help].initial = asked.speaks.get(get_language() or "")
        self.fields[asked.phone] = PhoneField(
            label=protocol.question(asked.phone).text,
            error_messages={"required": _("Enter a phone number.")},
        )
        self.mark_languages(words)
        answered = self.initial.get(who) or answered
        if self.is_bound and self._asks_who:
            answered = self.data.get(who)
        self._let_browsers_fill(answered)
        if self._asks_who:
            self.fields["proxy_name"].required = self.uses.is_proxy(answered)
            self.fields["proxy_name"].label = _("Your own name, if you are not the patient")
            self.fields["proxy_name"].help_text = ""
        elif not self.uses.is_proxy(answered):
            del self.fields["proxy_name"]
        del self.fields["prefer_time" if self._asks_who else "been_here"]
        if self._asks_who:  # this form asks for no time
            calls = [(code, label) for code, label in CALLS.items() if code != "then"]
            cast(forms.ChoiceField, self.fields["calls"]).choices = calls
        own = ("been_here", "email", *FOLDED, asked.language_help)
        self.order_fields([who, "name", "proxy_name", "birth_date", asked.phone, *own])

    @property
    def _asks_who(self) -> list[str]:
        """The id of the question "Who fills in the form?" in a list, if this form asks it."""
        return [self.uses.who.q] if self.kind == "appointment" else []

    def keep(self, earlier: Mapping[str, Controls]) -> None:
        """Keep earlier values. A kept field has no default, which would replace its value."""
        super().keep(earlier)
        for name in self.kept:
            self.fields[name].initial = None

    @property
    def parts(self) -> dict[str, list[forms.BoundField]]:
        """The fields that everybody fills in, and those with a default, which are folded."""
        folded = (*FOLDED, self.uses.contact.language_help)
        return {
            "open": [field for field in self if field.name not in folded],
            "folded": [self[name] for name in folded if name in self.fields],
        }

    @property
    def is_unfolded(self) -> bool:
        """Whether the folded part is shown open, because a value in it is wrong or no default."""
        folded = self.parts["folded"]
        return any(
            f.errors or (f.field.required and not f.value()) or f.value() != f.field.initial
            for f in folded
        )

    def _let_browsers_fill(self, who: str | None) -> None:
        """Mark the fields that a browser may fill in with its owner's name and birthday.

        No field is marked before `who` is answered, so that a browser does not put a parent's name
        and birthday into the fields of a child.
        """
        if who and not self.uses.is_proxy(who):
            self.fields["name"].widget.attrs["autocomplete"] = "name"
            self.fields["birth_date"].widget = Date3Widget(autocomplete="bday")
        elif who:
            self.fields["proxy_name"].widget.attrs["autocomplete"] = "name"

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        today = timezone.localdate()
        if born > today:
            raise forms.ValidationError(_("This date is in the future. Check the year."))
        if age_on(today, born) > 120:
            raise forms.ValidationError(_("This date is more than 120 years ago. Check the year."))
        age = self.known.get(self.uses.age)
        if not self._asks_who and age is not None and age_on(today, born) != age:
            if (
                "birth_date" in self.left_blank
            ):  # the stored date is not shown, nor the age it makes
                raise forms.ValidationError(
                    _("This date and the age do not fit together. Enter the date again."),
                    code="age",
                )
            raise forms.ValidationError(
                _(
                    "You said that the patient is %(told)s years old, but this birth date makes "
                    "the patient %(born)s. Check the date, or go back and change the age."
                )
                % {"told": age, "born": age_on(today, born)},
                code="age",
            )
        return born

    def clean(self) -> dict[str, Any]:
        refuse_repeated_controls(self)
        data = self.cleaned_data
        if data.get("prefer") == "email" and not data.get("email") and "email" not in self.errors:
            self.add_error(
                "email", _("Enter an e-mail address, or choose another way to reach you.")
            )
        if data.get("calls") == "then" and data.get("prefer_time") == "any":
            self.add_error("prefer_time", _("Choose the time at which we may call."))
        if data.get("calls") == "no" and not data.get("email") and "email" not in self.errors:
            if not sms.is_on():
                self.add_error("email", _("If we may not call, enter an e-mail address."))
            elif data.get("prefer") == "phone":
                self.add_error(
                    "calls",
                    _("If we may not call, enter an e-mail address, or choose a text message."),
                )
        if data.get("email") != self.initial.get("email") and "email" not in self.left_blank:
            ask_about_slip(self, "email")
        return data

    def contact(self) -> dict[str, Any]:
        """Return the contact as JSON data, in the form in which it is stored."""
        data = self.cleaned_data
        kept = ("name", "proxy_name", "been_here", "email", *FOLDED)
        asked = self.uses.contact.stored_names
        return {
            **{name: data[name] for name in kept if data.get(name)},
            **{name: data[question] for question, name in asked.items() if question in data},
            "birth_date": data["birth_date"].isoformat(),
        }

    def answers(self) -> dict[str, Any]:
        """Return who fills in the form, and the age, if this form asks for both; else nothing."""
        if not self._asks_who:
            return {}
        age = age_on(timezone.localdate(), self.cleaned_data["birth_date"])
        return {self.uses.who.q: self.cleaned_data[self.uses.who.q], self.uses.age: age}

    @property
    def given_names(self) -> dict[str, str]:
        """Map the fields to their names in `Content.given`."""
        stored, who = stored_names(self.uses), self.uses.who.q
        return {
            field: who if field == who else detail(CONTACT, stored.get(field, field))
            for field in self.fields
        }

    def words_of(self, name: str, value: Any) -> str:
        """Return the stored value of a field in words."""
        field: Any = self.fields[name]
        if value in (None, ""):
            return gettext("No answer")
        if isinstance(field, forms.ChoiceField):
            choices: Any = field.choices
            return str(dict(choices)[value])
        match field:
            case Date3Field():
                return date_words(value)
            case PhoneField():
                return phone_words(value)
            case EmailField():
                return mail_address.readable_form(value)
        return str(value)

    def typed(self) -> dict[str, Any]:
        """Return the typed values of an unfinished form, so that the form can show them again."""
        stored, data = stored_names(self.uses), self.completed_data()
        found = {
            stored.get(name, name): data.get(name, "")[:300]
            for name in set(self.fields) - {"birth_date"}
            if data.get(name)
        }
        if born := self.cleaned_data.get("birth_date"):
            found["birth_date"] = born.isoformat()
        return found

    @property
    def stored_blank(self) -> list[str]:
        """The stored names of the fields that keep their stored value because they were blank."""
        stored = stored_names(self.uses)
        return [stored.get(name, name) for name in self.left_blank]

    @staticmethod
    def initial_of(
        uses: Uses, contact: Mapping[str, Any], answers: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the initial values for a patient who comes back to the form.

        The keys of `contact` are names of form fields (see `field_names`), not stored names.
        """
        born, who = contact.get("birth_date"), uses.who.q
        return {
            **contact,
            "email": mail_address.readable_form(contact.get("email", "")),
            who: contact.get(who) or answers.get(who),
            "birth_date": date.fromisoformat(born) if born else None,
        }

    @staticmethod
    def controls_of(contact: Mapping[str, Any], names: Collection[str]) -> dict[str, Controls]:
        """Return, for the method `keep`, the stored values of the fields in `names`.

        The keys of `contact` are names of form fields. The values are given as the form's controls
        would post them: a birth date as month, day and year.
        """
        found: dict[str, Controls] = {
            name: {name: str(contact[name])} for name in names if name in contact
        }
        if "birth_date" in found:
            born = date.fromisoformat(contact["birth_date"])
            parts = {"month": born.month, "day": born.day, "year": born.year}
            found["birth_date"] = {f"birth_date_{part}": str(n) for part, n in parts.items()}
        return found
