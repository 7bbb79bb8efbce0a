"""What a clinician asks of the front desk when a visit is to be booked."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from intake.models.clinic_time import Clinician, VisitType
from intake.models.submissions import Decision

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


def instruction_words(given: Instruction) -> list[str]:
    """Return an instruction in short phrases: 'with Dr. Lee', 'First visit, 40 minutes', …

    Two queries at most.
    """
    found = []
    if given.clinician:
        who = Clinician.objects.filter(pk=given.clinician).first()
        found.append(_("with %(name)s") % {"name": who or _("a clinician who left")})
    if given.visit_type:
        kind = VisitType.objects.filter(pk=given.visit_type).first()
        found.append(str(kind) if kind else _("a visit type that is gone"))
    if given.duplex_first:
        found.append(_("duplex scan first"))
    if given.day:
        found.append(_("by %(day)s") % {"day": date_format(given.day, "D, M j")})
    if given.words:
        found.append(given.words)
    return found
