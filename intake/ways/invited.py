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

    For the patient of a request, what the patient, or the guardian who sent the request, allowed
    since counts. A person without a request allowed the ways that the clinic recorded.
    """
    rows = list(rows)
    requests = {row.pk: row.submission for row in rows if row.submission}
    known = contact.reaches_of(requests.values())
    others = {row.pk: row.person for row in rows if row.pk not in requests}
    return contact.reaches_of_people(others) | {
        pk: known[request.pk] for pk, request in requests.items()
    }
