"""A protocol as frozen structs: what is asked, what is computed, which rules judge the answers.

The data files of a protocol are decoded straight into these structs. What types can catch (an
unknown key, a wrong type, a condition of no known shape) is an error that names its place, such as
"Expected `str`, got `int` - at `$.sections[2].questions[0].text`". What types cannot catch is found
by `intake.domain.problems.problems`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

Value = str | int | Decimal | bool | tuple[str, ...]
"""An answer: single and text → str, multi → option codes in option order, integer → int,
decimal → Decimal, boolean → bool."""

Answers = Mapping[str, Value]
"""Question id → value. A question that was hidden or left blank is not in it."""

ComputedValue = str | int | bool | None
"""A value derived from answers; None where it is unknown."""

QUESTIONS_PER_PAGE: Final = 4
FLAG: Final = "flag"
"""The `level` of a rule that carries no urgency and only tells the clinician something."""


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all parts share: unknown keys are refused, and a default is not written out.

    Leaving defaults out keeps the hash of a stored document the same when a later version of the
    program knows one more optional key.
    """


def is_number(value: object) -> bool:
    """Whether it is a number, which in Python true and false would be too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_list(value: object) -> bool:
    return isinstance(value, tuple)


_VALUE_OF_OPERATOR: Final[dict[str, tuple[str, Callable[[object], bool]]]] = {
    "eq": ("one value", lambda value: not isinstance(value, tuple)),
    "contains": ("one option", lambda value: isinstance(value, str)),
    **dict.fromkeys(("in", "contains_any", "text_any_regex"), ("a list", _is_list)),
    **dict.fromkeys(("gte", "lte", "gt", "lt"), ("a number", is_number)),
}


class Condition(Base, frozen=True, rename={"not_": "not"}, cache_hash=True):
    """A leaf `{q|var, op, value}`, or exactly one of `all`, `any`, `not`.

    `q` reads an answer, `var` a computed value. How it is judged: `intake.domain.conditions`.
    """

    q: str | None = None
    var: str | None = None
    op: (
        Literal["eq", "in", "contains", "contains_any", "gte", "lte", "gt", "lt", "text_any_regex"]
        | None
    ) = None
    value: str | bool | int | float | tuple[str, ...] | None = None
    all: tuple[Condition, ...] | None = None
    any: tuple[Condition, ...] | None = None
    not_: Condition | None = None

    def __post_init__(self) -> None:
        keys = {name for name in self.__struct_fields__ if getattr(self, name) is not None}
        if keys in ({"q", "op", "value"}, {"var", "op", "value"}):
            expected, fits = _VALUE_OF_OPERATOR[self.op or ""]
            if not fits(self.value):
                raise ValueError(f"`{self.op}` takes {expected}")
        elif keys not in ({"all"}, {"any"}, {"not_"}):
            raise ValueError(
                "A condition is {q, op, value}, {var, op, value}, {all}, {any} or {not}"
            )

    def leaves(self) -> tuple[Condition, ...]:
        """Every leaf under this condition, in reading order; of a leaf, itself."""
        if self.op is not None:
            return (self,)
        parts = self.all or self.any or ((self.not_,) if self.not_ is not None else ())
        return tuple(leaf for part in parts for leaf in part.leaves())

    def questions(self) -> tuple[str, ...]:
        """The ids of the questions it reads, each once, in reading order."""
        return tuple(dict.fromkeys(leaf.q for leaf in self.leaves() if leaf.q is not None))

    def computed(self) -> tuple[str, ...]:
        """The names of the computed values it reads, each once, in reading order."""
        return tuple(dict.fromkeys(leaf.var for leaf in self.leaves() if leaf.var is not None))


class Option(Base, frozen=True):
    """One answer to choose. `coding` names it in ICD-10-CM or SNOMED CT; `learn` are pages."""

    code: str
    label: str
    learn: tuple[str, ...] = ()
    coding: dict[str, str] | None = None


class Proxy(Base, frozen=True):
    """The wording of a question for somebody who answers for the patient."""

    text: str
    help: str | None = None
    options: dict[str, str] = {}


class Question(Base, frozen=True):
    """One question as the patient reads it, with the limits of its answer.

    `unit` is a UCUM code, `seconds` the time it is expected to take, `page` the screen it is asked
    on, `learn` the education pages that explain it. `sensitive` hides the answer on a device that
    was left alone for a while.
    """

    id: str
    type: Literal["single", "multi", "integer", "decimal", "text", "boolean"]
    text: str
    required: bool
    show_if: Condition | None
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
        """The option of this code. Raises KeyError when there is none."""
        for option in self.options:
            if option.code == code:
                return option
        raise KeyError(code)

    def for_proxy(self) -> Question:
        """The same question worded for somebody who answers for the patient.

        What has no wording of its own stays as it is. Only words differ: id, options, limits and
        conditions are the same.
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


class Section(Base, frozen=True):
    id: str
    title: str
    questions: tuple[Question, ...]


class Questionnaire(Base, frozen=True):
    version: str
    date: str
    locale: str
    grammar: dict[str, str]
    sections: tuple[Section, ...]


class Page(Base, frozen=True):
    """What one screen asks. `section` is the id of its section, `title` that section's title.

    The id is structural (`about`, `about-2`): it stands in addresses and must not tell an answer.
    """

    id: str
    section: str
    title: str
    questions: tuple[Question, ...]


class Within(Base, frozen=True):
    """A target time, in exactly one unit: clinic opening hours, business days, calendar days."""

    open_hours: int | None = None
    business_days: int | None = None
    days: int | None = None

    def __post_init__(self) -> None:
        if sum(n is not None for n in (self.open_hours, self.business_days, self.days)) != 1:
            raise ValueError("A target is one of open_hours, business_days, days")


class Level(Base, frozen=True):
    """An urgency. The higher `rank` wins. `closed` leads the advice when the clinic is closed."""

    code: str
    rank: int
    target: str
    contact_within: Within
    seen_within: Within | None = None
    closed: str | None = None


class Computed(Base, frozen=True):
    """A computed value: the version of the code that runs, and what it does in words."""

    version: int
    text: str


class Rule(Base, frozen=True):
    """One triage rule.

    `advice` is always shown to the patient, so it names no period. `promise` is shown only where a
    phone number is stored and the clinic is open, and `closed` leads when it is closed; both only
    for a rule of the level that won. `reason` and `source` are for the clinician.
    `interrupt` true stops the form, "panel" shows a panel on the next page and lets it go on.
    A `fallback` rule counts only when no other level rule fired, an `only_if_none` rule only when
    no fallback fired either. `blocks_submission` means that nothing may be sent or stored.
    """

    id: str
    level: str
    name: str
    interrupt: bool | Literal["panel"]
    inputs: tuple[str, ...]
    when: Condition
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
    version: str
    date: str
    levels: tuple[Level, ...]
    alarm_patterns: tuple[str, ...]
    computed: dict[str, Computed]
    rules: tuple[Rule, ...]


class Approval(Base, frozen=True):
    """Who signed which content. All three are null until a clinician has signed."""

    approved_by: str | None = None
    approved_on: date | None = None
    content_hash: str | None = None


class Protocol(Base, frozen=True, dict=True):
    """A questionnaire with its computed values and rules, and who approved it.

    Two protocols with the same `content_hash` ask the same and judge the same.
    """

    name: str
    questionnaire: Questionnaire
    rules: RuleSet
    approval: Approval = Approval()

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """All questions in the order they are asked."""
        return tuple(q for section in self.questionnaire.sections for q in section.questions)

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """All pages in order: by their `page` keys, or split greedily where a section has none."""
        return tuple(page for section in self.questionnaire.sections for page in _pages(section))

    @cached_property
    def sensitive(self) -> frozenset[str]:
        """The ids of the sensitive questions; empty in a document older than that key."""
        return frozenset(question.id for question in self.questions if question.sensitive)

    @cached_property
    def _questions_by_id(self) -> dict[str, Question]:
        return {question.id: question for question in self.questions}

    @cached_property
    def _pages_by_id(self) -> dict[str, Page]:
        return {page.id: page for page in self.pages}

    @cached_property
    def _levels_by_code(self) -> dict[str, Level]:
        return {level.code: level for level in self.rules.levels}

    @cached_property
    def _rules_by_id(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.rules.rules}

    def question(self, id: str) -> Question:
        """The question of this id. Raises KeyError when there is none."""
        return self._questions_by_id[id]

    def page(self, id: str) -> Page:
        """The page of this id, with all its questions. Raises KeyError when there is none."""
        return self._pages_by_id[id]

    def level(self, code: str) -> Level:
        """The urgency of this code. Raises KeyError when there is none; a flag has none."""
        return self._levels_by_code[code]

    def rule(self, id: str) -> Rule:
        """The rule of this id. Raises KeyError when there is none."""
        return self._rules_by_id[id]

    @cached_property
    def _document(self) -> bytes:
        content = {"name": self.name, "questionnaire": self.questionnaire, "rules": self.rules}
        return msgspec.json.encode(content, order="sorted")

    def document(self) -> bytes:
        """Canonical JSON of all that is asked and all that runs; the approval is not part of it."""
        return self._document

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of `document()` in hexadecimal digits."""
        return hashlib.sha256(self.document()).hexdigest()

    @property
    def approved(self) -> bool:
        """True when somebody signed exactly this content."""
        return not self.approval_faults

    @property
    def approval_faults(self) -> tuple[str, ...]:
        """The keys of the approval that are missing, or that name another content."""
        faults = [key for key in ("approved_by", "approved_on") if not getattr(self.approval, key)]
        if self.approval.content_hash != self.content_hash:
            faults.append("content_hash")
        return tuple(faults)


def from_document(document: bytes) -> Protocol:
    """The protocol that `document()` wrote, so that an old submission shows what was read then.

    Raises msgspec.ValidationError, with the place of the fault, when it is not such a document.
    """
    return msgspec.json.decode(document, type=Protocol)


def from_data(name: str, questionnaire: Any, rules: Any, approval: Any = None) -> Protocol:
    """A protocol from plain data as a YAML file holds it.

    `@alarm_patterns` as the value of a condition stands for that list of the rules file. Raises
    msgspec.ValidationError, with the place of the fault, when the data has another shape.
    """
    lists = {"@alarm_patterns": rules.get("alarm_patterns")} if isinstance(rules, dict) else {}
    return Protocol(
        name=name,
        questionnaire=msgspec.convert(questionnaire, Questionnaire),
        rules=msgspec.convert(_with_lists(rules, lists), RuleSet),
        approval=msgspec.convert(approval or {}, Approval),
    )


def _with_lists(data: Any, lists: dict[str, Any]) -> Any:
    if isinstance(data, dict):
        return {key: _with_lists(value, lists) for key, value in data.items()}
    if isinstance(data, list):
        return [_with_lists(value, lists) for value in data]
    return lists.get(data, data) if isinstance(data, str) else data


def _pages(section: Section) -> tuple[Page, ...]:
    """The section's questions in order, a new page wherever the page changes."""
    groups: list[tuple[str, list[Question]]] = []
    for question in section.questions:
        if groups and _fits(question, *groups[-1]):
            groups[-1][1].append(question)
            continue
        number = f"-{len(groups) + 1}" if groups else ""
        groups.append((question.page or f"{section.id}{number}", [question]))
    return tuple(
        Page(id=id, section=section.id, title=section.title, questions=tuple(questions))
        for id, questions in groups
    )


def _fits(question: Question, page: str, questions: list[Question]) -> bool:
    if question.page is not None:
        return question.page == page
    reads = question.show_if.questions() if question.show_if is not None else ()
    return len(questions) < QUESTIONS_PER_PAGE and not any(q.id in reads for q in questions)
