"""A visit as a calendar file (RFC 5545) that Outlook, Google and Apple read.

Times are in UTC, so that no calendar has to know the rules of the clinic's zone. A visit that is
moved keeps its UID, and SEQUENCE counts the changes: a newer file moves or cancels the entry that
an older file made. The file is published and not an invitation, because an invitation would name
the patient's address and ask for answers that nobody reads. The file holds no name, no reference
and no illness, because people share their calendars.
"""

from datetime import UTC
from email.utils import parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from intake.models.appointments import Appointment
from intake.models.clinic_time import VisitKind

NAME = "appointment.ics"


def calendar_file(visit: Appointment) -> bytes:
    """Return the calendar file of a visit as the visit is now, in the active language.

    The file of a cancelled visit removes the visit from the calendar.
    """
    # Imported here, because the import takes a tenth of a second and 9 MB, and few processes make
    # calendar files.
    from icalendar import Calendar, Event, vCalAddress, vText

    cancelled = visit.status == "cancelled"
    event = Event()
    event.add("uid", f"{visit.pk}@{urlsplit(settings.SITE_ORIGIN).hostname}")
    event.add("sequence", visit.sequence)
    event.add("dtstamp", visit.changed_at.astimezone(UTC))
    event.add("dtstart", visit.during.lower.astimezone(UTC))
    event.add("dtend", visit.during.upper.astimezone(UTC))
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    title, clinic = visit.visit_type.title, settings.CLINIC_SHORT_NAME
    event.add("summary", _("%(clinic)s: %(title)s") % {"clinic": clinic, "title": title})
    event.add("location", where(visit))
    if visit.location.directions and visit.visit_type.kind == VisitKind.IN_PERSON:
        event.add("description", visit.location.directions)
    organizer = vCalAddress(f"mailto:{parseaddr(settings.EMAIL_FROM)[1]}")
    organizer.params["cn"] = vText(clinic)
    event.add("organizer", organizer)
    calendar = Calendar()
    calendar.add("prodid", "-//clinic//appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method(visit))
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def method(visit: Appointment) -> str:
    """Return the METHOD of the file, which tells the calendar to keep or to remove the visit."""
    return "CANCEL" if visit.status == "cancelled" else "PUBLISH"


def media_type(visit: Appointment) -> str:
    return f"text/calendar; method={method(visit)}"


def where(visit: Appointment) -> str:
    """Say in one line where the visit takes place."""
    match visit.visit_type.kind:
        case VisitKind.PHONE:
            return _("By phone: we call you")
        case VisitKind.VIDEO:
            return _("By video")
    lines = [visit.location.name, *visit.location.address.splitlines()]
    return ", ".join(line.strip() for line in lines if line.strip())
