"""No question, section, page, rule or computed value of a protocol is named in Python.

The program finds the questions that it needs through the protocol's `uses`. These tests read the
code and do not run it. They look for string constants that equal a name of a protocol, and for
options with which the code compares an answer.
"""

import ast
from collections.abc import Iterator

import pytest

from intake import protocols
from intake.domain.definition import Protocol
from tests.test_architecture import MODULES, of, tree

# this module holds names that stored rows and documents contain, and these names never change
EXEMPT = ("intake.domain.stored",)
# names that the program itself defines: a computed value that the walk sets, and a question that a
# clinic may leave out
OWN = {"safety_retracted", "si_screen"}
# modules that read answers: every string that equals a name is a fault, except those in REVIEWED
READS_ANSWERS = (
    *(f"intake.{room}" for room in ("domain", "questionnaire", "wording", "forms", "letters")),
    *("intake.documents", "intake.draft_content", "intake.demonstration", "intake.management"),
    *("intake.desk.submission_page", "intake.desk.reasons", "intake.desk.short_words"),
    *("intake.my_page.replies", "education.checks"),
)
REVIEWED: dict[str, set[str]] = {
    # these words are steps of every walk, and keys of `uses`
    "intake.draft_content": {"contact"},
    "intake.domain.uses": {"contact"},
    "intake.domain.use_problems": {"contact", "safety", "who"},
    # a word of a text message, and an answer to "May we call you?"
    "intake.domain.text_words": {"no"},
    "intake.questionnaire.forms.contact": {"no"},
    # a unit as patients write it
    "intake.domain.typed_number": {"pounds"},
    # these words are fields of other forms: the reason of a decision, the clinician ("who"), the
    # confirmation of the age
    "intake.demonstration.bulk": {"reason"},
    "intake.questionnaire.views.times_step": {"who"},
    "intake.questionnaire.views.young": {"yes"},
}
# Everyday words that modules outside of READS_ANSWERS use for other things: columns and filters of
# lists, fields of forms, addresses, and words that visitors search for.
EVERYDAY = {
    *("about", "always", "conditions", "contact", "reason", "who"),
    *("active", "never", "no", "none", "today", "yes"),
    *("ferritin", "rls"),
}
PROTOCOLS = [protocols.load(name) for name in protocols.available()]


def names(protocol: Protocol) -> set[str]:
    return {
        *(question.id for question in protocol.questions),
        *(section.id for section in protocol.questionnaire.sections),
        *(page.id for page in protocol.pages),
        *(rule.id for rule in protocol.rules.rules),
        *protocol.rules.computed,
    }


NAMES = {name for protocol in PROTOCOLS for name in names(protocol)} - OWN
OPTIONS = {o.code for p in PROTOCOLS for question in p.questions for o in question.options}


def constants(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def literals(module: ast.Module) -> set[str]:
    """Return the names and options of protocols that a module contains or compares a value with."""
    found = {text for text in constants(module) if text in NAMES}
    for node in ast.walk(module):
        if isinstance(node, ast.Compare | ast.MatchValue):
            found |= {text for text in constants(node) if text in OPTIONS}
    return found


@pytest.mark.parametrize("module", [m for m in MODULES if not any(of(e, m) for e in EXEMPT)])
def test_a_module_names_nothing_of_a_protocol(module: str) -> None:
    strict = any(of(part, module) for part in READS_ANSWERS)
    allowed = REVIEWED.get(module, set()) if strict else EVERYDAY
    assert literals(tree(module)) <= allowed


def test_what_was_reviewed_is_still_there() -> None:
    for module, words in REVIEWED.items():
        assert literals(tree(module)) == words, module


@pytest.mark.parametrize(
    "code",
    [
        "answers.get('age_years')",
        "if answers['who'] in ('parent_guardian', 'caregiver'): pass",
        "match main_reason:\n case 'restless': pass",
        "rules = ['E02']",
        "redirect_to('safety')",
    ],
)
def test_a_literal_is_found(code: str) -> None:
    assert literals(ast.parse(code))
