"""Define a protocol as frozen structs: its questions, its computed values, its rules.

The data files of a protocol are decoded straight into these structs. A fault that types can catch
(an unknown key, a wrong type, a condition of an unknown shape) raises an error that names its
place, such as "Expected `str`, got `int` - at `$.sections[2].questions[0].text`". The function
`intake.domain.problems.problems` finds the other faults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from intake.domain.danger import words_of
from intake.domain.danger_words import Danger
from intake.domain.grammar import AnswerCondition, Base, Computed, Line, in_order
from intake.domain.uses import Stored, Uses

Value = str | int | Decimal | bool | tuple[str, ...]
"""An answer: single and text → str, multi → option codes in option order, integer → int,
decimal → Decimal, boolean → bool."""

Answers = Mapping[str, Value]
"""Question id → value, without hidden questions and questions left blank."""

ComputedValue = str | int | bool | None
"""A value derived from answers; None when unknown."""

QUESTIONS_PER_PAGE: Final = 4
FLAG: Final = "flag"
"""The `level` of a rule that has no urgency and only informs the clinician."""


class Option(Base, frozen=True):
    """One option of a question.

    `coding` is its code in ICD-10-CM or SNOMED CT, `learn` are education pages.
    """

    code: str
    label: str
    learn: tuple[str, ...] = ()
    coding: dict[str, str] | None = None


class Proxy(Base, frozen=True):
    """The wording of a question for a proxy: a person who answers for the patient."""

    text: str
    help: str | None = None
    options: dict[str, str] = {}


class Question(Base, frozen=True):
    """One question as the patient reads it, with the limits of its answer.

    `unit` is a UCUM code, `seconds` the expected time to answer, `page` the screen of the question,
    `learn` the education pages that explain it. The answer to a `sensitive` question is hidden once
    the device was left alone for a while.
    """

    id: str
    type: Literal["single", "multi", "integer", "decimal", "text", "boolean"]
    text: str
    required: bool
    show_if: AnswerCondition | None
    help: str | None = None
    options: tuple[Option, ...] = ()
    exclusive: tuple[str, ...] = ()
    interrupts: bool = False
    sensitive: bool = False
    unit: str | None = None
    min: int | float | None = None
    max: int | float | None = None
    max_length: int | None = None
    must_be: bool | None = None
    coding: dict[str, str] | None = None
    seconds: int = 0
    page: str | None = None
    learn: tuple[str, ...] = ()
    proxy: Proxy | None = None

    def option(self, code: str) -> Option:
        """Return the option with this code. Raises KeyError."""
        for option in self.options:
            if option.code == code:
                return option
        raise KeyError(code)

    def for_proxy(self) -> Question:
        """Return the question in the wording for a person who answers for the patient.

        Texts without a proxy wording stay. Id, options, limits and conditions stay the same.
        """
        if self.proxy is None:
            return self
        words = self.proxy
        return msgspec.structs.replace(
            self,
            text=words.text,
            help=words.help or self.help,
            options=tuple(
                msgspec.structs.replace(option, label=words.options.get(option.code, option.label))
                for option in self.options
            ),
        )


class QuestionSection(Base, frozen=True):
    id: str
    title: str
    questions: tuple[Question, ...]


class Questionnaire(Base, frozen=True, dict=True):
    """All questions. `uses` is None only in a document older than this key.

    Where a clinic serves several protocols, patients choose by `title` and `audience`: what a
    protocol asks about, and for whom it is.
    """

    version: str
    date: str
    locale: str
    grammar: dict[str, str]
    sections: tuple[QuestionSection, ...]
    uses: Uses | None = None
    title: str | None = None
    audience: str | None = None

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of all questions and options: no such word in a free text is a slip."""
        questions = [question for section in self.sections for question in section.questions]
        texts = [text for q in questions for text in (q.text, q.help or "")]
        texts += [option.label for question in questions for option in question.options]
        return words_of(texts)


class QuestionPage(Base, frozen=True):
    """The questions of one screen. `section` and `title` are those of its section.

    The id comes from the structure (`about`, `about-2`). It appears in addresses, so it must not
    reveal an answer.
    """

    id: str
    section: str
    title: str
    questions: tuple[Question, ...]


class Within(Base, frozen=True):
    """A target time in exactly one unit: clinic opening hours, business days or calendar days."""

    open_hours: int | None = None
    business_days: int | None = None
    days: int | None = None

    def __post_init__(self) -> None:
        if sum(n is not None for n in (self.open_hours, self.business_days, self.days)) != 1:
            raise ValueError("A target is one of open_hours, business_days, days")


class Level(Base, frozen=True):
    """An urgency. The higher `rank` wins.

    `tell` says after sending what happens next, `closed` precedes the advice while the clinic is
    closed. No text writes a period out: `{within}`, `{seen_within}` and `{by}` stand for the
    targets.
    """

    code: str
    rank: int
    target: str
    contact_within: Within
    seen_within: Within | None = None
    closed: str | None = None
    tell: str | None = None

    @property
    def seen(self) -> Within:
        """The period within which the patient is seen, or contacted where there is no visit."""
        return self.seen_within or self.contact_within


class Rule(Base, frozen=True):
    """One triage rule.

    `advice` is always shown to the patient, so it names no period. `promise` is shown only when a
    phone number is stored and the clinic is open; `closed` precedes the advice when the clinic is
    closed. Both are shown only for a rule of the winning level. `reason` and `source` are for the
    clinician. `interrupt` true stops the form; "panel" shows a panel on the next page, and the form
    goes on. A `fallback` rule counts only when no other level rule fired, an `only_if_none` rule
    only when no fallback fired either. `blocks_submission` forbids sending and storing.
    """

    id: str
    level: str
    name: str
    interrupt: bool | Literal["panel"]
    inputs: tuple[str, ...]
    when: AnswerCondition
    reason: str
    advice: str
    source: str
    promise: str | None = None
    closed: str | None = None
    fallback: bool = False
    only_if_none: bool = False
    blocks_submission: bool = False
    learn: tuple[str, ...] = ()


class RuleSet(Base, frozen=True):
    """Levels, computed values and rules; `summary` is the short form that staff read."""

    version: str
    date: str
    levels: tuple[Level, ...]
    alarm_patterns: tuple[str, ...]
    computed: dict[str, Computed]
    rules: tuple[Rule, ...]
    summary: tuple[Line, ...] = ()


class Approval(Base, frozen=True):
    """The signature of a content. All three fields are null until a clinician has signed."""

    approved_by: str | None = None
    approved_on: date | None = None
    content_hash: str | None = None


class Protocol(Base, frozen=True, dict=True):
    """A questionnaire with its computed values, its rules and its approval.

    Two protocols with the same `content_hash` ask the same questions and judge the same way.
    `stored` holds the values that a document lacks which was stored before these keys existed.
    `danger` are the words of danger in free text; None in a document that is older than they are.
    """

    name: str
    questionnaire: Questionnaire
    rules: RuleSet
    approval: Approval = Approval()
    stored: Stored | None = None
    danger: Danger | None = None

    @cached_property
    def uses(self) -> Uses:
        """The questions that the program itself uses."""
        uses = self.questionnaire.uses or (self.stored.uses if self.stored is not None else None)
        assert uses is not None  # from_data and from_document refuse a protocol without
        return uses

    @cached_property
    def summary(self) -> tuple[Line, ...]:
        """The lines that staff read about answers and computed values."""
        return self.rules.summary or (self.stored.summary if self.stored is not None else ())

    @cached_property
    def computed_order(self) -> tuple[str, ...]:
        """The names of the computed values, each after those that it reads."""
        return in_order(self.rules.computed)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """All questions in order."""
        return tuple(q for section in self.questionnaire.sections for q in section.questions)

    @cached_property
    def pages(self) -> tuple[QuestionPage, ...]:
        """All pages in order: by the `page` keys of the questions, or else as full as allowed."""
        return tuple(page for section in self.questionnaire.sections for page in _pages(section))

    @cached_property
    def sensitive(self) -> frozenset[str]:
        """The ids of the sensitive questions; empty in a document older than this key."""
        return frozenset(question.id for question in self.questions if question.sensitive)

    @cached_property
    def _questions_by_id(self) -> dict[str, Question]:
        return {question.id: question for question in self.questions}

    @cached_property
    def _pages_by_id(self) -> dict[str, QuestionPage]:
        return {page.id: page for page in self.pages}

    @cached_property
    def _levels_by_code(self) -> dict[str, Level]:
        return {level.code: level for level in self.rules.levels}

    @cached_property
    def _rules_by_id(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.rules.rules}

    @cached_property
    def _pages_by_question(self) -> dict[str, QuestionPage]:
        return {question.id: page for page in self.pages for question in page.questions}

    def question(self, id: str) -> Question:
        """Return the question with this id. Raises KeyError."""
        return self._questions_by_id[id]

    def page_of(self, question: str) -> QuestionPage:
        """Return the page that asks the question. Raises KeyError."""
        return self._pages_by_question[question]

    def page(self, id: str) -> QuestionPage:
        """Return the page with this id and all its questions. Raises KeyError."""
        return self._pages_by_id[id]

    def level(self, code: str) -> Level:
        """Return the level with this code. Raises KeyError, also for `flag`."""
        return self._levels_by_code[code]

    def rule(self, id: str) -> Rule:
        """Return the rule with this id. Raises KeyError."""
        return self._rules_by_id[id]

    @cached_property
    def _document(self) -> bytes:
        content: dict[str, Any] = {
            "name": self.name,
            "questionnaire": self.questionnaire,
            "rules": self.rules,
        }
        if self.danger is not None:
            content["danger"] = self.danger
        return msgspec.json.encode(content, order="sorted")

    def document(self) -> bytes:
        """Return the canonical JSON of the questionnaire and the rules, without the approval."""
        return self._document

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of `document()` in hexadecimal digits."""
        return hashlib.sha256(self.document()).hexdigest()

    @property
    def approved(self) -> bool:
        """Whether a clinician signed exactly this content."""
        return not self.approval_faults

    @property
    def approval_faults(self) -> tuple[str, ...]:
        """The keys of the approval that are missing or belong to another content."""
        faults = [key for key in ("approved_by", "approved_on") if not getattr(self.approval, key)]
        if self.approval.content_hash != self.content_hash:
            faults.append("content_hash")
        return tuple(faults)


def from_document(document: bytes, stored: Stored | None = None) -> Protocol:
    """Read the protocol that `document()` wrote.

    So an old submission shows what its patient read. `stored` completes a document that is older
    than a key of the language. Raises msgspec.ValidationError, with the place of the fault, for
    another document.
    """
    protocol = msgspec.json.decode(document, type=Protocol)
    return _complete(msgspec.structs.replace(protocol, stored=stored))


def from_data(
    name: str, questionnaire: Any, rules: Any, approval: Any = None, danger: Any = None
) -> Protocol:
    """Make a protocol from the data of its YAML files.

    Raises msgspec.ValidationError, with the place of the fault, when the data has another shape.
    """
    protocol = Protocol(
        name=name,
        questionnaire=msgspec.convert(questionnaire, Questionnaire),
        rules=rules_from_data(rules),
        approval=msgspec.convert(approval or {}, Approval),
        danger=msgspec.convert(danger, Danger) if danger else None,
    )
    return _complete(protocol)


def rules_from_data(rules: Any) -> RuleSet:
    """Make the rules from the data of their file. Raises msgspec.ValidationError.

    The value `@alarm_patterns` of a condition stands for that list of the file.
    """
    lists = {"@alarm_patterns": rules.get("alarm_patterns")} if isinstance(rules, dict) else {}
    return msgspec.convert(_with_lists(rules, lists), RuleSet)


def _complete(protocol: Protocol) -> Protocol:
    if protocol.questionnaire.uses is None and protocol.stored is None:
        raise msgspec.ValidationError("Object missing required field `uses` - at `$`")
    return protocol


def _with_lists(data: Any, lists: dict[str, Any]) -> Any:
    if isinstance(data, dict):
        return {key: _with_lists(value, lists) for key, value in data.items()}
    if isinstance(data, list):
        return [_with_lists(value, lists) for value in data]
    return lists.get(data, data) if isinstance(data, str) else data


def _pages(section: QuestionSection) -> tuple[QuestionPage, ...]:
    """Divide the questions of a section into pages."""
    groups: list[tuple[str, list[Question]]] = []
    for question in section.questions:
        if groups and _fits(question, *groups[-1]):
            groups[-1][1].append(question)
            continue
        number = f"-{len(groups) + 1}" if groups else ""
        groups.append((question.page or f"{section.id}{number}", [question]))
    return tuple(
        QuestionPage(id=id, section=section.id, title=section.title, questions=tuple(questions))
        for id, questions in groups
    )


def _fits(question: Question, page: str, questions: list[Question]) -> bool:
    if question.page is not None:
        return question.page == page
    reads = question.show_if.questions() if question.show_if is not None else ()
    return len(questions) < QUESTIONS_PER_PAGE and not any(q.id in reads for q in questions)
