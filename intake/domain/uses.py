"""Which questions of a protocol the program itself uses.

Python code names no question, section or page. The program finds the question that it needs through
the key `uses` of the protocol, so that each protocol can choose its own ids.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

from intake.domain import stored
from intake.domain.grammar import Base, Line

OWN_STEPS: Final = ("contact", "appointment", "check")
"""The ids of the steps that the program itself adds to a walk. No page of questions may have one
of these ids."""

OWN_ADDRESSES: Final = (
    *("check", "copy", "emergency", "leave", "p", "part-2", "questions", "refused", "resume"),
    *("save", "sent", "shared", "sure"),
)
"""The words that follow `/intake/` in the program's own addresses, and the folder name `shared`. No
protocol may have one of these names."""


class Who(Base, frozen=True):
    """The question "Who fills in the form?", and those answers that mean another person."""

    q: str
    proxy: tuple[str, ...]


class CannotWait(Base, frozen=True):
    """The question "Does this need help today?", and the answer that means yes."""

    q: str
    answer: str


class ShortWords(Base, frozen=True):
    """Short words for staff: a `label` for the question `q`, and words for some of its options."""

    q: str
    label: str
    options: dict[str, str] = {}


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


LONGEST_LINE: Final = 120
"""How many characters an answer for the chart may have at most."""


class ChartQuestions(Base, frozen=True):
    """The questions whose answers the front desk copies into the chart: names and numbers."""

    payer: str
    member: str
    doctor: str
    pharmacy: str

    @property
    def stored_names(self) -> dict[str, str]:
        """Map the id of each question to the name under which the chart details have its answer."""
        return {
            self.payer: stored.PAYER,
            self.member: stored.MEMBER,
            self.doctor: stored.DOCTOR,
            self.pharmacy: stored.PHARMACY,
        }


ADDITION: Final = "addition"
PART_2: Final = "part_2"
"""The short walks after sending. They take the contact from the earlier submission."""


class ShortWalks(Base, frozen=True):
    """The questions of the short walks: a request for a visit, an addition, and part 2.

    A patient may answer part 2 after sending. The questions of part 2 are left out of the
    questionnaire, which is then part 1.
    """

    appointment: tuple[str, ...]
    addition: tuple[str, ...]
    part_2: tuple[str, ...] = ()


class Uses(Base, frozen=True, dict=True):
    """The ids of the questions that the program itself uses.

    `safety` is asked first, alone on its page. In the staff's summary the answers to `first_line`
    stand beside the age, those to `complaint` and `own_words` below. The answers to `free_text` are
    searched for alarm words. `cannot_wait` asks beside `own_words`, in languages in which danger in
    own words is not heard well enough. `crisis` asks about thoughts of suicide; a clinic can switch
    it off. `nurse_asks` are the questions that by phone only a clinician reads to a caller. The
    submission page and the first printed page show the answers to `glance`, or say that there is
    none. `short` has the words by which staff read a question. `findings` names the scales that are
    offered first to a clinician after an examination. `chart` are the questions of
    part 2 that save the front desk from asking again.
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
    cannot_wait: CannotWait | None = None
    nurse_asks: tuple[str, ...] = ()
    glance: tuple[str, ...] = ()
    short: tuple[ShortWords, ...] = ()
    findings: tuple[str, ...] = ()
    chart: ChartQuestions | None = None

    @property
    def contact_agrees_with(self) -> tuple[str, str]:
        """The questions whose answers must agree with the contact: who answers, and the age.

        If one of these answers changes, the patient is asked for the contact again.
        """
        return (self.who.q, self.age)

    def short_walk(self, kind: str) -> tuple[str, ...] | None:
        """Return the questions of a short walk; None if `kind` is the questionnaire."""
        return getattr(self.walks, kind) if kind in self.walks.__struct_fields__ else None

    @cached_property
    def chart_names(self) -> dict[str, str]:
        """Map each question for the chart to its stored name; empty if the protocol asks none."""
        return self.chart.stored_names if self.chart is not None else {}

    @cached_property
    def later(self) -> frozenset[str]:
        """The questions that only part 2 asks. The safety question is asked in every walk."""
        return frozenset(self.walks.part_2) - {self.safety}

    def asks(self, kind: str, question: str) -> bool:
        """Whether a walk of this kind may ask the question."""
        short = self.short_walk(kind)
        return question not in self.later if short is None else question in short

    def judges(self, kind: str, question: str) -> bool:
        """Whether a walk of this kind judges the answer to the question.

        Part 2 also judges the answers of part 1, because a rule may read answers of both.
        """
        always = (*self.contact_agrees_with, *self.contact.stored_names)
        return kind == PART_2 or question in always or self.asks(kind, question)

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
