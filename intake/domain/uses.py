"""Which questions of a protocol the program itself uses.

Python code names no question, section or page. The program finds the question that it needs through
the key `uses` of the protocol, so that each protocol can choose its own ids.
"""

from __future__ import annotations

from typing import Final

from intake.domain import stored
from intake.domain.grammar import Base, Line

OWN_STEPS: Final = ("contact", "appointment", "check")
"""The ids of the steps that the program itself adds to a walk. No page of questions may have one
of these ids."""

OWN_ADDRESSES: Final = (
    *("check", "emergency", "leave", "p", "refused", "resume", "save", "sent", "shared", "sure"),
)
"""The words that follow `/intake/` in the program's own addresses, and the folder name `shared`. No
protocol may have one of these names."""


class Who(Base, frozen=True):
    """The question "Who fills in the form?", and those answers that mean another person."""

    q: str
    proxy: tuple[str, ...]


class ContactQuestions(Base, frozen=True):
    """The questions of the contact step, in which patients say how the clinic can reach them.

    `speaks` maps each language of the pages to an option of the question `language_help`: the
    option that fits a patient who reads the pages in this language.
    """

    phone: str
    language_help: str
    acknowledged: str
    speaks: dict[str, str] = {}

    @property
    def stored_names(self) -> dict[str, str]:
        """Map the id of each question to the name under which its answer is stored."""
        return {
            self.language_help: stored.LANGUAGE_HELP,
            self.phone: stored.PHONE,
            self.acknowledged: stored.ACKNOWLEDGED,
        }


class ShortWalks(Base, frozen=True):
    """The questions of the two short walks: a request for a visit, an addition to a submission."""

    appointment: tuple[str, ...]
    addition: tuple[str, ...]


class Uses(Base, frozen=True):
    """The ids of the questions that the program itself uses.

    `safety` is asked first, alone on its page. In the staff's summary the answers to `first_line`
    stand beside the age, those to `complaint` and `own_words` below. The answers to `free_text` are
    searched for alarm words. `crisis` asks about thoughts of suicide; a clinic can switch it off.
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
        """The questions whose answers must agree with the contact: who answers, and the age.

        If one of these answers changes, the patient is asked for the contact again.
        """
        return (self.who.q, self.age)

    def short_walk(self, kind: str) -> tuple[str, ...] | None:
        """Return the questions of a short walk; None if `kind` is the whole questionnaire."""
        return getattr(self.walks, kind) if kind in self.walks.__struct_fields__ else None

    def is_proxy(self, answer: object) -> bool:
        """Whether this answer to the question `who` means that a proxy fills in the form."""
        return answer in self.who.proxy


class Stored(Base, frozen=True):
    """The values for a document that was stored before the keys `uses`, `summary`, `tell` existed.

    The values come from the file `uses-stored.yaml` in the protocol's folder, which never changes.
    `tell` maps level and language to the text under "What happens next".
    """

    uses: Uses
    summary: tuple[Line, ...]
    tell: dict[str, dict[str, str]]
