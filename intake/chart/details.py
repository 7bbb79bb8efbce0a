"""Keep what staff copy into the chart: the patient's answers, and the front desk's corrections.

Each change is a new row, so that staff see which detail a patient or a member of staff gave, and
when. The rows belong to the first submission of a chain (`contact.firsts_of`).
"""

from collections.abc import Mapping
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from intake.documents import protocol_of
from intake.domain.stored import CHART_NUMBER, DOCTOR, MEMBER, PAYER, PHARMACY
from intake.domain.typed_text import as_key
from intake.errors import Conflict
from intake.models.chart import ChartDetails
from intake.models.submissions import Submission
from intake.ways.contact import firsts_of

NAMES = (PAYER, MEMBER, DOCTOR, PHARMACY, CHART_NUMBER)
"""The names of the details, in the order in which staff read them."""
NUMBERS = (MEMBER, CHART_NUMBER)
"""The details that staff type into other programs: digits of any script become 0 to 9."""


def rows_of(submission: Submission) -> QuerySet[ChartDetails]:
    """Return all rows that count for the submission's patient, the newest first."""
    return ChartDetails.objects.filter(submission=_first_of(submission)).select_related("by")


def newest_of(submission: Submission) -> ChartDetails | None:
    """Return the row that counts for the submission's patient; None if nothing is known."""
    return rows_of(submission).first()


def version_of(row: ChartDetails | None) -> str:
    """Return the mark by which a form names the row that its reader saw."""
    return str(row.pk) if row else ""


def correct(
    *,
    submission: Submission,
    details: Mapping[str, str],
    seen: str,
    by: User,
    request_id: str,
) -> bool:
    """Add a row with what a member of staff typed. Returns whether anything is new.

    `details` has all details; '' is one that is not known. `seen` is the mark (`version_of`) of the
    row that the member of staff saw. The same details sent twice are stored once. Raises Conflict
    when another row was added since, and ValueError for an unknown name.
    """
    if not set(NAMES).issuperset(details):
        raise ValueError("This is no detail for the chart.")
    return _add(submission, details, by=by, request_id=request_id, seen=seen)


def take_over(*, part_2: Submission, by: User | None, request_id: str) -> None:
    """Add a row with what the patient answered in part 2.

    A question left blank changes nothing, because a patient leaves blank what is not at hand. `by`
    is the member of staff who entered the answers by phone, or None. Called in the transaction that
    sends part 2.
    """
    asked = protocol_of(part_2.protocol_id).uses.chart_names
    answered = {name: part_2.answers[id] for id, name in asked.items() if id in part_2.answers}
    if answered:
        _add(part_2, answered, by=by, request_id=request_id)


@transaction.atomic
def _add(
    submission: Submission,
    details: Mapping[str, str],
    *,
    by: User | None,
    request_id: str,
    seen: str | None = None,
) -> bool:
    """Add a row in which `details` replace what was known; other details stay.

    Without `seen`, the row is added whatever was stored before. Raises Conflict.
    """
    first = _first_of(submission)
    # one at a time, so that the second of two forms meets the row of the first form
    Submission.objects.select_for_update(of=("self",), no_key=True).get(pk=first)
    newest = ChartDetails.objects.filter(submission=first).first()
    before = newest.details if newest else {}
    given = {name: as_key(text) if name in NUMBERS else text for name, text in details.items()}
    known = {name: text for name, text in {**before, **given}.items() if text}
    if known == before:
        return False
    if seen is not None and version_of(newest) != seen:
        raise Conflict(_("These details were changed while you had them open. Read them again."))
    row = ChartDetails(submission_id=first, details=known, by=by, at=timezone.now())
    row.save(force_insert=True)
    audit.record(
        actor=audit.staff(by) if by else audit.patient(submission.reference),
        action="create",
        subject=str(submission.pk),
        purpose="TREAT" if by else "PATRQT",
        request_id=request_id,
        detail={
            "kind": "chart",
            "fields": [name for name in NAMES if known.get(name) != before.get(name)],
        },
    )
    return True


def _first_of(submission: Submission) -> UUID:
    return firsts_of([submission])[submission.pk]
