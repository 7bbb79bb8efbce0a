"""The ways by which the clinic reaches a person whom it invites."""

from collections.abc import Iterable
from uuid import UUID

from intake.models.invitations import Invitation
from intake.ways import contact


def reach_of(row: Invitation) -> contact.Reach:
    """Return the ways by which the person may be reached now."""
    return reaches_of([row])[row.pk]


def reaches_of(rows: Iterable[Invitation]) -> dict[UUID, contact.Reach]:
    """Map invitations to the ways to their people, with a fixed number of queries.

    The invitation of a child has the ways of the guardian, and no other way counts. For any other
    patient of a request, what the patient allowed since counts. A person without a request allowed
    the ways that the clinic recorded.
    """
    rows = list(rows)
    patients = {row.pk: row.submission for row in rows if _is_patient(row) and row.submission}
    of_requests = contact.reaches_of(patients.values())
    others = contact.reaches_of_people(
        {row.pk: row.person for row in rows if row.pk not in patients}
    )
    return others | {pk: of_requests[patient.pk] for pk, patient in patients.items()}


def _is_patient(row: Invitation) -> bool:
    return "guardian" not in row.person
