"""What every page of staff says of red flags that nobody has seen to for long."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from intake.models.submissions import Submission, Urgency

MOST = 3  # named; of the others, that there are more

# the first page that somebody may open: permission → its list, as the addresses name it
PAGES = {"intake.view_submission": "submission", "intake.view_frontdesk": "frontdesk"}


def red_flags(request: HttpRequest) -> dict[str, Any]:
    """For the head of each page: reference, urgency and address of each, and no patient's name.
    One query, for those who may open one."""
    page = next((page for right, page in PAGES.items() if request.user.has_perm(right)), "")
    if not page:
        return {}
    rows = list(Submission.objects.on_banner().only("reference", "urgency")[: MOST + 1])
    found = []
    for row in rows[:MOST]:
        to = reverse(f"admin:intake_{page}_change", args=[row.pk])
        found.append((row.reference, Urgency(row.urgency).label, to))
    more = reverse(f"admin:intake_{page}_changelist") if len(rows) > MOST else ""
    return {"red_flags": found, "more_red_flags": more}


admin.site.also.append(red_flags)
