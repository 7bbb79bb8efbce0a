"""Read what happened to a submission in one query.

That is messages, decisions, calls, owed calls, findings, and what was said of safe contact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import JSONObject

from intake.models.calls import Call, CallTask
from intake.models.findings import Finding
from intake.models.notes import StaffNote
from intake.models.safe_contact import SafeContact
from intake.models.submissions import Communication, Decision, Submission


@dataclass(frozen=True)
class Kind:
    """A table of acts: its sealed column, and the columns that the other tables do not have.

    A table without a sealed column has '' for it. `by` and `at` are its columns for who and when.
    """

    model: type[models.Model]
    sealed: str
    columns: tuple[str, ...] = ()
    by: str = "by_id"
    at: str = "at"

    def select(self, submission: Submission) -> Any:
        """Return the rows as tuples whose columns are the same for every kind."""
        rows = self.model._default_manager.filter(submission=submission).order_by()
        named = {name: name for name in self.columns}
        sealed: Any = F(self.sealed) if self.sealed else Value(None, models.BinaryField())
        columns = (F(self.by), F(self.at), JSONObject(**named))
        return rows.values_list(Value(self.model.__name__), "pk", sealed, *columns)

    def row(self, pk: Any, sealed: Any, by: int | None, at: Any, more: dict[str, Any]) -> Any:
        """Return a tuple as a row of its table. The sealed value is opened when it is read."""
        known = {"id": pk, self.by: by, self.at: at} | (
            {self.sealed: sealed} if self.sealed else {}
        )
        fields = self.model._meta.concrete_fields
        known |= {f.attname: f.to_python(more[f.attname]) for f in fields if f.attname in more}
        names = [field.attname for field in fields if field.attname in known]
        return self.model.from_db("default", names, [known[name] for name in names])


TASK = ("reason", "occasion", "due_at", "may_call", "settled_at")
KINDS = {
    kind.model.__name__: kind
    for kind in (
        Kind(Communication, "words"),
        Kind(Decision, "words", ("revision", "urgency_before", "urgency", "outcome")),
        Kind(Call, "words", ("outcome", "again_at", "by_clinician")),
        Kind(Finding, "content", ("replaces_id",)),
        Kind(SafeContact, "said", ("source",)),
        Kind(StaffNote, "words"),
        Kind(CallTask, "", TASK, by="settled_by_id", at="created_at"),
    )
}


class Acts:
    """The acts of a submission by kind, each list oldest first."""

    def __init__(self, submission: Submission) -> None:
        first, *others = (kind.select(submission) for kind in KINDS.values())
        union = first.union(*others, all=True)
        found = sorted(union, key=lambda columns: (columns[4], columns[1]))
        rows = [KINDS[kind].row(*columns) for kind, *columns in found]
        for row in rows:
            row.submission = submission
        self.people: dict[int, Any] = {}
        self.letters = [row for row in rows if isinstance(row, Communication)]
        self.decisions = [row for row in rows if isinstance(row, Decision)]
        self.calls = [row for row in rows if isinstance(row, Call)]
        self.findings = [row for row in rows if isinstance(row, Finding)]
        self.contacts = [row for row in rows if isinstance(row, SafeContact)]
        self.notes = [row for row in rows if isinstance(row, StaffNote)]
        self.tasks = [row for row in rows if isinstance(row, CallTask) and not row.settled_at]
        self.tasks.sort(key=lambda task: (task.due_at, task.pk))

    def __iter__(self) -> Iterator[Any]:
        acts = (self.letters, self.decisions, self.calls, self.findings, self.contacts, self.notes)
        return (row for rows in acts for row in rows)

    def sign(self, people: dict[int, Any]) -> None:
        """Give each row the account of the member of staff who acted."""
        self.people = people
        for row in self:
            if row.by_id in people:
                row.by = people[row.by_id]
