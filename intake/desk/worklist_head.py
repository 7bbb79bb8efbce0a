"""Put the head of the worklist into words: what is due, the tabs with counts, the saved filters."""

from datetime import timedelta
from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from clinic import hours
from clinic.lists import TICKET_VAR
from clinic.requests import signed_in_user
from intake.desk.list_place import listed_place
from intake.desk.tabs import TABS, TO_DO
from intake.desk.worklist_counts import MOST_SHOWN, Standing, standing_of
from intake.staff.status_words import span_words


def head_of(request: HttpRequest) -> dict[str, Any]:
    """Return the context of the worklist's head."""
    standing = standing_of(request)
    return {
        "due_line": due_line(standing),
        "tabs": tabs_of(request, standing),
        "suspects": standing.suspects,
        "saved": [
            {**each, "is_own": each["owner_id"] == signed_in_user(request).pk}
            for each in standing.saved
        ],
        "place": listed_place(request),
        "is_other_tab": standing.tab != TO_DO,
    }


def due_line(standing: Standing) -> str:
    """Return the line of what is due: '3 overdue, next due in 38 min, open until 17:00'."""
    now, open_hours = timezone.now(), hours.current()
    parts = [_("%(n)s overdue") % {"n": count_words(standing.overdue)}]
    if standing.next_due:
        parts.append(_("next due in %(span)s") % {"span": span_words(standing.next_due - now)})
    else:
        parts.append(_("nothing else due"))
    is_open = open_hours.is_open(now)
    moment = timezone.localtime(
        open_hours.closing(now) if is_open else open_hours.next_opening(now)
    )
    far = moment - now > timedelta(hours=12)
    clock = date_format(moment, "D j M, H:i" if far else "H:i")
    pattern = _("open until %(clock)s") if is_open else _("closed until %(clock)s")
    return ", ".join([*parts, pattern % {"clock": clock}])


def count_words(count: int) -> str:
    return f"{MOST_SHOWN}+" if count > MOST_SHOWN else str(count)


def tabs_of(request: HttpRequest, standing: Standing) -> list[dict[str, Any]]:
    """Return the tabs: label, link that keeps the filters, count, and whether the list shows it."""
    kept = listed_place(request).parameters
    for name in ("status", TICKET_VAR, PAGE_VAR):
        kept.pop(name, None)
    tabs = []
    for code, tab in TABS.items():
        query = kept.copy()
        query["tab"] = code
        if code == TO_DO:
            del query["tab"]
        tabs.append(
            {
                "label": tab.label,
                "link": f"?{query.urlencode()}",
                "count": count_words(standing.tabs[code]) if code in standing.tabs else "",
                "is_current": code == standing.tab,
            }
        )
    return tabs
