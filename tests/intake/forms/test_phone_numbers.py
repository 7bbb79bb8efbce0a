"""Reading a phone number as people type it, or paste it from an address book."""

from contextlib import suppress

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from intake.forms.phone_numbers import read_phone

HOME = "+12025550123"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        *(("\u202a+1 (202) 555-0123\u202c", HOME), ("\u2068(202)\u00a0555\u20110123\u2069", HOME)),
        *(("２０２-555-0123", HOME), ("٢٠٢ ٥٥٥ ٠١٢٣", HOME), ("tel:+12025550123", HOME)),
        *((f"202-555-0123 {word}", HOME) for word in ("cell", "(work)", "Mobile", "- home", "c")),
        *((f"{word} 202-555-0123", HOME) for word in ("Cell:", "Work", "tel.", "cell phone")),
        *(("202-555-0123cell", HOME), ("202-555-0123 celular", HOME), ("Casa: 2025550123", HOME)),
        *((f"202-555-0123 {end}", f"{HOME};ext=45") for end in ("x45", "ext. 45", "#45", ",,45")),
        *((f"202-555-0123 {end}", f"{HOME};ext=45") for end in ("work ext 45", "ext 45 (work)")),
        (f"{HOME};ext=45", f"{HOME};ext=45"),
        ("+52 1 55 1234 5678", "+525512345678"),
        ("+52 55 1234 5678", "+525512345678"),
        *(("0034 612 345 678", "+34612345678"), ("011 34 612 345 678", "+34612345678")),
        ("+44 (0)20 7946 0018", "+442079460018"),
        *(("1-800-FLOWERS", "+18003569377"), ("202-555-WORK", "+12025559675")),
    ],
)
def test_a_phone_number_is_read_as_it_is_meant(typed: str, stored: str) -> None:
    assert read_phone(typed) == stored
    assert read_phone(stored) == stored


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        *((f"{word} 202-555-0123", f"“{word}”") for word in ("not", "Mary", "wife")),
        ("202-555-0123 call after 5", "“call after”"),
        ("202-555-0123 or 202-555-0199", "“or”"),
        ("202-555-0123²", "“²”"),
        ("202-555-0123 / 202-555-0199", "more digits than one phone number"),
        *(
            (typed, "begin with + and the country code")
            for typed in ("020 7946 0018", "0207946001")
        ),
        *(
            (typed, "Check the phone number.")
            for typed in ("555-0123", "1 202 155 0123", "+", "911")
        ),
    ],
)
def test_what_is_not_understood_is_said(typed: str, complaint: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_phone(typed)
    assert complaint in caught.value.messages[0]


@given(st.text(max_size=40) | st.from_regex(r"[+0-9 ()x.-]{0,30}", fullmatch=True))
def test_whatever_is_typed_is_a_number_or_a_sentence(typed: str) -> None:
    with suppress(ValidationError):
        stored = read_phone(typed)
        assert read_phone(stored) == stored
