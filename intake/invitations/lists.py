"""Keep the rows of a day's list sealed, find what stands against a row, and invite once.

The file is never stored. Its rows are kept sealed until a member of staff confirms the preview, or
for a day.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.secrets.sealing import fold
from intake.domain.stored import PHONE
from intake.errors import Conflict, Refused
from intake.invitations import inviting
from intake.invitations.csv_file import Read, Row
from intake.invitations.inviting import Invited
from intake.models.appointments import Appointment
from intake.models.invitations import InvitationList

Same = tuple[str, str]


def keep(*, found: Read, protocol: str, language: str, by: User, request_id: str) -> InvitationList:
    """Judge the rows against each other and against what is stored, and keep them for the preview.

    Returns the list, whose `rows` say for each line who is invited or what is wrong.
    """
    _find_doubles(found.rows)
    visits = _visits(found.rows)
    _find_invited(found.rows)
    rows = [_kept(row, visits) for row in found.rows]
    batch = InvitationList(
        protocol=protocol,
        language=language,
        rows={"rows": rows, "encoding": found.encoding},
        by=by,
        created_at=timezone.now(),
    )
    with transaction.atomic():
        batch.save(force_insert=True)
        audit.record(
            actor=audit.staff(by),
            action="create",
            subject=str(batch.pk),
            purpose="TREAT",
            request_id=request_id,
            detail={"kind": "invitation_list", "count": len(rows)},
        )
    return batch


def send(*, batch: InvitationList, by: User, request_id: str) -> int:
    """Invite the patients of all rows without a problem. Returns how many were invited.

    Pressing the button twice invites once. Raises Conflict if the list was sent or deleted.
    """
    with transaction.atomic():
        lock = InvitationList.objects.select_for_update(of=("self",), no_key=True)
        row = lock.filter(pk=batch.pk).first()
        if row is None or row.rows is None:
            raise Conflict(_("This list was sent already, or it was deleted after a day."))
        kept: dict[str, Any] = row.rows
        good = [line for line in kept["rows"] if not line["problems"]]
        people = [_invited(line) for line in good if not line["appointment"]]
        count = inviting.invite_all(people=people, batch=row, by=by, request_id=request_id)
        tied = (line for line in good if line["appointment"])
        count += sum(_invite_of_visit(line, row, by, request_id) for line in tied)
        row.rows, row.sent_at, row.count = None, timezone.now(), count
        row.save()
    return count


def _invited(line: Mapping[str, Any]) -> Invited:
    at = datetime.fromisoformat(line["visit_at"]) if line["visit_at"] else None
    return Invited(
        person=line["person"], guardian=line["guardian"], visit=line["visit"], visit_at=at
    )


def _invite_of_visit(
    line: Mapping[str, Any], batch: InvitationList, by: User, request_id: str
) -> bool:
    """Invite the patient of a visit. Returns False if that is not possible any more."""
    visit = Appointment.objects.for_reading().filter(pk=line["appointment"]).first()
    if visit is None:
        return False
    try:
        with transaction.atomic():
            inviting.invite(
                invited=inviting.of_visit(visit, line["guardian"]),
                protocol=batch.protocol,
                language=batch.language,
                by=by,
                request_id=request_id,
                appointment=visit,
                from_list=batch,
            )
    except (Refused, Conflict):
        return False
    return True


# --- what stands against a row --------------------------------------------------------------------


def _find_doubles(rows: Iterable[Row]) -> None:
    first: dict[Same, int] = {}
    for row in rows:
        if same := _same(row):
            line = first.setdefault(same, row.line)
            if line != row.line:
                row.problems.append(_("Line %(line)s has this patient already.") % {"line": line})


def _same(row: Row) -> Same | None:
    """Return what two rows of one patient have in common."""
    name, born = row.person.get("name"), row.person.get("birth_date")
    return (fold(name), born) if name and born else None


def _find_invited(rows: Iterable[Row]) -> None:
    """Mark the rows of patients with an open invitation. One query, however many rows."""
    rows = list(rows)
    known = inviting.open_people(row.person for row in rows)
    for row in rows:
        if inviting.is_among(row.person, known):
            row.problems.append(_("This patient has an open invitation."))


def _visits(rows: Iterable[Row]) -> dict[int, Appointment]:
    """Map lines to the visits of the program's own calendar that they name. One query."""
    rows = list(rows)
    references = {row.reference for row in rows if row.reference}
    visits = Appointment.objects.for_reading().filter(status="confirmed")
    by_reference = {
        each.submission.reference: each
        for each in visits.filter(submission__reference__in=references)
        if each.submission
    }
    found = {}
    for row in rows:
        if not row.reference:
            continue
        visit = by_reference.get(row.reference)
        person = visit.submission.person if visit and visit.submission else {}
        if visit is None:
            row.problems.append(_("No visit to come has this reference."))
        elif _same(row) != (fold(person.get("name", "")), person.get("birth_date")):
            row.problems.append(_("The visit with this reference belongs to another patient."))
        else:
            found[row.line] = visit
    return found


def _kept(row: Row, visits: Mapping[int, Appointment]) -> dict[str, Any]:
    """Return the row as it is stored for the preview, with the way of the letter."""
    visit = visits.get(row.line)
    invited = Invited(person=row.person, guardian=row.guardian, visit_at=row.visit_at)
    if not row.problems and (why := inviting.refusal(invited, visit)):
        row.problems.append(why)
    way = "email" if row.person.get("email") else ("call" if row.person.get(PHONE) else "none")
    return {
        "line": row.line,
        "person": row.person,
        "guardian": row.guardian,
        "visit": row.visit,
        "visit_at": row.visit_at.isoformat() if row.visit_at else "",
        "appointment": str(visit.pk) if visit else "",
        "way": way,
        "problems": row.problems,
    }
