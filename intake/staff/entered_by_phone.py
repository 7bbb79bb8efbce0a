"""Say in words who called, who entered the answers, and what was done at an emergency."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from intake.models.phone_calls import Caller, CameOf, PhoneCall
from intake.models.submissions import Submission
from intake.wording.people import person_words


def call_of(submission: Submission) -> PhoneCall | None:
    """Return the call in which staff entered this submission; None if the patient sent it."""
    rows = PhoneCall.objects.select_related("by")
    return rows.filter(submission_id=submission.pk).first()


def caller_words(call: PhoneCall) -> str:
    """Return who called: 'the patient', or the relation, such as 'daughter'."""
    if call.patient_calls:
        return _("the patient")
    if relation := str(call.words.get("relation", "")):
        return relation
    kind = call.words.get("caller")
    return str(Caller(kind).label).lower() if kind else _("not asked yet")


def entered_words(call: PhoneCall) -> str:
    """Return in one sentence who entered the answers, when, for which caller."""
    words = {
        "by": person_words(call.by),
        "at": date_format(timezone.localtime(call.at), "DATETIME_FORMAT"),
        "caller": caller_words(call),
    }
    interpreter = call.words.get("interpreter")
    if not interpreter:
        return _("Entered by phone by %(by)s (%(at)s). Caller: %(caller)s, no interpreter.") % words
    words["interpreter"] = interpreter
    return (
        _("Entered by phone by %(by)s (%(at)s). Caller: %(caller)s, interpreter: %(interpreter)s.")
        % words
    )


def step_rows(call: PhoneCall) -> list[dict[str, Any]]:
    """Return what was done at an emergency, oldest first: what came of it, the place, the time."""
    return [
        {
            "came_of": CameOf(step["came_of"]).label,
            "place": step["place"],
            "at": timezone.localtime(datetime.fromisoformat(step["at"])),
        }
        for step in call.steps
    ]
