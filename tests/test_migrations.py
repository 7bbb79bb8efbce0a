"""A migration breaks nothing that the previous release still reads or writes (docs/releases.md).

There are three checks. The linter reads the SQL that Django writes (`make check`; its options are
in pyproject.toml). The tables are compared with the tables of the previous release (`released.py`).
A person judges SQL and Python that are written by hand, because no tool can.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations import (
    AddConstraint,
    AddField,
    AddIndex,
    AlterField,
    CreateModel,
    DeleteModel,
    Migration,
    RemoveConstraint,
    RemoveField,
    RenameField,
    RenameModel,
    RunPython,
    RunSQL,
    SeparateDatabaseAndState,
)
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.writer import MigrationWriter
from django.db.models.functions import Now
from django_migration_linter.management.commands import lintmigrations

from tests import released

ROOT = Path(__file__).resolve().parent.parent
APPS = ("clinic", "intake", "education")

# Migration → why the previous release survives it. Every migration with SQL or Python of our own
# is listed here. A migration that the linter refuses is listed here and in `ignore_name`
# (pyproject.toml). A refused migration of release 0.1.0 is listed only in `ignore_name`, because no
# server runs an earlier release.
# Release 0.1.0 ends with intake 0014, clinic 0004 and education 0007.
BY_HAND = {
    "clinic.0001_initial": "Makes the schema of the audit trail, which did not exist.",
    "clinic.0003_audit_inbox": "Adds an inbox. A row put into aud.event is chained as before.",
    "clinic.0008_event_indexes": "Lifts time limits of its own session; adds three indexes.",
    "clinic.0006_message_lanes": (
        "Adds columns with defaults, and replaces an index. Building the indexes locks a table with"
        " the messages of 30 days: 0.2 s for 100,000 messages."
    ),
    "education.0002_search": "Adds a search configuration, which nothing used.",
    "education.0004_languages": "Adds a search configuration, which nothing used.",
    "education.0008_search_by_language": (
        "Adds configurations, a function and a trigger. The column `search` keeps its values, and"
        " the release before reads it as before; its rows are written by the trigger."
    ),
    "intake.0003_appointments": "Copies the one wish of a request into the list of wishes.",
    "intake.0008_list_indexes": "Lifts time limits of its own session; drops its own half index.",
    "intake.0013_worklist_order": (
        "As 0008; and fills alarm and escalate_at, which the code before does not read."
    ),
    "intake.0038_worklist_tabs": "As 0008; and makes a table that the code before does not know.",
}
# A fact from `released.broken` → why its change does not break the previous release. Empty after a
# release.
EXCEPTIONS: dict[str, str] = {
    "column education_page.search": (
        "A trigger writes what the expression gave. The release before never wrote the column."
    ),
}

UNJUDGED = (
    "{name} runs SQL or Python of its own, or an operation that is not Django's. No tool can say"
    " whether the release before survives it. Write it with Django's operations; or judge it, and"
    ' add to BY_HAND in tests/test_migrations.py: "{name}": "why the release before survives it".'
)
BROKEN = (
    "These changes break the release before (docs/releases.md). Add first: a column with null=True"
    " or a db_default. Take away in the release after the one whose code no longer needs it. If the"
    " release before survives a change all the same, add what stands before the colon to EXCEPTIONS"
    " in tests/test_migrations.py, with the reason."
)


def own_migrations() -> dict[str, Migration]:
    found = MigrationLoader(None).disk_migrations.items()
    return {f"{app}.{name}": each for (app, name), each in found if app in APPS}


def beyond_django(operations: list[Operation]) -> bool:
    """Return whether an operation runs SQL or Python that Django did not write."""
    return any(
        isinstance(operation, (RunSQL, RunPython))
        or not type(operation).__module__.startswith("django.")
        or (
            isinstance(operation, SeparateDatabaseAndState)
            and beyond_django(operation.database_operations)
        )
        for operation in operations
    )


def unjudged() -> list[str]:
    return [
        UNJUDGED.format(name=name)
        for name, migration in own_migrations().items()
        if beyond_django(migration.operations) and name not in BY_HAND
    ]


def test_a_person_has_judged_each_migration_that_no_tool_can_judge():
    assert not unjudged(), "\n".join(unjudged())


def test_each_judgement_is_of_a_migration_that_exists():
    assert BY_HAND.keys() <= own_migrations().keys()


@pytest.mark.django_db
def test_the_release_before_runs_on_the_tables_of_now():
    found = released.broken(released.kept(), released.facts())

    new = [f"{what}: {how}" for what, how in found.items() if what not in EXCEPTIONS]
    assert not new, "\n".join(["", *new, BROKEN])
    assert EXCEPTIONS.keys() <= found.keys(), "take out an exception that no longer applies"


def test_each_table_of_the_release_is_kept_with_its_columns():
    kept = released.kept()
    named = {
        kind: {released.table_of(what) for what in kept if what.startswith(kind)}
        for kind in ("column ", "constraint ")
    }

    assert named["column "] == named["constraint "] >= {"intake_submission", "aud.event"}


def test_what_the_linter_passes_over_is_released_or_judged():
    """`ignore_name` names no app, so the linter ignores migrations of this name in every app."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    passed_over = project["tool"]["django_migration_linter"]["ignore_name"]
    baseline = {what.removeprefix("migration ") for what in released.kept()}

    hidden = [name for name in own_migrations() if name.partition(".")[2] in passed_over]

    assert set(hidden) <= baseline | BY_HAND.keys()


def test_no_migration_imports_the_linter_which_production_does_not_have():
    for path in ROOT.glob("*/migrations/*.py"):
        assert "django_migration_linter" not in path.read_text(encoding="utf-8"), path


# --- each kind of bad migration is refused --------------------------------------------------------


def draft(**options: Any) -> models.ForeignKey:
    return models.ForeignKey("intake.draft", on_delete=models.CASCADE, **options)


FLAG = models.BooleanField(db_default=False)
SAFE = {
    "a column with a database default": [AddField("draft", "kiosk", FLAG)],
    "a column that may be empty": [AddField("draft", "seen_at", models.DateTimeField(null=True))],
    "a table of its own": [
        CreateModel("Note", [("id", models.BigAutoField(primary_key=True)), ("text", FLAG)])
    ],
    "a column that points to a table of its own": [
        CreateModel("Note", [("id", models.BigAutoField(primary_key=True))]),
        AddField(
            "draft",
            "note",
            models.ForeignKey("intake.note", models.CASCADE, null=True, db_index=False),
        ),
    ],
    "a database default for a column that has none": [
        AlterField("submission", "target_at", models.DateTimeField(db_default=Now()))
    ],
    "a field that only the code gives up": [
        SeparateDatabaseAndState(state_operations=[RemoveField("draft", "device")])
    ],
}
# kind of migration → its operations, the linter's message, the message of `released.broken`
REFUSED: dict[str, tuple[list[Operation], str, str]] = {
    "a dropped column": (
        [RemoveField("draft", "device")],
        "DROPPING columns (table: intake_draft, column: device)",
        "column intake_draft.device: dropped or renamed",
    ),
    "a renamed column": (
        [RenameField("draft", "device", "owner")],
        "RENAMING columns",
        "column intake_draft.device: dropped or renamed",
    ),
    "a dropped table": (
        [DeleteModel("RuleCount")],
        "DROPPING table",
        "column intake_rulecount.rule: dropped or renamed",
    ),
    "a renamed table": (
        [RenameModel("RuleCount", "RuleTally")],
        "RENAMING tables",
        "column intake_rulecount.rule: dropped or renamed",
    ),
    "a new required column, whose default is Python's": (
        [AddField("draft", "kiosk", models.BooleanField(default=False))],
        "NOT NULL constraint on columns",
        "column intake_draft.kiosk: required",
    ),
    "a required column that the linter misses beside a column with a database default": (
        [
            AddField("draft", "kiosk", models.BooleanField(default=False)),
            AddField("draft", "seen_at", models.DateTimeField(db_default=Now())),
        ],
        "",
        "column intake_draft.kiosk: required",
    ),
    "a column made required": (
        [AlterField("submission", "asked_at", models.DateTimeField())],
        "NOT NULL constraint on columns",
        "column intake_submission.asked_at: was “timestamp with time zone” and is",
    ),
    "a column that the code before may find empty": (
        [AlterField("submission", "target_at", models.DateTimeField(null=True))],
        "",
        "column intake_submission.target_at: was “timestamp with time zone not null” and is",
    ),
    "a shorter column": (
        [AlterField("draft", "device", models.CharField(db_default="", max_length=4))],
        "ALTERING columns",
        "column intake_draft.device: was “character varying(6)",
    ),
    "a database default taken away": (
        [AlterField("draft", "device", models.CharField(max_length=6))],
        "",
        "column intake_draft.device: was “character varying(6) not null default",
    ),
    "a new unique constraint": (
        [AddConstraint("draft", models.UniqueConstraint(fields=["device"], name="one_device"))],
        "ADDING unique constraint",
        "constraint intake_draft.one_device: new, and may refuse a row",
    ),
    "a new unique index": (
        [
            AddConstraint(
                "draft",
                models.UniqueConstraint(
                    fields=["device"], condition=models.Q(device="mine"), name="one_device"
                ),
            )
        ],
        "ADDING unique constraint",
        "unique index intake_draft.one_device: new, and may refuse a row",
    ),
    "a new check": (
        [
            AddConstraint(
                "draft", models.CheckConstraint(condition=models.Q(device="mine"), name="c")
            )
        ],
        "",
        "constraint intake_draft.c: new, and may refuse a row",
    ),
    "a constraint taken away, by which the code before inserts or updates": (
        [RemoveConstraint("calltask", "call_task_once")],
        "",
        "constraint intake_calltask.call_task_once: dropped or renamed",
    ),
    "a new table that keeps a draft from being deleted": (
        [CreateModel("Note", [("id", models.BigAutoField(primary_key=True)), ("draft", draft())])],
        "",
        "new, and the release before may delete a row of intake_draft",
    ),
    "an index that locks the table while it is built": (
        [AddIndex("draft", models.Index(fields=["device"], name="by_device"))],
        "CREATE INDEX locks table",
        "",
    ),
}


@cache
def migrations_of_the_tree() -> MigrationLoader:
    return MigrationLoader(None)


@pytest.fixture
def later(tmp_path, monkeypatch, settings):
    """Return a function that adds a migration to `intake`, without writing into the repository."""

    def write(operations: list[Operation]) -> None:
        migration = Migration("0999_later", "intake")
        migration.operations = operations
        migration.dependencies = migrations_of_the_tree().graph.leaf_nodes("intake")
        package = tmp_path / tmp_path.name
        package.mkdir()
        tree = f"__path__.append({str(ROOT / 'intake' / 'migrations')!r})"
        (package / "__init__.py").write_text(tree)
        (package / "0999_later.py").write_text(MigrationWriter(migration).as_string())
        monkeypatch.syspath_prepend(tmp_path)
        settings.MIGRATION_MODULES = {"intake": package.name}

    return write


def lint() -> bool:
    """Return whether `make check` passes the migrations. Prints the linter's messages."""
    try:
        call_command(lintmigrations.Command())
    except SystemExit as ended:
        return not ended.code
    return True


def broken_by(operations: list[Operation]) -> list[str]:
    """Return a sentence for each fact of the previous release that these operations break."""
    already = released.broken(released.kept(), released.facts())
    state = migrations_of_the_tree().project_state()
    for operation in operations:
        after = state.clone()
        operation.state_forwards("intake", after)
        with connection.schema_editor() as editor:
            operation.database_forwards("intake", editor, state, after)
        state = after
    found = released.broken(released.kept(), released.facts())
    return [f"{what}: {how}" for what, how in found.items() if what not in already]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", SAFE)
def test_the_linter_passes(kind, later, monkeypatch):
    monkeypatch.chdir(ROOT)
    later(SAFE[kind])

    assert lint()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", SAFE)
def test_the_tables_stay_good_for_the_release_before(kind):
    assert not broken_by(SAFE[kind])


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [kind for kind, (_, said, _) in REFUSED.items() if said])
def test_the_linter_refuses(kind, later, monkeypatch, capsys):
    operations, said, _ = REFUSED[kind]
    monkeypatch.chdir(ROOT)
    later(operations)

    assert not lint()
    told = capsys.readouterr().out
    assert "(intake, 0999_later)... ERR" in told
    assert said in told


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [kind for kind, (_, _, said) in REFUSED.items() if said])
def test_the_tables_tell_of(kind):
    operations, _, said = REFUSED[kind]

    assert any(said in told for told in broken_by(operations))


@pytest.mark.parametrize(
    "operation",
    [
        RunSQL("drop table intake_rulecount", RunSQL.noop),
        RunPython(RunPython.noop, RunPython.noop),
        SeparateDatabaseAndState([RunSQL("drop table intake_rulecount", RunSQL.noop)]),
    ],
    ids=["sql", "python", "sql inside"],
)
def test_what_is_written_by_hand_waits_for_a_judgement(operation, later):
    later([operation])

    (said,) = unjudged()

    assert said.startswith("intake.0999_later runs SQL or Python of its own")
    assert 'add to BY_HAND in tests/test_migrations.py: "intake.0999_later"' in said
