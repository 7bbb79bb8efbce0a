"""Helpers for tests of staff pages: addresses, forms, and functions that read a page's HTML."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinic import audit
from clinic.models import Event
from intake.models.submissions import Submission, Urgency
from tests import builders
from tests.intake import book

WORKLIST = "/admin/intake/submission/"
FRONT_DESK = "/admin/intake/frontdesk/"
VISITS = "/admin/intake/appointment/"
WAITING = "/admin/intake/waitlistentry/"
CALLS = "/admin/intake/calltask/"


def page_of(submission: Submission, name: str = "change") -> str:
    return reverse(f"admin:intake_submission_{name}", args=[submission.pk])


def desk_page_of(submission: Submission, name: str = "change") -> str:
    return reverse(f"admin:intake_frontdesk_{name}", args=[submission.pk])


def visit_page(appointment: Any, name: str = "change") -> str:
    return reverse(f"admin:intake_appointment_{name}", args=[appointment.pk])


def press(client: Any, submission: Submission, name: str, *slots: Any, **more: Any) -> HttpResponse:
    """Press the button `name` on the page of an appointment request, with `slots` ticked."""
    given = {"type": str(book.visit_type().pk), "slot": [slot.key for slot in slots], **more}
    return client.post(desk_page_of(submission, name), given)


def waiting(
    name: str = "", urgency: Urgency = Urgency.ROUTINE, hours: float = 24.0, **fields: Any
) -> Submission:
    """Return a submission of a patient called `name`. Its target time is in `hours` hours."""
    contact = {"name": name} if name else None
    submission = builders.submission(contact)
    fields = {"urgency": urgency, "assessed_urgency": urgency, **fields}
    fields.setdefault("target_at", timezone.now() + timedelta(hours=hours))
    Submission.objects.filter(pk=submission.pk).update(**fields)
    submission.refresh_from_db()
    return submission


def find(client: Any, where: str, text: str) -> HttpResponse:
    """Return the list that a search for `text` shows. `where` may contain filters."""
    return client.post(where, {"q": text}, follow=True)


def words(response: HttpResponse) -> str:
    """Return the text of a page, without tags and repeated spaces."""
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def references(response: HttpResponse) -> list[str]:
    """Return the references on a list, from top to bottom."""
    opens = re.findall(r'class="field-opens">(.*?)</td>', response.content.decode(), flags=re.S)
    return [re.findall(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b", cell)[-1] for cell in opens]


def names(response: HttpResponse) -> list[str]:
    """Return the patients' names on the worklist, from top to bottom."""
    return re.findall(r'<a class="row" [^>]*>([^<]+)</a>', response.content.decode())


def is_ticked(response: HttpResponse, value: str) -> bool:
    """Return whether the page shows a box or a round button with this value as ticked."""
    return bool(re.search(rf'value="{value}" id="[^"]+" checked', response.content.decode()))


def cells(response: HttpResponse, column: str) -> list[str]:
    """Return the texts of one column of a list."""
    found = re.findall(
        rf'<(?:td|th) class="field-{column}[^"]*"[^>]*>(.*?)</(?:td|th)>',
        response.content.decode(),
        flags=re.S,
    )
    return [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in found]


def verdict(submission: Submission, **changes: Any) -> dict[str, Any]:
    """Return the form fields of a decision that keeps the urgency. `changes` override fields."""
    return {
        "urgency": submission.urgency,
        "outcome": "book_routine",
        "reason": "",
        "note": "",
        "revision": submission.revision,
    } | changes


class Trail:
    """The audit events that were written after this object was made.

    The table is append-only, so it also contains the events of other tests.
    """

    def __init__(self) -> None:
        self.start = audit.head()[0]

    def events(self, **filters: Any) -> list[Event]:
        return list(Event.objects.filter(seq__gt=self.start, **filters).order_by("seq"))

    def of(self, response: HttpResponse) -> list[Event]:
        """Return the events of the request that this response answers."""
        return self.events(request_id=response["X-Request-ID"])

    def names(self, response: HttpResponse, submission: Submission) -> bool:
        """Return whether an event of the request that `response` answers names the submission."""
        key = str(submission.pk)
        return any(
            key == event.subject or key in event.detail.get("ids", ())
            for event in self.of(response)
        )
