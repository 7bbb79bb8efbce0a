"""E-mail addresses: the stored form, the readable form, and slips in the domain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.mail_address import likely_meant, readable_form, spellings, stored_form


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Sam@Example.org", "Sam@Example.org"),
        ("sam@münchen.de", "sam@xn--mnchen-3ya.de"),
        ("sam@MÜNCHEN.de", "sam@xn--mnchen-3ya.de"),
        ("sam@straße.de", "sam@xn--strae-oqa.de"),  # not strasse.de, which is another domain
        ("sam@例え。jp", "sam@xn--r8jz45g.jp"),
    ],
)
def test_an_address_is_stored_as_mail_programs_write_it(typed: str, stored: str) -> None:
    assert stored_form(typed) == stored
    assert stored_form(stored) == stored
    assert stored_form(readable_form(stored)) == stored
    assert stored.casefold() in spellings(typed) & spellings(stored)


def test_an_ordinary_address_has_one_spelling() -> None:
    assert spellings("Sam@Example.org") == {"sam@example.org"}


@given(st.text(max_size=30))
def test_any_text_has_spellings_and_perhaps_a_stored_form(text: str) -> None:
    assert text.casefold() in spellings(text)
    assert "@" not in text or likely_meant(text) != text
    readable_form(text)


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        *((slip, "gmail.com") for slip in ("gmial.com", "gmal.com", "gmail.con", "GMAIL.CO")),
        *((slip, "hotmail.com") for slip in ("hotmial.com", "hotmal.com", "hotmail.cm")),
        *(("yaho.com", "yahoo.com"), ("outlok.com", "outlook.com"), ("iclould.com", "icloud.com")),
        *((real, "") for real in ("gmail.com", "ymail.com", "mail.com", "example.org", "gmx.com")),
    ],
)
def test_a_slip_is_known_by_one_letter(domain: str, meant: str) -> None:
    assert likely_meant(f"sam@{domain}") == (f"sam@{meant}" if meant else "")
