"""Compose the submission and the appointment request of a walk, without storing them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from clinic.ids import uuid7
from intake import search
from intake.domain import answers as domain
from intake.models.appointments import AppointmentRequest, WishedVisit
from intake.models.submissions import Kind, Submission, Urgency
from intake.questionnaire.target_times import target_time
from intake.questionnaire.walk import Walk

MOST_WISHES = 3


def build_submission(
    *,
    draft_id: UUID,
    walk: Walk,
    kind: str,
    contact: Mapping[str, Any],
    language: str,
    reference: str,
    at: datetime,
    location: UUID | None = None,
) -> Submission:
    """Compose the submission of a walk without storing it. The demonstration uses this, too.

    `location` is the id of the place that the patient chose, or None for any place.
    """
    assessment = walk.assessment
    urgency = Urgency.of(assessment.urgency)
    in_contact = walk.uses.contact.stored_names
    return Submission(
        id=uuid7(),
        reference=reference,
        kind=kind,
        draft_id=draft_id,
        protocol_id=walk.protocol.content_hash,
        language=language,
        submitted_at=at,
        urgency=urgency,
        assessed_urgency=urgency,
        target_at=target_time(walk.protocol.level(assessment.urgency), at, location),
        location_id=location,
        answers=domain.to_json({q: v for q, v in walk.known.items() if q not in in_contact}),
        assessment={
            "result": assessment.to_json(),
            "stops": [dict(stop) for stop in walk.content.stops],
            **(
                {"not_asked": list(walk.not_asked)}
                if kind != Kind.STOPPED and walk.not_asked
                else {}
            ),
        },
        person=dict(contact),
        search_keys=search.tokens(contact),
    )


def build_wish(submission: Submission, wish: Mapping[str, Any]) -> AppointmentRequest:
    """Compose the appointment request of a submission without storing it."""
    earliest = wish.get("earliest")
    return AppointmentRequest(
        submission=submission,
        visit_type=wish.get("visit_type", WishedVisit.CALL_ME),
        wishes=_wishes(wish),
        earliest=date.fromisoformat(earliest) if earliest else None,
    )


def chosen_place(wish: Mapping[str, Any]) -> str:
    """Return the name of the place that a wish chooses, or '' for any place."""
    one = [wish["chosen"]] if wish.get("chosen") else _wishes(wish)
    names = {each["place"] for each in one}
    return names.pop() if len(names) == 1 else ""


def _wishes(wish: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return up to three wishes in the stored form, without empty wishes."""
    wishes = [
        {
            "days": list(one.get("days", ())),
            "times": list(one.get("times", ())),
            "place": one.get("place", ""),
            "clinician": one.get("clinician", ""),
        }
        for one in wish.get("wishes") or [wish]
    ]
    return [one for one in wishes if any(one.values())][:MOST_WISHES]
