"""Read a phone number as people type it, or paste it from an address book."""

import re

import phonenumbers
from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from intake.domain.typed_text import as_key
from intake.domain.wrong_answers import shortened
from intake.wording.languages import in_each_language

LABELS = gettext_lazy(
    "phone, tel, cell, cellphone, cell phone, mobile, mob, home, work, office, main, c, h, m, w"
)
"""Words that people write beside a phone number, in the language of the page, with commas."""
EXTENSION = "ext, extn, extension, extensión, x, int, anexo".split(", ")
NORTH_AMERICA = 1  # the country code whose area codes and exchanges never begin with 0 or 1
MEXICO = 52


def read_phone(typed: str) -> str:
    """Return a phone number in E.164 (+12025550123), with `;ext=12` for an extension.

    Raises ValidationError, which says what the program does not understand.
    """
    text = _without_labels(as_key(typed))
    number = _parsed(text)
    if number is None:
        raise forms.ValidationError(_complaint(text))
    stored = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{stored};ext={number.extension}" if number.extension else stored


def _without_labels(text: str) -> str:
    """Return the text without words such as "cell", if a complete number is left.

    In "202-555-WORK" the word is a part of the number and stays.
    """
    labels = "|".join(
        re.escape(label.strip())
        for words in in_each_language(LABELS)
        for label in words.casefold().split(",")
    )
    bare = re.sub(rf"(?i)(?<![^\W\d_])(?:{labels})\b[.:]?", " ", text)
    return bare if _parsed(bare) else text


def _parsed(text: str) -> phonenumbers.PhoneNumber | None:
    """Return the phone number in a text, or None if a part of the text is not understood."""
    if _strange_words(text):
        return None
    # 00 is how most countries dial abroad; in the USA no number begins with it
    text = re.sub(r"^\s*\(?00\)?\s*(?=[1-9])", "+", text)
    try:
        number = phonenumbers.parse(text, settings.PHONE_REGION)
    except phonenumbers.NumberParseException:
        return None
    national = str(number.national_number)
    if number.country_code == MEXICO and len(national) == 11 and national.startswith("1"):
        # until 2019 the mobile numbers of Mexico were dialed from abroad with a 1
        number.national_number = int(national[1:])
    whole = phonenumbers.ValidationResult.IS_POSSIBLE  # a number with its area code
    if phonenumbers.is_possible_number_with_reason(number) != whole:
        return None
    if number.country_code == NORTH_AMERICA and not re.fullmatch(
        r"[2-9]\d\d[2-9]\d{6}", phonenumbers.national_significant_number(number)
    ):
        return None
    return number


def _strange_words(text: str) -> list[str]:
    """Return the words that belong neither to an extension nor to the number.

    In "1-800-FLOWERS" the letters stand for digits, so the word belongs to the number.
    """
    words = re.finditer(r"[^\W\d_]+", text)
    return [
        word[0]
        for word in words
        if word[0].casefold() not in EXTENSION
        and not (len(word[0]) > 2 and re.search(r"\d-?$", text[: word.start()]))
    ]


def _complaint(text: str) -> str:
    """Return the sentence that says what the program does not understand in a phone number."""
    if words := _strange_words(text):
        sentence = _("We do not understand “%(typed)s” in a phone number. Enter the number alone.")
        return sentence % {"typed": shortened(" ".join(words))}
    digits = re.sub(r"\D", "", text)
    if digits.startswith("0"):
        return _(
            "A phone number of this country does not begin with 0. If it is from another country, "
            "begin with + and the country code, for example +44 20 7946 0018."
        )
    if len(digits) > 11 and "+" not in text:
        return _(
            "This has more digits than one phone number. Enter one, with its area code. "
            "From another country: begin with + and the country code."
        )
    return _("Check the phone number. Write it with the area code, for example 202-555-0123.")
