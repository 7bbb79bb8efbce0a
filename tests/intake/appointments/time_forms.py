"""Fields to post to the admin's forms of clinic time, and the visits outside of the hours."""

from django.urls import reverse

from tests.desk import VISITS, cells
from tests.intake import book


def url(name, page="add", row=None):
    return reverse(f"admin:intake_{name}_{page}", args=[row.pk] if row else [])


def hours(who, **more):
    return {
        "clinician": who.pk,
        "location": book.location().pk,
        "weekday": "0",
        "starts": "09:00",
        "ends": "12:00",
        "capacity": "1",
        "valid_from": "",
        "valid_until": "",
    } | more


def closed(**more):
    return {
        "clinician": "",
        "location": "",
        "first_day": "",
        "last_day": "",
        "starts_at": "",
        "ends_at": "",
        "reason": "Team day",
    } | more


def left(desk):
    """Return the references of the coming visits that lie outside of the opening hours."""
    return cells(desk.get(f"{VISITS}?hours=outside&when=coming&status=all"), "opens")
