"""Invalid input to the staff's buttons and forms gets an explanation, never an error page."""

from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from clinic.ids import uuid7
from intake.models.appointments import Appointment
from intake.models.calls import CallTask
from intake.models.submissions import Submission
from intake.ways import calls
from tests import builders
from tests.desk import desk_page_of, page_of, press, visit_page
from tests.intake import book

pytestmark = pytest.mark.django_db

ODD = ["x" * 3000, "-1", "9" * 30]
ODD_DATES = ["0001-01-01", "9999-12-31", "0001-01-01T00:00", "9999-12-31T23:59"]
ODD_KEYS = ["99991231T235959_a_b", str(uuid7())]
# fields that are read neither as a date or time nor as the key of a slot or row
PLAIN = {
    *("progress", "urgency", "outcome", "reason", "note", "action", "message", "revision"),
    *("hours", "go", "again", "sure", "weekday", "capacity", "back"),
}
DATES = {
    *("week", "day", "time", "moment", "starts", "ends", "starts_at", "ends_at"),
    *("first_day", "last_day", "valid_from", "valid_until"),
}
KEYS = {*("type", "slot", "place", "clinician", "location", "visit_type", "visit_types", "to")}


def odd_values(field: str) -> list[str]:
    """Return the odd values to try in a field. A field of an unknown name gets all odd values."""
    dates = ODD_DATES if field not in PLAIN | KEYS else []
    return [*ODD, *dates, *(ODD_KEYS if field not in PLAIN | DATES else [])]


def in_order(name: str) -> tuple[str, dict[str, Any]]:
    """Return the address of a button or form, and valid fields to post there."""
    # a refused post shows the week again, which is much faster with only two free times a day
    lee, slot, kind = book.clinician(ends="10:00"), book.free(8), str(book.visit_type().pk)
    submission, place = book.patient(), str(book.location().pk)
    where, _, button = name.partition(" ")
    chosen = {"type": kind, "slot": slot.key, "hours": "24", "week": "", "place": ""}
    days = {"clinician": "", "location": "", "first_day": "2027-01-04", "last_day": ""}
    match where:
        case "desk":
            posted = {
                "progress": {"progress": "called", "revision": "0"},
                "withdraw": {"go": ""},
                "wait": {"to": "join"},
                "overbook": {
                    "visit_type": kind, "clinician": str(lee.pk), "location": place, "moment": "",
                    "day": "2027-03-03", "time": "07:00", "reason": "Asked to", "sure": "on",
                },
            }  # fmt: skip
            return desk_page_of(submission, button), posted.get(button, chosen)
        case "visit":
            posted = {
                "move": chosen,
                "cancel": {"reason": "patient", "note": "", "again": ""},
            }
            return visit_page(book.booked(submission), button), posted.get(button, {"go": ""})
        case "held":
            press(builders.staff_client("front desk"), submission, "offer", slot)
            return visit_page(Appointment.objects.get(), button), {"reason": "patient"}
        case "worklist":
            revision = {"revision": str(Submission.objects.get().revision)}
            posted = {
                "decide": {"urgency": "0", "outcome": "book_soon", "reason": "", "note": ""},
                "assign": {"to": ""},
                "move": {"action": "close"},
                "message": {"message": ""},
            }
            return page_of(submission, button), posted.get(button, {}) | revision
        case "calls":
            calls.owe(submission=submission, reason="message", occasion="1")
            task = CallTask.objects.get()
            posted = {"task": str(task.pk), "back": desk_page_of(submission)}
            return reverse(f"admin:intake_calltask_{button}", args=[task.pk]), posted
        case "oncall":
            person = builders.member("duty")
            person.email = "duty@staff.example.org"
            person.save()
            night = {"starts_at": "2027-01-04T18:00", "ends_at": "2027-01-05T07:00"}
            posted = {"person": str(person.pk), "location": place, "phone": "202-555-0188"}
            return reverse("admin:intake_oncall_add"), posted | night
        case "leave":
            posted = {"first_day": "2027-01-04", "last_day": "2027-01-05"}
            return reverse("admin:intake_leave_add"), posted
        case "closure":
            times = {"starts_at": "", "ends_at": "", "reason": "", "sure": "on"}
            if button == "hours":
                times |= {"starts_at": "2027-01-04T10:00", "ends_at": "2027-01-04T11:00"}
                days |= {"first_day": ""}
            return reverse("admin:intake_closure_add"), days | times
    hours = {
        "clinician": str(lee.pk), "location": place, "weekday": "1", "starts": "18:00",
        "ends": "19:00", "valid_from": "", "valid_until": "", "capacity": "1", "visit_types": kind,
    }  # fmt: skip
    return reverse("admin:intake_openinghours_add"), hours


@pytest.mark.parametrize(
    "name",
    [
        *(f"desk {name}" for name in ("progress", "offer", "call", "withdraw", "wait", "overbook")),
        *(f"visit {name}" for name in ("move", "cancel", "complete", "miss")),
        *(f"held {name}" for name in ("move", "cancel", "complete", "miss")),
        *(
            f"worklist {name}"
            for name in ("decide", "assign", "move", "message", "settle", "trust")
        ),
        *(f"calls {name}" for name in ("reached", "left_word", "not_reached", "wrong", "told")),
        "oncall",
        "leave",
        "closure days",
        "closure hours",
        "hours",
    ],
)
def test_nothing_that_can_be_posted_ends_in_an_error(name):
    url, right = in_order(name)
    by_clinician = name == "leave" or "worklist" in name
    client = builders.staff_client("clinician" if by_clinician else "front desk")
    for field in right:
        others = {key: text for key, text in right.items() if key != field}
        twice = {**others, field: [right[field], "b"]}
        odd = ({**others, field: value} for value in odd_values(field))
        for posted in [others, twice, *odd]:
            with transaction.atomic():
                assert client.post(url, posted).status_code < 500, posted
                transaction.set_rollback(True)
