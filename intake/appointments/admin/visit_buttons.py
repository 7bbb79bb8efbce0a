"""Which buttons staff can press for a visit."""

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from intake.appointments import arrival
from intake.domain import workflow
from intake.models.appointments import Appointment

BUTTONS = {
    "arrive": gettext_lazy("Is here"),
    "call_in": gettext_lazy("Please come in"),
    "complete": gettext_lazy("Took place"),
    "miss": gettext_lazy("Did not come"),
}
"""The buttons on the list of visits, in words."""


def buttons_for(row: Appointment, request: HttpRequest) -> dict[str, bool]:
    """Return which buttons a page shows for a visit, by the name of the act after `may_`.

    The front desk may press all of them. A clinician may ask an own patient to come in.
    """
    now = timezone.now()
    changes = may_change(request)
    is_own = row.clinician.user_id == request.user.pk
    is_here = row.here_since is not None
    has_begun = row.during.lower <= now

    def allowed(action: str) -> bool:
        return (row.status, action) in workflow.VISIT_MOVES

    return {
        "may_change": changes,
        "may_move": changes and allowed("move"),
        "may_cancel": changes and allowed("cancel"),
        "may_arrive": changes
        and allowed("arrive")
        and not is_here
        and arrival.is_today(row, at=now),
        "may_call_in": (changes or is_own)
        and allowed("call_in")
        and is_here
        and row.in_since is None,
        "may_leave": changes and is_here and allowed("leave"),
        "may_complete": changes and has_begun and allowed("complete"),
        "may_miss": changes and has_begun and not is_here and allowed("miss"),
        "may_book_again": changes
        and row.status == "no_show"
        and not is_here
        and request.user.has_perm("intake.view_frontdesk"),
    }


def may_change(request: HttpRequest) -> bool:
    """Whether the reader may change all visits."""
    return request.user.has_perm("intake.change_appointment")
