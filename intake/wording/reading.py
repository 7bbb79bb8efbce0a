"""Write answers in the words that the patient saw, for the patient's check page and for staff."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import phonenumbers
from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from intake import mail_address
from intake.domain.definition import Protocol, Question, QuestionPage
from intake.domain.stored import LANGUAGE_HELP, PHONE
from intake.models.appointments import TimeOfDay

PREFER = {
    "phone": _("Call me"),
    "email": _("Send me an e-mail"),
    "text": _("Send me a text message"),
}
BEEN_HERE = {
    "new": _("No, never"),
    "known": _("Yes"),
    "unsure": _("Not sure"),
}
CALLS = {
    "any": _("Yes"),
    "then": _("Yes, but only at that time"),
    "no": _("No, please do not call me at all"),
}
VOICEMAIL = {"yes": _("Yes"), "no": _("No")}
PREFER_TIME = {"any": _("Any time"), **dict(TimeOfDay.choices)}


@dataclass(frozen=True)
class AnswerRow:
    """One question and its answer in words. `values` is empty for an unanswered question."""

    question: str
    label: str
    values: tuple[str, ...]
    page: str

    @property
    def answered(self) -> bool:
        return bool(self.values)


@dataclass(frozen=True)
class AnswerGroup:
    title: str
    rows: tuple[AnswerRow, ...]
    section: str


def answer_words(question: Question, value: Any) -> tuple[str, ...]:
    """Return an answer in words: the labels of options, a number with its unit, or the text."""
    if value is None or value == ():
        return ()
    match question.type:
        case "single":
            return (question.option(value).label,)
        case "multi":
            return tuple(question.option(code).label for code in value)
        case "boolean":
            return (gettext("Yes") if value else gettext("No"),)
        case "decimal" | "integer":
            return (f"{value} {question.shown_unit}".strip(),)
        case _:
            return (value,)


def answers_by_part(
    protocol: Protocol, pages: Iterable[QuestionPage], answers: Mapping[str, Any], *, proxied: bool
) -> list[AnswerGroup]:
    """Return the questions that were asked, with their answers, in order and grouped by section."""
    found: dict[tuple[str, str], list[AnswerRow]] = {}
    for page in pages:
        rows = found.setdefault((page.title, page.section), [])
        rows.extend(_rows(page, answers, proxied))
    return [AnswerGroup(title, tuple(rows), id) for (title, id), rows in found.items()]


def contact_rows(
    protocol: Protocol,
    contact: Mapping[str, Any],
    *,
    veiled: Collection[str] = (),
    own: bool = False,
) -> list[tuple[str, list[str]]]:
    """Return the contact details as pairs of label and values.

    Fields that were not asked are left out. Fields that the veil hides have no values. With `own`,
    the reader is the patient, who sees the e-mail address in its own script. Staff see the stored
    form, so that a domain in another script cannot imitate a known domain. Staff read the birth
    date in the spelling of staff pages.
    """
    asked = protocol.question(protocol.uses.contact.language_help)
    language = {option.code: option.label for option in asked.options}
    email = contact.get("email") or (gettext("Not provided") if contact.get("prefer") else "")
    email = mail_address.readable_form(email) if own else email
    stored = contact.get("birth_date", "")
    born = (
        date_words(stored)
        if own or not stored
        else date_format(date.fromisoformat(stored), "j M Y")
    )
    rows = [
        ("name", gettext("Patient’s name"), contact.get("name")),
        ("proxy_name", gettext("Filled in by"), contact.get("proxy_name")),
        ("birth_date", gettext("Date of birth"), born),
        ("been_here", gettext("At our clinic before"), BEEN_HERE.get(contact.get("been_here", ""))),
        (PHONE, gettext("Phone"), phone_words(contact.get(PHONE, ""))),
        ("email", gettext("E-mail"), email),
        ("prefer", gettext("Preferred contact"), PREFER.get(contact.get("prefer", ""))),
        (
            "prefer_time",
            gettext("Best time to call"),
            _unless_default(PREFER_TIME, contact.get("prefer_time")),
        ),
        ("calls", gettext("Calls"), _unless_default(CALLS, contact.get("calls"))),
        (
            "voicemail",
            gettext("Voice message"),
            _unless_default(VOICEMAIL, contact.get("voicemail")),
        ),
        ("hears", gettext("May talk with us"), contact.get("hears")),
        (LANGUAGE_HELP, gettext("Language help"), language.get(contact.get(LANGUAGE_HELP, ""))),
    ]
    return [(label, [] if n in veiled else [str(value)]) for n, label, value in rows if value]


def _unless_default(words: Mapping[str, Any], code: str | None) -> Any:
    """Return an answer in words; None for the first answer, the default, which says nothing."""
    return None if code in (None, next(iter(words))) else words.get(code or "")


def date_words(stored: str) -> str:
    """Return a stored date in the format of the page's language; '' if there is no date."""
    return date_format(date.fromisoformat(stored), "DATE_FORMAT") if stored else ""


def phone_words(stored: str) -> str:
    """Return a stored phone number in national form, or in international form if it is foreign."""
    try:
        number = phonenumbers.parse(stored)
    except phonenumbers.NumberParseException:
        return stored
    home = phonenumbers.country_code_for_region(settings.PHONE_REGION) == number.country_code
    form = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, form.NATIONAL if home else form.INTERNATIONAL)


def _rows(page: QuestionPage, answers: Mapping[str, Any], proxied: bool) -> Iterator[AnswerRow]:
    for question in page.questions:
        asked = question.for_proxy() if proxied else question
        yield AnswerRow(
            question.id, asked.text, answer_words(asked, answers.get(question.id)), page.id
        )
