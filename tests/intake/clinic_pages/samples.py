"""A clinic with two places and two clinicians, as the public pages show it."""

from intake.demonstration import clinic_pages
from intake.models.clinic_time import Clinician, Location
from tests.intake import book


def whole() -> tuple[Location, list[Clinician]]:
    """Store a whole clinic: every field of a place, of two clinicians, plans and texts."""
    place = book.location()
    place.address, place.phone = "12 Example Street\nExampletown", "+1 202-555-0177"
    place.save()
    types = tuple(
        book.visit_type(20, title=f"Visit {kind}", kind=kind)
        for kind in ("in_person", "video", "phone")
    )
    people = [book.clinician(name, types=types) for name in ("Dr. Lee", "Dr. Okafor")]
    clinic_pages.load(place=place, people=people)
    return place, people
