"""The way by which the clinic reaches a person whom it invites."""

from intake.domain.stored import PHONE
from intake.models.invitations import Invitation
from intake.ways import contact, contact_points


def way_to(row: Invitation) -> tuple[contact.Channel, str] | None:
    """Return the channel and address of a letter, or None if no letter reaches the person.

    The invitation of a child has the ways of the guardian. For any other patient of a request, what
    the patient allowed since counts.
    """
    adult = row.submission if "guardian" not in row.person else None
    way = contact.way_to(adult.person if adult else row.person)
    return way if way and contact_points.is_open(*way) else None


def phone_of(row: Invitation) -> str:
    """Return the number that staff may call about the invitation, or ''."""
    return str(row.person.get(PHONE, ""))
