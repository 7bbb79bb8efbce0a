"""Find the faults of a protocol that types alone cannot catch.

The program checks a protocol before serving it. A question that no patient can reach, a rule that
can never fire or a misspelt option must stop the deployment, so that no patient meets the fault.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from intake.domain.about_problems import about_problems
from intake.domain.asked_back import questions_of
from intake.domain.closed_problems import closed_problems, vague_times
from intake.domain.computed_problems import computed_problems
from intake.domain.danger_problems import danger_problems
from intake.domain.definition import (
    FLAG,
    HEADS,
    QUESTIONS_PER_PAGE,
    Protocol,
    Question,
    QuestionPage,
    Rule,
)
from intake.domain.fact_problems import fact_problems
from intake.domain.grammar import conditions_of
from intake.domain.languages import ENGLISH, LanguageFacts
from intake.domain.leaf_problems import leaf_problems, values_of
from intake.domain.levels import PLACEHOLDER, level_problems
from intake.domain.problem import Problem
from intake.domain.promises import promising_sentences
from intake.domain.reachability import can_become_true
from intake.domain.read_problems import read_problems
from intake.domain.readability import READING_GRADE, reading_grade
from intake.domain.use_problems import use_problems
from intake.domain.uses import OWN_ADDRESSES, OWN_STEPS
from intake.domain.worse import worse_problems

_SPEAKS_TO_PATIENT: Final = re.compile(
    r"\b(you|your|yours|yourself|i|me|my|mine|myself)\b", re.IGNORECASE
)
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LEARN: Final = re.compile(r"[a-z]+(-[a-z]+)*/[a-z]+(-[a-z]+)*")


LONGEST_RULE: Final = 8
LONGEST_VERSION: Final = 30
"""How many characters a rule's id, or a version, may have in the database."""


def problems(protocol: Protocol) -> list[Problem]:
    """Return all problems in reading order. A protocol without problems may be served.

    The search for questions that cannot be reached and rules that cannot fire takes some tens of
    milliseconds. This search is skipped while names are wrong, because it would then find many
    further problems, and these would hide their cause.
    """
    found = [
        *_names(protocol),
        *use_problems(protocol),
        *_questions(protocol),
        *_pages(protocol),
        *level_problems(protocol),
        *_rules(protocol),
        *closed_problems(protocol),
        *computed_problems(protocol),
        *fact_problems(protocol),
        *_conditions(protocol),
        *danger_problems(protocol),
        *about_problems(protocol),
        *_texts(protocol),
    ]
    unsound = {
        "duplicate_id",
        "bad_pattern",
        "forward_reference",
        "wrong_operator",
        "circular_computed",
    }
    if not any(problem.id in unsound or problem.id.startswith("unknown_") for problem in found):
        found += [
            *worse_problems(protocol),
            *read_problems(protocol),
            *_unreachable(protocol),
        ]
    return found


# --- names and structure --------------------------------------------------------------------------


def _names(protocol: Protocol) -> Iterator[Problem]:
    sections = protocol.questionnaire.sections
    named = [
        ("sections", [section.id for section in sections]),
        ("questions", [question.id for question in protocol.questions]),
        ("pages", [page.id for page in protocol.pages]),
        ("levels", [level.code for level in protocol.rules.levels]),
        ("level ranks", [str(level.rank) for level in protocol.rules.levels]),
        ("rules", [rule.id for rule in protocol.rules.rules]),
    ]
    named += [
        (f"questions.{question.id}.options", [option.code for option in question.options])
        for question in protocol.questions
    ]
    for path, ids in named:
        for id, count in Counter(ids).items():
            if count > 1:
                yield Problem("duplicate_id", path, f"“{id}” is used {count} times. Rename one.")

    if protocol.name in OWN_ADDRESSES:
        message = f"The program has an address “/intake/{protocol.name}/”. Rename the folder."
        yield Problem("own_address", "name", message)
    elif not _NAME.fullmatch(protocol.name):
        message = f"Write “{protocol.name}” in small letters, digits and single hyphens."
        yield Problem("own_address", "name", message)

    stored = [(f"rules.{rule.id}", rule.id, LONGEST_RULE) for rule in protocol.rules.rules]
    stored.append(("version", protocol.questionnaire.version, LONGEST_VERSION))
    for path, text, longest in stored:
        if len(text) > longest:
            yield Problem("too_long", path, f"Use at most {longest} characters for “{text}”.")


def _questions(protocol: Protocol) -> Iterator[Problem]:
    # `learn` at the head may name a condition without a page, which means all pages about it
    heads = (slug for slug in protocol.questionnaire.learn if not _NAME.fullmatch(slug))
    yield from _learn("learn", heads)
    for question in protocol.questions:
        path = f"questions.{question.id}"
        codes = {option.code for option in question.options}
        for code in question.exclusive:
            if code not in codes:
                yield Problem("unknown_option", f"{path}.exclusive", f"There is no “{code}”.")
        for code in question.proxy.options if question.proxy else ():
            if code not in codes:
                yield Problem("unknown_option", f"{path}.proxy.options", f"There is no “{code}”.")
        if not _has_limits(question):
            yield Problem("missing_limits", path, f"Give the limits of a {question.type} question.")
        yield from _learn(f"{path}.learn", question.learn)
        for option in question.options:
            yield from _learn(f"{path}.options.{option.code}.learn", option.learn)


def _has_limits(question: Question) -> bool:
    match question.type:
        case "single" | "multi":
            return bool(question.options)
        case "integer" | "decimal":
            return question.min is not None and question.max is not None
        case "text":
            return question.max_length is not None
        case _:
            return True


def _learn(path: str, slugs: Iterable[str]) -> Iterator[Problem]:
    for slug in slugs:
        if not _LEARN.fullmatch(slug):
            yield Problem("bad_learn", path, f"Write “{slug}” as condition/page.")


def _pages(protocol: Protocol) -> Iterator[Problem]:
    first, *beside = protocol.pages[0].questions if protocol.pages else (None,)
    if first is None or first.id != protocol.uses.safety:
        yield Problem("safety_not_alone", "pages", "Begin with the safety question.")
    for question in beside:
        if not (question.interrupts and question.required):
            message = f"“{question.id}” stands beside the safety question. Give it another page."
            yield Problem("safety_not_alone", "pages", message)
    for section in protocol.questionnaire.sections:
        pages = [page for page in protocol.pages if page.section == section.id]
        if not _is_contact(protocol, pages) and _SPEAKS_TO_PATIENT.search(section.title):
            message = "Write the title so that it fits a proxy, too: “About the patient”."
            yield Problem("missing_proxy", f"sections.{section.id}", message)
        if section.id in OWN_STEPS and not _is_contact(protocol, pages):
            yield Problem(
                "page_id", f"sections.{section.id}", "The program has a step of this name."
            )
        for number, page in enumerate(pages, start=1):
            expected = section.id if number == 1 else f"{section.id}-{number}"
            if page.id != expected:
                yield Problem("page_id", f"pages.{page.id}", f"Call this page “{expected}”.")
    for page in protocol.pages:
        path = f"pages.{page.id}"
        second = protocol.uses.cannot_wait  # belongs to the own words beside it
        questions = [q for q in page.questions if second is None or q.id != second.q]
        if len(questions) > QUESTIONS_PER_PAGE:
            yield Problem(
                "page_too_full", path, f"Ask at most {QUESTIONS_PER_PAGE} questions on a page."
            )
        here = {question.id for question in page.questions}
        for question in page.questions:
            if question.show_if is not None and not here.isdisjoint(question.show_if.questions()):
                yield Problem("page_depends", path, f"Move “{question.id}” to a later page.")


def _is_contact(protocol: Protocol, pages: Iterable[QuestionPage]) -> bool:
    """Whether the pages ask a question that belongs to the step `contact`."""
    asked = {question.id for page in pages for question in page.questions}
    return not asked.isdisjoint(protocol.uses.contact.stored_names)


def _rules(protocol: Protocol) -> Iterator[Problem]:
    levels = {level.code for level in protocol.rules.levels}
    for rule in protocol.rules.rules:
        path = f"rules.{rule.id}"
        if rule.level not in levels | {FLAG}:
            yield Problem("unknown_level", path, f"There is no level “{rule.level}”.")
        if set(rule.inputs) != set(rule.when.reads()):
            reads = ", ".join(rule.when.reads())
            yield Problem("inputs_differ", f"{path}.inputs", f"The condition reads {reads}.")
        if not rule.source.strip():
            yield Problem("missing_source", path, "Say where this rule comes from.")
        if rule.level != FLAG and not rule.advice.strip():
            yield Problem("missing_advice", path, "Say what the patient should do.")
        if rule.only_if_none and not rule.fallback:
            yield Problem("missing_fallback", path, "Set `fallback: true` as well.")
        yield from _learn(f"{path}.learn", rule.learn)
        yield from _asks_back(protocol, rule)
    if not any(rule.only_if_none for rule in protocol.rules.rules):
        yield Problem("missing_default", "rules", "Add an only_if_none rule.")


def _asks_back(protocol: Protocol, rule: Rule) -> Iterator[Problem]:
    if rule.ask_back is None:
        return
    try:
        read = questions_of(protocol, rule)
    except KeyError:  # another check reports the missing computed value
        return
    for name in sorted(set(PLACEHOLDER.findall(rule.ask_back)) - read):
        message = f"There is nothing to put for {{{name}}}: the rule reads no such answer."
        yield Problem("wrong_ask_back", f"rules.{rule.id}.ask_back", message)


# --- conditions -----------------------------------------------------------------------------------


def _conditions(protocol: Protocol) -> Iterator[Problem]:
    values = values_of(protocol)
    before: set[str] = set()
    for question in protocol.questions:
        path = f"questions.{question.id}.show_if"
        if question.show_if is not None:
            yield from leaf_problems(protocol, path, question.show_if, values)
            later = set(question.show_if.questions()) - before
            for id in sorted(later & {question.id for question in protocol.questions}):
                yield Problem("forward_reference", path, f"Ask “{id}” before “{question.id}”.")
            for name in question.show_if.computed():
                yield Problem("forward_reference", path, f"Read answers, not “{name}”.")
        before.add(question.id)
    for rule in protocol.rules.rules:
        yield from leaf_problems(protocol, f"rules.{rule.id}.when", rule.when, values)
        for condition in conditions_of(rule.lists):
            yield from leaf_problems(protocol, f"rules.{rule.id}.lists", condition, values)


# --- questions and rules that no answers reach ----------------------------------------------------


def _unreachable(protocol: Protocol) -> Iterator[Problem]:
    for question in protocol.questions:
        if question.show_if is not None and not can_become_true(protocol, question.show_if):
            yield Problem(
                "never_shown", f"questions.{question.id}", "No answers lead to this question."
            )
    for rule in protocol.rules.rules:
        if not can_become_true(protocol, rule.when):
            yield Problem("never_fires", f"rules.{rule.id}", "No answers make this rule fire.")


# --- texts ----------------------------------------------------------------------------------------


def _texts(protocol: Protocol) -> Iterator[Problem]:
    for question in protocol.questions:
        # The question "Who fills in the form?" needs no proxy wording, because before its answer
        # nobody knows whether the reader is a proxy.
        if question.id != protocol.uses.who.q and not _asks_the_patient_alone(protocol, question):
            yield from _proxy(question)
    heads = protocol.questionnaire
    texts = [(name, getattr(heads, name)) for name in HEADS]
    texts += [
        (f"levels.{level.code}.{key}", text)
        for level in protocol.rules.levels
        for key, text in (("closed", level.closed), ("tell", level.tell))
    ]
    texts += [
        (f"rules.{rule.id}.{key}", text)
        for rule in protocol.rules.rules
        for key, text in _patient_texts(rule)
    ]
    for path, text in texts:
        if text and (grade := reading_grade(text)) > READING_GRADE:
            yield Problem(
                "hard_to_read",
                path,
                f"This reads like grade {grade:.1f}. Use shorter words and sentences,"
                f" down to {READING_GRADE:.0f}.",
            )
        if text and path.endswith((".advice", ".closed")):
            yield from promise_problems(path, text)
        yield from vague_times(path, text or "")


def promise_problems(path: str, text: str, language: LanguageFacts = ENGLISH) -> Iterator[Problem]:
    """Yield a problem for each promise in a text.

    A patient would read the promise even when the clinic cannot keep it.
    """
    for sentence in promising_sentences(text, language):
        message = f"“{sentence}” Move this to `promise`, or leave it to the words of the level."
        yield Problem("promise_in_advice", path, message)


def _patient_texts(rule: Rule) -> tuple[tuple[str, str | None], ...]:
    return (
        ("advice", rule.advice),
        ("promise", rule.promise),
        ("closed", rule.closed),
        ("ask_back", rule.ask_back),
    )


def _asks_the_patient_alone(protocol: Protocol, question: Question) -> bool:
    """Whether the question is never shown to a proxy, such as an instrument for self-report."""
    shown = question.show_if
    who = protocol.uses.who
    return shown is not None and any(
        part.q == who.q and part.op == "eq" and part.value not in who.proxy
        for part in shown.all or (shown,)
    )


def _proxy(question: Question) -> Iterator[Problem]:
    path = f"questions.{question.id}"
    if question.proxy is None and _SPEAKS_TO_PATIENT.search(question.text):
        yield Problem("missing_proxy", path, "Add a proxy wording that says “the patient”.")
    worded = question.proxy.options if question.proxy is not None else {}
    for option in question.options:
        if option.code not in worded and _SPEAKS_TO_PATIENT.search(option.label):
            yield Problem(
                "missing_proxy",
                f"{path}.options.{option.code}",
                "Add a proxy wording of this option that says “the patient”.",
            )
