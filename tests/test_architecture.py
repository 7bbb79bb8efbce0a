"""Imports point down, and only services write. Read from the code itself, not from running it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("clinic", "intake", "education")

# What a part of the program may import of ours; each entry covers its submodules. What stands
# higher in this list may import what stands below it, and never the other way round.
ALLOWED = {
    "intake.domain": {"intake.domain"},
    "intake.protocols": {"intake.domain", "intake.protocols"},
    "intake.models": {"clinic", "intake.domain"},
    "intake.questionnaire.walk": {"intake.domain"},
    "intake.wording.reading": {"intake.domain", "intake.models"},
    "intake.wording.advice": {"clinic", "intake.domain"},
    "intake.search": {"clinic"},
    "intake.letters.messages": {"clinic", "intake.domain", "intake.models"},
    "intake.letters.sentences": set(),
    "intake.wording.moments": set(),
    "intake.appointments.calendar_file": {"intake.models"},
    "intake.letters.appointments": {
        *(
            "clinic",
            "intake.models",
            "intake.letters.messages",
            "intake.wording.moments",
            "intake.appointments.calendar_file",
        ),
    },
    "intake.services": {
        *(
            "clinic",
            "intake.domain",
            "intake.protocols",
            "intake.models",
            "intake.questionnaire.walk",
        ),
        *(
            "intake.search",
            "intake.letters.messages",
            "intake.letters.sentences",
            "intake.services",
        ),
    },
    "intake.forms": {
        *(
            "clinic",
            "intake.domain",
            "intake.protocols",
            "intake.models",
            "intake.questionnaire.walk",
        ),
        *("intake.wording.reading", "intake.wording.advice", "intake.wording.moments"),
    },
    "intake.demonstration.people": {"intake.domain", "intake.models", "intake.questionnaire.walk"},
    "education.markup": set(),
    "education.image_format": set(),
    "education.content": {"education.markup"},
    "education.rendering": {"clinic", "education.markup"},
    "education.models": {"clinic", "education.content", "education.image_format"},
    "education.differences": {"education.content"},
    "education.link_check": {"education.content", "education.markup"},
    "education.problems": {"education.content", "education.markup"},
    "education.judging": {
        "education.content",
        "education.problems",
        "education.markup",
        "intake.domain",
    },
    "education.messages": {"clinic", "education.models", "education.services"},
    "education.services": {
        *("clinic", "education.content", "education.markup", "education.models"),
        "education.image_format",
    },
}
# of `clinic`, the modules that both apps share; the rest is the project around them
SHARED = {
    f"clinic.{name}"
    # `models` to read the audit trail; `audit` alone writes it
    for name in (
        "audit sealing outbox sweeps leaving sms limits hours ids logs context lists models"
        " rendered cache attempts".split()
    )
}
# the only places that write to a model
WRITERS = ("intake.services", "intake.demonstration.bulk", "education.services")
WRITES = {
    *("save", "delete", "create", "update", "bulk_create", "bulk_update"),
    *("get_or_create", "update_or_create", "adelete", "asave", "acreate", "aupdate"),
}
# of the pages, what a command or a test can use without a database
TEXT = ("education.markup", "education.content")
# plain Python: no framework, no clock, no chance, no way out of the process
PURE = ("intake.domain",)
NOT_PURE = {
    *("django", "time", "random", "secrets", "os", "socket", "psycopg2", "pathlib"),
    *("subprocess", "threading", "logging", "zoneinfo"),
}


def modules() -> dict[str, Path]:
    found = {}
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" not in path.parts:
                parts = path.relative_to(ROOT).with_suffix("").parts
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """Everything a module imports, inside its functions too."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: write imports in full"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else node.module


def of(part: str, module: str) -> bool:
    return module == part or module.startswith(f"{part}.")


def ours(module: str) -> Iterator[str]:
    return (name for name in imports(module) if name.partition(".")[0] in APPS)


def test_there_is_something_to_read():
    assert {
        "intake.domain.triage",
        "intake.questionnaire.sending",
        "clinic.audit",
    } <= MODULES.keys()
    for part in ALLOWED:
        assert any(of(part, module) for module in MODULES), part


@pytest.mark.parametrize("part", ALLOWED)
def test_imports_point_down(part):
    for module in MODULES:
        if of(part, module):
            for imported in ours(module):
                assert any(of(allowed, imported) for allowed in ALLOWED[part] | {part}), (
                    f"{module} imports {imported}"
                )


@pytest.mark.parametrize("module", [m for m in MODULES if any(of(part, m) for part in PURE)])
def test_the_domain_knows_no_framework_no_clock_and_no_database(module):
    allowed = set(sys.stdlib_module_names) - NOT_PURE | {"msgspec", "intake"}
    for imported in imports(module):
        assert imported.partition(".")[0] in allowed, f"{module} imports {imported}"


@pytest.mark.parametrize("part", [*PURE, "intake.questionnaire.walk", "clinic.hours"])
def test_nothing_that_judges_reads_a_clock(part):
    for module in MODULES:
        if of(part, module):
            called = {n.attr for n in ast.walk(tree(module)) if isinstance(n, ast.Attribute)}
            assert not called & {"now", "today", "utcnow", "localdate", "localtime"}, module


@pytest.mark.parametrize("module", ["intake.questionnaire.walk", *TEXT])
def test_what_reads_stored_content_knows_no_framework_and_no_database(module):
    for imported in imports(module):
        assert imported.partition(".")[0] != "django"


def test_what_both_apps_share_imports_neither():
    for module in MODULES:
        if of("clinic", module) and module != "clinic.urls":
            for imported in ours(module):
                assert of("clinic", imported), f"{module} imports {imported}"


def test_the_apps_use_of_the_project_only_what_is_shared():
    for module in MODULES:
        if of("intake", module) or of("education", module):
            for imported in ours(module):
                if of("clinic", imported):
                    assert any(of(shared, imported) for shared in SHARED), (
                        f"{module} imports {imported}"
                    )


def test_intake_never_imports_education_which_reads_protocols_alone():
    for module in MODULES:
        for imported in ours(module):
            if of("intake", module):
                assert not of("education", imported), f"{module} imports {imported}"
            if of("education", module) and of("intake", imported):
                assert any(of(part, imported) for part in ("intake.protocols", "intake.domain")), (
                    f"{module} imports {imported}"
                )


def test_nothing_below_the_views_knows_a_request():
    below = ("intake.services", "intake.models", "intake.wording.reading", "intake.search")
    for part in (*below, "education.services", "education.models"):
        for module in MODULES:
            if of(part, module):
                for imported in imports(module):
                    assert not of("django.http", imported), f"{module} imports {imported}"
                    assert not of("django.shortcuts", imported), f"{module} imports {imported}"


# --- only services write -------------------------------------------------------------------------


def may_write(module: str) -> bool:
    return ".management." in module or any(of(writer, module) for writer in WRITERS)


def writes(module: str) -> list[str]:
    """Calls that write to a model. A dict is changed with `|=`, so that `.update()` counts."""
    found = []
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in WRITES:
                found.append(f"{module}:{node.lineno} .{node.func.attr}()")
            elif node.func.attr in ("execute", "executemany", "cursor", "raw"):
                found.append(f"{module}:{node.lineno} SQL")
    return found


@pytest.mark.parametrize(
    "module",
    [m for m in MODULES if m.partition(".")[0] in ("intake", "education") and not may_write(m)],
)
def test_only_services_write(module):
    assert writes(module) == []


SERVICES = [m for m in MODULES if of("intake.services", m) or of("education.services", m)]


@pytest.mark.parametrize("module", SERVICES)
def test_services_take_their_arguments_by_name(module):
    """One keyword-only function for each thing that happens."""
    for node in tree(module).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            changes = any(
                isinstance(inner, ast.Attribute) and inner.attr == "atomic"
                for inner in ast.walk(node)
            )
            if changes:
                assert not node.args.args, f"{module}.{node.name}"
                assert node.args.kwonlyargs, f"{module}.{node.name}"
                assert ast.get_docstring(node), f"{module}.{node.name}"


@pytest.mark.parametrize("module", SERVICES)
def test_what_a_service_tells_a_person_is_marked_for_translation(module):
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "Conflict",
            "Refused",
            "super().__init__",
        ):
            for told in node.args:
                is_sentence = isinstance(told, ast.Constant) and " " in str(told.value)
                assert not is_sentence, f"{module}:{node.lineno}"


def test_the_writers_do_write():
    assert writes("intake.questionnaire.drafts")
    assert writes("intake.demonstration.bulk")
    assert writes("education.services.editing")


# --- what nobody does ----------------------------------------------------------------------------
# formats that run code when they are read
PICKLES = {
    *("pickle", "_pickle", "pickletools", "marshal", "shelve", "dbm", "dill", "cloudpickle"),
    *("joblib", "jsonpickle"),
}


@pytest.mark.parametrize("module", MODULES)
def test_nothing_of_ours_reads_a_format_that_runs_code(module):
    assert not {imported.partition(".")[0] for imported in imports(module)} & PICKLES


# our own attributes of a form, and the square code that allauth draws
REVIEWED = {"forms/whole_uni_form.html", "forms/uni_form.html", "mfa/totp/activate_form.html"}
UNSAFE = {"mark_safe", "SafeString", "csrf_exempt", "eval", "exec", "extra", "RawSQL"}
# washes what an editor wrote, twice, before it calls it safe
WASHES = "education.rendering"


@pytest.mark.parametrize(
    "module", [m for m in MODULES if m.partition(".")[0] != "clinic" and m != WASHES]
)
def test_no_app_marks_text_as_safe_or_goes_round_the_form_token(module):
    used = {
        node.id if isinstance(node, ast.Name) else node.attr
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Name | ast.Attribute)
    }
    assert not used & UNSAFE, module


@pytest.mark.parametrize("module", MODULES)
def test_the_lock_of_the_audit_trail_is_left_to_the_commit(module):
    """So it comes after every other lock, and is held for no page that is drawn."""
    told = MODULES[module].read_text(encoding="utf-8").lower()
    assert "set constraints" not in told
    assert "aud.chain" not in told


def test_no_template_goes_round_the_escaping():
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "autoescape off" not in text, path
        if path.relative_to(ROOT / "templates").as_posix() not in REVIEWED:
            assert "|safe" not in text, path
