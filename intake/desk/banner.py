"""The banners on staff pages: red flags that still wait, and unconfirmed public holidays."""

from typing import Any

from django.db.models import CharField, DateTimeField, SmallIntegerField, Value
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.urls import reverse

from clinic import hours
from clinic.adminsite import ClinicAdminSite
from intake.models.submissions import Submission, Urgency
from intake.staff.owed_calls import calls_of_header, calls_to_make

MOST = 3  # red flags that the banner names; a link leads to the list with all red flags

# what a call has in the columns of a red flag
NOTHING = (
    Value("", CharField()),
    Cast(Value(None), SmallIntegerField()),
    Cast(Value(None), DateTimeField()),
)
# Maps a permission to the admin page that it opens, as URLs name the page. The first permission of
# a user counts.
PAGES = {"intake.view_submission": "submission", "intake.view_frontdesk": "frontdesk"}


def waiting(request: HttpRequest) -> dict[str, Any]:
    """Return the red flags for the banner, and the number of owed calls for the header.

    Takes one query, or none for staff who may see neither.
    """
    page = next((page for right, page in PAGES.items() if request.user.has_perm(right)), "")
    calls = calls_of_header(request)
    parts = [rows.values_list("mark", "alarm", "pk", *NOTHING) for rows in calls]
    if page:
        flags = Submission.objects.on_banner()[: MOST + 1]
        columns = ("alarm", "pk", "reference", "urgency", "target_at")
        parts.append(flags.values_list(Value("flag"), *columns))
    rows = list(parts[0].union(*parts[1:], all=True)) if parts else []
    found = [row for row in rows if row[0] == "flag"]
    found.sort(key=lambda row: (not row[1], -row[4], row[5], row[2]))
    others = [(mark, alarm) for mark, alarm, *_rest in rows if mark != "flag"]
    return (calls_to_make(others) if calls else {}) | (red_flags(page, found) if page else {})


def red_flags(page: str, rows: list[Any]) -> dict[str, Any]:
    """Return red flags for the banner: reference, urgency and URL, but no name."""
    found = [
        (reference, Urgency(urgency).label, reverse(f"admin:intake_{page}_change", args=[pk]))
        for _mark, _alarm, pk, reference, urgency, _target in rows[:MOST]
    ]
    more = reverse(f"admin:intake_{page}_changelist") if len(rows) > MOST else ""
    return {"red_flags": found, "more_red_flags": more}


def unconfirmed_holidays(request: HttpRequest) -> dict[str, Any]:
    """Return the unconfirmed public holidays, for the banner of staff who may close the clinic."""
    if not request.user.has_perm("intake.add_closure"):
        return {}
    return {"unconfirmed_holidays": hours.proposed_holidays().items()}


ClinicAdminSite.also += [waiting, unconfirmed_holidays]
