"""Bring a form of the own page back by a redirect: Back and reload then show it without a warning.

What was posted stays, sealed, in the grant (`Grant.returned`) until the form is sent well or the
grant ends. The page judges it again each time it is shown. A grant holds one entry for each kind of
page.
"""

from typing import Final

from django.http import HttpResponse, QueryDict

from clinic.requests import Request
from intake.access import grants
from intake.models.access import Grant
from intake.questionnaire.views.returned import Returned, see_other_page, typed_of

REPLY: Final = "reply"
TIMES: Final = "times"
REFUSAL: Final = "refusal"
"""What the clinic did not do, and why. The own page says it until the patient does something."""
CONFIRM: Final = "confirm"
"""The patient has chosen a slot, and has to confirm it."""


def give_back(
    request: Request,
    grant: Grant,
    page: str,
    to: str,
    *,
    posted: QueryDict | None = None,
    why: str = "",
    notice: str = "",
) -> HttpResponse:
    """Keep what was posted, and redirect to the address named `to`, which then shows it.

    `posted` is None for everything that this request has posted.
    """
    typed = typed_of(request.POST if posted is None else posted)
    grants.keep(grant=grant, page=page, entry={"posted": typed, "why": why, "notice": notice})
    return see_other_page(to)


def returned_page(grant: Grant, page: str) -> Returned | None:
    """Return what this page of the grant's browser posted; None if it was answered well."""
    entry = (grant.returned or {}).get(page)
    if entry is None:
        return None
    posted = QueryDict(mutable=True)
    for name, values in entry["posted"].items():
        posted.setlist(name, values)
    return Returned(posted, entry["why"], entry["notice"])
