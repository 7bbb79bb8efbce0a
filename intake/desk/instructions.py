"""What a clinician asks of the front desk when a visit is to be booked."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from intake.models.clinic_time import Clinician, VisitType
from intake.models.submissions import Decision, Submission

DUPLEX, ANYBODY = "duplex", ""


@dataclass(frozen=True)
class Instruction:
    """An instruction to the front desk: with whom, which visit type, a scan first, by which day.

    `clinician` and `visit_type` are ids, '' for any. `book_by` is a day as ISO, '' for none.
    """

    clinician: str = ""
    visit_type: str = ""
    duplex_first: bool = False
    book_by: str = ""
    words: str = ""

    def __bool__(self) -> bool:
        return self != Instruction()

    @property
    def day(self) -> date | None:
        return date.fromisoformat(self.book_by) if self.book_by else None

    def stored(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}


def instruction_of(decision: Decision) -> Instruction:
    """Return the instruction of a decision; an empty one if the clinician gave none."""
    return Instruction(**dict(decision.words.get("desk") or {}))


def instructions_for(submissions: Iterable[Submission]) -> dict[UUID, list[str]]:
    """Map submissions to the instruction of their newest decision, in short phrases. Three queries.

    A submission without an instruction is left out.
    """
    newest = Decision.objects.filter(submission__in=[row.pk for row in submissions])
    newest = newest.order_by("submission", "-at", "-id").distinct("submission")
    given = {row.submission_id: instruction_of(row) for row in newest}
    if not any(given.values()):
        return {}
    names = {str(who.pk): who.name for who in Clinician.objects.all()}
    names |= {str(kind.pk): str(kind) for kind in VisitType.objects.all()}
    return {pk: instruction_words(one, names) for pk, one in given.items() if one}


def instruction_words(given: Instruction, names: Mapping[str, str]) -> list[str]:
    """Return an instruction in short phrases: 'with Dr. Lee', 'First visit, 40 minutes', …

    `names` maps the ids of clinicians and visit types to their names.
    """
    found = []
    if given.clinician:
        found.append(
            _("with %(name)s") % {"name": names.get(given.clinician, _("a clinician who left"))}
        )
    if given.visit_type:
        found.append(names.get(given.visit_type, _("a visit type that is gone")))
    if given.duplex_first:
        found.append(_("duplex scan first"))
    if given.day:
        found.append(_("by %(day)s") % {"day": date_format(given.day, "D, M j")})
    if given.words:
        found.append(given.words)
    return found
