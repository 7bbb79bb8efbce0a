"""Define a protocol as frozen structs: its questions, its computed values, its rules.

The data files of a protocol are decoded directly into these structs. A fault that types can catch
(an unknown key, a wrong type, a condition of an unknown form) raises an error that names the place
of the fault, such as "Expected `str`, got `int` - at `$.sections[2].questions[0].text`". The
function `intake.domain.problems.problems` finds all other faults.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Literal

import msgspec

from intake.domain.danger import words_of
from intake.domain.danger_words import Danger
from intake.domain.grammar import AnswerCondition, Base, Computed, Line, Phrase, in_order
from intake.domain.ranges import Range
from intake.domain.uses import Stored, Uses

Value = str | int | Decimal | Range | bool | tuple[str, ...]
"""An answer, by the type of its question: str for single and text, a tuple of option codes in the
order of the options for multi, int for integer, Decimal or Range for decimal, bool for boolean."""

Answers = Mapping[str, Value]
"""Question id → answer, without hidden questions and questions left blank."""

ComputedValue = str | int | bool | None
"""A value that is computed from answers; None if the answers do not give a value."""

QUESTIONS_PER_PAGE: Final = 4
NAMED_IN_TEXT: Final = frozenset({"a", "mo", "wk", "d", "h", "min", "[in_i]", "[ft_i]", "[lb_av]"})
"""The UCUM codes of units that no patient knows. A question names such a unit in its text."""
HEADS: Final = ("title", "audience", "ready")
"""The texts at the head of a questionnaire that patients read before they begin."""
FLAG: Final = "flag"
"""The `level` of a rule that has no urgency and only informs the clinician."""


class Option(Base, frozen=True):
    """One option of a question.

    `coding` is the option's code in ICD-10-CM or SNOMED CT. `learn` names pages to read. `drawing`
    names the picture of the label in static/img/options. In a question `about` words of danger, the
    option gives the words this `scope`.
    """

    code: str
    label: str
    scope: Literal["now", "passed", "answered"] | None = None
    learn: tuple[str, ...] = ()
    coding: dict[str, str] | None = None
    drawing: str | None = None


class Proxy(Base, frozen=True):
    """The wording of a question for a proxy: a person who answers for the patient."""

    text: str
    help: str | None = None
    options: dict[str, str] = {}


class About(Base, frozen=True):
    """The words of danger about which a question asks. They stand in the answer to `q`.

    The question is shown if a frame of `rules` is heard in that answer with the scope now. The
    patient's answer gives these words another scope. Without an answer the scope stays now, so
    silence counts as yes. Hits of the alarm patterns and of the frames of `nets` in the same
    sentence get the same scope. A question about a `crisis` shows the crisis line, and does not
    repeat the words.
    """

    q: str
    rules: tuple[str, ...]
    nets: tuple[str, ...] = ()
    crisis: bool = False


class Question(Base, frozen=True):
    """One question as the patient reads it, with the limits of its answer.

    `unit` is a UCUM code. `worse` says which answers are worse (`intake.domain.worse`). `seconds`
    is the expected time to answer. `page` is the id of the screen on which the question is asked.
    A text of `one_line` is a name or a number. `learn` names pages that explain the question. The
    answer to a `sensitive` question is hidden after the device was left alone for some time. `why`
    says why staff read the options that no rule reads.
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
    one_line: bool = False
    must_be: bool | None = None
    coding: dict[str, str] | None = None
    worse: str | None = None
    seconds: int = 0
    page: str | None = None
    learn: tuple[str, ...] = ()
    proxy: Proxy | None = None
    about: About | None = None
    why: str | None = None

    @property
    def shown_unit(self) -> str:
        """The unit as people read it beside the number; '' if the question names the unit."""
        return "" if self.unit in NAMED_IN_TEXT else self.unit or ""

    def option(self, code: str) -> Option:
        """Return the option with this code. Raises KeyError."""
        for option in self.options:
            if option.code == code:
                return option
        raise KeyError(code)

    def for_proxy(self) -> Question:
        """Return the question as a person who answers for the patient reads it.

        Texts without a proxy wording do not change, nor do id, option codes, limits and conditions.
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
    """All questions of a protocol. `uses` is None only in documents from before this key existed.

    Where a clinic serves several protocols, patients choose by `title` and `audience`: what a
    protocol asks about, and for whom it is. `ready` says what to have at hand. `learn` are the
    education pages that lead patients to this protocol: `condition/page`, or `condition` for all
    its pages.
    """

    version: str
    date: str
    locale: str
    grammar: dict[str, str]
    sections: tuple[QuestionSection, ...]
    uses: Uses | None = None
    title: str | None = None
    audience: str | None = None
    ready: str | None = None
    learn: tuple[str, ...] = ()

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of all questions and options: no such word in a free text is a slip."""
        questions = [question for section in self.sections for question in section.questions]
        texts = [text for q in questions for text in (q.text, q.help or "")]
        texts += [option.label for question in questions for option in question.options]
        return words_of(texts)


class QuestionPage(Base, frozen=True):
    """The questions of one screen. `section` and `title` are the id and title of their section.

    The page's id is the key `page` of its questions, or else the section's id and a number
    (`about`, `about-2`). The id appears in addresses, so it must not reveal an answer.
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
    """An urgency. If rules of several levels fire, the level with the highest `rank` counts.

    `tell` is what patients read after sending under "What happens next". `closed` is shown before
    the advice while the clinic is closed. Texts do not write periods such as "2 days"; instead they
    use the placeholders `{within}`, `{seen_within}` and `{by}`.
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
        """The period within which the patient is seen.

        If the level has no such period, this is the period within which the patient is contacted.
        """
        return self.seen_within or self.contact_within


class Rule(Base, frozen=True):
    """One triage rule.

    `advice` is always shown to the patient, so it must not name a period. `promise` is shown only
    if a phone number is stored and the clinic is open. `closed` is shown before the advice while
    the clinic is closed. `promise` and `closed` are shown only if the rule has the highest level
    that fired. `may_wait_hours` says how many hours the patient may wait for the next opening. If
    the clinic opens later than that, the `closed` text of the level is shown instead. The text of
    the level sends the patient elsewhere. 0 means that the rule's own `closed` text sends the
    patient elsewhere.

    `reason` and `source` are for the clinician. After a reason that ends with a colon, the `lists`
    follow: of each part, the first phrase whose condition holds. `ask_back` is a question in which
    `{id}` stands for an answer. The page asks the question once, before it accepts answers that
    fire the rule.

    `interrupt` true stops the form. "panel" shows the advice on the next page, and the form goes
    on. "ask" first asks about the words (`Question.about`), and then does the same. A `fallback`
    rule fires only if no other rule with a level fired. An `only_if_none` rule fires only if no
    `fallback` rule fired either. `blocks_submission` forbids sending and storing.
    """

    id: str
    level: str
    name: str
    interrupt: bool | Literal["panel", "ask"]
    inputs: tuple[str, ...]
    when: AnswerCondition
    reason: str
    advice: str
    source: str
    promise: str | None = None
    closed: str | None = None
    lists: tuple[tuple[Phrase, ...], ...] = ()
    may_wait_hours: int | None = None
    ask_back: str | None = None
    fallback: bool = False
    only_if_none: bool = False
    blocks_submission: bool = False
    learn: tuple[str, ...] = ()


class RuleSet(Base, frozen=True):
    """Levels, computed values and rules. `summary` has the lines that staff read first."""

    version: str
    date: str
    levels: tuple[Level, ...]
    alarm_patterns: tuple[str, ...]
    computed: dict[str, Computed]
    rules: tuple[Rule, ...]
    summary: tuple[Line, ...] = ()


class Approval(Base, frozen=True):
    """A clinician's signature for one content hash. All fields are null until a clinician signs."""

    approved_by: str | None = None
    approved_on: date | None = None
    content_hash: str | None = None

    def faults(self, content_hash: str) -> tuple[str, ...]:
        """Return the keys that are empty, and `content_hash` if another content was signed."""
        faults = [key for key in ("approved_by", "approved_on") if not getattr(self, key)]
        if self.content_hash != content_hash:
            faults.append("content_hash")
        return tuple(faults)


class Protocol(Base, frozen=True, dict=True):
    """A questionnaire with its computed values, its rules and its approval.

    Two protocols with the same `content_hash` ask the same questions and judge the same way.
    `stored` completes an old stored document that lacks the keys `uses`, `summary` and `tell`.
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
        assert uses is not None  # from_data and from_document refuse a protocol without `uses`
        return uses

    def falls_short(self, language: str) -> bool:
        """Whether danger in own words is not heard well enough in this language."""
        return self.danger is not None and language in self.danger.falls_short

    @cached_property
    def summary(self) -> tuple[Line, ...]:
        """The lines that staff read about answers and computed values."""
        return self.rules.summary or (self.stored.summary if self.stored is not None else ())

    @cached_property
    def computed_order(self) -> tuple[str, ...]:
        """The names of the computed values, each after the computed values that it reads."""
        return in_order(self.rules.computed)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """All questions in order."""
        return tuple(q for section in self.questionnaire.sections for q in section.questions)

    @cached_property
    def pages(self) -> tuple[QuestionPage, ...]:
        """All pages in order.

        A question without the key `page` goes on the same page as the question before, unless that
        page is full, or `show_if` reads an answer of that page.
        """
        return tuple(page for section in self.questionnaire.sections for page in _pages(section))

    @cached_property
    def sensitive(self) -> frozenset[str]:
        """The ids of the sensitive questions; empty in documents from before this key existed."""
        return frozenset(question.id for question in self.questions if question.sensitive)

    @cached_property
    def asking(self) -> tuple[Question, ...]:
        """The questions about words of danger, in order."""
        return tuple(question for question in self.questions if question.about is not None)

    def frames_of(self, rules: Collection[str]) -> frozenset[str]:
        """Return the ids of the frames of danger that name one of these rules."""
        frames = self.danger.frames if self.danger is not None else ()
        return frozenset(frame.id for frame in frames if frame.rule in rules)

    @cached_property
    def crisis_rules(self) -> frozenset[str]:
        """The rules about thoughts of suicide. For them, pages name the crisis line first."""
        asked = {r for q in self.asking if q.about and q.about.crisis for r in q.about.rules}
        frames = self.frames_of(asked)
        return frozenset(
            rule.id
            for rule in self.rules.rules
            if self.uses.crisis in rule.inputs
            or any(leaf.danger and frames.issuperset(leaf.danger) for leaf in rule.when.leaves())
        )

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
        """Return the level with this code. Raises KeyError, also for `flag`, which is no level."""
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
        """Whether a clinician has signed exactly this content."""
        return not self.approval_faults

    @property
    def approval_faults(self) -> tuple[str, ...]:
        """The keys of the approval that are empty or do not match the content."""
        return self.approval.faults(self.content_hash)


def from_document(document: bytes, stored: Stored | None = None) -> Protocol:
    """Read the protocol that `document()` wrote, so that old submissions show what patients read.

    `stored` completes an old document that lacks keys. Raises msgspec.ValidationError, which names
    the place of the fault, for any other bytes.
    """
    protocol = msgspec.json.decode(document, type=Protocol)
    return _complete(msgspec.structs.replace(protocol, stored=stored))


def from_data(
    name: str, questionnaire: Any, rules: Any, approval: Any = None, danger: Any = None
) -> Protocol:
    """Make a protocol from the data of its YAML files.

    Raises msgspec.ValidationError, which names the place of the fault, for data of another form.
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

    In a condition, the value `@alarm_patterns` stands for the list `alarm_patterns` of the file.
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
    reads = {*(question.show_if.questions() if question.show_if is not None else ())}
    reads |= {question.about.q} if question.about is not None else set()
    return len(questions) < QUESTIONS_PER_PAGE and not any(q.id in reads for q in questions)
