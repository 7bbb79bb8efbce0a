"""Which questions of a protocol the program itself uses.

No question, section or page is named in Python. The program finds the question it needs through
`uses`, so that another protocol may ask in its own way.
"""

from __future__ import annotations

from typing import Final

from intake.domain import stored
from intake.domain.grammar import Base, Line

OWN_STEPS: Final = ("contact", "appointment", "check")
"""The steps of a walk that are the program's own. No page of questions may be called so."""

OWN_ADDRESSES: Final = (
    *("check", "emergency", "leave", "p", "refused", "resume", "save", "sent", "shared", "sure"),
)
"""The words that follow `/intake/` in the program's own addresses, and the folder of what protocols
share. No protocol may be called so."""


class Who(Base, frozen=True):
    """The question "Who fills in the form?", and its answers that mean not the patient."""

    q: str
    proxy: tuple[str, ...]


class ContactQuestions(Base, frozen=True):
    """The questions of the step in which the patient says how to be reached.

    `speaks` maps a language of the pages to the option of `language_help` that a patient who reads
    that language means.
    """

    phone: str
    language_help: str
    acknowledged: str
    speaks: dict[str, str] = {}

    @property
    def stored_names(self) -> dict[str, str]:
        """Map each question to the name under which a contact stores its answer."""
        return {
            self.language_help: stored.LANGUAGE_HELP,
            self.phone: stored.PHONE,
            self.acknowledged: stored.ACKNOWLEDGED,
        }


class ShortWalks(Base, frozen=True):
    """The questions of the short walks: a request for a visit, and an addition to a submission."""

    appointment: tuple[str, ...]
    addition: tuple[str, ...]


class Uses(Base, frozen=True):
    """Which questions the program itself uses, by their ids.

    `safety` is asked first and alone. `first_line` stands beside the age in the staff's summary,
    `complaint` and `own_words` below. `free_text` are the texts that are searched for alarming
    words. `crisis` asks about thoughts of suicide; a clinic may leave it out.
    """

    safety: str
    who: Who
    age: str
    complaint: tuple[str, ...]
    own_words: str
    free_text: tuple[str, ...]
    contact: ContactQuestions
    walks: ShortWalks
    first_line: tuple[str, ...] = ()
    crisis: str | None = None

    @property
    def contact_agrees_with(self) -> tuple[str, str]:
        """The questions that the contact has to agree with.

        The contact is asked again when one changes.
        """
        return (self.who.q, self.age)

    def short_walk(self, kind: str) -> tuple[str, ...] | None:
        """Return the questions of a short walk; None for the whole questionnaire."""
        return getattr(self.walks, kind) if kind in self.walks.__struct_fields__ else None

    def is_proxy(self, answer: object) -> bool:
        """Whether the answer to `who` means another person than the patient."""
        return answer in self.who.proxy


class Stored(Base, frozen=True):
    """The values that the program adds to a stored document from before these keys existed.

    They are read from the file `uses-stored.yaml` in the protocol's folder, which never changes.
    `tell` holds the text "What happens next" by level and language.
    """

    uses: Uses
    summary: tuple[Line, ...]
    tell: dict[str, dict[str, str]]
