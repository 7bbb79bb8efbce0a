"""A few invented people whom the clinic invited, each in another state. No letter is sent."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from clinic import audit
from intake.domain.stored import PHONE
from intake.draft_content import Content
from intake.invitations import inviting
from intake.invitations.inviting import Invited
from intake.models.appointments import Appointment
from intake.models.invitations import TRIES, Invitation
from intake.protocols import current
from intake.questionnaire import drafts

DAY = timedelta(days=1)
PEOPLE = (
    "Nora Velez", "Ines Duarte", "Otis Grant", "Mei Tanaka", "Paul Renner",
    "Lena Brandt",
)  # fmt: skip


@transaction.atomic
def load(*, by: User) -> int:
    """Store the invitations: one for each state, and one for a visit to come. Returns how many."""
    now = timezone.now()
    states: list[dict[str, Any]] = [
        {},
        {"opened_at": now, "draft_id": _begun()},
        {"declined_at": now},
        {"bounced_at": now, "call_due_at": now + DAY},
        {"tries": TRIES, "call_due_at": now + DAY},
        {"created_at": now - 9 * DAY, "expires_at": now - DAY, "visit_at": now - DAY},
    ]
    rows = [
        _changed(_invitation(number, name, by, now), state)
        for number, (name, state) in enumerate(zip(PEOPLE, states, strict=True))
    ]
    visits = Appointment.objects.for_reading().filter(
        status="confirmed", during__startswith__gt=now
    )
    for visit in visits.order_by("during")[:1]:
        invited = inviting.of_visit(visit, {})
        if not inviting.refusal(invited, visit):
            row = inviting.build(
                invited=invited, protocol=current().name, language="en", by=by, appointment=visit
            )
            rows.append(_changed(row, {}))
    Invitation.objects.bulk_create(rows)
    audit.record(actor=audit.system("demo"), action="create", detail={"count": len(rows)})
    return len(rows)


def _invitation(number: int, name: str, by: User, now: datetime) -> Invitation:
    address = name.lower().replace(" ", ".")
    person = {
        "name": name,
        "birth_date": f"{1950 + 6 * number}-03-14",
        "email": f"{address}@example.org",
        PHONE: f"+1202555014{number}",
    }
    visit_at = (now + timedelta(days=2 + number)).replace(hour=15, minute=30, second=0)
    return inviting.build(
        invited=Invited(person=person, visit_at=visit_at),
        protocol=current().name,
        language="en",
        by=by,
    )


def _changed(row: Invitation, state: dict[str, Any]) -> Invitation:
    """Return the invitation after its letter was sent, in this state and without a reminder."""
    for name, value in {"letters": 1, "remind_at": None, **state}.items():
        setattr(row, name, value)
    return row


def _begun() -> Any:
    """Begin a draft that was left on the second page. Returns its id."""
    protocol = current()
    first = protocol.pages[0]
    content = Content(visited=(first.id,))
    draft, _key = drafts.begin(kind="intake", language="en", content=content, protocol=protocol)
    return draft.pk
