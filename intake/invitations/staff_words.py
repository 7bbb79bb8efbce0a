"""What staff read about invitations, in words."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.models import Message
from intake.domain.stored import PHONE
from intake.models.invitations import Invitation
from intake.staff import paperwork
from intake.ways import invited as invited_ways
from intake.wording.people import person_words
from intake.wording.reading import date_words

WAYS = {"email": gettext_lazy("E-mail"), "sms": gettext_lazy("Text message")}


def say_how_told(request: HttpRequest, row: Invitation) -> None:
    """Tell staff by which way the person hears of the invitation, or that a call is owed."""
    fresh = paperwork.with_facts(Invitation.objects.filter(pk=row.pk)).get()
    match paperwork.standing_of(fresh).state:
        case paperwork.State.CALL:
            messages.warning(request, _("No message reaches this person. We owe a call."))
        case paperwork.State.NO_WAY:
            messages.error(request, _("There is no safe way to reach this person."))
        case _other:
            words = way_words(fresh)
            messages.success(request, _("Invited. By: %(way)s.") % {"way": words})


def way_words(row: Invitation) -> str:
    """Return the way of the next letter in words, or that staff call."""
    reach = invited_ways.reach_of(row)
    if reach.way:
        return str(WAYS[reach.way[0]])
    return _("Call") if reach.may_call else _("No safe way")


def visit_words(row: Invitation) -> str | None:
    """Return when the visit is, in words; None without a visit."""
    if row.appointment is not None:
        return moment_words(row.appointment.starts)
    if row.visit_at is None:
        return row.person.get("visit")
    local = timezone.localtime(row.visit_at)
    whole_day = (local.hour, local.minute) == (23, 59)
    return date_format(local, "D j M") if whole_day else moment_words(local)


def moment_words(at: datetime) -> str:
    """Return a moment as lists show it: the day and the time, without the year."""
    return f"{date_format(at, 'D j M')}, {date_format(at, 'TIME_FORMAT')}"


def steps_of(row: Any) -> list[tuple[str, datetime]]:
    """Return what happened to the invitation, with the times, in order."""
    delivered = row.delivery == Message.Delivery.DELIVERED
    steps = [
        (_("Invited by %(name)s") % {"name": person_words(row.by)}, row.created_at),
        (_("Delivered"), row.delivery_at if delivered else None),
        (_("Not delivered"), row.bounced_at),
        (_("Opened"), row.opened_at),
        (_("Told by phone"), row.called_at),
        (_("Declined"), row.declined_at),
        (_("Taken back"), row.withdrawn_at),
    ]
    return sorted(((words, at) for words, at in steps if at), key=lambda step: step[1])


def line_words(row: dict[str, Any]) -> dict[str, Any]:
    """Return one line of a list as the preview shows it."""
    person = row["person"]
    at = datetime.fromisoformat(row["visit_at"]) if row["visit_at"] else None
    ways = {"email": _("E-mail"), "call": _("We call"), "none": "–"}
    return {
        "line": row["line"],
        "name": person.get("name", ""),
        "born": date_words(person["birth_date"]) if person.get("birth_date") else "",
        "guardian": row["guardian"],
        "visit": moment_words(timezone.localtime(at)) if at else row["visit"],
        "way": ways[row["way"]],
        "address": person.get("email") or person.get(PHONE, ""),
        "problems": row["problems"],
    }
