"""The banners on staff pages: red flags that still wait, and unconfirmed public holidays."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from clinic import hours
from clinic.adminsite import ClinicAdminSite
from intake.models.submissions import Submission, Urgency

MOST = 3  # red flags that the banner names; a link leads to the list with all red flags

# Maps a permission to the admin page that it opens, as URLs name the page. The first permission of
# a user counts.
PAGES = {"intake.view_submission": "submission", "intake.view_frontdesk": "frontdesk"}


def on_banner() -> Any:
    """Return the red flags of the banner, and one more if there are more."""
    return Submission.objects.on_banner().values("pk", "reference", "urgency")[: MOST + 1]


def red_flags(request: HttpRequest) -> dict[str, Any]:
    """Return the red flags for the banner: reference, urgency and URL, but no name.

    Takes one query, or none if the page has asked for them already (`on_banner`). Returns no red
    flags, without a query, for staff who may open no submission.
    """
    allowed = (page for right, page in PAGES.items() if request.user.has_perm(right))
    page = next(allowed, "")
    if not page:
        return {}
    asked = getattr(request, "on_banner", None)
    rows = list(on_banner()) if asked is None else asked
    found = []
    for row in rows[:MOST]:
        to = reverse(f"admin:intake_{page}_change", args=[row["pk"]])
        found.append((row["reference"], Urgency(row["urgency"]).label, to))
    more = reverse(f"admin:intake_{page}_changelist") if len(rows) > MOST else ""
    return {"red_flags": found, "more_red_flags": more}


def unconfirmed_holidays(request: HttpRequest) -> dict[str, Any]:
    """Return the unconfirmed public holidays, for the banner of staff who may close the clinic."""
    if not request.user.has_perm("intake.add_closure"):
        return {}
    return {"unconfirmed_holidays": hours.proposed_holidays().items()}


ClinicAdminSite.also += [red_flags, unconfirmed_holidays]
