"""Write many submissions into one file, and record the export of each."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clinic import audit, spreadsheets
from intake import documents
from intake.domain import answers as domain
from intake.domain.definition import Protocol, Question
from intake.domain.stored import PHONE
from intake.models.submissions import Decision, ProtocolDocument, Submission, Urgency
from intake.wording import reading

MOST = 10_000  # submissions in one file
BATCH = 200  # the events of one transaction are chained together, so a batch stays small
GROUNDS = {
    "referral": ("TREAT", gettext_lazy("Care of these patients, such as a referral")),
    "patient": ("PATRQT", gettext_lazy("A patient asked for a copy")),
    "quality": ("HOPERAT", gettext_lazy("Quality or planning of the clinic")),
    "research": ("HRESCH", gettext_lazy("Research that was approved")),
    "law": ("HLEGAL", gettext_lazy("A duty by law")),
}
"""For each reason of an export: the purpose in the audit trail (HL7 v3), and words."""

IDENTITY = ("name", "birth_date", PHONE, "email", "proxy_name")


@dataclass(frozen=True, kw_only=True)
class ExportInput:
    """Which submissions to export, why, and which private parts go with them."""

    protocol: str
    since: datetime
    until: datetime
    urgencies: tuple[int, ...] = ()
    ground: str
    identity: bool = False
    private: bool = False
    own_words: bool = False
    notes: bool = False

    def rows(self) -> Any:
        """Return the chosen submissions, by id, which is the order of sending."""
        rows = Submission.objects.filter(
            protocol__name=self.protocol,
            submitted_at__gte=self.since,
            submitted_at__lt=self.until,
        )
        if self.urgencies:
            rows = rows.filter(urgency__in=self.urgencies)
        return rows.order_by("pk")

    def allows(self, protocol: Protocol, question: Question) -> bool:
        """Whether the answers to a question go into the file.

        A member number names a patient as a name does, so the answers for the chart go with the
        names.
        """
        if question.id in protocol.uses.chart_names:
            return self.identity
        if question.type == "text":
            return self.own_words
        return self.private or not question.sensitive


def count(chosen: ExportInput) -> int:
    """Return how many submissions are chosen, counted up to one more than MOST."""
    return int(chosen.rows()[: MOST + 1].count())


def as_csv(chosen: ExportInput, *, by: User, request_id: str) -> Iterator[str]:
    """Yield the lines of a CSV file for spreadsheet programs, in UTF-8 with a mark at its start."""
    asked = _questions(chosen)
    heads = ["reference", "sent", "kind", "version", "language", "urgency", "urgency of the rules"]
    heads += ["status", "rules", "flags", "outcome"]
    heads += IDENTITY if chosen.identity else ()
    heads += ["notes"] if chosen.notes else []
    yield "\ufeff" + spreadsheets.line([*heads, *(f"{q.id}: {q.text}" for q in asked)])

    def write(row: Submission) -> str:
        known = _known(row, chosen)
        answers = known.pop("answers")
        cells = [" ".join(each) if isinstance(each, list) else each for each in known.values()]
        told = (answers.get(question.id, {}) for question in asked)
        return spreadsheets.line([*cells, *(_cell(each) for each in told)])

    yield from _written(chosen, write, by, request_id)


def as_json_lines(chosen: ExportInput, *, by: User, request_id: str) -> Iterator[str]:
    """Yield one JSON object in a line for each submission. Unanswered questions are left out."""

    def write(row: Submission) -> str:
        return json.dumps(_known(row, chosen), ensure_ascii=False) + "\n"

    yield from _written(chosen, write, by, request_id)


def _written(
    chosen: ExportInput, write: Callable[[Submission], str], by: User, request_id: str
) -> Iterator[str]:
    """Yield the lines of all chosen submissions. Each is recorded before its batch is sent."""
    decisions = Prefetch("decisions", queryset=Decision.objects.order_by("-at", "-id"))
    last, left = None, MOST
    while left > 0:
        rows = chosen.rows().prefetch_related(decisions)
        batch = list((rows.filter(pk__gt=last) if last else rows)[: min(BATCH, left)])
        if not batch:
            return
        with transaction.atomic():
            for row in batch:
                audit.record(
                    actor=audit.staff(by),
                    action="export",
                    subject=str(row.pk),
                    purpose=GROUNDS[chosen.ground][0],
                    request_id=request_id,
                    detail={"ground": chosen.ground},
                )
        yield "".join(write(row) for row in batch)
        last, left = batch[-1].pk, left - len(batch)


def _questions(chosen: ExportInput) -> list[Question]:
    """Return the questions of all versions that were asked, each once, in the newest words."""
    hashes = chosen.rows().order_by().values_list("protocol_id", flat=True).distinct()
    known = ProtocolDocument.objects.filter(pk__in=list(hashes)).order_by("-created_at")
    found: dict[str, Question] = {}
    for document in known:
        protocol = documents.protocol_of(document.pk)
        for question in protocol.questions:
            if chosen.allows(protocol, question):
                found.setdefault(question.id, question)
    return list(found.values())


def _known(row: Submission, chosen: ExportInput) -> dict[str, Any]:
    """Return what the file says of a submission: names of columns → values, and its answers."""
    protocol, result = documents.protocol_of(row.protocol_id), row.result
    decisions = list(row.decisions.all())
    known: dict[str, Any] = {
        "reference": row.reference,
        "sent": timezone.localtime(row.submitted_at).isoformat(timespec="minutes"),
        "kind": row.kind,
        "version": protocol.questionnaire.version,
        "language": row.language,
        "urgency": row.urgency_code,
        "urgency of the rules": Urgency(row.assessed_urgency).code,
        "status": row.status,
        "rules": [fired.id for fired in result.fired],
        "flags": [fired.id for fired in result.flags],
        "outcome": decisions[0].outcome if decisions else "",
    }
    if chosen.identity:
        known |= {name: row.person.get(name, "") for name in IDENTITY}
    if chosen.notes:
        known["notes"] = "\n".join(
            text for each in decisions for text in each.words.values() if text
        )
    return known | {"answers": _answers(row, protocol, chosen)}


def _answers(row: Submission, protocol: Protocol, chosen: ExportInput) -> dict[str, dict[str, Any]]:
    """Map each answered question to its code, or codes, and to its words."""
    stored = row.answers
    given = domain.from_json(protocol, stored)
    return {
        question.id: {
            "code": stored[question.id],
            "label": list(reading.answer_words(question, given[question.id])),
        }
        for question in protocol.questions
        if question.id in given and chosen.allows(protocol, question)
    }


def _cell(answer: dict[str, Any]) -> str:
    """Return an answer for one cell: "left: Left", or the number or text alone."""
    if not answer:
        return ""
    code, labels = answer["code"], answer["label"]
    codes = code if isinstance(code, list) else [code]
    pairs = zip(codes, labels, strict=False)
    return "; ".join(str(c) if str(c) == w else f"{c}: {w}" for c, w in pairs)
