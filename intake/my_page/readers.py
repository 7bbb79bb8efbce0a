"""Tell the patient which roles of the clinic opened the patient's submission."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import Group

from clinic.models import Event
from intake.models.submissions import Submission


@dataclass(frozen=True)
class Reader:
    """One reading of a submission by staff: the role, not the person, and the time."""

    role: str
    at: datetime


def readers(submission: Submission) -> list[Reader]:
    """Return the readings of the submission, newest first, each role at most once an hour."""
    events = list(
        Event.objects.filter(
            subject=str(submission.pk), actor__startswith="staff:", action__in=("read", "print")
        ).order_by("-seq")[:50]
    )
    people = {event.actor: int(event.actor.partition(":")[2]) for event in events}
    groups = Group.objects.filter(user__in=people.values()).order_by("-name")
    roles = dict(groups.values_list("user", "name"))
    found: list[Reader] = []
    for event in events:
        role = roles.get(people[event.actor], "staff")
        near = (r for r in found if r.role == role and r.at - event.at < timedelta(hours=1))
        if not any(near):
            found.append(Reader(role, event.at))
    return found
