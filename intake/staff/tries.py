"""Tell staff how often colleagues called a patient, by whom, and what came of the calls."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from intake.models.calls import Call
from intake.ways import calls as service
from intake.ways.contact import PHONE_SINCE
from intake.wording.people import person_words


def calls_without_notes() -> QuerySet[Call]:
    """Return all calls with their callers. Does not load what was said."""
    return Call.objects.select_related("by").defer("words")


def call_words(call: Call) -> str:
    """Return the outcome of a call, the caller and the time in words."""
    local = timezone.localtime(call.at)
    day = "" if local.date() == timezone.localdate() else date_format(local, "D j M, ")
    return _("%(outcome)s (%(who)s, %(time)s)") % {
        "outcome": call.get_outcome_display(),
        "who": person_words(call.by),
        "time": f"{day}{date_format(local, 'TIME_FORMAT')}",
    }


def tries_words(calls: Iterable[Call]) -> str:
    """Say how many calls there were, and what came of each, the newest first; '' without calls."""
    made = list(calls)[::-1]
    if not made:
        return ""
    count = ngettext("%(n)s try", "%(n)s tries", len(made)) % {"n": len(made)}
    return format_html(
        "{}{}", count, format_html_join("", "<br>{}", ((call_words(c),) for c in made))
    )


def wrong_number_words(calls: Iterable[Call], person: Mapping[str, Any]) -> str:
    """Say that the patient's number is wrong; '' if it is not, or a later call reached the patient.

    `calls` are the calls to one patient, oldest first. A call before the number in the contact
    `person` was corrected says nothing of the number.
    """
    wrong, since = None, person.get(PHONE_SINCE)
    for call in calls:
        if since and call.at < datetime.fromisoformat(since):
            continue
        if call.outcome == Call.Outcome.WRONG_NUMBER:
            wrong = call
        elif call.outcome in Call.SPOKE:
            wrong = None
    if wrong is None:
        return ""
    return _("This number is wrong: %(who)s reached a stranger. Look for another number.") % {
        "who": person_words(wrong.by)
    }


def warn_of_colleague(request: HttpRequest, made: Call) -> None:
    """Tell the caller that a colleague called the same patient shortly before."""
    if other := service.colleagues_call(made):
        messages.warning(
            request, _("A colleague called, too: %(call)s.") % {"call": call_words(other)}
        )
