"""What happened to a submission in one list: drafted, sent, opened, messages, calls, visits."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.postgres.aggregates import ArrayAgg
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic import audit
from clinic.models import Event
from intake.models.appointments import Appointment
from intake.models.calls import Call
from intake.models.findings import Finding
from intake.models.notes import StaffNote
from intake.models.safe_contact import SafeContact
from intake.models.submissions import Communication, Decision, Submission
from intake.wording.people import person_words

MOST = 100  # events of the audit trail that the page reads

ACTION_WORDS = {
    "read": gettext_lazy("Opened"),
    "create letter": gettext_lazy("Wrote a letter"),
    "state letter": gettext_lazy("Signed a letter"),
    "print": gettext_lazy("Printed"),
    "print letter": gettext_lazy("Printed a letter"),
    "export": gettext_lazy("Exported"),
    "create": gettext_lazy("Sent"),
    "create call": gettext_lazy("A call is owed"),
    "create reply": gettext_lazy("Wrote"),
    "create alarm": gettext_lazy("Wrote words of alarm"),
    "update contact": gettext_lazy("Corrected the contact"),
    "update contact_number": gettext_lazy("Sent a number to the new address"),
    "state contact": gettext_lazy("Heard the number from the new address"),
    "deny identifiers": gettext_lazy("Refused: a caller’s details did not fit"),
    "assign": gettext_lazy("Taken or given back"),
    "state": gettext_lazy("Moved on"),
    "state escalation": gettext_lazy("Escalated"),
    "state phone": gettext_lazy("Noted what was done by phone"),
    "state reply": gettext_lazy("Read, needs no answer"),
    "deny": gettext_lazy("Refused"),
}
"""Words for an audit event of a submission: by action and kind, else by action."""

TOLD_BY_ROWS = frozenset({"decide", "create message", "create note", "create finding"})
"""Events that the page leaves out, because the row that they tell of stands in the list."""


@dataclass(frozen=True)
class Step:
    """One line of the timeline. `part` is the id of the part of the page with the whole text."""

    at: datetime
    what: str
    who: str = ""
    part: str = ""


def events_of(submission: Submission) -> list[Event]:
    """Return the newest events of the submission, newest first. One query."""
    return list(Event.objects.filter(subject=str(submission.pk)).order_by("-seq")[:MOST])


def people_of(events: Iterable[Event], others: Iterable[int | None]) -> dict[int, Any]:
    """Return the members of staff who acted, by their ids, each with the `roles`. One query.

    `others` are more ids of accounts.
    """
    keys = {event.actor.removeprefix("staff:") for event in events}
    ids = {int(key) for key in keys if key.isdecimal()} | set(filter(None, others))
    people = get_user_model().objects.annotate(roles=ArrayAgg("groups__name", default=[]))
    return people.in_bulk(list(ids)) if ids else {}


def began_at(submission: Submission) -> datetime | None:
    """Return when the patient began the form; None if the patient left the form and came back."""
    if submission.took_seconds is None:
        return None
    return submission.submitted_at - timedelta(seconds=submission.took_seconds)


def steps_of_events(events: Iterable[Event], people: dict[int, Any]) -> Iterator[Step]:
    """Yield a step for each event that no other row tells of."""
    for event in events:
        kind = f"{event.action} {event.detail.get('kind')}"
        noted = kind == "create call" and event.actor.startswith("staff:")
        if noted or event.action in TOLD_BY_ROWS or kind in TOLD_BY_ROWS:
            continue
        yield Step(event.at, action_words(event), actor_words(event, people))


def action_words(event: Event) -> str:
    """Return in words what an event did with the submission."""
    by_kind = ACTION_WORDS.get(f"{event.action} {event.detail.get('kind')}")
    return str(by_kind or ACTION_WORDS.get(event.action) or event.action)


def actor_words(event: Event, people: dict[int, Any], *, with_roles: bool = True) -> str:
    """Return who acted: a member of staff with the roles, the patient, or the program."""
    if event.purpose == "PATRQT" and not event.actor.startswith("staff:"):
        return _("the patient")
    if event.actor.startswith(audit.system("")):
        return _("the program")
    key = event.actor.removeprefix("staff:")
    user = people.get(int(key)) if key.isdecimal() else None
    if user is None:
        return event.actor
    roles = ", ".join(filter(None, user.roles)) if with_roles else ""
    return f"{person_words(user)} ({roles})" if roles else person_words(user)


def step_of_act(act: Communication | Decision | Call | Finding | SafeContact | StaffNote) -> Step:
    """Return the step of a message, a decision, a call or a finding."""
    who = person_words(act.by) if act.by else _("the patient")
    match act:
        case Communication():
            what = _("Wrote to the patient") if act.by_id else _("Wrote")
            return Step(act.at, what, who, "messages")
        case Decision():
            what = _("Decided: %(outcome)s") % {"outcome": act.get_outcome_display()}
            return Step(act.at, what, who, "decisions")
        case Call():
            what = _("Call: %(outcome)s") % {"outcome": act.get_outcome_display()}
            return Step(act.at, what, who, "calls")
        case SafeContact():
            what = _("Ways to reach the patient: %(source)s") % {"source": act.get_source_display()}
            return Step(act.at, what, who)
        case StaffNote():
            return Step(act.at, _("Wrote a note for colleagues"), who, "notes")
        case _finding:
            return Step(act.at, _("Recorded a finding"), who, "findings")


def visit_step(visit: Appointment) -> Step:
    """Return the step of a visit: when it was booked, for which time, and its state now."""
    words = {
        "time": date_format(visit.starts, "D j M Y, H:i"),
        "clinician": visit.clinician,
        "state": visit.get_status_display().lower(),
    }
    return Step(visit.created_at, _("Visit: %(time)s, %(clinician)s (%(state)s)") % words)
