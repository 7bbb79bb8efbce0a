"""The banner on all pages of staff: red flags that have waited for long."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from clinic.adminsite import ClinicAdminSite
from intake.models.submissions import Submission, Urgency

MOST = 3  # named in the banner; a link leads to the others

# permission → the pages that it opens, in the words of addresses; the first permission counts
PAGES = {"intake.view_submission": "submission", "intake.view_frontdesk": "frontdesk"}


def red_flags(request: HttpRequest) -> dict[str, Any]:
    """Return the red flags for the page header: reference, urgency and address, no patient's name.

    Takes one query, and none for staff who may open no submission.
    """
    allowed = (page for right, page in PAGES.items() if request.user.has_perm(right))
    page = next(allowed, "")
    if not page:
        return {}
    rows = list(Submission.objects.on_banner().only("reference", "urgency")[: MOST + 1])
    found = []
    for row in rows[:MOST]:
        to = reverse(f"admin:intake_{page}_change", args=[row.pk])
        found.append((row.reference, Urgency(row.urgency).label, to))
    more = reverse(f"admin:intake_{page}_changelist") if len(rows) > MOST else ""
    return {"red_flags": found, "more_red_flags": more}


ClinicAdminSite.also.append(red_flags)
