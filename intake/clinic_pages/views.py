"""The public pages about the clinic: contact, people, visits, costs. Rendered once, then stored.

No page names a moment of now: coming closures come from the calendar, which is read anew for each
rendering.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.text import capfirst, get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from clinic import hours
from clinic.context import phone_link
from clinic.pagecache.rendered import kept
from clinic.translated import Translated
from intake.clinic_pages import way, words
from intake.models.clinic_pages import ClinicianProfile, ClinicText, InsurancePlan, LocationProfile
from intake.models.clinic_time import Location, OpeningHours, VisitType


def _page(
    template: str, context: Callable[[], dict[str, Any]]
) -> Callable[[HttpRequest], HttpResponse]:
    @require_safe
    @kept
    def view(request: HttpRequest) -> HttpResponse:
        canonical = f"{settings.SITE_ORIGIN}{request.path}"
        return render(request, f"clinic_pages/{template}", context() | {"canonical": canonical})

    return view


def _texts() -> dict[str, Translated]:
    """Return the clinic's own short texts by their kind. Takes one query."""
    return dict(ClinicText.objects.values_list("kind", "text"))


def _contact() -> dict[str, Any]:
    """Return the places in use and what each has, in one query, besides texts and closures."""
    places = Location.objects.filter(is_active=True).select_related("profile__picture")
    rows = [_place(row) for row in places.defer("profile__picture__data")]
    return {
        # a place has a section only if staff entered more than its name
        "places": [place for place in rows if any(place[key] for key in SHOWN)],
        "texts": _texts(),
        "closures": hours.coming_closures(),
        "own_weeks": hours.own_weeks(),
    }


SHOWN = ("map_link", "phone_link", "way", "access", "texts")
"""The parts of a place. A place with none of them has no section on the page."""


def _place(row: Location) -> dict[str, Any]:
    """Return a place in words. A place without a profile has the fields of clinic time alone."""
    profile: LocationProfile = getattr(row, "profile", None) or LocationProfile(location=row)
    has_own_phone = phone_link(row.phone) not in ("tel:", phone_link(settings.CLINIC_PHONE))
    return {
        "row": row,
        "profile": profile,
        "map_link": way.map_link(
            name=row.name,
            address=row.address,
            latitude=profile.latitude,
            longitude=profile.longitude,
        ),
        "phone_link": phone_link(row.phone) if has_own_phone else "",
        "way": way.draw(profile.way.lines),
        "texts": profile.fax
        or row.directions
        or profile.picture
        or profile.transport
        or profile.parking
        or profile.access_note,
        "access": [label for code, label in words.ACCESS.items() if code in profile.access],
    }


def _people() -> dict[str, Any]:
    """Return the published clinicians who see patients, in three queries."""
    offered = VisitType.objects.filter(is_active=True)
    rows = ClinicianProfile.objects.filter(is_published=True, clinician__is_active=True)
    rows = rows.select_related("clinician", "picture").defer("picture__data")
    rows = rows.prefetch_related(Prefetch("clinician__visit_types", queryset=offered))
    places = _places_of_clinicians()
    return {
        "people": [
            {
                "profile": row,
                "places": places[row.clinician_id],
                "visits": _kinds(row.clinician.visit_types.all()),
            }
            for row in rows
        ]
    }


def _places_of_clinicians() -> dict[UUID, list[str]]:
    """Return the places where each clinician has hours that have not ended."""
    found: dict[UUID, list[str]] = defaultdict(list)
    today = timezone.localdate()
    lasting = Q(valid_until__isnull=True) | Q(valid_until__gte=today)
    rows = OpeningHours.objects.filter(lasting, location__is_active=True).order_by("location__name")
    for clinician, place in rows.values_list("clinician", "location__name").distinct():
        found[clinician].append(place)
    return found


def _kinds(types: Any) -> str:
    """Return the kinds of some visit types in words: 'In person, by video'."""
    kinds = {row.kind for row in types}
    return capfirst(", ".join(str(label) for kind, label in words.VISITS.items() if kind in kinds))


def _visits() -> dict[str, Any]:
    """Return the visits that the clinic offers, by kind, and its rules, in two queries."""
    types = VisitType.objects.filter(is_active=True, clinicians__is_active=True).distinct()
    offered: dict[str, list[VisitType]] = defaultdict(list)
    for row in types.order_by("minutes", "title"):
        offered[row.kind].append(row)
    return {
        "offered": dict(offered),
        "texts": _texts(),
        "cancel_time": _cancel_words(),
        "remind_words": _remind_words(),
    }


def _cancel_words() -> str:
    """Return for how long before a visit patients can no longer cancel it online, else ''."""
    notice = timedelta(hours=settings.APPOINTMENT_CANCEL_HOURS)
    return hours.lasting_words(notice) if notice else ""


def _remind_words() -> str:
    """Return when patients are reminded of a visit, else ''."""
    days = [
        ngettext("%(n)s day", "%(n)s days", n) % {"n": n} for n in settings.APPOINTMENT_REMIND_DAYS
    ]
    if not days:
        return ""
    return _("We remind you %(days)s before the visit, if you allow us to write to you.") % {
        "days": get_text_list(days, _("and"))
    }


def _costs() -> dict[str, Any]:
    """Return the accepted insurance plans and the clinic's own texts, in two queries."""
    return {"plans": list(InsurancePlan.objects.filter(is_accepted=True)), "texts": _texts()}


contact = _page("contact.html", _contact)
people = _page("people.html", _people)
visits = _page("visits.html", _visits)
costs = _page("costs.html", _costs)
