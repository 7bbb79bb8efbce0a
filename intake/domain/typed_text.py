"""Tidy what people type or paste, before the text is judged.

Phones and address books put characters into a copied text that nobody sees: direction marks,
zero-width characters, soft hyphens. Keyboards of other scripts type other digits.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# All characters with the Unicode property Default_Ignorable_Code_Point: fonts show nothing for them
_IGNORABLE: Final = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_INVISIBLE: Final = re.compile(f"[{_IGNORABLE}]")
# A joiner after a letter of the scripts from Arabic to Khmer is spelling, as in نیم‌فاصله.
_INVISIBLE_IN_NAMES: Final = re.compile(
    f"(?![\u200c\u200d])[{_IGNORABLE}]|(?<![\u0600-\u1cff])[\u200c\u200d]"
)
_BLANK: Final = re.compile(rf"[\s\u2800{_IGNORABLE}]*")
_LINE_END: Final = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# An override reverses the letters on the screen: "10 mg" could read "gm 01". An embedding shows
# Arabic and Hebrew correctly, too, and every script keeps its own order.
_WITHOUT_OVERRIDES: Final = {0x202D: 0x202A, 0x202E: 0x202B}


def is_blank(text: str) -> bool:
    """Whether the text has only spaces and invisible characters."""
    return _BLANK.fullmatch(text) is not None


def as_lines(text: str) -> str:
    """Return a free text in which each kind of line end is a line feed. Direction marks stay."""
    return _LINE_END.sub("\n", text).translate(_WITHOUT_OVERRIDES)


def as_name(text: str) -> str:
    """Return a name without invisible characters. The joiners that its script needs stay."""
    return _INVISIBLE_IN_NAMES.sub("", text)


def as_key(text: str) -> str:
    """Return a number, code, phone number, date or e-mail address as an English keyboard types it.

    Invisible characters are dropped; digits of any script become 0 to 9; wide letters and signs
    become plain ones. Superscripts stay, because 5² is not 52.
    """
    return "".join(map(_plain_sign, _INVISIBLE.sub("", text)))


def _plain_sign(sign: str) -> str:
    if "\uff01" <= sign <= "\uff5e":  # the wide forms of ! to ~
        return chr(ord(sign) - 0xFEE0)
    return str(unicodedata.decimal(sign, sign))
