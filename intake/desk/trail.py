"""The audit trail of a submission in words, for the foot of the submission page."""

from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Event
from intake.models.submissions import Submission
from intake.wording.people import person_words

MOST = 20  # events that the page shows

ACTION_WORDS = {
    "read": gettext_lazy("Opened"),
    "create": gettext_lazy("Sent"),
    "create call": gettext_lazy("Noted a call"),
    "create message": gettext_lazy("Wrote to the patient"),
    "create reply": gettext_lazy("Wrote"),
    "create alarm": gettext_lazy("Wrote words of alarm"),
    "create letter": gettext_lazy("Wrote a letter"),
    "state letter": gettext_lazy("Signed a letter"),
    "print": gettext_lazy("Printed"),
    "print letter": gettext_lazy("Printed a letter"),
    "export": gettext_lazy("Exported"),
    "assign": gettext_lazy("Taken or given back"),
    "decide": gettext_lazy("Decided"),
    "state": gettext_lazy("Moved on"),
    "state escalation": gettext_lazy("Escalated"),
    "state phone": gettext_lazy("Noted what was done by phone"),
    "state reply": gettext_lazy("Read, needs no answer"),
    "deny": gettext_lazy("Refused"),
}
"""Words for an audit event of a submission: by action and kind, else by action."""


def action_words(event: Event) -> str:
    """Return in words what an event did with the submission."""
    by_kind = ACTION_WORDS.get(f"{event.action} {event.detail.get('kind')}")
    return str(by_kind or ACTION_WORDS.get(event.action) or event.action)


def actor_words(events: list[Event]) -> list[str]:
    """Return the name of each event's actor, with one query for all names."""
    keys = {event.actor.removeprefix("staff:") for event in events}
    people = get_user_model().objects.in_bulk([int(key) for key in keys if key.isdecimal()])
    names = {f"staff:{user.pk}": person_words(user) for user in people.values()}
    names |= {
        event.actor: _("the patient")
        for event in events
        if event.purpose == "PATRQT" and not event.actor.startswith("staff:")
    }
    names["system:escalation"] = _("the program")
    return [names.get(event.actor, event.actor) for event in events]


def trail_of(submission: Submission) -> list[dict[str, Any]]:
    """Return the newest events of the submission, newest first: what happened, by whom, when.

    Takes two queries: for the events, and for the names of the actors.
    """
    events = list(Event.objects.filter(subject=str(submission.pk)).order_by("-seq")[:MOST])
    return [
        {"what": action_words(event), "who": actor, "at": event.at}
        for event, actor in zip(events, actor_words(events), strict=True)
    ]
