"""Rules about the code: which modules may write, read a clock, or mark text as safe.

The rules about imports between rooms are in pyproject.toml (`make check`). These tests read the
code and do not run it.
"""

import ast
import functools
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("clinic", "intake", "education")

# the only modules that write to a model
WRITERS = (
    *(f"intake.questionnaire.{name}" for name in ("answering", "drafts", "sending", "held_time")),
    *("intake.questionnaire.by_phone", "intake.phone.entering"),
    *("intake.my_page.replies", "intake.staff.leaving"),
    *("intake.ways.calls", "intake.ways.waiting", "intake.ways.escalation"),
    *("intake.ways.broken_promises", "intake.ways.contact_points", "intake.ways.safe_contact"),
    *("intake.ways.received_texts", "intake.chart.details"),
    *("intake.access.codes", "intake.access.grants", "intake.questionnaire.rule_counts"),
    *(
        "intake.questionnaire.usual_minutes",
        "intake.questionnaire.walk_counts",
        "intake.questionnaire.reminding",
    ),
    *(
        f"intake.desk.{name}"
        for name in (
            "changes",
            "clinical_letters",
            "closing",
            "correcting",
            "decisions",
            "findings",
            "patient_messages",
            "pending",
            "procedure",
            "saved_filters",
            "teamwork",
            "same_person",
            "transitions",
        )
    ),
    *(
        f"intake.appointments.{name}"
        for name in ("arrival", "book", "booking", "changing", "claims")
    ),
    *(f"intake.appointments.{name}" for name in ("clinic_time", "ending", "expiry")),
    *("intake.appointments.public_holidays", "intake.clinic_pages.storing"),
    *(f"intake.invitations.{name}" for name in ("inviting", "managing", "opening")),
    *("intake.invitations.following", "intake.invitations.lists"),
    *(f"intake.appointments.{name}" for name in ("free_times", "holds", "offers", "steps")),
    *(f"intake.appointments.{name}" for name in ("taking", "waiting_list", "week")),
    *("intake.documents", "intake.demonstration.bulk", "education.services"),
    *(
        f"intake.demonstration.{name}"
        for name in ("clinic_pages", "invitations", "red_flags", "work")
    ),
)
BY_NAME = {writer.rpartition(".")[2] for writer in WRITERS}
WRITES = {
    *("save", "delete", "create", "update", "bulk_create", "bulk_update"),
    *("get_or_create", "update_or_create", "adelete", "asave", "acreate", "aupdate"),
}
# modules of `education` that commands and tests can use without a database
TEXT = ("education.markup", "education.content")
# plain Python without framework, clock, random numbers, files and network
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


@functools.cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imports(module: str) -> Iterator[str]:
    """Yield everything that a module imports, also inside its functions."""
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


def test_there_is_something_to_read():
    for module in ("intake.domain.triage", "clinic.audit", *WRITERS):
        assert any(of(module, known) for known in MODULES), module


@pytest.mark.parametrize("module", [m for m in MODULES if any(of(part, m) for part in PURE)])
def test_the_domain_knows_no_framework_no_clock_and_no_database(module):
    allowed = set(sys.stdlib_module_names) - NOT_PURE | {"msgspec", "intake"}
    for imported in imports(module):
        assert imported.partition(".")[0] in allowed, f"{module} imports {imported}"


@pytest.mark.parametrize(
    "part", [*PURE, "intake.questionnaire.walk", "clinic.hours", "clinic.opening_hours"]
)
def test_nothing_that_judges_reads_a_clock(part):
    for module in MODULES:
        if of(part, module):
            called = {n.attr for n in ast.walk(tree(module)) if isinstance(n, ast.Attribute)}
            assert not called & {"now", "today", "utcnow", "localdate", "localtime"}, module


@pytest.mark.parametrize("module", ["intake.questionnaire.walk", *TEXT])
def test_what_reads_stored_content_knows_no_framework_and_no_database(module):
    for imported in imports(module):
        assert imported.partition(".")[0] != "django"


def test_nothing_below_the_views_knows_a_request():
    below = ("intake.models", "intake.wording", "intake.search", "education.models")
    for part in (*below, *WRITERS):
        for module in MODULES:
            if of(part, module):
                for imported in imports(module):
                    assert not of("django.http", imported), f"{module} imports {imported}"
                    assert not of("django.shortcuts", imported), f"{module} imports {imported}"


# --- only services write -------------------------------------------------------------------------


def may_write(module: str) -> bool:
    return ".management." in module or any(of(writer, module) for writer in WRITERS)


def writes(module: str) -> list[str]:
    """Return the calls that write to a model.

    Every `.update()` counts, so code changes a dict with `|=`. A call such as `drafts.delete(…)`
    does not count for the caller, because the module `drafts` writes.
    """
    found = []
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if isinstance(node.func.value, ast.Name) and node.func.value.id in BY_NAME:
                continue  # a call into a writer module is allowed
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


SERVICES = [m for m in MODULES if any(of(w, m) for w in WRITERS) and "bulk" not in m]


@pytest.mark.parametrize("module", SERVICES)
def test_services_take_their_arguments_by_name(module):
    """Each act has one service function, which takes only keyword arguments."""
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
    assert writes("intake.questionnaire.answering")
    assert writes("intake.demonstration.bulk")
    assert writes("education.services.editing")


# --- written-out SQL -----------------------------------------------------------------------------
# modules with SQL besides the sql.py of each room → why
SQL_BESIDES = {
    "clinic.limits": "the room is one module",
    "clinic.checks": "asks for the settings of PostgreSQL, no table",
    "clinic.views": "asks whether the database answers, no table",
    "clinic.management.commands.audit_verify": "lifts the time limit of statements",
    "clinic.management.commands.reseal": "lifts the time limit of statements",
    "education.services.stems": "asks for what PostgreSQL can stem, no table",
    "intake.management.commands.demo": "lifts the time limit of statements",
}
SQL = re.compile(
    r"\s*(select\b.+\bfrom\b|select 1|with \w+ as \(|insert into\b|update [\w\"%()]+ set\b"
    r"|delete from\b|set (local )?\w+ *(=|to\b))",
    re.IGNORECASE | re.DOTALL,
)


def holds_sql(module: str) -> bool:
    """Return whether a text in the module begins like SQL. Docstrings do not count."""
    nodes = list(ast.walk(tree(module)))
    docs = [node.value for node in nodes if isinstance(node, ast.Expr)]
    texts = [n for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return any(SQL.match(text.value) for text in texts if text not in docs)


ROOMS_OF_SQL = [module for module in MODULES if module.endswith(".sql")]


def test_written_out_sql_lives_in_one_module_of_each_room():
    found = {module for module in MODULES if holds_sql(module)}
    assert found == {*ROOMS_OF_SQL, *SQL_BESIDES}


@pytest.mark.parametrize("module", ROOMS_OF_SQL)
def test_each_statement_has_a_reason_and_a_caller(module):
    lines = MODULES[module].read_text(encoding="utf-8").splitlines()
    room = module.removesuffix(".sql")
    callers = "".join(MODULES[m].read_text(encoding="utf-8") for m in MODULES if of(room, m))
    for node in tree(module).body:
        if isinstance(node, ast.Assign) and not ast.unparse(node.targets[0]).startswith("_"):
            name = ast.unparse(node.targets[0])
            assert f"sql.{name}" in callers, f"{module}.{name} has no caller in its room"
            if not name.endswith("COLUMNS"):
                before = lines[node.lineno - 2]
                assert before.startswith("# "), f"{module}.{name} does not say why it is SQL"


# --- what no code does ---------------------------------------------------------------------------
# formats that run code when they are read
PICKLES = {
    *("pickle", "_pickle", "pickletools", "marshal", "shelve", "dbm", "dill", "cloudpickle"),
    *("joblib", "jsonpickle"),
}


@pytest.mark.parametrize("module", MODULES)
def test_nothing_of_ours_reads_a_format_that_runs_code(module):
    assert not {imported.partition(".")[0] for imported in imports(module)} & PICKLES


# the one template that may mark text as safe: it shows the QR code that allauth makes
REVIEWED = {"mfa/totp/activate_form.html"}
UNSAFE = {"mark_safe", "SafeString", "csrf_exempt", "eval", "exec", "extra", "RawSQL"}
# this module may mark an editor's text as safe, because it first sanitizes the text twice
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
    """Only the commit takes this lock: after all other locks, and never while a page renders."""
    told = MODULES[module].read_text(encoding="utf-8").lower()
    assert "set constraints" not in told
    assert "aud.chain" not in told


def test_no_template_goes_round_the_escaping():
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "autoescape off" not in text, path
        if path.relative_to(ROOT / "templates").as_posix() not in REVIEWED:
            assert "|safe" not in text, path
