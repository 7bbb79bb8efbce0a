"""The notice that language help is free, in the languages of the clinic's state (45 CFR 92.11).

The sentences are data: clinic/notices.yaml, or the clinic's own file (LANGUAGE_NOTICES).
"""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

PHONE: Final = "{phone}"
LANGUAGES_ASKED: Final = 15
"""How many languages besides English 45 CFR 92.11(b) asks for."""


class Unreadable(Exception):
    """The file cannot be used. The message says where and why."""


class LanguageNotice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The notice in one language.

    `own` is the name of the language in that language. A notice is a draft until a reader of the
    language has compared the notice with the English text (`reviewed_by`).
    """

    code: str
    name: str
    own: str
    text: str
    right_to_left: bool = False
    reviewed_by: str | None = None

    def __post_init__(self) -> None:
        if self.text.count(PHONE) != 1:
            raise ValueError(f"the text of {self.name} must contain {PHONE} once")

    @property
    def before(self) -> str:
        """The text before the phone number."""
        return self.text.partition(PHONE)[0]

    @property
    def after(self) -> str:
        """The text after the phone number."""
        return self.text.partition(PHONE)[2]


class Notices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The notices of a clinic. `state` is the state where people speak these languages, or None."""

    languages: tuple[LanguageNotice, ...]
    state: str | None = None

    @property
    def drafts(self) -> list[LanguageNotice]:
        return [notice for notice in self.languages if not notice.reviewed_by]

    @property
    def spoken(self) -> frozenset[str]:
        """The codes of the languages. Chinese in two scripts counts as one language."""
        return frozenset(notice.code.partition("-")[0] for notice in self.languages)


@cache
def read(path: Path) -> Notices:
    """Read the notices from a file. Raises Unreadable."""
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Notices)
    except (OSError, UnicodeDecodeError, msgspec.MsgspecError) as error:
        raise Unreadable(f"{path}: {error}") from None
