"""Describe the tables of a release, and find what later migrations break for that release.

While servers are restarted one after the other, the previous release runs on the new tables.
`released.txt` describes the tables of the previous release, one fact a line. On the day of a
release, write that file again:

    .venv/bin/python -m tests.released COMMIT
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from django.apps import apps
from django.db import connection

KEPT = Path(__file__).with_name("released.txt")
ROOT = KEPT.parent.parent
# Two kinds of constraints are left out: NOT NULL (`n`), because the column's line contains it, and
# triggers (`t`), because only RunSQL changes them.
TABLES = r"""
with owned as (
  select c.oid, c.oid::regclass::text as name from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname in ('public', 'aud')
)
select format('column %s.%s', t.name, a.attname), concat_ws(' ',
  format_type(a.atttypid, a.atttypmod),
  case when a.attnotnull then 'not null' end,
  case when a.attidentity <> '' then 'identity' end,
  case when a.attgenerated <> '' then 'generated' end,
  'default ' || pg_get_expr(d.adbin, d.adrelid))
from owned t join pg_attribute a on a.attrelid = t.oid
left join pg_attrdef d on d.adrelid = t.oid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped
union all
select format('constraint %s.%s', t.name, c.conname), pg_get_constraintdef(c.oid)
from owned t join pg_constraint c on c.conrelid = t.oid where c.contype not in ('n', 't')
union all
select format('unique index %s.%s', t.name, x.relname), pg_get_indexdef(x.oid)
from owned t join pg_index i on i.indrelid = t.oid join pg_class x on x.oid = i.indexrelid
where i.indisunique and not exists (select from pg_constraint where conindid = i.indexrelid)
union all
select format('migration %s.%s', app, name), 'applied' from django_migrations
"""

REQUIRED = re.compile(r" not null(?! (identity|generated|default))")
FOREIGN = re.compile(r"FOREIGN KEY \(([^)]+)\) REFERENCES ([\w.]+)")
GONE = (
    "dropped or renamed, and the release before reads or writes it",
    "gone, and the database of a clinic has applied it: an old migration stays",
)

Facts = dict[str, str]


def facts() -> Facts:
    """Return the facts of the database: columns, constraints, unique indexes, migrations."""
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        return {what: " ".join(how.split()) for what, how in sorted(cursor.fetchall())}


def kept() -> Facts:
    """Return the facts of the previous release, which `released.txt` keeps."""
    lines = KEPT.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" = ", 1) for line in lines if not line.startswith("#"))


def table_of(what: str) -> str:
    return what.rsplit(" ", 1)[1].rpartition(".")[0]


def broken(before: Facts, now: Facts) -> Facts:
    """Return each fact that breaks the release `before`, with a sentence that says how.

    A column of the release must stay as it is; only a default may be added. A new column needs a
    default or NULL, because the release writes no value into it. A new constraint may refuse a row
    that the release writes, and a new foreign key may stop the release from deleting a row.
    """
    tables = {table_of(what) for what in before if what.startswith("column ")}
    found = {}
    for what, how in before.items():
        if what not in now:
            found[what] = GONE[what.startswith("migration ")]
        elif now[what] != how and not now[what].startswith(f"{how} default "):
            found[what] = f"was “{how}” and is “{now[what]}”"
    for what, how in now.items():
        if what in before or what.startswith("migration "):
            continue
        table = table_of(what)
        foreign = FOREIGN.match(how)
        if what.startswith("column "):
            if table in tables and REQUIRED.search(how):
                found[what] = "required, and the release before writes no value: add a db_default"
        elif foreign and not any(
            f"column {table}.{own}" in before for own in foreign[1].split(", ")
        ):
            if foreign[2] in tables:
                found[what] = f"new, and the release before may delete a row of {foreign[2]}"
        elif table in tables:
            found[what] = "new, and may refuse a row that the release before writes"
    return found


def keep(commit: str) -> None:
    """Write the facts of a release to `released.txt`.

    This function runs with the code of `commit`, on a database of its own. A column that no model
    has is left out, because the release does not use the column.
    """
    models = (m._meta for m in apps.get_models(include_auto_created=True))
    tables = (meta for meta in models if meta.managed and not meta.proxy)
    used = {meta.db_table: {f.column for f in meta.local_concrete_fields} for meta in tables}
    version = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]["version"]
    lines = [
        f"# What release {version} reads and writes in the database, as its migrations make it.",
        f"# Made by `.venv/bin/python -m tests.released {commit}`,",
        "# and made anew for the next release: docs/releases.md.",
        *(
            f"{what} = {how}"
            for what, how in facts().items()
            if not what.startswith("column ")
            or what.rpartition(".")[2] in used.get(table_of(what), {what.rpartition(".")[2]})
        ),
    ]
    KEPT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(commit: str) -> None:
    """Migrate an empty database with the code of a commit, and write the facts of its tables."""
    whole = subprocess.check_output(["git", "rev-parse", commit], cwd=ROOT, text=True).strip()
    with tempfile.TemporaryDirectory() as folder:
        code = subprocess.check_output(["git", "archive", whole], cwd=ROOT)
        subprocess.run(["tar", "-x", "-C", folder], input=code, check=True)
        paths = {"PYTHONPATH": str(KEPT.parent), "DEMO": "on", "DATABASE_URL": ""}
        steps = ["migrate"], ["shell", "-c", f"import released; released.keep('{whole}')"]
        for step in steps:
            command = [sys.executable, "manage.py", *step, "-v0"]
            subprocess.run(command, cwd=folder, env=os.environ | paths, check=True)


if __name__ == "__main__":
    main(sys.argv[1])
