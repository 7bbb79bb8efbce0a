"""The way by which the clinic reaches a person whom it invites."""

from collections.abc import Iterable
from uuid import UUID

from intake.domain.stored import PHONE
from intake.models.invitations import Invitation
from intake.ways import contact, contact_points

Way = tuple[contact.Channel, str]


def way_to(row: Invitation) -> Way | None:
    """Return the channel and address of a letter, or None if no letter reaches the person."""
    return ways_to([row])[row.pk]


def ways_to(rows: Iterable[Invitation]) -> dict[UUID, Way | None]:
    """Map invitations to the channel and address of a letter, or to None. One query for all.

    The invitation of a child has the ways of the guardian. For any other patient of a request, what
    the patient allowed since counts. A closed address is no way.
    """
    ways = {row.pk: _given(row) for row in rows}
    states = contact_points.states_of({way for way in ways.values() if way})
    closed = {way for way, state in states.items() if not state.is_open}
    return {pk: None if way in closed else way for pk, way in ways.items()}


def _given(row: Invitation) -> Way | None:
    adult = row.submission if "guardian" not in row.person else None
    return contact.way_to(adult.person if adult else row.person)


def phone_of(row: Invitation) -> str:
    """Return the number that staff may call about the invitation, or ''."""
    return str(row.person.get(PHONE, ""))
