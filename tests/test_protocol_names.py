"""No question, section, page, rule or computed value of a protocol is named in Python.

The program finds what it needs in the protocol's `uses`. The code is read, not run: every string
constant that is such a name, and every option that an answer is compared with.
"""

import ast
from collections.abc import Iterator

import pytest

from intake import protocols
from intake.domain.definition import Protocol
from tests.test_architecture import MODULES, of, tree

# what stored rows and documents say, for good
EXEMPT = ("intake.domain.stored",)
# names of the program: a computed value that the walk sets, and what a clinic may leave out
OWN = {"safety_retracted", "si_screen"}
# Everyday words that the program uses for other things, module by module. A new entry is a promise
# that the word there has nothing to do with a protocol.
REVIEWED: dict[str, set[str]] = {
    # fields of forms, columns of lists and parts of sentences
    "clinic.audit.admin": {"who"},
    "clinic.models": {"who"},
    "clinic.outgoing.admin": {"about"},
    "clinic.people.admin": {"active"},
    "intake.appointments.admin.clinic_time": {"always", "reason", "who"},
    "intake.appointments.admin.clinic_time_forms": {"who"},
    "intake.appointments.admin.visits": {"reason"},
    "intake.appointments.forms": {"who"},
    "intake.appointments.views.choosing": {"who"},
    "intake.demonstration.bulk": {"reason"},
    "intake.desk.call_list": {"today", "who"},
    "intake.desk.decisions": {"reason"},
    "intake.desk.forms": {"reason", "yes"},
    "intake.desk.front_desk": {"contact", "reason"},
    "intake.desk.trail": {"who"},
    "intake.models.calls": {"reason"},
    "intake.models.clinic_time": {"reason"},
    "intake.my_page.choose_time": {"who"},
    "intake.my_page.status_page": {"who"},
    "intake.my_page.visits": {"none"},
    "intake.questionnaire.views.times_step": {"who"},
    "intake.questionnaire.views.young": {"yes"},
    "intake.staff.lists": {"no", "yes"},
    "education.admin.lists": {"about", "never", "yes"},
    "education.admin.pages": {"who"},
    # the texts of the environment that mean yes and no
    "clinic.settings": {"no", "yes"},
    # steps of every walk, and keys of `uses`
    "intake.draft_content": {"contact"},
    "intake.domain.uses": {"contact"},
    "intake.domain.use_problems": {"contact", "safety", "who"},
    # pages to read: their addresses, their models, and the words that people search for
    "education.content": {"about"},
    "education.models": {"conditions"},
    "education.search": {"ferritin", "rls"},
    "education.urls": {"about", "conditions"},
    "education.web": {"about"},
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
    """The names and options in a module; options only where something is compared with them."""
    found = {text for text in constants(module) if text in NAMES}
    for node in ast.walk(module):
        if isinstance(node, ast.Compare | ast.MatchValue):
            found |= {text for text in constants(node) if text in OPTIONS}
    return found


@pytest.mark.parametrize("module", [m for m in MODULES if not any(of(e, m) for e in EXEMPT)])
def test_a_module_names_nothing_of_a_protocol(module: str) -> None:
    assert literals(tree(module)) == REVIEWED.get(module, set())


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
