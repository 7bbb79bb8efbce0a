"""Invisible characters are dropped from names, numbers and codes, and stay in free text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.domain.typed_text import as_key, as_lines, as_name, is_blank

BIDI = [*map(chr, [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])]
UNSEEN = [*BIDI, *"\u00ad\u200b\u200c\u200d\u2060\ufeff\u034f\u180e\u3164\uffa0\ufe0f"]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXTS, st.sampled_from(UNSEEN), st.integers(0, 20))
def test_a_key_is_the_same_with_and_without_what_nobody_sees(
    text: str, unseen: str, place: int
) -> None:
    assert as_key(text[:place] + unseen + text[place:]) == as_key(text)


@given(TEXTS)
def test_a_key_has_digits_of_one_script_and_every_other_letter(text: str) -> None:
    key = as_key(text)
    assert as_key(key) == key
    assert all(sign.isascii() for sign in key if unicodedata.category(sign) == "Nd")


@given(TEXTS)
def test_a_free_text_loses_no_letter_and_no_mark_of_its_direction(text: str) -> None:
    kept = as_lines(text)
    assert not set(kept) & set("\r\x0b\x0c\x85\u2028\u2029\u202d\u202e")
    assert "".join(kept.split()) == "".join(as_lines(text).split())
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]
    assert sum(c in BIDI for c in kept) == sum(c in BIDI for c in text)


@pytest.mark.parametrize("text", ["", " ", "\u00a0\n", "\u2800", "".join(UNSEEN)])
def test_a_text_that_nobody_sees_is_blank(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("\u202aAna\u00ad María\u202c", "Ana María"),
        ("Jo\u200bsé", "José"),
        ("Ann\u200d", "Ann"),
        ("\u202eقاسم\u202c", "قاسم"),
        ("علی\u200cرضا", "علی\u200cرضا"),  # Persian is spelled with this joiner
        ("ശ്രീന്\u200d", "ശ്രീന്\u200d"),
    ],
)
def test_a_name_keeps_what_its_script_is_spelled_with(typed: str, name: str) -> None:
    assert as_name(typed) == name
