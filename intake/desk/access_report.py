"""Find in the audit trail who looked at a patient's record, and what left the clinic.

An event belongs to a record if it names the record as its subject, or if the list or search that
it records showed the record. An event that names the call or the invitation from which the record
came belongs to it, too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import spreadsheets
from clinic.models import Event
from intake import search
from intake.desk import timeline
from intake.models.invitations import Invitation
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Submission
from intake.staff.lists import find_patients
from intake.wording.languages import month_names

MOST = 50_000  # events in one file
MOST_RECORDS = 50  # records of one report
BATCH = 1000

LOOKS, LEFT, ALL = "looks", "left", "all"
KINDS = {
    LOOKS: (
        gettext_lazy("Access report: who looked"),
        ("read", "list", "search", "print", "export"),
    ),
    LEFT: (gettext_lazy("Accounting of disclosures: what left the clinic"), ("print", "export")),
    ALL: (gettext_lazy("Everything, also what was changed"), ()),
}
"""For each kind of report: its name, and the actions that it contains; () for all actions."""

PURPOSES = {
    "TREAT": gettext_lazy("treatment"),
    "PATRQT": gettext_lazy("the patient asked"),
    "HOPERAT": gettext_lazy("operations of the clinic"),
    "HRESCH": gettext_lazy("research"),
    "HLEGAL": gettext_lazy("a duty by law"),
}
PAGES = {
    "submission": gettext_lazy("worklist"),
    "frontdesk": gettext_lazy("contacts and appointments"),
    "appointment": gettext_lazy("appointments"),
    "waitlistentry": gettext_lazy("waiting list"),
    "calltask": gettext_lazy("calls to make"),
    "openredflag": gettext_lazy("red flags"),
    "phonecall": gettext_lazy("calls entered by phone"),
    "invitation": gettext_lazy("invitations"),
    "receivedtext": gettext_lazy("texts to our number"),
    "calendar": gettext_lazy("calendar"),
    "accessreport": gettext_lazy("access report"),
    "message": gettext_lazy("mail queue"),
    "event": gettext_lazy("audit trail"),
}
ACTIONS = {
    "list": gettext_lazy("Saw it on a list"),
    "search": gettext_lazy("Found it by a search"),
}
LETTERS = {
    "referring": gettext_lazy("Printed a letter to a referring doctor"),
    "chart": gettext_lazy("Printed a letter for the chart"),
}
SIGNED = {"signed": gettext_lazy("signed"), "draft": gettext_lazy("draft")}


@dataclass(frozen=True, kw_only=True)
class ReportQuery:
    """Which events to show. `records` is None for the events of all records."""

    records: tuple[str, ...] | None
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None
    kind: str = LOOKS

    def events(self) -> QuerySet[Event]:
        """Return the events, the newest first."""
        rows = Event.objects.order_by("-seq").defer("hash", "prev_hash")
        if self.records is not None:
            ids = _ids_of(self.records)
            rows = rows.filter(Q(subject__in=ids) | Q(detail__ids__has_any_keys=ids))
        if actions := KINDS[self.kind][1]:
            rows = rows.filter(action__in=actions)
        if self.actor:
            rows = rows.filter(actor=self.actor)
        if self.since:
            rows = rows.filter(at__gte=self.since)
        return rows.filter(at__lt=self.until) if self.until else rows


def records_of(term: str) -> list[Submission]:
    """Return the records that a search term means, the best fit first, at most MOST_RECORDS.

    The term is a reference, an id, or what finds a patient on the worklist, such as a name.
    """
    rows = Submission.objects.only("reference", "submitted_at", "person")
    if (record := as_id(term)) is not None:
        return list(rows.filter(pk=record))
    asked = search.read(term, month_names())
    if asked.reference:  # whole, or its first half
        return list(rows.filter(reference__startswith=asked.reference)[:MOST_RECORDS])
    found = find_patients(Submission.objects.all(), asked)[:MOST_RECORDS]
    by_id = rows.in_bulk(found)
    return [by_id[pk] for pk in found]


def as_id(text: str) -> UUID | None:
    """Return a typed id of a record; None for another text."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def looks_like_id(text: str) -> bool:
    """Whether a text was meant as the id of a record, whole or not."""
    bare = text.strip().replace("-", "").lower()
    return len(bare) >= 16 and not set(bare) - set("0123456789abcdef")


def described(events: Iterable[Event], records: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Return the rows of a report: when, who, what, of which record, for which purpose.

    `records` are the records of the report. Takes two queries: for the names of the actors, and for
    the references of the records.
    """
    events, wanted = list(events), set(records)
    shown = [_records_in(event, wanted) for event in events]
    keys = {UUID(key) for each in shown for key in each[:1]}
    people = timeline.people_of(events, ())
    references = dict(Submission.objects.filter(pk__in=keys).values_list("pk", "reference"))
    return [
        {
            "event": event,
            "who": timeline.actor_words(event, people, with_roles=False),
            "what": _what(event),
            "record": references.get(UUID(each[0]), each[0]) if each else "",
            "more": max(0, len(each) - 1),
            "purpose": str(PURPOSES.get(event.purpose, event.purpose)),
        }
        for event, each in zip(events, shown, strict=True)
    ]


def as_csv(query: ReportQuery) -> Iterator[str]:
    """Yield the lines of a CSV file, in UTF-8 with a mark at its start; at most MOST events."""
    heads = ["number", "time", "who", "account", "what", "record", "others on the list"]
    yield "\ufeff" + spreadsheets.line([*heads, "purpose", "request"])
    rows, last, left = query.events(), None, MOST
    while left > 0:
        batch = list((rows.filter(seq__lt=last) if last else rows)[: min(BATCH, left)])
        if not batch:
            return
        yield "".join(_line(row) for row in described(batch, query.records or ()))
        last, left = batch[-1].seq, left - len(batch)


def _line(row: dict[str, Any]) -> str:
    event: Event = row["event"]
    at = timezone.localtime(event.at).isoformat(timespec="seconds")
    cells = [event.seq, at, row["who"], event.actor, row["what"], row["record"], row["more"] or ""]
    return spreadsheets.line([*cells, row["purpose"], event.request_id])


def _ids_of(records: Iterable[str]) -> list[str]:
    """Return the records' own ids, and those of the calls and invitations they came from."""
    ids, keys = list(records), [UUID(key) for key in records]
    calls = PhoneCall.objects.filter(submission__in=keys).values_list("pk", flat=True)
    invitations = Invitation.objects.filter(submission__in=keys).values_list("pk", flat=True)
    return [*ids, *map(str, calls), *map(str, invitations)]


def _records_in(event: Event, wanted: set[str]) -> list[str]:
    """Return the records that an event shows: those of the report first.

    Only pages name records in their ids. Other events name there what they made, such as a visit.
    """
    of_page = event.action in ("list", "search") or "page" in event.detail
    ids = event.detail.get("ids", []) if of_page else []
    named = [event.subject, *(ids if isinstance(ids, list) else [])]
    keys = dict.fromkeys(key for key in map(str, named) if as_id(key))
    return sorted(keys, key=lambda key: key not in wanted)


def _what(event: Event) -> str:
    """Return in words what was done, and on which page."""
    kind = event.detail.get("kind")
    if event.action == "print" and kind == "letter":
        return f"{LETTERS[event.detail['to']]}, {SIGNED[event.detail['status']]}"
    words = str(ACTIONS.get(event.action) or timeline.action_words(event))
    page = PAGES.get(str(event.detail.get("page")))
    words = f"{words} ({page})" if page else words
    return f"{words}: {kind}" if kind and words == event.action else words


def kind_note(kind: str) -> str:
    """Say what a kind of report leaves out."""
    if kind == LEFT:
        return _(
            "Letters to the patient by mail and text say nothing about health, and what a patient"
            " opens on “Your request” is the patient’s own: neither is listed."
        )
    return ""
